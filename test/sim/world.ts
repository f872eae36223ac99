/**
 * Hosts with a controller and an instance each, a network that loses, delays, reorders and cuts, and a client that
 * writes to whoever takes writes. The controllers are the real `decide`; everything around them is a model.
 * In: a seed and a plan. Out: what was acknowledged and promoted, and what the checkers found wrong.
 */
import { type ServerConf, type ServerLine, serverConf } from '../../src/controller/config.ts';
import type { Action } from '../../src/controller/core/action.ts';
import { decide } from '../../src/controller/core/decide.ts';
import type { CheckOutcome, Happening } from '../../src/controller/core/event.ts';
import { messages, messageText } from '../../src/controller/core/messages.ts';
import { initialState, ownView, type Persisted, type State } from '../../src/controller/core/state.ts';
import type { ServerView } from '../../src/controller/core/view.ts';
import { Checkers } from './checkers.ts';
import { Clockwork } from './clockwork.ts';
import { halt, type Instance, isBeginning, lsn, newInstance, satisfied } from './instance.ts';
import { Random } from './random.ts';

export interface Host {
  readonly id: string;
  readonly line: ServerLine;
  readonly instance: Instance;
  up: boolean;
  frozen: boolean;
  /** Work that came while the host was frozen. */
  queue: (() => void)[];
  /** Null while no controller runs. */
  state: State | null;
  incarnation: number;
  disk: Persisted | null;
  wallOffset: number;
  bootedAt: number;
  /** The controller is killed before this many more actions are done. */
  crashAfter: number | null;
  /** The whole host loses its power so long after it begins this action for the n-th time. */
  doom: {
    readonly action: Action['kind'];
    times: number;
    readonly afterMs: number;
    readonly backMs: number;
  } | null;
  /** A start or stop of the instance that is under way. */
  busy: number;
}

export interface WorldSettings {
  readonly seed: number;
  readonly servers: number;
  readonly policy: ServerConf['heartbeatErrorAction'];
  readonly references: boolean;
  readonly trace: boolean;
}

export const intervalMs = 1000;
export const giveUpMs = intervalMs + 1000;

export class World {
  readonly clock = new Clockwork();
  readonly random: Random;
  readonly hosts: readonly Host[];
  readonly checkers: Checkers;
  readonly settings: WorldSettings;
  readonly lines: string[] = [];
  /** One direction of a cable: "server1>server2". `admin` and `log` are the two networks. */
  readonly cuts = { admin: new Set<string>(), log: new Set<string>() };
  readonly noUplink = new Set<string>();
  slowMs = 0;
  replies: string[] = [];
  #commits = 0;

  constructor(settings: WorldSettings) {
    this.settings = settings;
    this.random = new Random(settings.seed);
    const lines = Array.from({ length: settings.servers }, (_, index) => ({
      id: `server${index + 1}`,
      host: `server${index + 1}`,
      port: 1,
    }));
    this.hosts = lines.map((line) => newHost(line));
    this.checkers = new Checkers(this);
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
    for (const host of this.hosts) {
      const others = this.hosts.filter((it) => it !== host).map((it) => it.id);
      if (host.id === 'server1') host.instance.names = others;
      this.bootHost(host);
    }
    this.#write();
  }

  bootHost(host: Host): void {
    host.up = true;
    host.frozen = false;
    host.bootedAt = this.clock.now;
    this.tell(`${host.id} boots`);
    this.startController(host, this.random.between(50, 800));
  }

  crashHost(host: Host): void {
    this.tell(`${host.id} loses its power`);
    host.up = false;
    host.frozen = false;
    host.queue = [];
    host.busy += 1;
    this.killController(host);
    halt(host.instance);
  }

  killController(host: Host): void {
    if (host.state) this.tell(`the controller of ${host.id} is gone`);
    host.state = null;
    host.incarnation += 1;
    host.crashAfter = null;
  }

  startController(host: Host, afterMs: number): void {
    const incarnation = host.incarnation;
    this.#later(host, afterMs, () => {
      if (host.state || host.incarnation !== incarnation) return;
      host.state = initialState({
        self: host.line,
        servers: this.hosts.map((it) => it.line),
        conf: this.#conf(),
        controllerVersion: '0',
        now: this.#now(host),
        wall: this.#wall(host),
      });
      const { instance } = host;
      this.happen(host, {
        kind: 'boot',
        standby: instance.role === 'standby',
        running: instance.running,
        mcOnly: false,
        failover: null,
        restored: host.disk,
        torn: false,
        incarnation: `${host.id}-${host.incarnation}`,
      });
      this.#every(host, intervalMs, () => this.happen(host, { kind: 'tick' }));
      this.#every(host, intervalMs, () => this.check(host));
    });
  }

  #conf(): ServerConf {
    return serverConf({
      dbInstance: '/data',
      heartbeatIntervalMs: intervalMs,
      heartbeatTimeoutMs: 1000,
      heartbeatRetry: 0,
      heartbeatErrorAction: this.settings.policy,
      referenceAddresses: this.settings.references ? ['gateway'] : [],
      diskCheckRetry: 0,
      arbitrationCommandTimeoutMs: 500,
    });
  }

  readonly #now = (host: Host): number => this.clock.now - host.bootedAt + 1000;
  readonly #wall = (host: Host): number => 1_800_000_000_000 + this.clock.now + host.wallOffset;

  /** On a frozen host everything waits; on a dead one it never happens. */
  #later(host: Host, ms: number, run: () => void): void {
    const bootedAt = host.bootedAt;
    this.clock.after(ms, () => {
      if (!host.up || host.bootedAt !== bootedAt) return;
      if (host.frozen) host.queue.push(run);
      else run();
    });
  }

  #every(host: Host, ms: number, run: () => void): void {
    const { incarnation } = host;
    const turn = (): void => {
      if (host.incarnation !== incarnation || !host.state) return;
      run();
      this.#later(host, ms, turn);
    };
    this.#later(host, this.random.between(1, ms), turn);
  }

  thaw(host: Host): void {
    this.tell(`${host.id} goes on`);
    host.frozen = false;
    const { queue } = host;
    host.queue = [];
    for (const run of queue) if (host.up) run();
  }

  happen(host: Host, happening: Happening): void {
    if (!host.state) return;
    const before = host.state;
    const event = { ...happening, at: this.#now(host), wall: this.#wall(host) };
    const decision = decide(before, event);
    host.state = decision.state;
    if (this.settings.trace && !quiet.has(happening.kind)) {
      const words = Object.entries(happening).filter(([key]) => key !== 'kind' && key !== 'restored');
      this.tell(
        `${host.id} · ${happening.kind} ${words.map(([key, it]) => `${key}=${JSON.stringify(it)}`).join(' ')}`,
      );
    }
    const incarnation = host.incarnation;
    for (const action of decision.actions) {
      if (host.incarnation !== incarnation) return;
      if (host.crashAfter !== null && action.kind !== 'log') {
        if (host.crashAfter === 0) {
          this.tell(`${host.id}: crash before "${action.kind}"`);
          this.killController(host);
          this.startController(host, this.random.between(300, 1500));
          return;
        }
        host.crashAfter -= 1;
      }
      this.#act(host, action);
    }
    this.checkers.look();
  }

  /** The power fails in the middle of what the host is doing. */
  #strikeDoom(host: Host, action: Action): void {
    const { doom } = host;
    if (doom?.action !== action.kind) return;
    doom.times -= 1;
    if (doom.times > 0) return;
    host.doom = null;
    this.clock.after(doom.afterMs, () => {
      if (!host.up) return;
      this.crashHost(host);
      this.clock.after(doom.backMs, () => host.up || this.bootHost(host));
    });
  }

  #act(host: Host, action: Action): void {
    this.#strikeDoom(host, action);
    const { instance } = host;
    if (this.settings.trace && action.kind !== 'heartbeat') this.tell(`${host.id}   ${words(action)}`);
    const { incarnation } = host;
    /** The work goes on without the controller; only its answer is lost. */
    const work = (low: number, high: number, run: () => Happening | null): void => {
      const { busy } = host;
      this.#later(host, this.random.between(low, high), () => {
        if (host.busy !== busy) return;
        const outcome = run();
        if (outcome && host.incarnation === incarnation) this.happen(host, outcome);
      });
    };
    switch (action.kind) {
      case 'persist':
        host.disk = structuredClone(action.persisted);
        break;
      case 'heartbeat':
        for (const peer of this.hosts) if (peer !== host) this.#send(host, peer, action.view, true);
        break;
      case 'start-instance':
        work(50, 400, () => {
          if (!instance.diskOk) return { kind: 'start-failed', why: 'disk' };
          if (!instance.running) this.#startInstance(host);
          return { kind: 'instance-started' };
        });
        break;
      case 'stop-instance':
        work(20, 300, () => {
          const clean = instance.running && action.mode === 'fast' && instance.diskOk;
          const checkpoint = instance.wal.length;
          if (clean && instance.role === 'primary') this.#shutDown(host);
          halt(instance);
          return {
            kind: 'instance-stopped',
            proof: { state: clean ? 'shut down' : 'in production', checkpoint: lsn(checkpoint) },
          };
        });
        break;
      case 'checkpoint':
        work(10, 100, () => ({ kind: 'checkpointed', why: instance.running ? null : 'not running' }));
        break;
      case 'pre-detach':
        work(10, 400, () => ({ kind: 'pre-detached', failures: [] }));
        break;
      case 'set-names':
        work(10, 80, () => {
          if (!instance.diskOk) return { kind: 'names-failed', why: 'disk' };
          instance.names = action.ids;
          this.#acknowledge(host);
          return { kind: 'names-set', ids: action.ids, needed: Math.min(1, action.ids.length) };
        });
        break;
      case 'cut-receiver':
        work(5, 60, () => {
          if (!instance.running) return { kind: 'cut-failed', why: 'not running' };
          instance.source = null;
          instance.names = [];
          return { kind: 'receiver-cut', lsn: lsn(instance.wal.length) };
        });
        break;
      case 'promote':
        work(20, 200, () => {
          if (!instance.running) return { kind: 'promote-failed', why: 'not running' };
          if (instance.role === 'standby') this.#promote(host);
          return { kind: 'promoted', timeline: instance.timeline };
        });
        break;
      case 'follow':
        work(10, 80, () => {
          instance.source = action.host;
          if (!instance.running) instance.role = 'standby';
          return { kind: 'followed' };
        });
        break;
      case 'probe-primary': {
        const source = instance.source === null ? null : this.host(instance.source);
        const open = source?.instance.running === true && this.#connected(host, source, 'log');
        work(1, 20, () => ({ kind: 'primary-probe', open }));
        break;
      }
      case 'ask-references':
        work(5, 60, () => ({ kind: 'references', reached: !this.noUplink.has(host.id) }));
        break;
      case 'run-command':
        // The command knows the truth: a host that is only cut off or frozen has not failed.
        work(50, 400, () => ({
          kind: 'command-ended',
          command: action.command,
          target: action.target,
          yes: !this.host(action.target).up,
          why: 'it looked',
        }));
        break;
      case 'ask-peer':
        work(1, 20, () => ({ kind: 'peer-reply', peer: action.peer, ok: false, text: 'not modelled' }));
        break;
      case 'reply':
        this.replies.push(`${action.ok}: ${action.text}`);
        break;
      case 'exit':
        this.killController(host);
        break;
      case 'log':
      case 'hook':
        break;
    }
  }

  #startInstance(host: Host): void {
    host.instance.running = true;
    host.instance.startedAt = this.clock.now;
    host.instance.confirmed.clear();
    this.checkers.started(host);
    this.tell(`${host.id}: the instance runs as ${host.instance.role}`);
    if (host.instance.role === 'standby') this.#stream(host, host.bootedAt, host.instance.startedAt);
  }

  /** A fast shutdown: its walsenders send everything, the shutdown checkpoint too, before they end. */
  #shutDown(host: Host): void {
    this.#commits += 1;
    host.instance.wal.push(this.#commits);
    for (const standby of this.hosts) {
      if (this.streams(standby, host)) standby.instance.wal = [...host.instance.wal];
    }
  }

  #promote(host: Host): void {
    host.instance.role = 'primary';
    host.instance.timeline += 1;
    host.instance.source = null;
    host.instance.confirmed.clear();
    this.checkers.promoted(host);
  }

  /** Nothing of the path is cut, in the direction from `from` to `to`. */
  passes = (from: Host, to: Host, network: 'admin' | 'log'): boolean =>
    !this.cuts[network].has(`${from.id}>${to.id}`);

  #connected = (one: Host, other: Host, network: 'admin' | 'log'): boolean =>
    this.passes(one, other, network) && this.passes(other, one, network) && other.up;

  streams(standby: Host, primary: Host): boolean {
    return (
      standby.up &&
      standby.instance.running &&
      standby.instance.role === 'standby' &&
      standby.instance.source === primary.id &&
      primary.up &&
      primary.instance.running &&
      !primary.frozen &&
      !standby.frozen &&
      this.#connected(standby, primary, 'log') &&
      isBeginning(standby.instance.wal, primary.instance.wal)
    );
  }

  /** The WAL receiver of a standby: takes what there is, flushes, confirms. */
  #stream(host: Host, bootedAt: number, startedAt: number): void {
    const { instance } = host;
    if (host.bootedAt !== bootedAt || !instance.running || instance.startedAt !== startedAt) return;
    if (instance.role !== 'standby') return;
    const primary = instance.source === null ? undefined : this.host(instance.source);
    if (primary && this.streams(host, primary)) {
      const missing = primary.instance.wal.slice(instance.wal.length);
      if (missing.length > 0) instance.wal = [...instance.wal, ...missing];
      instance.timeline = primary.instance.timeline;
      const position = instance.wal.length;
      const primaryStarted = primary.instance.startedAt;
      this.#later(primary, this.random.between(1, 30) + this.slowMs, () => {
        const same = primary.instance.startedAt === primaryStarted && primary.instance.running;
        if (!same || !this.passes(host, primary, 'log')) return;
        primary.instance.confirmed.set(host.id, position);
        this.#acknowledge(primary);
      });
    }
    this.#later(host, this.random.between(80, 220), () => this.#stream(host, bootedAt, startedAt));
  }

  #acknowledge(host: Host): void {
    const { instance } = host;
    if (!instance.running || instance.role !== 'primary' || instance.waiting.length === 0) return;
    const done = instance.waiting.filter((it) => satisfied(instance, it.position));
    if (done.length === 0) return;
    instance.waiting = instance.waiting.filter((it) => !done.includes(it));
    for (const { commit } of done) this.checkers.acknowledged(host, commit);
  }

  /** The client: a commit to every server that takes writes, wherever it is. */
  #write(): void {
    for (const host of this.hosts) {
      const { instance } = host;
      if (!host.up || host.frozen || !instance.running || instance.role !== 'primary' || !instance.diskOk)
        continue;
      this.#commits += 1;
      instance.wal.push(this.#commits);
      const position = instance.wal.length;
      instance.waiting.push({ commit: this.#commits, position });
      this.#acknowledge(host);
    }
    this.clock.after(this.random.between(200, 450), () => this.#write());
  }

  #send(from: Host, to: Host, view: ServerView, answer: boolean): void {
    if (!this.passes(from, to, 'admin')) return;
    const { incarnation } = from;
    const target = to.incarnation;
    const delay = this.random.between(1, 15) + (this.random.chance(0.05) ? this.random.between(20, 200) : 0);
    this.#later(to, delay + this.slowMs, () => {
      if (!this.passes(from, to, 'admin')) return;
      if (!to.state || to.incarnation !== target) {
        if (!to.state && this.passes(to, from, 'admin'))
          this.#later(from, 2, () => {
            if (from.incarnation === incarnation) this.happen(from, { kind: 'peer-refused', peer: to.id });
          });
        return;
      }
      const back = answer && this.random.chance(0.2) ? ownView(to.state) : null;
      this.happen(to, { kind: 'heard', peer: from.id, view });
      if (back && from.incarnation === incarnation) this.#send(to, from, back, false);
    });
  }

  /** What one look at the instance says. */
  check(host: Host): void {
    if (host.state) this.happen(host, { kind: 'instance-check', outcome: this.#outcome(host) });
  }

  #outcome(host: Host): CheckOutcome {
    const { instance } = host;
    if (!instance.running) return { kind: 'gone' };
    const streaming = this.hosts.filter((it) => it !== host && this.streams(it, host));
    const source = instance.source === null ? undefined : this.host(instance.source);
    const receives = instance.role === 'standby' && source && this.streams(host, source);
    return {
      kind: 'answer',
      report: {
        role: instance.role,
        timeline: instance.timeline,
        lsn: lsn(instance.wal.length),
        senders: streaming.map((it) => ({
          name: it.id,
          address: it.id,
          state: 'streaming',
          syncState: instance.names.includes(it.id) ? 'sync' : 'async',
          lagBytes: 100 * (instance.wal.length - (instance.confirmed.get(it.id) ?? 0)),
        })),
        receiver: receives ? 'streaming' : null,
        synchronousStandbyNames: instance.names.join(', '),
        systemId: '1',
        version: '15',
        startedAtWall: instance.startedAt,
        port: 1,
        socketDir: '',
      },
    };
  }
}

const quiet = new Set(['tick', 'heard', 'instance-check', 'disk-check', 'peer-refused']);

function words(action: Action): string {
  if (action.kind === 'log')
    return `log ${messages[action.message].type}: ${messageText(action.message, action.values)}`;
  if (action.kind === 'persist') {
    const { sync, handover, takeover } = action.persisted;
    return `persist ${JSON.stringify({ sync, handover, takeover })}`;
  }
  const { kind, ...rest } = action;
  return `${kind} ${JSON.stringify(rest)}`;
}

function newHost(line: ServerLine): Host {
  const primary = line.id === 'server1';
  return {
    id: line.id,
    line,
    instance: newInstance(line.id, primary ? 'primary' : 'standby', primary ? null : 'server1'),
    up: false,
    frozen: false,
    queue: [],
    state: null,
    incarnation: 0,
    disk: null,
    wallOffset: 0,
    bootedAt: -1,
    crashAfter: null,
    doom: null,
    busy: 0,
  };
}
