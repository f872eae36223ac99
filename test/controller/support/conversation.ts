/**
 * Tells a conversation with the core as text that a DBA can read: what happens, what the controller does, what it
 * thinks of the pair afterwards. In: happenings with times. Out: lines for a golden file.
 */
import { type ServerConf, type ServerLine, serverConf } from '../../../src/controller/config.ts';
import { decide } from '../../../src/controller/core/decide.ts';
import type { ControlRequest, Happening, MaintenanceBegin } from '../../../src/controller/core/event.ts';
import { initialState } from '../../../src/controller/core/initial-state.ts';
import type { Persisted, State } from '../../../src/controller/core/state.ts';
import { renderStatus, statusReport } from '../../../src/controller/core/status.ts';
import type { InstanceReport, Role, ServerView, SyncSet } from '../../../src/controller/core/view.ts';
import { isJudged } from './judged.ts';
import { reportsOnce } from './reported.ts';
import { recordStep } from './stages.ts';
import { tell } from './tell.ts';

const servers: readonly ServerLine[] = ['server1', 'server2', 'server3'].map((id, index) => ({
  id,
  host: `192.0.2.${100 + 10 * index}`,
  port: 27540,
}));

const startWall = Date.UTC(2026, 10, 20, 12, 0, 0);

export function report(role: Role, change: Partial<InstanceReport> = {}): InstanceReport {
  return {
    role,
    timeline: 1,
    lsn: '0/3000060',
    senders: role === 'primary' ? [sender('server2')] : [],
    receiver: role === 'standby' ? 'streaming' : null,
    synchronousStandbyNames: 'server2',
    systemId: '7300000000000000001',
    version: '15.18',
    startedAtWall: startWall,
    port: 27500,
    socketDir: '/tmp',
    ...change,
  };
}

export const sender = (name: string, state = 'streaming', syncState = 'sync') => ({
  name,
  address: '192.0.2.110',
  state,
  syncState,
  lagBytes: 0,
});

export function view(id: string, role: Role, change: Partial<ServerView> = {}): ServerView {
  return {
    id,
    phase: 'running',
    role,
    report: report(role),
    lastTimeline: 1,
    failedDisks: [],
    failover: { enabled: true, changedAtWall: 0 },
    controllerVersion: '0.1.0',
    understands: 2,
    incarnation: id,
    seq: 0,
    leaving: null,
    sync: null,
    handover: null,
    declined: null,
    takeover: null,
    yield: null,
    ...change,
  };
}

/** The instance answers a query. */
export const answer = (it: InstanceReport): Happening => ({
  kind: 'instance-check',
  outcome: { kind: 'answer', report: it },
});

/** A server tells of itself. */
export const heard = (it: ServerView): Happening => ({ kind: 'heard', peer: it.id, view: it });

export const boot = (change: Partial<Extract<Happening, { kind: 'boot' }>> = {}): Happening => ({
  kind: 'boot',
  standby: false,
  running: false,
  mcOnly: false,
  failover: null,
  restored: null,
  torn: false,
  named: [],
  incarnation: 'first',
  ...change,
});

/** A person asks for something. */
export const asked = (request: ControlRequest, id = 7): Happening => ({ kind: 'control', id, request });

/** What a person asks who takes a server out. */
export const toBegin = (server: string, more: Partial<MaintenanceBegin> = {}): MaintenanceBegin => ({
  kind: 'maintenance-begin',
  server,
  who: 'alice',
  reason: '',
  untilWall: null,
  replace: false,
  alone: false,
  ...more,
});

/** What persons were answered, line by line. */
export const answersOf = (it: Conversation): readonly string[] =>
  it.text().match(/answer mc_ctl[^\n]*/g) ?? [];

/** What server1 promises of one standby, and of two, that hold every acknowledged commit. */
export const inSync: SyncSet = promised(['server2']);
export const inSyncOfThree: SyncSet = promised(['server2', 'server3']);

function promised(ids: readonly string[]): SyncSet {
  return { primary: 'server1', timeline: 1, epoch: 2, members: ids, eligible: ids, voters: ids, needed: 1 };
}

/** What the state file of a primary on timeline 1 says. */
export const recorded = (change: Partial<Persisted> = {}): Persisted => ({
  role: 'primary',
  timeline: 1,
  lsn: '0/3000060',
  systemId: '7300000000000000001',
  failover: { enabled: true, changedAtWall: 0 },
  degraded: null,
  sync: null,
  handover: null,
  takeover: null,
  yield: null,
  unhitched: false,
  parked: {},
  withdrawn: {},
  suspects: [],
  origins: {},
  wroteWall: 0,
  ...change,
});

export class Conversation {
  state: State;
  readonly #lines: string[] = [];
  readonly #steps: Parameters<typeof recordStep>[] = [];
  #now = 0;
  /** Time in which the monotonic clock stood still. */
  #suspended = 0;
  /** By how much the wall clock alone was set. */
  #set = 0;

  constructor(self: string, count = 2, change: Partial<ServerConf> = {}) {
    const members = servers.slice(0, count);
    const own = members.find((line) => line.id === self);
    if (!own) throw new Error(`no server ${self}`);
    const conf = serverConf({ dbInstance: '/database/inst1', ...change });
    this.state = initialState({
      self: own,
      servers: members,
      conf,
      dir: '/mcdir/inst1',
      controllerVersion: '0.1.0',
      clocks: { at: 0, wall: startWall, sinceBoot: 0 },
    });
    this.#lines.push(`the controller of ${self}, one of ${members.map((it) => it.id).join(', ')}`);
  }

  /** The host is suspended: its monotonic clock does not count this time. */
  suspended(ms: number): this {
    this.#suspended += ms;
    this.#lines.push('', `         the host is suspended for ${(ms / 1000).toFixed(1)} s`);
    return this;
  }

  /** Somebody sets the wall clock by so much, which no other clock shows. */
  clockSet(ms: number): this {
    this.#set += ms;
    this.#lines.push('', `         the wall clock is set by ${(ms / 1000).toFixed(1)} s`);
    return this;
  }

  /** After this many milliseconds, this happens. */
  after(ms: number, words: string, happening: Happening): this {
    this.#now += ms;
    const last = this.state;
    const before = last.mirroring;
    const { state, actions } = decide(this.state, {
      ...happening,
      at: this.#now,
      wall: startWall + this.#now + this.#suspended + this.#set,
      sinceBoot: this.#now + this.#suspended,
    });
    this.state = state;
    if (!isJudged(state)) throw new Error(`after '${words}' the mirroring status is out of date`);
    if (!reportsOnce(state, actions)) throw new Error(`after '${words}' more than one view is told`);
    this.#steps.push([last, happening, state, actions]);
    this.#lines.push('', `${(this.#now / 1000).toFixed(1).padStart(6)} s  ${words}`);
    for (const action of actions) {
      const told = tell(action);
      if (told) this.#lines.push(`          ${told}`);
    }
    const { status, reason } = state.mirroring;
    if (status !== before.status || reason !== before.reason) {
      this.#lines.push(`          = ${status}${reason ? `: ${reason}` : ''}`);
    }
    return this;
  }

  /** Nothing but time: ticks at the heartbeat interval. Only ticks with news are told. */
  silence(ms: number): this {
    const end = this.#now + ms;
    const length = () => this.#lines.length;
    while (this.#now + 800 <= end) {
      const before = length();
      this.after(800, 'time passes', { kind: 'tick' });
      // A tick that only sent its heartbeat is not worth a line.
      if (this.#lines.slice(before).every((line) => /^$|time passes$|send a heartbeat/.test(line)))
        this.#lines.length = before;
    }
    return this;
  }

  status(): this {
    const table = renderStatus(statusReport(this.state, { pid: 4711, node: '18.20.8' }));
    this.#lines.push(
      '',
      '        $ mc_ctl status',
      ...table
        .trimEnd()
        .split('\n')
        .map((line) => `        ${line}`),
    );
    return this;
  }

  text = (): string => `${this.#lines.join('\n')}\n`;

  /** What was gone through belongs to docs/states.md; random events do not. */
  remember(): this {
    for (const step of this.#steps) recordStep(...step);
    return this;
  }
}

/** server1 is primary, commits wait for server2 or server3, and both may take over; nobody was heard. */
export function primaryOfThree(conf: Partial<ServerConf> = {}): Conversation {
  const senders = [sender('server2'), sender('server3')];
  const names = { senders, synchronousStandbyNames: 'FIRST 1 (server2, server3)' };
  const it = new Conversation('server1', 3, conf)
    .after(0, '', boot({ running: true }))
    .after(10, '', answer(report('primary', names)));
  it.state = { ...it.state, sync: inSyncOfThree, change: null, proving: null };
  return it;
}
