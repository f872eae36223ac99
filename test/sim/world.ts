/**
 * Hosts with a controller and an instance each, and the time in which everything happens. The controllers are the real
 * `decide`; everything around them is a model. In: settings with a seed. Out: what the checkers saw, and a story.
 */
import { giveUpTimeMs, type ServerConf, serverConf } from '../../src/controller/config.ts';
import type { Deed } from '../../src/controller/core/action.ts';
import type { Clocks, Happening } from '../../src/controller/core/event.ts';
import { tickWantedAt } from '../../src/controller/core/haste.ts';
import { type Ports, Turns } from '../../src/controller/turns.ts';
import { arbiterLine, SimArbiter } from './arbiter.ts';
import { Checkers } from './checkers.ts';
import { Clockwork } from './clockwork.ts';
import { presentCore, releasedCore } from './core.ts';
import type { Duties, SimDuty } from './duties.ts';
import { act, unwritable, write } from './hands.ts';
import { type Host, newHost, type Shown } from './host.ts';
import { halt } from './instance.ts';
import { Network } from './network.ts';
import { Random } from './random.ts';
import { Replication } from './replication.ts';
import { storyOf } from './story.ts';
import { giveUpMs, lookEveryMs } from './times.ts';
import { confOf as confOfUnlike, type Unlike } from './unlike.ts';

/** The reference address: there is none; it works; it never answers; it stops to answer when something goes wrong. */
export type References = 'none' | 'well' | 'never' | 'stops';

/** What a command of the user answers: as it should, always no, or not in time. */
export type CommandMode = 'well' | 'no' | 'late';

export interface WorldSettings {
  readonly seed: number;
  readonly servers: number;
  readonly policy: ServerConf['heartbeatErrorAction'];
  readonly references: References;
  readonly arbitration: CommandMode;
  readonly fencing: CommandMode | null;
  readonly timeoutAction: ServerConf['dbInstanceTimeoutAction'];
  /** Who answers with the policy `arbitration`. */
  readonly register: 'none' | 'arbiter' | 'servers';
  readonly duties?: Duties | undefined;
  /** By the place of the server. */
  readonly unlike?: readonly Unlike[] | undefined;
  /** The daemon's ticks between the usual ones, where a silence has become long enough. */
  readonly hasty?: boolean;
  readonly trace: boolean;
}

/** An instance that has not answered for so long is given up, with `delayed_failover`. */
export const failoverDelayMs = 2500;

export class World {
  readonly clock = new Clockwork();
  readonly random: Random;
  readonly hosts: readonly Host[];
  readonly arbiter: SimArbiter | null;
  readonly checkers: Checkers;
  readonly network: Network;
  readonly replication: Replication;
  readonly settings: WorldSettings;
  readonly lines: string[] = [];
  readonly #conf: ServerConf;
  /** Requests of persons, and how many of them were answered. */
  asked = 0;
  answered = 0;
  /** Told of each action before it is done; the host may be gone behind that. */
  beforeDeed: (host: Host) => void = () => undefined;
  /** A fencing command has shut a host off, and has not said so in time. */
  shutOffInVain = false;

  constructor(settings: WorldSettings) {
    this.settings = settings;
    this.random = new Random(settings.seed);
    const ids = Array.from({ length: settings.servers }, (_, index) => `server${index + 1}`);
    this.hosts = ids.map((id) => newHost({ id, host: id, port: 1 }));
    for (const [index, host] of this.hosts.entries()) {
      host.duty = settings.duties?.[index] ?? {};
      host.unlike = settings.unlike?.[index] ?? {};
      if (host.unlike.released) host.core = releasedCore;
    }
    this.arbiter = settings.register === 'arbiter' ? new SimArbiter(this) : null;
    this.checkers = new Checkers(this);
    this.network = new Network(this);
    this.replication = new Replication(this);
    this.network.gateway = settings.references !== 'never';
    this.#conf = confOf(settings);
  }

  host(id: string): Host {
    const found = this.hosts.find((it) => it.id === id);
    if (!found) throw new Error(`no host ${id}`);
    return found;
  }

  tell(text: string): void {
    if (this.settings.trace) this.lines.push(`${(this.clock.now / 1000).toFixed(3).padStart(8)}  ${text}`);
  }

  /** All hosts boot: a primary, and standbys that are in sync after a while. */
  begin(): void {
    this.arbiter?.start();
    for (const host of this.hosts) {
      host.instance.fileNames = this.namesFor(host);
      this.bootHost(host);
    }
    this.replication.write();
  }

  /** As they are provisioned: all that commits may wait for. */
  namesFor(host: Host): readonly string[] {
    return this.hosts
      .filter((it) => it !== host && it.duty.replication !== 'asynchronous')
      .map((it) => it.id);
  }

  setDuty(host: Host, duty: SimDuty): void {
    host.duty = duty;
    this.#reload(host);
  }

  setUnlike(host: Host, unlike: Unlike): void {
    host.unlike = unlike;
    this.#reload(host);
  }

  #reload(host: Host): void {
    this.happen(host, {
      kind: 'reload',
      conf: this.#confOf(host),
      servers: this.hosts.map((it) => it.line),
      arbiters: this.arbiter ? [arbiterLine] : [],
    });
  }

  readonly #confOf = (host: Host): ServerConf => ({
    ...this.#conf,
    ...confOfUnlike(host.unlike),
    ...host.duty,
  });

  /** The longest time after which one of them gives another one up. */
  get giveUpMs(): number {
    return Math.max(giveUpMs, ...this.hosts.map((it) => giveUpTimeMs(this.#confOf(it))));
  }

  bootHost(host: Host): void {
    host.up = true;
    host.frozen = false;
    host.missed = { monotonic: 0, sinceBoot: 0 };
    host.bootedAt = this.clock.now;
    this.tell(`${host.id} boots`);
    this.startController(host, this.random.between(50, 800));
  }

  crashHost(host: Host): void {
    this.tell(`${host.id} loses its power`);
    host.up = false;
    host.frozen = false;
    host.queue = [];
    this.killController(host);
    halt(host.instance);
  }

  /** The postmaster is killed, or panics; its controller is told at once, as by a closed connection. */
  killInstance(host: Host): void {
    if (!host.up || host.frozen || !host.instance.running) return;
    this.tell(`the instance of ${host.id} is killed`);
    halt(host.instance);
    this.check(host);
  }

  killController(host: Host): void {
    if (host.state) this.tell(`the controller of ${host.id} is gone`);
    host.turns = null;
    host.paused = false;
    host.inbox = [];
    host.incarnation += 1;
    host.hasteAt = null;
    host.crashAfter = null;
  }

  startController(host: Host, afterMs: number): void {
    const { incarnation } = host;
    this.later(host, afterMs, () => {
      if (host.state || host.incarnation !== incarnation) return;
      host.turns = this.#turnsOf(host);
      this.happen(host, {
        kind: 'boot',
        standby: host.instance.role === 'standby',
        running: host.instance.running,
        mcOnly: false,
        failover: null,
        restored: host.torn ? null : host.file,
        torn: host.torn,
        // The names have been in force once, and stay in the file as a comment.
        named: this.namesFor(host),
        incarnation: `${host.id}-${host.incarnation}`,
      });
      this.#every(
        host,
        () => this.#confOf(host).heartbeatIntervalMs,
        () => this.happen(host, { kind: 'tick' }),
      );
      this.#every(
        host,
        () => lookEveryMs,
        () => this.check(host),
      );
    });
  }

  /** What goes by on its clocks in so long a time. */
  readonly #passes = ({ unlike: { rate = 1 } }: Host, ms: number): number => Math.round(rate * ms);

  readonly #now = (host: Host): number =>
    1000 + this.#passes(host, this.clock.now - host.bootedAt - host.missed.monotonic);
  readonly #sinceBoot = (host: Host): number =>
    this.#passes(host, this.clock.now - host.bootedAt - host.missed.sinceBoot);
  readonly #wall = (host: Host): number =>
    1_800_000_000_000 + this.#passes(host, this.clock.now) + host.wallOffset;

  /** On a frozen host everything waits; on a dead one it never happens. */
  later(host: Host, ms: number, run: () => void): void {
    const { bootedAt } = host;
    this.clock.after(ms, () => {
      if (!host.up || host.bootedAt !== bootedAt) return;
      if (host.frozen) host.queue.push(run);
      else run();
    });
  }

  /** By its own clock. */
  #every(host: Host, ms: () => number, run: () => void): void {
    const { incarnation } = host;
    const turn = (): void => {
      if (host.incarnation !== incarnation || !host.state) return;
      run();
      this.later(host, ms() / (host.unlike.rate ?? 1), turn);
    };
    this.later(host, this.random.between(1, ms()), turn);
  }

  freeze(host: Host, shownBy: Shown): void {
    if (!host.up || host.frozen) return;
    this.tell(`${host.id} freezes, shown by ${shownBy}`);
    host.frozen = true;
    host.frozenAt = this.clock.now;
    host.shownBy = shownBy;
  }

  thaw(host: Host): void {
    this.tell(`${host.id} goes on`);
    host.frozen = false;
    host.thawedAt = this.clock.now;
    const away = this.clock.now - host.frozenAt;
    if (host.shownBy !== 'every clock') host.missed.monotonic += away;
    if (host.shownBy === 'wall') host.missed.sinceBoot += away;
    const { queue } = host;
    host.queue = [];
    for (const run of queue) if (host.up) run();
  }

  /** The controller alone goes on after a pause. */
  resume(host: Host): void {
    if (!host.paused) return;
    this.tell(`the controller of ${host.id} goes on`);
    host.paused = false;
    const { inbox, incarnation } = host;
    host.inbox = [];
    for (const happening of inbox) if (host.incarnation === incarnation) this.happen(host, happening);
  }

  /** One look at the instance. */
  check(host: Host): void {
    if (!host.state || host.paused) return;
    const outcome = this.replication.outcome(host);
    if (outcome.kind !== 'timeout') this.happen(host, { kind: 'instance-check', outcome });
    else {
      const { incarnation } = host;
      const told = (): void => this.happen(host, { kind: 'instance-check', outcome });
      this.later(host, 900, () => host.incarnation === incarnation && told());
    }
  }

  happen(host: Host, happening: Happening): void {
    if (!host.state) return;
    if (host.paused) {
      // A timer that came due several times during a pause fires once.
      if (happening.kind !== 'tick' || !host.inbox.some((it) => it.kind === 'tick'))
        host.inbox.push(happening);
      return;
    }
    host.turns?.happen(happening);
    this.#hasten(host);
  }

  /** The ticks between the usual ones, as the daemon has them. */
  #hasten(host: Host): void {
    const { state, incarnation } = host;
    // The released controller has none of them.
    const hasty = this.settings.hasty === true && host.core === presentCore;
    const at = hasty && state ? tickWantedAt(state) : null;
    if (at === null || (host.hasteAt !== null && host.hasteAt <= at)) return;
    host.hasteAt = at;
    this.later(host, Math.max(10, at - this.#now(host)), () => {
      if (host.incarnation !== incarnation || host.hasteAt !== at || !host.state) return;
      host.hasteAt = null;
      const wanted = tickWantedAt(host.state);
      if (wanted === null || wanted > this.#now(host)) this.#hasten(host);
      else {
        this.happen(host, { kind: 'tick' });
        this.check(host);
      }
    });
  }

  #turnsOf(host: Host): Turns {
    const clocks = (): Clocks => ({
      at: this.#now(host),
      wall: this.#wall(host),
      sinceBoot: this.#sinceBoot(host),
    });
    const { line: self } = host;
    const servers = this.hosts.map((it) => it.line);
    const { core } = host;
    const arbiters = this.arbiter ? [arbiterLine] : [];
    const state = core.begin({
      self,
      servers,
      arbiters,
      conf: this.#confOf(host),
      controllerVersion: '0',
      clocks: clocks(),
    });
    const ports: Ports = {
      clocks,
      write: (record) => write(host, record),
      place: () => unwritable(host),
      act: (deeds, happening) => this.#carryOut(host, deeds, happening),
    };
    return new Turns(state, ports, core.decide);
  }

  #carryOut(host: Host, deeds: readonly Deed[], happening: Happening): void {
    const { incarnation } = host;
    if (host.state && host.core === presentCore)
      this.checkers.decided(host.id, { state: host.state, actions: deeds });
    if (this.settings.trace) {
      const story = storyOf(happening);
      if (story) this.tell(`${host.id}: ${story}`);
    }
    for (const deed of deeds) {
      this.beforeDeed(host);
      if (host.incarnation !== incarnation || this.#crashes(host, deed.kind)) return;
      act(this, host, deed);
    }
    this.checkers.look();
  }

  /** The controller is killed between two of its actions. */
  #crashes(host: Host, kind: string): boolean {
    if (host.crashAfter === null || kind === 'log') return false;
    host.crashAfter -= 1;
    if (host.crashAfter >= 0) return false;
    this.tell(`${host.id}: its controller is killed before "${kind}"`);
    this.killController(host);
    this.startController(host, this.random.between(300, 1500));
    return true;
  }

  replied(ok: boolean): void {
    if (ok) this.answered += 1;
  }
}

function confOf(settings: WorldSettings): ServerConf {
  const { policy, references, fencing, timeoutAction } = settings;
  return serverConf({
    dbInstance: '/data',
    heartbeatErrorAction: policy,
    referenceAddresses: references === 'none' ? [] : ['gateway'],
    diskCheckRetry: 0,
    arbitrationCommandTimeoutMs: 500,
    dbInstanceTimeoutAction: timeoutAction,
    dbInstanceFailoverDelayMs: failoverDelayMs,
    dbInstanceCheckRetry: 1,
    ...(fencing ? { fencingCommand: '/fence' } : {}),
  });
}
