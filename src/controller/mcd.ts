/**
 * The daemon: turns what happens on this host into events, lets `decide` judge, and does the actions in order.
 * In: management directory and server. Out: the exit status of the process. It holds the timers, sockets and
 * processes; it never judges. A crash of it leaves the instance running.
 */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { exitCode } from '../base/exit-codes.ts';
import { Calls, CatchUp } from './catch-up.ts';
import type { Deed } from './core/action.ts';
import type { Happening } from './core/event.ts';
import { initialState } from './core/initial-state.ts';
import { ownView } from './core/own-view.ts';
import type { State } from './core/state.ts';
import { type StatusReport, statusReport } from './core/status.ts';
import type { ServerView } from './core/view.ts';
import { wasInRecoveryForSure } from './cut-off.ts';
import { Haste } from './haste.ts';
import { perform, type SlowAction } from './io/actions.ts';
import { movePort, openAdminPort } from './io/admin-port.ts';
import { clocks } from './io/clocks.ts';
import { type Configuration, checkKept, loadConfiguration, processFacts } from './io/configuration.ts';
import { ControlSocket, type Request } from './io/control-socket.ts';
import { DiskWatch } from './io/disk.ts';
import { checkAdministrator, shortly } from './io/files.ts';
import { Instance, isStandby, surroundingsOf } from './io/instance.ts';
import { type Journal, openJournal } from './io/journal.ts';
import { removeLeftovers } from './io/leftovers.ts';
import { markConfigurationRead, takeLock } from './io/lock.ts';
import { Place } from './io/place.ts';
import { InstanceMonitor } from './io/postgres.ts';
import { findPostmaster } from './io/postmaster.ts';
import { primaryAnswers } from './io/primary-address.ts';
import { watchSelf } from './io/self-watch.ts';
import { recall } from './io/state-file.ts';
import { namedStandbys } from './io/switchover.ts';
import { notifyReady, startWatchdog } from './io/systemd.ts';
import { Links } from './links.ts';
import { Looks } from './looks.ts';
import { Turns } from './turns.ts';
import { controllerVersion } from './version.ts';

export interface DaemonOptions {
  readonly dir: string;
  readonly id: string;
  readonly mcOnly: boolean;
  /** -f or -F; null when neither was given. */
  readonly failover: boolean | null;
  /** The file that runs: the disk helper is started from it. */
  readonly bundle: string;
}

/** Runs until it is told to stop. Throws DiagnosticError when the configuration is wrong. */
export async function runDaemon(options: DaemonOptions): Promise<number> {
  process.umask(0o077);
  process.chdir(options.dir);
  await checkAdministrator(options.dir);
  const readAtWall = Date.now();
  const configuration = loadConfiguration(options.dir, options.id);
  const lock = takeLock(options.dir, options.id);
  if (lock.kind === 'held') {
    process.stderr.write(`a controller of ${options.id} is already running: process ${lock.by.pid}\n`);
    return exitCode.locked;
  }
  try {
    removeLeftovers(configuration);
    const found = recall(options.dir, options.id);
    markConfigurationRead(options.dir, options.id, readAtWall);
    return await new Daemon(options, configuration, new Place(options.dir, options.id, lock)).run(found);
  } finally {
    lock.release();
  }
}

/** Someone waits in front of a terminal: an instance that does not answer is told of as it was last seen. */
const statusPatienceMs = 100;
/** Peers on a local network answer within this time; slower ones are told of as they were last heard. */
const peersAnswerMs = 20;

class Daemon {
  readonly #options: DaemonOptions;
  readonly #place: Place;
  readonly #journal: Journal;
  readonly #link: Links;
  readonly #control: ControlSocket;
  readonly #instance: Instance;
  #configuration: Configuration;
  readonly #turns: Turns;
  #monitor: InstanceMonitor;
  #disks: DiskWatch;
  #unwatch: () => void;
  #timers: NodeJS.Timeout[] = [];
  readonly #catchUp = new CatchUp(() => this.#happen({ kind: 'tick' }));
  readonly #calls = new Calls();
  readonly #haste = new Haste(
    () => this.#turns.state,
    () => this.#lookAround(),
  );
  readonly #looks = new Looks(() => this.#look());
  /** Actions are done one after the other, in the order in which they were decided. */
  #work: Promise<void> = Promise.resolve();
  /** One after the other. */
  #reloading: Promise<void> = Promise.resolve();
  #exit: (code: number) => void = () => undefined;

  constructor(options: DaemonOptions, configuration: Configuration, place: Place) {
    const { dir, self, servers, places: arbiters, conf } = configuration;
    this.#options = options;
    this.#place = place;
    this.#configuration = configuration;
    this.#journal = openJournal({ ident: conf.syslogIdent, facility: conf.syslogFacility });
    this.#turns = new Turns(
      initialState({ self, servers, arbiters, conf, dir, controllerVersion, clocks: clocks() }),
      {
        clocks,
        write: place.write,
        place: place.why,
        act: (...all) => this.#carryOut(...all),
      },
    );
    this.#instance = new Instance(
      conf.dbInstance,
      join(dir, `${self.id}.startup.log`),
      () => void this.#looks.again(),
      () => surroundingsOf(this.#configuration),
    );
    this.#monitor = this.#newMonitor();
    this.#disks = this.#newDiskWatch();
    this.#unwatch = watchSelf(conf);
    this.#control = new ControlSocket((id, request) => this.#onRequest(id, request));
    this.#link = this.#newLink();
  }

  #newMonitor(): InstanceMonitor {
    return new InstanceMonitor(this.#configuration, () => void this.#looks.again());
  }

  #newDiskWatch(): DiskWatch {
    return new DiskWatch(this.#options.bundle, this.#configuration.conf, {
      report: (report) => this.#happen({ kind: 'disk-check', ...report }),
      unwatched: (why) => (why === null ? this.#log('MCA01123', {}) : this.#log('MCA01122', { why })),
    });
  }

  #newLink(): Links {
    return new Links(this.#configuration, {
      told: () => this.#told(),
      happen: (happening) => this.#happen(happening),
      heard: (peer, view) => this.#heard(peer, view),
      remember: this.#place.remember,
      log: this.#log,
    });
  }

  /** Null while the record of a decision is outstanding: then nobody is answered. */
  #told(): ReturnType<typeof ownView> | null {
    return this.#turns.standsStill ? null : ownView(this.#turns.state);
  }

  async run(found: ReturnType<typeof recall>): Promise<number> {
    const ended = new Promise<number>((resolve) => {
      this.#exit = resolve;
    });
    await openAdminPort(this.#link, this.#configuration);
    await this.#control.listen(this.#options.id);
    this.#log('MCA01001', { version: controllerVersion, server: this.#options.id, dir: this.#options.dir });
    this.#listenToSignals();
    await this.#boot(found);
    this.#startTimers();
    notifyReady(`watching ${this.#options.id}`);
    startWatchdog();
    const code = await ended;
    await this.#close();
    return code;
  }

  readonly #log: Journal['log'] = (message, values) => this.#journal.log(message, values);

  async #boot({ state: restored, torn }: ReturnType<typeof recall>): Promise<void> {
    const { conf } = this.#configuration;
    const running = (await findPostmaster(conf.dbInstance)) !== null;
    this.#link.restore(restored?.lineages ?? {});
    const cutOff = !running && restored?.takeover?.stage === 'promote';
    const standby = isStandby(conf.dbInstance) || (cutOff && (await wasInRecoveryForSure(conf, this.#log)));
    this.#happen({
      kind: 'boot',
      standby,
      running,
      mcOnly: this.#options.mcOnly,
      failover: this.#options.failover,
      restored,
      torn,
      named: namedStandbys(conf.dbInstance),
      incarnation: randomUUID(),
    });
  }

  #startTimers(): void {
    for (const timer of this.#timers) clearInterval(timer);
    const { heartbeatIntervalMs, dbInstanceCheckIntervalMs } = this.#configuration.conf;
    this.#timers = [
      setInterval(() => this.#happen({ kind: 'tick' }), heartbeatIntervalMs),
      setInterval(() => void this.#looks.again(), dbInstanceCheckIntervalMs),
    ];
    this.#lookAround();
  }

  #lookAround(): void {
    this.#happen({ kind: 'tick' });
    void this.#looks.again();
  }

  #listenToSignals(): void {
    for (const signal of ['SIGTERM', 'SIGINT'] as const)
      process.on(signal, () => this.#happen({ kind: 'terminate' }));
    process.on('SIGHUP', () => {
      this.#reloading = this.#reloading.then(() => this.#reload());
    });
  }

  #happen(happening: Happening): void {
    this.#turns.happen(happening);
    this.#catchUp.follow(this.#turns.state.proving?.stage === 'catching');
    this.#haste.follow();
  }

  #carryOut(deeds: readonly Deed[], { kind }: Happening, before: State): void {
    for (const deed of deeds) this.#work = this.#work.then(() => this.#act(deed));
    // News is shown at once, before anybody who waits for it is answered.
    if (kind === 'tick' || before.mirroring !== this.#turns.state.mirroring) this.#showStatus();
  }

  #report(): StatusReport {
    const facts = { ...processFacts(this.#configuration), ...this.#link.identities() };
    return statusReport(this.#turns.state, facts);
  }

  readonly #showStatus = (): void => this.#place.show(this.#report());

  /** Does one action. What takes long is only begun here, and reports back by an event. */
  #act(action: Deed): void {
    switch (action.kind) {
      case 'log':
        this.#log(action.message, action.values);
        break;
      case 'heartbeat':
        this.#link.heartbeat(action.view);
        break;
      case 'probe-primary':
        void this.#probe();
        break;
      case 'ask-peer':
        this.#link.ask(action.peer, action.id, action.request);
        break;
      case 'reply':
        this.#reply(action);
        break;
      case 'exit':
        this.#exit(action.code);
        break;
      default:
        void this.#perform(action);
        break;
    }
  }

  async #perform(action: SlowAction): Promise<void> {
    const { conf, self, servers } = this.#configuration;
    const outcome = await perform(action, {
      conf,
      instance: this.#instance,
      servers: servers.map(({ id }) => id),
      id: self.id,
      dir: this.#options.dir,
    });
    // The position of a proof is from behind its checkpoint.
    if (outcome?.kind === 'checkpointed') await this.#looks.settled();
    if (outcome) this.#happen(outcome);
    // What an action has changed is looked at right away, not at the next interval.
    if (['start-instance', 'set-names', 'set-slots', 'promote', 'checkpoint'].includes(action.kind))
      await this.#looks.again();
  }

  async #probe(): Promise<void> {
    const { dbInstance, heartbeatTimeoutMs } = this.#configuration.conf;
    const open = await primaryAnswers(dbInstance, heartbeatTimeoutMs).catch(() => false);
    this.#happen({ kind: 'primary-probe', open });
  }

  async #look(): Promise<void> {
    const monitor = this.#monitor;
    const outcome = await monitor.check();
    // A reload ends the connection of the old monitor, which says nothing about the instance.
    if (monitor === this.#monitor) this.#happen({ kind: 'instance-check', outcome });
    else void this.#looks.again();
  }

  /** A primary that calls before its time wants news of its standby, whose instance is looked at for the next call. */
  #heard(peer: string, view: ServerView): void {
    this.#happen({ kind: 'heard', peer, view });
    const early = this.#calls.isEarly(peer, clocks().at, this.#configuration.conf.heartbeatIntervalMs);
    if (early && view.role === 'primary' && this.#turns.state.own.role === 'standby')
      void this.#looks.again();
  }

  #reply({ to, ...answer }: Extract<Deed, { kind: 'reply' }>): void {
    switch (to.kind) {
      case 'control':
        this.#control.reply(to.id, { ok: answer.ok, text: answer.text, code: answer.code });
        break;
      case 'peer':
        this.#link.answer(to.peer, to.id, answer);
        break;
    }
  }

  #onRequest(id: number, request: Request): void {
    switch (request.kind) {
      case 'status':
        void this.#answerStatus(id);
        break;
      case 'start':
      case 'wait-started':
      case 'stop':
      case 'set-failover':
      case 'switch':
      case 'abort-switch':
      case 'detach':
      case 'attach':
      case 'maintenance-begin':
      case 'maintenance-end':
        this.#happen({ kind: 'control', id, request });
        break;
      default:
        // A newer mc_ctl may know more than this controller.
        this.#control.reply(id, { ok: false, text: 'this controller does not know that request' });
        break;
    }
  }

  /** The status as it is now, not as it was at the last check: looks once more, and tells and hears the peers. */
  async #answerStatus(id: number): Promise<void> {
    await Promise.race([this.#looks.again(), sleep(statusPatienceMs)]);
    this.#happen({ kind: 'tick' });
    await this.#work;
    await sleep(peersAnswerMs);
    const status = this.#report();
    this.#control.reply(id, { ok: true, text: '', status });
    // What was just told is what the next one reads.
    this.#showStatus();
  }

  async #reload(): Promise<void> {
    const before = this.#configuration;
    const readAtWall = Date.now();
    try {
      const next = loadConfiguration(before.dir, before.self.id);
      checkKept(before, next);
      await movePort(this.#link, before.self, next.self);
      const { conf, servers, places: arbiters } = next;
      this.#configuration = next;
      this.#journal.configure({ ident: conf.syslogIdent, facility: conf.syslogFacility });
      this.#link.update(next);
      this.#monitor.end();
      this.#monitor = this.#newMonitor();
      this.#disks.close();
      this.#disks = this.#newDiskWatch();
      this.#unwatch();
      this.#unwatch = watchSelf(conf);
      markConfigurationRead(before.dir, before.self.id, readAtWall);
      this.#happen({ kind: 'reload', conf, servers, arbiters });
      this.#startTimers();
    } catch (error) {
      this.#happen({ kind: 'reload-failed', why: shortly(error) });
    }
  }

  async #close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    this.#catchUp.end();
    this.#haste.end();
    this.#unwatch();
    this.#monitor.end();
    this.#disks.close();
    this.#control.close();
    this.#link.close();
    this.#journal.close();
    // Replies that were just written need a turn of the loop to leave.
    await sleep(20);
  }
}
