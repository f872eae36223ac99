/**
 * What must never happen, judged from outside: from commits, promotions and what the instances could do, not from what
 * the controllers believe. In: the world. Out: violations, as sentences. The letters are explained in README.md.
 */
import type { Decision } from '../../src/controller/core/decide.ts';
import { dutyOf, mayTakeOver, ownDuty } from '../../src/controller/core/duty.ts';
import type { MessageNumber } from '../../src/controller/core/messages.ts';
import { bytesAhead, isHeard, positionOf } from '../../src/controller/core/servers.ts';
import { failedDisks } from '../../src/controller/core/state.ts';
import type { Takeover } from '../../src/controller/core/view.ts';
import { isJudged } from '../controller/support/judged.ts';
import { collision } from '../controller/support/processes.ts';
import { isFree } from './duties.ts';
import type { Host, Order } from './host.ts';
import { lsn, standsStill } from './instance.ts';
import { MaintenanceChecker } from './maintenance.ts';
import { RequestChecker } from './requests.ts';
import type { World } from './world.ts';

export class Checkers {
  readonly #world: World;
  readonly maintenance = new MaintenanceChecker((text) => this.fail(text));
  readonly requests = new RequestChecker((text) => this.fail(text));
  readonly violations: string[] = [];
  readonly acks: { readonly commit: number; readonly by: string; readonly at: number }[] = [];
  readonly promotions: { readonly id: string; readonly at: number }[] = [];
  /** Servers that stopped because they took themselves for cut off. */
  readonly isolations: string[] = [];
  /** Who has used a term of a register: by cells and term. */
  readonly #used = new Map<string, string>();
  readonly #excused = new Set<string>();
  /** Whom a person wants to be primary whatever its duty says. */
  readonly #wanted = new Set<string>();
  readonly #taking = new Set<string>();
  /** The names that the change of each primary is about. */
  readonly #names = new Map<string, readonly string[]>();
  /** A split is stated for this world: policy fallback, and the admin network was cut between hosts that live. */
  splitAllowed = false;
  /** A person was told that commits may be missing, and that is stated, too. */
  #lossSaid = false;
  #split = false;

  constructor(world: World) {
    this.#world = world;
  }

  fail(text: string): void {
    this.#world.tell(`VIOLATION ${text}`);
    if (this.violations.length < 5) this.violations.push(text);
  }

  /** A person has chosen which history counts; from now on the rules hold again. */
  beginAnew(): void {
    if (this.splitAllowed || this.#lossSaid) this.acks.length = 0;
    this.splitAllowed = false;
    this.#lossSaid = false;
    this.#split = false;
  }

  said(host: Host, message: MessageNumber): void {
    if (message === 'MCA01050') this.#lossSaid = true;
    if (message === 'MCA01026') this.maintenance.torn(this.#world.hosts);
    if (message === 'MCA01055') this.#isolated(host);
  }

  /** C: whoever takes itself for cut off is, or was a moment ago. A reference address that stops to answer looks like that. */
  #isolated(host: Host): void {
    this.isolations.push(host.id);
    if (host.unlike.released) return;
    const { settings, network } = this.#world;
    if (settings.references !== 'stops' && !network.lostUplink.has(host.id))
      this.fail(`C: ${host.id} takes itself for cut off, and is not`);
  }

  /**
   * J: the mirroring status is that of the state as it is now. E: no processes are under way that exclude each other. R: one event
   * tells one view.
   */
  decided(id: string, { state, actions }: Decision): void {
    const both = collision(state);
    if (both !== null) this.fail(`E: ${both} on ${id} at the same time`);
    if (!isJudged(state)) this.fail(`J: the mirroring status of ${id} is out of date`);
    if (actions.filter((it) => it.kind === 'heartbeat').length > 1)
      this.fail(`R: ${id} tells two views of one number`);
    this.#usesTerm(id, state);
    this.#keepsDuties(id, state);
    this.maintenance.decided(id, { state, actions });
    this.requests.decided(id, actions);
  }

  wanted(id: string): void {
    this.#wanted.add(id);
  }

  /** D: nobody begins what its duty forbids, and no names are set that name an asynchronous copy. */
  #keepsDuties(id: string, state: Decision['state']): void {
    if (!state.takeover) this.#taking.delete(id);
    else if (!this.#taking.has(id)) this.#begins(id, state, state.takeover);
    const to = state.preparing?.to;
    if (to !== undefined && !this.#wanted.has(to) && !mayTakeOver(dutyOf(state.peers[to]?.view)))
      this.fail(`D: ${id} prepares a switch to ${to}, whose duty forbids it`);
    // A change that had begun before it was told goes on, and another one follows.
    const names = state.change?.to ?? [];
    const begun = names === this.#names.get(id) ? [] : names;
    this.#names.set(id, names);
    const copies = begun.filter((it) => dutyOf(state.peers[it]?.view).replication === 'asynchronous');
    if (copies.length > 0) this.fail(`D: commits are to wait for ${copies.join(', ')}`);
    this.#joinsNobodyApart(id, state, begun);
  }

  /** A: nobody joins the names that cannot follow, as soon as its primary has heard what it holds. */
  #joinsNobodyApart(id: string, state: Decision['state'], begun: readonly string[]): void {
    const primary = this.#world.host(id);
    const joining = begun
      .filter((it) => !primary.instance.names.includes(it))
      .map((it) => this.#world.host(it));
    const apart = joining.filter(
      (it) =>
        this.#world.replication.isApart(it, primary) &&
        state.peers[it.id]?.view?.report?.replayedLsn === lsn(it.instance.wal.length),
    );
    if (apart.length > 0) this.fail(`A: commits are to wait for ${apart[0]?.id}, which cannot follow ${id}`);
  }

  #begins(id: string, state: Decision['state'], { kind, checkpoint, from }: Takeover): void {
    this.#taking.add(id);
    // What a person has asked for goes on; whom the role is offered is judged where it is given.
    if (kind === 'force' || (kind === 'handover' && checkpoint !== null)) return;
    if (!mayTakeOver(ownDuty(state))) this.fail(`D: ${id} takes over from ${from}, and its duty forbids it`);
    if (kind !== 'silence' || !state.sync) return;
    // P: with the same data the preferred one takes over, as far as this one hears.
    const own = ownDuty(state).priority;
    const better = Object.values(state.peers).filter(
      (peer) =>
        isHeard(peer) &&
        state.sync?.eligible.includes(peer.line.id) &&
        peer.view.role === 'standby' &&
        peer.view.phase === 'running' &&
        peer.view.failedDisks.length === 0 &&
        mayTakeOver(dutyOf(peer.view)) &&
        dutyOf(peer.view).priority > own &&
        bytesAhead(positionOf(peer.view), state.own.report?.lsn ?? '0/0') >= 0,
    );
    if (better.length > 0) this.fail(`P: ${id} takes over, and ${better[0]?.line.id} is preferred`);
  }

  /** T: of each term and register one server uses a win at most. */
  #usesTerm(id: string, { sync, vote }: Decision['state']): void {
    if (sync?.primary !== id || vote?.stage !== 'won' || vote.term + 1 !== sync.term) return;
    const term = `${vote.term} of ${JSON.stringify(vote.cells)}`;
    const user = this.#used.get(term) ?? id;
    this.#used.set(term, user);
    if (user === id || this.#excused.has(term)) return;
    // Whoever used it while nothing was promised goes on to tell it.
    if (this.splitAllowed) this.#excused.add(term);
    else this.fail(`T: ${user} and ${id} have both used term ${term}`);
  }

  acknowledged(host: Host, commit: number): void {
    this.acks.push({ commit, by: host.id, at: this.#world.clock.now });
  }

  /** S1: whoever is promoted holds every commit that was acknowledged. */
  promoted(host: Host): void {
    this.#world.tell(`${host.id} is promoted to timeline ${host.instance.timeline}`);
    this.promotions.push({ id: host.id, at: this.#world.clock.now });
    this.#missing(host, 'is promoted');
  }

  /**
   * S3: a former primary never comes up beside a newer one, nor without what a newer one has acknowledged. One that a person has
   * made although commits may be missing is unknown to a former primary that has not heard it, and that nobody was to take over from.
   */
  started(host: Host, order: Order): void {
    const { role, timeline } = host.instance;
    if (role !== 'primary' || this.splitAllowed) return;
    if (this.#isOvertaken(host, order.at)) {
      this.look();
      return;
    }
    const newer = this.#world.hosts.find(
      (it) =>
        it.up && it.instance.running && it.instance.role === 'primary' && it.instance.timeline > timeline,
    );
    if (newer && (order.knowsNewer || !this.#lossSaid))
      this.fail(`S3: ${host.id} starts as primary although ${newer.id} is a newer one`);
    this.#missing(host, 'starts as primary');
  }

  /**
   * The host stood still while its instance was being started, and only then somebody took over: nobody can call the start back.
   * It is judged like a primary that stood still while it ran: it can acknowledge nothing (S2), and it stops (S4).
   */
  #isOvertaken(host: Host, orderedAt: number): boolean {
    const before = this.promotions.findLast((it) => it.at <= orderedAt)?.id ?? 'server1';
    const first = this.promotions.find((it) => it.at > orderedAt);
    return before === host.id && first !== undefined && first.id !== host.id && host.thawedAt > first.at;
  }

  #missing(host: Host, what: string): void {
    if (this.splitAllowed || this.#lossSaid) return;
    const held = new Set(host.instance.wal);
    const lost = this.acks.filter((it) => !held.has(it.commit));
    if (lost.length === 0) return;
    this.fail(`S1: ${host.id} ${what} without ${lost.length} acknowledged commits (first by ${lost[0]?.by})`);
  }

  /** S2: never two that can acknowledge. */
  look(): void {
    // Who forces a takeover although commits may be missing has been told that another server may serve.
    if (this.splitAllowed || this.#lossSaid || this.#split) return;
    let able: Host | undefined;
    for (const host of this.#world.hosts) {
      if (!this.canAcknowledge(host)) continue;
      if (able) {
        this.#split = true;
        this.fail(`S2: ${able.id} and ${host.id} can acknowledge at once`);
      }
      able = host;
    }
  }

  canAcknowledge(host: Host): boolean {
    const { instance } = host;
    if (!host.up || host.frozen || !instance.running || instance.role !== 'primary') return false;
    if (standsStill(instance) || instance.disk !== 'ok') return false;
    if (instance.waitsFor.length === 0) return true;
    return instance.waitsFor.some((name) => this.#hasReceiver(host, name));
  }

  /** Somebody of this name confirms what the host writes. */
  #hasReceiver(host: Host, name: string): boolean {
    const { hosts, replication } = this.#world;
    const standby = hosts.find((it) => it.id === name);
    const guests = host.instance.guests.filter((it) => it.confirms && it.name === name);
    return guests.length > 0 || (standby !== undefined && replication.streams(standby, host));
  }

  /** At the end, when everything is healed: S1 for who serves, and S4: no former primary goes on beside the newest. */
  atEnd(): void {
    const { hosts } = this.#world;
    for (const host of hosts) if (this.canAcknowledge(host)) this.#missing(host, 'serves at the end');
    for (const host of hosts) this.#waitsAsDuties(host);
    if (this.splitAllowed) return;
    const primaries = hosts.filter((it) => it.instance.running && it.instance.role === 'primary');
    const [, ...former] = primaries.sort((one, other) => other.instance.timeline - one.instance.timeline);
    // Who counts on nobody acknowledges alone: between it and one that a person has made beside it, a person decides.
    const chosen = this.#lossSaid && former.every((it) => it.instance.waitsFor.length === 0);
    if (former.length > 0 && !chosen)
      this.fail(`S4: ${primaries.map((it) => it.id).join(' and ')} both run as primary at the end`);
  }

  /** W: a candidate that holds as much, or beside which nobody acknowledges, takes over although the other one does not. */
  nobodyWaits(candidate: Host, other: Host): void {
    const { policy, references, fencing } = this.#world.settings;
    const isReady = [candidate, other].every(
      ({ state, instance, up }) =>
        up &&
        state?.failover.enabled &&
        // One whose disk has failed cannot write down that it cuts its receiver, and says so: it is waited for.
        failedDisks(state).length === 0 &&
        instance.running &&
        instance.role === 'standby' &&
        // One that stands still, or did a moment ago, cuts no receiver: it is waited for.
        !standsStill(instance) &&
        state.own.phase === 'running' &&
        state.wall - state.own.phaseSinceWall > 2000,
    );
    if (this.#world.hosts.some((it) => it.unlike.released || it.unlike.times === 'patient')) return;
    if (policy !== 'fallback' || references !== 'none' || fencing !== null || !isReady) return;
    // Its host was down already when it was to be lost, and has come back since.
    if (this.#world.hosts.some((it) => it.up && it.instance.running && it.instance.role === 'primary'))
      return;
    if (this.promotions.length > 0 || !candidate.state?.confirmed) return;
    if (!candidate.state.sync?.eligible.includes(candidate.id)) return;
    const acknowledges = candidate.state.sync.voters.includes(other.id);
    if (!acknowledges || candidate.instance.wal.length >= other.instance.wal.length)
      this.fail(`W: ${candidate.id} does not take over beside ${other.id}, which takes nothing over`);
  }

  /** D: in the end no primary waits for a copy, nor for one that takes nothing over beside one that does; and calls neither eligible. */
  #waitsAsDuties(host: Host): void {
    const { hosts, replication } = this.#world;
    if (!host.state || !host.instance.running || host.instance.role !== 'primary') return;
    if (host.unlike.released) return;
    this.#namesNoCopy(host);
    // It has begun a moment ago, or is about to.
    if (host.state.change || this.#world.clock.now - host.instance.startedAt < 3000) return;
    const there = hosts.filter((it) => it.state && replication.streams(it, host));
    const bound = there.filter((it) => !isFree(it.duty));
    const named = there.filter((it) => host.instance.names.includes(it.id));
    const wrong = bound.filter(
      (it) =>
        host.state?.sync?.eligible.includes(it.id) ||
        (named.includes(it) &&
          (it.duty.replication === 'asynchronous' || named.some((other) => isFree(other.duty)))),
    );
    if (wrong.length > 0) this.fail(`D: ${host.id} counts on ${wrong.map((it) => it.id).join(', ')}`);
  }

  /** D: a register of servers that voted from the beginning has no cell of one that is a copy, and was one all the time. */
  #namesNoCopy({ id, state }: Host): void {
    const { hosts, settings } = this.#world;
    const copies = hosts.filter((it, at) =>
      [it.duty, settings.duties?.[at]].every((duty) => duty?.replication === 'asynchronous'),
    );
    const named = copies.filter((it) => state?.sync?.cells?.some(({ at }) => at === it.id));
    if (named.length > 0) this.fail(`D: the register of ${id} has a cell of ${named[0]?.id}, a copy`);
  }

  /** L1: the longest time without an acknowledgement since then. */
  longestGap(from: number, to: number): number {
    let last = from;
    let longest = 0;
    for (const { at } of this.acks) {
      if (at < from) continue;
      longest = Math.max(longest, at - last);
      last = at;
    }
    return Math.max(longest, to - last);
  }
}
