/**
 * The arbiter: one port, any number of clusters, a cell for each. In: its management directory. Out: the exit status of the process.
 * It holds the timers, sockets and files; `core/arbiter.ts` judges. Nothing of it may end by a mistake in the files of one cluster
 * once it runs.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { DiagnosticError } from '../../base/diagnostic.ts';
import { exitCode } from '../../base/exit-codes.ts';
import type { ArbiterConf } from '../config-arbiter.ts';
import { openPort } from '../io/admin-port.ts';
import {
  type ArbiterFiles,
  arbiterAdministrator,
  arbiterName,
  type ClusterFiles,
  diagnosticsOf,
  mistakesOf,
  readArbiterFiles,
  refuseMistakes,
} from '../io/arbiter-files.ts';
import { ArbiterPort, type Caller } from '../io/arbiter-port.ts';
import { readCell } from '../io/cell-file.ts';
import { ControlSocket } from '../io/control-socket.ts';
import { checkAdministrator, shortly } from '../io/files.ts';
import { type Journal, openJournal } from '../io/journal.ts';
import { markConfigurationRead, takeLock } from '../io/lock.ts';
import { watchSelf } from '../io/self-watch.ts';
import { notifyReady, startWatchdog } from '../io/systemd.ts';
import { controllerVersion } from '../version.ts';
import { Cluster } from './cluster.ts';
import type { ArbiterReply, ArbiterRequest } from './request.ts';
import type { ArbiterStatus } from './status.ts';

/** Runs until it is told to stop. Throws DiagnosticError when anything in the directory is wrong. */
export async function runArbiter(dir: string): Promise<number> {
  process.umask(0o077);
  process.chdir(dir);
  checkAdministrator(dir, arbiterAdministrator);
  const readAtWall = Date.now();
  const files = readArbiterFiles(dir);
  const lock = takeLock(dir, arbiterName);
  if (lock.kind === 'held') {
    process.stderr.write(`an arbiter of ${dir} is already running: process ${lock.by.pid}\n`);
    return exitCode.locked;
  }
  try {
    const found = foundCells(files);
    if (!files.conf.ok) throw new DiagnosticError(mistakesOf(files), exitCode.inputWrong);
    markConfigurationRead(dir, arbiterName, readAtWall);
    return await new Arbiter(dir, files.conf.value, found).run();
  } finally {
    lock.release();
  }
}

type Found = ReturnType<typeof readCell> & { readonly files: ClusterFiles };

/** The cells of all clusters; throws every mistake at once, also that of a cell that a newer arbiter has written. */
function foundCells(files: ArbiterFiles): Found[] {
  const problems = mistakesOf(files);
  const found = [...files.clusters.values()].flatMap((it): Found[] => {
    if (!it.ok) return [];
    try {
      return [{ files: it.value, ...readCell(it.value.dir) }];
    } catch (error) {
      if (!(error instanceof DiagnosticError)) throw error;
      problems.push(...error.diagnostics);
      return [];
    }
  });
  refuseMistakes(problems);
  return found;
}

const now = () => ({ at: Math.round(performance.now()), wall: Date.now() });

class Arbiter {
  readonly #dir: string;
  #conf: ArbiterConf;
  readonly #journal: Journal;
  readonly #clusters = new Map<string, Cluster>();
  /** Clusters whose files have mistakes, and which. */
  #problems = new Map<string, string>();
  readonly #port: ArbiterPort;
  readonly #control: ControlSocket<ArbiterRequest, ArbiterReply>;
  #unwatch: () => void;
  #timer: NodeJS.Timeout | null = null;
  #exit: (code: number) => void = () => undefined;

  constructor(dir: string, conf: ArbiterConf, found: readonly Found[]) {
    this.#dir = dir;
    this.#conf = conf;
    this.#journal = openJournal({ ident: conf.syslogIdent, facility: conf.syslogFacility });
    this.#unwatch = watchSelf({ ...conf, agentAliveTimeoutMs: 0 });
    for (const it of found) this.#add(it);
    this.#port = new ArbiterPort(
      (caller) => this.#known(caller),
      () => 16 + 4 * this.#clusters.size,
      {
        heard: (caller, view, giveUpMs) => this.#clusterOf(caller)?.hear(view, giveUpMs, now()) ?? null,
        unknownPeer: (from, why) => this.#journal.log('MCR00013', { from, why }),
      },
    );
    this.#control = new ControlSocket((id, request) => this.#onRequest(id, request));
  }

  async run(): Promise<number> {
    const ended = new Promise<number>((resolve) => {
      this.#exit = resolve;
    });
    const { myAddress, port } = this.#conf;
    await openPort(
      () => this.#port.listen(myAddress, port),
      `the port of the arbiter ${myAddress}:${port}`,
      'give the arbiter another port in arbitration.conf and in every network.conf',
    );
    await this.#control.listen(arbiterName);
    const count = String(this.#clusters.size);
    this.#journal.log('MCR00001', { version: controllerVersion, dir: this.#dir, count });
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => this.#exit(exitCode.done));
    process.on('SIGHUP', () => this.#reload());
    this.#startTimer();
    notifyReady(`answers ${count} clusters`);
    startWatchdog();
    const code = await ended;
    await this.#close();
    return code;
  }

  #add({ files, ...found }: Found): void {
    const log: Journal['log'] = (message, values) => this.#journal.log(message, values);
    this.#clusters.set(files.cluster, new Cluster(files, this.#conf, found, now().at, log));
  }

  #clusterOf({ fingerprint, id }: Caller): Cluster | undefined {
    return [...this.#clusters.values()].find(
      ({ files }) => files.fingerprint === fingerprint && files.servers.some((line) => line.id === id),
    );
  }

  #known(caller: Caller) {
    const cluster = this.#clusterOf(caller);
    return cluster && { who: caller, key: cluster.files.key };
  }

  #startTimer(): void {
    if (this.#timer) clearInterval(this.#timer);
    this.#timer = setInterval(() => {
      for (const cluster of this.#clusters.values()) cluster.tick(now().at);
    }, this.#conf.heartbeatIntervalMs);
  }

  #onRequest(id: number, request: ArbiterRequest): void {
    switch (request.kind) {
      case 'status':
        this.#control.reply(id, { ok: true, text: '', status: this.#status() });
        break;
      case 'reload':
        this.#control.reply(id, this.#reload());
        break;
      case 'stop':
        this.#control.reply(id, { ok: true, text: 'stopped' });
        this.#exit(exitCode.done);
        break;
      default:
        // A newer mc_arb may know more than this arbiter.
        this.#control.reply(id, { ok: false, text: 'this arbiter does not know that request' });
    }
  }

  #status(): ArbiterStatus {
    const { at } = now();
    const problem = (name: string): string | null => this.#problems.get(name) ?? null;
    return {
      schema: 1,
      arbiter_pid: process.pid,
      versions: { arbiter: controllerVersion, node: process.versions.node },
      address: this.#conf.myAddress,
      port: this.#conf.port,
      clusters: [...this.#clusters].map(([name, it]) => it.status(at, problem(name))),
      left_out: [...this.#problems]
        .filter(([name]) => !this.#clusters.has(name))
        .map(([cluster, why]) => ({ cluster, why })),
    };
  }

  /** A mistake in arbitration.conf leaves everything as it was; one in the files of a cluster only that cluster. */
  #reload(): ArbiterReply {
    const readAtWall = Date.now();
    try {
      const files = readArbiterFiles(this.#dir);
      const conf = this.#nextConf(files);
      const changes = this.#takeOver(files, conf);
      markConfigurationRead(this.#dir, arbiterName, readAtWall);
      const clusters = changes.length > 0 ? changes.join(', ') : 'nothing has changed';
      this.#journal.log('MCR00003', { clusters });
      const failures = [...this.#problems].map(([name, why]) => `cluster ${name}: ${why}`);
      return { ok: failures.length === 0, text: [clusters, ...failures].join('\n') };
    } catch (error) {
      const why = shortly(error);
      this.#journal.log('MCR00005', { why });
      return { ok: false, text: why };
    }
  }

  #nextConf({ conf }: ArbiterFiles): ArbiterConf {
    if (!conf.ok) throw new DiagnosticError([...conf.diagnostics], exitCode.inputWrong);
    const { port, myAddress } = conf.value;
    if (port !== this.#conf.port || myAddress !== this.#conf.myAddress)
      throw new Error('its address or port has changed, which needs a restart of the arbiter');
    return conf.value;
  }

  /** Returns what has changed, in words. */
  #takeOver({ clusters }: ArbiterFiles, conf: ArbiterConf): string[] {
    this.#conf = conf;
    this.#journal.configure({ ident: conf.syslogIdent, facility: conf.syslogFacility });
    this.#unwatch();
    this.#unwatch = watchSelf({ ...conf, agentAliveTimeoutMs: 0 });
    this.#problems = new Map();
    const changes = [...this.#clusters.keys()]
      .filter((name) => !clusters.has(name))
      .map((name) => {
        this.#clusters.delete(name);
        return `${name} removed`;
      });
    for (const [name, files] of clusters) {
      const change = files.ok ? this.#takeCluster(files.value) : this.#leave(name, diagnosticsOf(files));
      if (change !== null) changes.push(`${name} ${change}`);
    }
    this.#port.review();
    this.#startTimer();
    return changes;
  }

  #takeCluster(files: ClusterFiles): string | null {
    const cluster = this.#clusters.get(files.cluster);
    // With another key it may be another cluster, so that its disk is believed and not what is remembered here.
    if (cluster?.files.fingerprint === files.fingerprint) {
      const before = shapeOf(cluster.files);
      cluster.configure(files, this.#conf);
      return before === shapeOf(files) ? null : 'changed';
    }
    try {
      this.#add({ files, ...readCell(files.dir) });
      return cluster ? 'has another key' : 'added';
    } catch (error) {
      if (!(error instanceof DiagnosticError)) throw error;
      return this.#leave(files.cluster, error.diagnostics);
    }
  }

  #leave(cluster: string, diagnostics: DiagnosticError['diagnostics']): null {
    const why = shortly(new DiagnosticError([...diagnostics], exitCode.inputWrong));
    this.#problems.set(cluster, why);
    this.#journal.log('MCR00004', { cluster, why });
    return null;
  }

  async #close(): Promise<void> {
    if (this.#timer) clearInterval(this.#timer);
    this.#port.close();
    this.#control.close();
    this.#unwatch();
    this.#journal.log('MCR00002', {});
    this.#journal.close();
    // Replies that were just written need a turn of the loop to leave.
    await sleep(20);
  }
}

const shapeOf = ({ self, servers, fingerprint }: ClusterFiles): string =>
  JSON.stringify({ self, servers, fingerprint });
