/**
 * What the instances do among themselves: WAL goes to the standbys, they confirm it, commits are acknowledged; a client
 * writes to whoever takes writes. And what one look at an instance says. It knows nothing of controllers.
 */
import type { CheckOutcome } from '../../src/controller/core/event.ts';
import type { InstanceReport, Sender } from '../../src/controller/core/view.ts';
import type { Host, Order } from './host.ts';
import {
  answers,
  type Guest,
  halt,
  isBeginning,
  lsn,
  replayedBy,
  satisfied,
  standsStill,
} from './instance.ts';
import type { World } from './world.ts';

/** So often, and for so long, the receiver of one that has parted streams. */
const flapsEveryMs = 2700;
const flapMs = 400;

export class Replication {
  readonly #world: World;
  /** The client writes nothing. */
  quiet = false;
  /** When each commit was written, by its number. */
  readonly #writtenAt: number[] = [0];

  constructor(world: World) {
    this.#world = world;
  }

  #append(host: Host): number {
    const commit = this.#writtenAt.push(this.#world.clock.now) - 1;
    host.instance.wal.push(commit);
    return commit;
  }

  /** The client: a commit to every server that takes writes, wherever it is. */
  write(): void {
    const { hosts, clock, random } = this.#world;
    for (const host of this.quiet ? [] : hosts) {
      const { instance } = host;
      if (!host.up || host.frozen || !instance.running || instance.role !== 'primary') continue;
      if (instance.disk !== 'ok' || standsStill(instance)) continue;
      const commit = this.#append(host);
      instance.waiting.push({ commit, position: instance.wal.length });
      this.acknowledge(host);
    }
    clock.after(random.between(200, 450), () => this.write());
  }

  acknowledge(host: Host): void {
    const { instance } = host;
    if (!instance.running || instance.role !== 'primary' || instance.waiting.length === 0) return;
    const done = instance.waiting.filter((it) => satisfied(instance, it.position));
    if (done.length === 0) return;
    instance.waiting = instance.waiting.filter((it) => !done.includes(it));
    for (const { commit } of done) this.#world.checkers.acknowledged(host, commit);
  }

  start(host: Host, order: Order): void {
    const { instance } = host;
    instance.running = true;
    instance.startedAt = this.#world.clock.now;
    instance.confirmed.clear();
    instance.names = instance.fileNames;
    instance.waitsFor = instance.fileNames;
    this.checkpoint(host);
    this.#world.tell(`the instance of ${host.id} runs as ${instance.role}`);
    this.#world.checkers.started(host, order);
    if (instance.role === 'standby') this.#stream(host, host.bootedAt, instance.startedAt);
  }

  /** Its record is WAL like any other; the server's checkpointer is also what tells all sessions of new names. */
  checkpoint(host: Host): void {
    const { instance } = host;
    if (instance.role !== 'primary') return;
    instance.checkpoint = instance.wal.length;
    this.#append(host);
    this.takeOverNames(host);
  }

  /** A fast shutdown: its walsenders send everything, the shutdown checkpoint too, before they end. */
  shutDown(host: Host): void {
    const { instance } = host;
    if (instance.role === 'primary') {
      instance.checkpoint = instance.wal.length;
      this.#append(host);
      for (const standby of this.#world.hosts) {
        if (this.streams(standby, host)) standby.instance.wal = [...instance.wal];
      }
    }
    halt(instance);
  }

  promote(host: Host): void {
    const { instance } = host;
    instance.role = 'primary';
    instance.history = [...instance.history, { timeline: instance.timeline, position: instance.wal.length }];
    instance.timeline += 1;
    instance.source = null;
    instance.names = instance.fileNames;
    instance.waitsFor = instance.fileNames;
    instance.confirmed.clear();
    this.#world.checkers.promoted(host);
  }

  /** The file is written and reloaded; sessions that waited for nobody learn of names a little later. */
  setNames(host: Host, ids: readonly string[]): void {
    const { instance } = host;
    const { startedAt } = instance;
    const first = instance.names.length === 0 && ids.length > 0;
    instance.names = ids;
    if (!first) this.takeOverNames(host);
    else
      this.#world.later(host, this.#world.random.between(0, 4000), () => {
        if (instance.startedAt === startedAt && instance.running) this.takeOverNames(host);
      });
  }

  takeOverNames(host: Host): void {
    host.instance.waitsFor = host.instance.names;
    this.acknowledge(host);
  }

  streams = (standby: Host, primary: Host): boolean =>
    this.#isConnected(standby, primary) && isBeginning(standby.instance.wal, primary.instance.wal);

  #isConnected(standby: Host, primary: Host): boolean {
    const { instance } = standby;
    const { instance: source } = primary;
    return (
      instance.source === primary.id &&
      instance.role === 'standby' &&
      instance.running &&
      source.running &&
      standby.up &&
      primary.up &&
      !primary.frozen &&
      !standby.frozen &&
      !standsStill(instance) &&
      !standsStill(source) &&
      this.#world.network.connected(standby, primary, 'log')
    );
  }

  /** It holds WAL of a timeline that its primary has left before that. */
  isApart = ({ instance }: Host, { id, instance: primary }: Host): boolean =>
    instance.role === 'standby' &&
    instance.source === id &&
    instance.timeline !== primary.timeline &&
    !isBeginning(instance.wal, primary.wal);

  /**
   * Its receiver gets what both have, is told that this timeline has ended, and begins anew after a while. For that moment it streams, and
   * confirms all that it holds.
   */
  flaps(standby: Host, primary: Host): boolean {
    const { startedAt } = standby.instance;
    const isItsMoment = (this.#world.clock.now - startedAt) % flapsEveryMs < flapMs;
    return isItsMoment && this.isApart(standby, primary) && this.#isConnected(standby, primary);
  }

  /** The WAL receiver of a standby: takes what there is, flushes, confirms. */
  #stream(host: Host, bootedAt: number, startedAt: number): void {
    const { instance } = host;
    if (host.bootedAt !== bootedAt || !instance.running || instance.startedAt !== startedAt) return;
    if (instance.role !== 'standby') return;
    const world = this.#world;
    const primary = instance.source === null ? undefined : world.host(instance.source);
    if (primary && this.streams(host, primary)) {
      this.#receive(host, primary);
      this.#confirm(host, primary);
    } else if (primary && this.flaps(host, primary)) this.#confirm(host, primary);
    world.later(host, world.random.between(80, 220), () => this.#stream(host, bootedAt, startedAt));
  }

  #receive(host: Host, primary: Host): void {
    const { instance } = host;
    const { wal } = primary.instance;
    const until = this.#world.clock.now - host.lagMs;
    for (let at = instance.wal.length; at < wal.length; at += 1) {
      const commit = wal[at] ?? 0;
      if (host.lagMs > 0 && (this.#writtenAt[commit] ?? 0) > until) break;
      instance.wal.push(commit);
    }
    instance.timeline = primary.instance.timeline;
    instance.history = primary.instance.history;
  }

  #confirm(host: Host, primary: Host): void {
    const { network, random } = this.#world;
    const position = host.instance.wal.length;
    if (primary.instance.confirmed.get(host.id) === position) return;
    const { startedAt } = primary.instance;
    this.#world.later(primary, random.between(1, 30) + network.slowMs, () => {
      const { instance } = primary;
      const same = instance.startedAt === startedAt && instance.running;
      if (!same || !network.passes(host, primary, 'log')) return;
      instance.confirmed.set(host.id, position);
      this.acknowledge(primary);
    });
  }

  /** Somebody else's receiver connects, and takes and confirms what there is until it is gone. */
  receive(host: Host, guest: Guest): void {
    host.instance.guests = [...host.instance.guests, guest];
    const turn = (): void => {
      const { instance } = host;
      if (!instance.guests.includes(guest)) return;
      const lives = host.up && !host.frozen && instance.running && !standsStill(instance);
      if (lives && instance.role === 'primary' && guest.confirms) {
        instance.guestConfirmed.set(guest.name, instance.wal.length);
        this.acknowledge(host);
      }
      this.#world.clock.after(100, turn);
    };
    turn();
  }

  /** A person writes names into the file and reloads. */
  nameByHand(host: Host, names: readonly string[]): void {
    const { instance } = host;
    instance.fileNames = names;
    if (!answers(instance)) return;
    instance.names = names;
    this.takeOverNames(host);
  }

  /** What one look at the instance says. */
  outcome(host: Host): CheckOutcome {
    const { instance } = host;
    if (!instance.running) return { kind: 'gone' };
    if (!answers(instance)) return { kind: 'timeout' };
    const report = this.#report(host);
    const last = host.seen;
    // The same object again spares everyone the comparison.
    if (last && same(last.report, report)) return last;
    host.seen = { kind: 'answer', report };
    return host.seen;
  }

  #report(host: Host): InstanceReport {
    const { instance } = host;
    const source = instance.source === null ? undefined : this.#world.host(instance.source);
    const receives =
      instance.role === 'standby' && source && (this.streams(host, source) || this.flaps(host, source));
    const waits = instance.role === 'standby' && source && this.#isConnected(host, source);
    return {
      role: instance.role,
      timeline: instance.timeline,
      lsn: lsn(instance.wal.length),
      senders: this.#senders(host),
      replayedLsn: instance.role === 'standby' ? lsn(replayedBy(instance, this.#world.clock.now)) : null,
      receiver: receives ? 'streaming' : waits ? 'waiting' : null,
      synchronousStandbyNames: instance.names.join(', '),
      systemId: '1',
      version: '15',
      startedAtWall: instance.startedAt,
      history:
        instance.role === 'primary'
          ? instance.history.map(({ timeline, position }) => ({ timeline, endsAt: lsn(position) }))
          : undefined,
      port: 1,
      socketDir: '',
    };
  }

  #senders(host: Host): Sender[] {
    const { instance } = host;
    const row = (name: string, address: string, confirmed = 0, replayed = confirmed): Sender => ({
      name,
      address,
      state: 'streaming',
      syncState: instance.names.includes(name) ? 'sync' : 'async',
      lagBytes: 100 * (instance.wal.length - confirmed),
      replayLagBytes: 100 * Math.max(0, instance.wal.length - replayed),
    });
    const standbys = this.#world.hosts
      .filter((it) => it !== host && (this.streams(it, host) || this.flaps(it, host)))
      .map(({ id, instance: theirs }) =>
        row(id, id, instance.confirmed.get(id), replayedBy(theirs, this.#world.clock.now)),
      );
    const guests = instance.guests.map(({ name, confirms, address = 'elsewhere' }) =>
      row(name, address, confirms ? instance.guestConfirmed.get(name) : 0),
    );
    return [...standbys, ...(instance.role === 'primary' ? guests : [])];
  }
}

function same(one: InstanceReport, other: InstanceReport): boolean {
  return (
    one.lsn === other.lsn &&
    one.role === other.role &&
    one.receiver === other.receiver &&
    one.replayedLsn === other.replayedLsn &&
    one.timeline === other.timeline &&
    one.startedAtWall === other.startedAtWall &&
    one.synchronousStandbyNames === other.synchronousStandbyNames &&
    one.senders.length === other.senders.length &&
    one.senders.every((row, index) => sameRow(row, other.senders[index]))
  );
}

const sameRow = (one: Sender, other: Sender | undefined): boolean =>
  one.name === other?.name &&
  one.address === other.address &&
  one.syncState === other.syncState &&
  one.lagBytes === other.lagBytes &&
  one.replayLagBytes === other.replayLagBytes;
