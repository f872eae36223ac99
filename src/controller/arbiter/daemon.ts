/**
 * The arbiter: one port, any number of clusters, a cell for each. In: its management directory. Out: the exit status of the process.
 * It holds the timers, sockets and files; `core/arbiter.ts` judges. Nothing of it may end by a mistake in the files of one cluster
 * once it runs.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { DiagnosticError, type Result } from '../../base/diagnostic.ts';
import { exitCode } from '../../base/exit-codes.ts';
import type { ArbiterConf } from '../config-arbiter.ts';
import { openPort } from '../io/admin-port.ts';
import {
  type ArbiterFiles,
  arbiterAdministrator,
  arbiterName,
  diagnosticsOf,
  mistakesOf,
  readArbiterFiles,
  refuseMistakes,
} from '../io/arbiter-files.ts';
import { ArbiterPort } from '../io/arbiter-port.ts';
import { ControlSocket } from '../io/control-socket.ts';
import { checkAdministrator, shortly } from '../io/files.ts';
import { type Journal, openJournal } from '../io/journal.ts';
import { removeArbiterLeftovers } from '../io/leftovers.ts';
import { markConfigurationRead, takeLock } from '../io/lock.ts';
import { watchSelf } from '../io/self-watch.ts';
import { notifyReady, startWatchdog } from '../io/systemd.ts';
import { controllerVersion } from '../version.ts';
import { Clusters, type Found, foundCell } from './clusters.ts';
import type { ArbiterReply, ArbiterRequest } from './request.ts';
import type { ArbiterStatus } from './status.ts';

/** Runs until it is told to stop. Throws DiagnosticError when arbitration.conf is wrong, or nothing of what the directory holds can be served. */
export async function runArbiter(dir: string): Promise<number> {
  process.umask(0o077);
  process.chdir(dir);
  await checkAdministrator(dir, arbiterAdministrator);
  const readAtWall = Date.now();
  const files = readArbiterFiles(dir);
  const lock = takeLock(dir, arbiterName);
  if (lock.kind === 'held') {
    process.stderr.write(`an arbiter of ${dir} is already running: process ${lock.by.pid}\n`);
    return exitCode.locked;
  }
  try {
    removeArbiterLeftovers(dir, arbiterName, files.clusters.keys());
    const found = foundCells(files);
    if (!files.conf.ok) throw new DiagnosticError(mistakesOf(files), exitCode.inputWrong);
    markConfigurationRead(dir, arbiterName, readAtWall);
    return await new Arbiter(dir, files.conf.value, found).run();
  } finally {
    lock.release();
  }
}

/**
 * The cells of all clusters. One with a mistake is left out, so that the others keep their arbiter; if there is none without it is the
 * arbiter that is wrong, and every mistake is told at once.
 */
function foundCells(files: ArbiterFiles): Map<string, Result<Found>> {
  const cells = new Map<string, Result<Found>>();
  for (const [name, it] of files.clusters) cells.set(name, it.ok ? foundCell(it.value) : it);
  const all = [...cells.values()];
  if (!files.conf.ok || (all.length > 0 && all.every((it) => !it.ok)))
    refuseMistakes([...diagnosticsOf(files.conf), ...all.flatMap(diagnosticsOf)]);
  return cells;
}

const now = () => ({ at: Math.round(performance.now()), wall: Date.now() });

class Arbiter {
  readonly #dir: string;
  #conf: ArbiterConf;
  readonly #journal: Journal;
  readonly #clusters: Clusters;
  readonly #port: ArbiterPort;
  readonly #control: ControlSocket<ArbiterRequest, ArbiterReply>;
  #unwatch: () => void;
  #timer: NodeJS.Timeout | null = null;
  #exit: (code: number) => void = () => undefined;

  constructor(dir: string, conf: ArbiterConf, found: ReadonlyMap<string, Result<Found>>) {
    this.#dir = dir;
    this.#conf = conf;
    this.#journal = openJournal({ ident: conf.syslogIdent, facility: conf.syslogFacility });
    this.#unwatch = watchSelf({ ...conf, agentAliveTimeoutMs: 0 });
    this.#clusters = new Clusters((message, values) => this.#journal.log(message, values));
    this.#clusters.begin(found, conf, now().at);
    this.#port = new ArbiterPort(this.#clusters, () => 16 + 4 * this.#clusters.size, {
      heard: (caller, view, giveUpMs) => {
        if (this.#clusters.prove(caller)) this.#port.review();
        return this.#clusters.of(caller)?.hear(view, giveUpMs, now()) ?? null;
      },
      unknownPeer: (from, why) => this.#journal.log('MCR00013', { from, why }),
      identified: (caller) => this.#clusters.identify(caller),
    });
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

  #startTimer(): void {
    if (this.#timer) clearInterval(this.#timer);
    this.#timer = setInterval(() => this.#clusters.tick(now().at), this.#conf.heartbeatIntervalMs);
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
    return {
      schema: 1,
      arbiter_pid: process.pid,
      versions: { arbiter: controllerVersion, node: process.versions.node },
      address: this.#conf.myAddress,
      port: this.#conf.port,
      ...this.#clusters.status(now().at),
    };
  }

  /** A mistake in arbitration.conf leaves everything as it was; one in the files of a cluster only that cluster. */
  #reload(): ArbiterReply {
    const readAtWall = Date.now();
    try {
      const files = readArbiterFiles(this.#dir);
      this.#takeTimes(this.#nextConf(files));
      const { changes, failures } = this.#clusters.takeOver(files, this.#conf, now().at);
      this.#port.review();
      markConfigurationRead(this.#dir, arbiterName, readAtWall);
      const clusters = changes.length > 0 ? changes.join(', ') : 'nothing has changed';
      this.#journal.log('MCR00003', { clusters });
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

  #takeTimes(conf: ArbiterConf): void {
    this.#conf = conf;
    this.#journal.configure({ ident: conf.syslogIdent, facility: conf.syslogFacility });
    this.#unwatch();
    this.#unwatch = watchSelf({ ...conf, agentAliveTimeoutMs: 0 });
    this.#startTimer();
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
