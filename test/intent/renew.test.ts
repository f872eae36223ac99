/**
 * The renewal of the secrets as a model: the playbook of `pgduet secrets renew`, compiled and planned as in a run, carried out on servers that
 * are plain data. It is broken off behind every change, by every order of the hosts, with controllers that start anew in between; at every
 * moment each one hears what the others speak and knows the password that is in force, and the next run comes to the end.
 */
import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { parseRenewal, type Renewal, renewalText } from '../../src/base/renewal.ts';
import { Mask, Secret } from '../../src/base/secret.ts';
import { arbiterKeyOf, clusterMark, fingerprint } from '../../src/controller/config-arbiter-key.ts';
import type { Intent } from '../../src/intent/intent.ts';
import { settle } from '../../src/intent/intent.ts';
import { broughtBy, isTurned, renewalFor, strayValue } from '../../src/intent/renew.ts';
import { surveyFor } from '../../src/intent/roles.ts';
import type { Cluster } from '../../src/inventory/cluster.ts';
import type { HostView, View } from '../../src/observe/survey.ts';
import { type BatchItem, nextBatch } from '../../src/plan/batch.ts';
import { isEmpty, makePlan, type Plan, type Resource, refusals } from '../../src/plan/plan.ts';
import { pgpassLine } from '../../src/postgres/pgpass.ts';
import type { ProbeReply } from '../../src/resources/contract/kind.ts';
import { shippedPlaybook } from '../../src/shipped.ts';
import { compiler, playbook } from '../../src/verbs/load.ts';
import type { World } from '../../src/verbs/world.ts';
import { arbiterInventory, clusterOf, pairInventory, threeInventory } from '../observe/cluster.ts';

const hex = (digit: string): string => digit.repeat(64);
const oldKey = new Secret(hex('a'));
const oldPassword = new Secret('old');
const madeBy = (run: number) => ({
  clusterKey: new Secret(hex(String(run))),
  password: new Secret(`new${run}`),
});

/** A host: its files, and what its program has read of them. Of an arbiter `key` is arbiter.key, and there is no password. */
interface Place {
  key: string;
  renewal: string | undefined;
  password: string;
  /** etcd.cell. */
  cell: string | undefined;
  read: Read;
}

interface Read {
  readonly key: string;
  readonly renewal: string | undefined;
  readonly cell: string | undefined;
}

class World1 {
  readonly cluster: Cluster;
  readonly places = new Map<string, Place>();
  primary = 'server1';
  verifier = verifierOf(oldPassword);
  /** A controller of an earlier version says nothing of its keys. */
  mute: string | undefined;
  /** A standby that does not receive any more what the primary has changed. */
  stalled: string | undefined;

  constructor(cluster: Cluster) {
    this.cluster = cluster;
    for (const { name } of cluster.hosts) {
      const key = name === 'arb1' ? arbiterKeyOf(oldKey).reveal() : oldKey.reveal();
      const read = { key, renewal: undefined, cell: undefined };
      this.places.set(name, {
        key,
        renewal: undefined,
        password: oldPassword.reveal(),
        cell: undefined,
        read,
      });
    }
  }

  at(name: string): Place {
    const place = this.places.get(name);
    if (!place) throw new Error(name);
    return place;
  }

  reads(name: string): void {
    const { key, renewal, cell } = this.at(name);
    this.at(name).read = { key, renewal, cell };
  }

  view(): View {
    const hosts = new Map<string, HostView>();
    for (const { name } of this.cluster.servers) {
      const { key, renewal, password, cell } = this.at(name);
      const parsed = parseRenewal(renewal ?? '');
      hosts.set(name, {
        clusterKey: new Secret(key),
        replicationPassword: new Secret(password),
        ...(parsed ? { renewal: parsed } : {}),
        ...(cell === undefined ? {} : { etcdCell: cell }),
      });
    }
    return { hosts, primary: this.primary };
  }

  reply({ host, kind, desired }: Resource): ProbeReply {
    const place = this.at(host);
    const says = (stdout: string, sql?: unknown): ProbeReply => ({
      status: 0,
      stdout,
      stderr: '',
      ...(sql ? { sql } : {}),
    });
    const file = (owner: string, text: string | undefined): ProbeReply =>
      says(text === undefined ? 'absent\n' : `regular file|600|${owner}|${owner}|100|100\n${sha(text)}  -\n`);
    const owner = host === 'arb1' ? 'mcarb' : 'postgres';
    switch (kind.kind) {
      case 'renewal':
        return file(owner, place.renewal);
      case 'file':
        return isCell(desired)
          ? says(
              place.cell === undefined
                ? 'absent\n'
                : `regular file|600|${owner}|${owner}|100|100\n${place.cell}\n`,
            )
          : file(owner, `${place.key}\n`);
      case 'passfile': {
        const { entry } = desired as { entry: Parameters<typeof pgpassLine>[0] };
        const line = pgpassLine({ ...entry, password: new Secret(place.password) });
        return says(`/home/.pgpass\nregular file|600|postgres|postgres|100|100\n${line}\n`);
      }
      case 'role':
        return says(`behind ${this.stalled ?? ''}\n`, {
          ...{ verifier: this.verifier, replication: true, login: true, superuser: false, createdb: false },
          ...{
            createrole: false,
            bypassrls: false,
            connections: -1,
            until: null,
            expired: false,
            memberOf: [],
          },
        });
      case 'cluster_keys':
        return says(this.#report(host, place));
      case 'arbiter_keys':
        return says(
          JSON.stringify({
            clusters: [
              { cluster: 'inst1', keys: host === this.mute ? undefined : heard(place).map(markOf(host)) },
            ],
          }),
        );
      default:
        throw new Error(`the playbook has something else: ${kind.kind}`);
    }
  }

  #report(host: string, place: Place): string {
    const keys = {
      speaks: markOf(host)(place.read.key),
      hears: heard(place).map(markOf(host)),
      renewal: place.read.renewal !== undefined,
    };
    return JSON.stringify({
      ...{ mirroring_status: 'switchable', versions: { controller: '0.1.0' }, servers: [] },
      ...(host === this.mute ? {} : { cluster_key: keys }),
    });
  }

  /** What the steps of a change bring about. */
  does({ resource }: Extract<BatchItem, { kind: 'change' }>): void {
    const place = this.at(resource.host);
    const desired = resource.desired as {
      state?: string;
      secret?: Secret;
      content?: Secret | string;
      password?: Secret;
      entry?: { password: Secret };
    };
    switch (resource.kind.kind) {
      case 'renewal':
        place.renewal = desired.state === 'absent' ? undefined : desired.secret?.reveal();
        // The same step tells the controller.
        if (desired.state === 'absent' && resource.host !== 'arb1') this.reads(resource.host);
        break;
      case 'file':
        if (typeof desired.content === 'string') place.cell = desired.content.trim();
        else place.key = desired.content?.reveal().trim() ?? '';
        break;
      case 'passfile':
        place.password = desired.entry?.password.reveal() ?? '';
        break;
      case 'role':
        this.verifier = verifierOf(desired.password ?? new Secret(''));
        break;
      default:
        this.reads(resource.host);
    }
  }

  /** Whoever is spoken to hears what is said, also when any program starts anew right now. */
  check(moment: string): void {
    const servers = this.cluster.servers.map(({ name }) => name);
    for (const speaker of servers)
      for (const state of ['read', 'files'] as const) {
        const mine = this.at(speaker);
        const spoken = state === 'read' ? mine.read.key : mine.key;
        for (const [name, other] of this.places) {
          if (name === speaker) continue;
          const wanted = name === 'arb1' ? arbiterKeyOf(new Secret(spoken)).reveal() : spoken;
          hears(other, wanted, () => `${moment}: ${speaker} speaks (${state}), ${name} hears`);
          hears({ read: other }, wanted, () => `${moment}: ${speaker} speaks, ${name} starts anew`);
        }
      }
    for (const name of this.cluster.etcd ? servers : [])
      for (const { key, cell } of [this.at(name), this.at(name).read])
        if ((cell ?? clusterMark(new Secret(key))) !== clusterMark(oldKey))
          expect.fail(`${moment}: the cell of ${name} is ${cell}`);
    for (const name of servers) {
      const { password, read } = this.at(name);
      const turn = parseRenewal(read.renewal ?? '')?.password;
      const known = [password, ...(turn ? [turn.from.reveal(), turn.to.reveal()] : [])];
      if (!known.some((one) => verifierOf(new Secret(one)) === this.verifier))
        expect.fail(`${moment}: ${name} knows the password in force, and not ${known.join(', ')}`);
    }
  }
}

const isCell = (desired: unknown): boolean =>
  (desired as { path?: string }).path?.endsWith('/etcd.cell') ?? false;
const sha = (text: string): string => createHash('sha256').update(text).digest('hex');
const verifiers = new Map<string, string>();
function verifierOf(password: Secret): string {
  const known = verifiers.get(password.reveal()) ?? quickVerifier(password.reveal(), Buffer.alloc(16));
  verifiers.set(password.reveal(), known);
  return known;
}

/** With one round in place of 4096: a run compares thousands of them. */
function quickVerifier(password: string, salt: Buffer): string {
  const salted = pbkdf2Sync(password, salt, 1, 32, 'sha256');
  const keyed = (words: string): Buffer => createHmac('sha256', salted).update(words).digest();
  const stored = createHash('sha256').update(keyed('Client Key')).digest();
  return `SCRAM-SHA-256$1:${salt.toString('base64')}$${stored.toString('base64')}:${keyed('Server Key').toString('base64')}`;
}
const markOf =
  (host: string) =>
  (key: string): string =>
    host === 'arb1' ? fingerprint(new Secret(key)) : clusterMark(new Secret(key));

function heard({ read }: { readonly read: Pick<Read, 'key' | 'renewal'> }): string[] {
  const turn = parseRenewal(read.renewal ?? '')?.key;
  return [...new Set([read.key, ...(turn ? [turn.from.reveal(), turn.to.reveal()] : [])])];
}

/** Asserted thousands of times: what is said when it fails is made only then. */
function hears(who: Parameters<typeof heard>[0], key: string, moment: () => string): void {
  if (!heard(who).includes(key)) expect.fail(`${moment()}: not ${key}`);
}

interface Options {
  /** How many changes are made before it is broken off. */
  readonly changes?: number;
  /** In which order the hosts do their part of a batch. */
  readonly order?: 'forward' | 'backward' | 'in turn';
  /** Something that happens behind each change. */
  readonly meanwhile?: (world: World1, change: number) => void;
}

const path = shippedPlaybook('secrets');
const plays = playbook(path);

/** A run; false: it was broken off. */
function run(world: World1, made: ReturnType<typeof madeBy>, options: Options = {}): boolean {
  const compile = compiler({ mask: new Mask() } as unknown as World, world.cluster, plays, path);
  let intent: Intent = { kind: 'renew', made };
  const planned = (): Plan => {
    const view = world.view();
    intent = settle({ cluster: world.cluster, view, intent });
    const compiled = compile(view, intent);
    if (!compiled.ok) throw new Error(compiled.diagnostics.map(({ what }) => what).join('; '));
    return makePlan(
      compiled.value.map((resource) => ({
        resource,
        observed: resource.kind.read(world.reply(resource), resource.desired),
      })),
    );
  };
  let count = 0;
  for (let round = 0; round < 50; round += 1) {
    const plan = planned();
    const refused = refusals(plan);
    if (refused.length > 0) throw new Error(refused.map(({ code, what }) => `${code} ${what}`).join('; '));
    if (isEmpty(plan)) return true;
    const batches = nextBatch(plan, world.primary).map(({ items }) => [...items]);
    if (batches.length === 0) throw new Error('what is left waits for something that nothing will do');
    for (const item of inOrder(batches, options.order ?? 'forward')) {
      if (count === options.changes) return false;
      if (item.kind === 'change') world.does(item);
      world.check(`change ${count}, ${item.kind === 'change' ? item.summary : item.effect.action}`);
      options.meanwhile?.(world, count);
      count += 1;
    }
  }
  throw new Error('the run does not come to its end');
}

function inOrder(batches: BatchItem[][], order: NonNullable<Options['order']>): BatchItem[] {
  if (order === 'forward') return batches.flat();
  if (order === 'backward') return batches.toReversed().flat();
  const longest = Math.max(...batches.map(({ length }) => length));
  return Array.from({ length: longest }, (_, index) =>
    batches.flatMap((items) => (items[index] ? [items[index]] : [])),
  ).flat();
}

/** A file that was left over by an earlier renewal, of a server that was away meanwhile. */
const leftOver = renewalText({
  key: { from: new Secret(hex('b')), to: new Secret(hex('c')) },
  password: { from: new Secret('b'), to: new Secret('c') },
});

/** What is under way says so to the next run. */
const isOpen = (world: World1): boolean =>
  world.cluster.servers.some(({ name }) => world.at(name).renewal !== undefined);

function expectRenewed(world: World1): void {
  const keys = world.cluster.servers.map(({ name }) => world.at(name).key);
  expect(new Set(keys).size).toBe(1);
  expect(keys[0]).not.toBe(oldKey.reveal());
  const passwords = world.cluster.servers.map(({ name }) => world.at(name).password);
  expect(new Set(passwords).size).toBe(1);
  expect(passwords[0]).not.toBe(oldPassword.reveal());
  expect(verifierOf(new Secret(passwords[0] ?? ''))).toBe(world.verifier);
  for (const [name, place] of world.places) {
    expect(place.renewal, name).toBeUndefined();
    const mine = name === 'arb1' ? arbiterKeyOf(new Secret(keys[0] ?? '')).reveal() : (keys[0] ?? '');
    expect(heard(place), name).toEqual([mine]);
  }
}

let arbitrated: Cluster;
let three: Cluster;
let etcd: Cluster;
beforeAll(async () => {
  arbitrated = await clusterOf(arbiterInventory);
  three = await clusterOf(threeInventory);
  const pair = await clusterOf(pairInventory);
  const place = { endpoints: ['https://192.0.2.9:2379'], user: 'pgduet', prefix: '/pgduet/inst1/' };
  etcd = { ...pair, etcd: { ...place, password: new Secret('of etcd'), ca: 'PEM' } };
});

const clusters = [
  ['a pair with an arbiter', () => arbitrated, 1],
  ['three servers', () => three, 3],
  ['a pair with an etcd', () => etcd, 2],
] as const;
const orders = ['forward', 'backward', 'in turn'] as const;

/** How many changes a whole renewal makes. */
function changesOf(cluster: Cluster): number {
  let count = 0;
  run(new World1(cluster), madeBy(1), { meanwhile: () => (count += 1) });
  return count;
}

/** `stride`: of more servers, whose moments are much alike, not each is tried. */
describe.each(clusters)('a renewal of the secrets of %s', (_, cluster, stride) => {
  it.each(orders)('comes to its end, hosts %s', (order) => {
    const world = new World1(cluster());
    expect(run(world, madeBy(1), { order })).toBe(true);
    expectRenewed(world);
    expect(world.at('server1').key).toBe(hex('1'));
    // One that is over is followed by another one.
    expect(run(world, madeBy(2), { order })).toBe(true);
    expectRenewed(world);
    expect(world.at('server1').key).toBe(hex('2'));
  });

  it.each(orders)('is gone on with wherever it was broken off, hosts %s', (order) => {
    const all = changesOf(cluster());
    expect(all).toBeGreaterThan(12);
    for (let first = 1; first < all; first += order === 'forward' ? stride : 3 * stride) {
      const world = new World1(cluster());
      expect(run(world, madeBy(1), { changes: first, order })).toBe(false);
      const begun = isOpen(world);
      expect(run(world, madeBy(2), { order: orders[first % 3] ?? 'forward' })).toBe(true);
      expectRenewed(world);
      // What was begun is brought to its end; only where nothing was written it is another renewal.
      if (begun) expect(world.at('server1').key, `broken off behind ${first}`).toBe(hex('1'));
    }
  });

  it('is gone on with when the runs that go on are broken off, too', () => {
    for (const each of [1, 2, 3, 5]) {
      const world = new World1(cluster());
      let runs = 1;
      const isBegun = (): boolean => isOpen(world) || world.at('server1').key === oldKey.reveal();
      while (!run(world, madeBy((runs % 8) + 1), { changes: each }) && isBegun() && runs < 60) runs += 1;
      expectRenewed(world);
    }
  });

  it('brings back nothing that the file of an earlier one names', () => {
    for (const { name } of cluster().servers) {
      const world = new World1(cluster());
      world.at(name).renewal = leftOver;
      world.reads(name);
      expect(run(world, madeBy(1))).toBe(true);
      expectRenewed(world);
      expect([world.at('server1').key, world.at('server1').password]).toEqual([hex('1'), 'new1']);
    }
  });

  it('goes on where a program starts anew behind any change', () => {
    for (const name of cluster().hosts.map((host) => host.name)) {
      const world = new World1(cluster());
      expect(run(world, madeBy(1), { meanwhile: (it1) => it1.reads(name) })).toBe(true);
      expectRenewed(world);
    }
  });

  it('goes on where the roles change, with the change of the password or without it', () => {
    const all = changesOf(cluster());
    for (const lost of [false, true])
      for (let at = 0; at < all; at += stride) {
        const world = new World1(cluster());
        let before = world.verifier;
        run(world, madeBy(1), {
          changes: at + 1,
          meanwhile: (it1, change) => {
            if (change < at) before = it1.verifier;
          },
        });
        // A failover: the new primary may never have received what the former one has changed last.
        world.primary = 'server2';
        if (lost) world.verifier = before;
        world.check(`failover behind ${at}, lost: ${lost}`);
        expect(run(world, madeBy(2))).toBe(true);
        expectRenewed(world);
      }
  });

  it('goes on behind a provisioning, which gives all servers what the primary has', () => {
    const all = changesOf(cluster());
    for (let at = 1; at < all; at += stride) {
      const world = new World1(cluster());
      run(world, madeBy(1), { changes: at, order: orders[at % 3] ?? 'forward' });
      const { key, password } = world.at(world.primary);
      const cell = world.cluster.servers
        .map(({ name }) => world.at(name).cell)
        .find((one) => one !== undefined);
      for (const { name } of world.cluster.servers) {
        Object.assign(world.at(name), { key, password, cell });
        world.reads(name);
      }
      if (world.places.has('arb1')) {
        world.at('arb1').key = arbiterKeyOf(new Secret(key)).reveal();
        world.reads('arb1');
      }
      world.verifier = verifierOf(new Secret(password));
      world.check(`provisioning behind ${at}`);
      expect(run(world, madeBy(2))).toBe(true);
      expectRenewed(world);
    }
  });

  it('forgets nothing as long as a standby has not received the new password', () => {
    const world = new World1(cluster());
    world.stalled = 'server2';
    // The step that waits fails on a host, here it is done again and again.
    expect(() => run(world, madeBy(1))).toThrow('does not come to its end');
    for (const [name, { renewal }] of world.places) expect(renewal, name).toBeDefined();
    world.stalled = undefined;
    expect(run(world, madeBy(2))).toBe(true);
    expectRenewed(world);
    expect(world.at('server1').password).toBe('new1');
  });

  it('refuses before any change where a program cannot hear two keys', () => {
    for (const { name } of cluster().hosts) {
      const world = new World1(cluster());
      world.mute = name;
      expect(() => run(world, madeBy(1))).toThrow(/SAF034/);
      for (const place of world.places.values())
        expect([place.renewal, place.password]).toEqual([undefined, 'old']);
    }
  });
});

describe('a password that the inventory gives', () => {
  const given = (password: string): Cluster => ({ ...three, replicationPassword: new Secret(password) });

  it('is brought by a renewal, wherever that was broken off', () => {
    for (const changes of [3, 7, 11, 15]) {
      const world = new World1(given('given'));
      expect(run(world, madeBy(1), { changes })).toBe(false);
      expect(run(world, madeBy(2))).toBe(true);
      expectRenewed(world);
      expect(world.at('server3').password).toBe('given');
    }
  });

  it('stays where all use it already, and the key alone is renewed', () => {
    const world = new World1(given('old'));
    expect(run(world, madeBy(1))).toBe(true);
    expect([world.at('server2').password, world.at('server2').key]).toEqual(['old', hex('1')]);
    expect(world.verifier).toBe(verifierOf(oldPassword));
  });
});

describe('what is renewed', () => {
  const view = (...hosts: readonly HostView[]): View => ({
    primary: 'server1',
    hosts: new Map(hosts.map((host, index) => [`server${index + 1}`, host])),
  });
  const made = madeBy(1);
  const shown = (key: string, password: string, renewal?: Renewal): HostView => ({
    clusterKey: new Secret(key),
    replicationPassword: new Secret(password),
    ...(renewal ? { renewal } : {}),
  });
  const clear = (renewal: Renewal): string => renewalText(renewal);

  it('is nothing where nobody has a secret yet', () => {
    expect(renewalFor(three, view({}, {}), made)).toEqual({});
  });

  it('is the password of the inventory, and not if all use it already', async () => {
    const given = { ...three, replicationPassword: new Secret('given') };
    const used = view(shown('k', 'given'), shown('k', 'given'), shown('k', 'given'));
    expect(renewalFor(given, used, made).password).toBeUndefined();
    // What the file of a standby, which was away, names of an earlier renewal is not what the inventory gives.
    const earlier = { password: { from: new Secret('given'), to: new Secret('retired') } };
    const left = view(shown('k', 'given'), shown('k', 'given', earlier), shown('k', 'given'));
    expect(renewalFor(given, left, made).password).toBeUndefined();
    const mixed = view(shown('k', 'given'), shown('k', 'former'), shown('k', 'given'));
    expect(renewalFor(given, mixed, made).password?.from.reveal()).toBe('former');
    expect(renewalFor(given, mixed, made).password?.to.reveal()).toBe('given');
    // A renewal that is under way with another value is brought to its end first.
    const open = { password: { from: new Secret('former'), to: new Secret('x') } };
    expect(renewalFor(given, view(shown('k', 'former', open)), made).password?.to.reveal()).toBe('x');
  });

  const turn = (from: string, to: string): Renewal => ({
    key: { from: new Secret(from), to: new Secret(to) },
  });
  const keyTurn = (one: View): readonly (string | undefined)[] => {
    const { key } = renewalFor(three, one, made);
    return [key?.from.reveal(), key?.to.reveal()];
  };
  const stray = (one: View): string | undefined => strayValue(three, one, renewalFor(three, one, made))?.what;
  const next = made.clusterKey.reveal();

  it('is of two renewals that of the primary, and no server may use another value', () => {
    const two = view(shown('k', 'p', turn('k', 'a')), shown('b', 'p', turn('k', 'b')));
    expect(keyTurn(two)).toEqual(['k', 'a']);
    expect(stray(two)).toContain('server2 uses another cluster key');
    expect(isTurned(three, two, renewalFor(three, two, made))).toBe(false);
    const none = view(shown('k', 'p'), shown('k', 'p', turn('k', 'a')), shown('k', 'p', turn('k', 'b')));
    expect(keyTurn(none)).toEqual(['k', 'a']);
    expect(stray(none)).toBeUndefined();
    expect(clear(renewalFor(three, none, made))).toContain('new1');
  });

  it('is never that of a file whose values are of no matter any more', () => {
    const left = view(shown('k2', 'p'), shown('k2', 'p'), shown('k2', 'p', turn('k0', 'k1')));
    expect(keyTurn(left)).toEqual(['k2', next]);
    // Nor where the server that was put back whole uses them still: it is not let in by an old key.
    for (const old of ['k0', 'k1']) {
      const back = view(shown('k2', 'p'), shown('k2', 'p'), shown(old, 'p', turn('k0', 'k1')));
      expect(keyTurn(back)).toEqual(['k2', next]);
      expect(stray(back)).toContain('server3 uses another cluster key');
    }
    // On the primary, too; and a stale one does not go before the one that is under way.
    const first = view(shown('k2', 'p', turn('k0', 'k1')), shown('k2', 'p'), shown('k2', 'p'));
    expect(keyTurn(first)).toEqual(['k2', next]);
    const both = view(
      shown('k1', 'p', turn('k1', 'k2')),
      shown('k1', 'p', turn('k0', 'k1')),
      shown('k1', 'p', turn('k1', 'k2')),
    );
    expect(keyTurn(both)).toEqual(['k1', 'k2']);
  });

  it('keeps the value that goes as long as a server uses it, and refuses a third one', () => {
    const third = view(
      shown('k2', 'p', turn('k1', 'k2')),
      shown('k0', 'p', turn('k1', 'k2')),
      shown('k1', 'p', turn('k1', 'k2')),
    );
    expect(keyTurn(third)).toEqual(['k1', 'k2']);
    expect(stray(third)).toContain('server2 uses another cluster key');
    const found = surveyFor({ kind: 'renew', made }, three, third.hosts);
    expect('refused' in found && found.refused).toMatchObject({ code: 'SAF034', host: 'server2' });
    const passwords = view(shown('k', 'p'), shown('k', 'q'));
    expect(stray(passwords)).toContain('server2 uses another replication password');
  });

  it('is another one where a file is left over, and the same one where the primary has it', () => {
    const done = view(shown('k1', 'p'), shown('k1', 'p'), shown('k1', 'p', turn('k0', 'k1')));
    expect(keyTurn(done)).toEqual(['k1', next]);
    expect(broughtBy(three, done, renewalFor(three, done, made))).toEqual({ key: true, password: true });
    const open = view(shown('k1', 'p', turn('k0', 'k1')), shown('k1', 'p'), shown('k1', 'p'));
    expect(keyTurn(open)).toEqual(['k0', 'k1']);
    const brought = broughtBy(three, open, renewalFor(three, open, made));
    expect(brought.key).toBe(false);
    const half = view(
      shown('k1', 'p', turn('k0', 'k1')),
      shown('k0', 'p', turn('k0', 'k1')),
      shown('k1', 'p'),
    );
    expect(broughtBy(three, half, renewalFor(three, half, made)).key).toBe(true);
    const settled = settle({ cluster: three, view: open, intent: { kind: 'renew', made } });
    expect(settled).toMatchObject({ brought: { key: false } });
    // What a run finds first holds until its end.
    expect(settle({ cluster: three, view: done, intent: settled })).toBe(settled);
  });

  it('is over for a server that was not seen only when it was', () => {
    const renewal = { password: { from: new Secret('p'), to: new Secret('q') } };
    const all = [shown('k', 'q'), shown('k', 'q'), shown('k', 'q')];
    expect(isTurned(three, view(...all), renewal)).toBe(true);
    expect(isTurned(three, view(...all.slice(1)), renewal)).toBe(false);
  });
});
