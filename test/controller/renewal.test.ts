/**
 * Two keys at a time: as long as renewal.json is there, a controller hears both, and in no order of the steps is a peer without a key that
 * the other side hears. ADR 16 has the steps.
 */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as tlsConnect } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseRenewal, type Renewal, renewalText } from '../../src/base/renewal.ts';
import { Secret } from '../../src/base/secret.ts';
import { type ServerConf, type ServerLine, serverConf } from '../../src/controller/config.ts';
import { arbiterKeyOf, clusterMark, fingerprint } from '../../src/controller/config-arbiter-key.ts';
import { readArbiterFiles } from '../../src/controller/io/arbiter-files.ts';
import { loadConfiguration, processFacts } from '../../src/controller/io/configuration.ts';
import { AdminLink } from '../../src/controller/io/network.ts';
import { heardKeys, readRenewal } from '../../src/controller/io/renewal-file.ts';
import { view } from './support/conversation.ts';
import { freePorts } from './support/pair.ts';
import { possible, type Step } from './support/renewal-steps.ts';

const old = new Secret('ab'.repeat(32));
const fresh = new Secret('cd'.repeat(32));
const turn = { from: old, to: fresh };

/** A server as it is after each step. */
const steps = [
  { key: old, renewal: null },
  { key: old, renewal: { key: turn } },
  { key: fresh, renewal: { key: turn } },
  { key: fresh, renewal: null },
] as const satisfies readonly { key: Secret; renewal: Renewal | null }[];

const conf: ServerConf = serverConf({
  dbInstance: '/a',
  heartbeatIntervalMs: 50,
  heartbeatTimeoutMs: 1000,
  remoteCallTimeoutMs: 500,
});

const open: AdminLink[] = [];
afterEach(() => {
  for (const link of open.splice(0)) link.close();
});

async function until(condition: () => boolean): Promise<void> {
  for (let waited = 0; waited < 3000 && !condition(); waited += 5) await sleep(5);
}

class Controller {
  readonly id: string;
  readonly port: number;
  readonly seen: string[] = [];
  readonly link: AdminLink;
  readonly #servers: readonly ServerLine[];
  /** A request that is not answered yet. */
  asked: number | null = null;

  constructor(id: string, servers: readonly ServerLine[], step: Step) {
    this.id = id;
    this.#servers = servers;
    this.port = servers.find((line) => line.id === id)?.port ?? 0;
    this.link = new AdminLink(this.#settings(step), () => view(id, 'standby'), {
      heard: (peer) => this.seen.push(`heard ${peer}`),
      refused: (peer) => this.seen.push(`refused ${peer}`),
      unknownPeer: (from, why) => this.seen.push(`unknown ${from}: ${why}`),
      request: (_peer, number) => {
        this.asked = number;
      },
      reply: (peer, _, { ok, text }) => this.seen.push(`reply ${peer} ${ok} ${text}`),
    });
    open.push(this.link);
  }

  #settings(step: Step) {
    const self = this.#servers.find((line) => line.id === this.id);
    if (!self) throw new Error(this.id);
    return { self, servers: this.#servers, conf, ...steps[step] };
  }

  reads(step: Step): void {
    this.link.update(this.#settings(step));
  }

  beat(): void {
    this.link.heartbeat(view(this.id, 'standby'));
  }
}

async function pair(one: Step, two: Step): Promise<readonly [Controller, Controller]> {
  const ports = await freePorts(2);
  const servers = ports.map((port, index) => ({ id: `server${index + 1}`, host: '127.0.0.1', port }));
  const made = [new Controller('server1', servers, one), new Controller('server2', servers, two)] as const;
  await Promise.all(made.map(({ link }) => link.listen()));
  return made;
}

/** Each is heard by the other one on connections that it makes itself, and nobody is turned away. */
async function hearEachOther(controllers: readonly [Controller, Controller]): Promise<void> {
  const [one, two] = controllers;
  for (const [caller, called] of [
    [one, two],
    [two, one],
  ] as const) {
    called.seen.length = 0;
    await until(() => {
      caller.beat();
      return called.seen.includes(`heard ${caller.id}`);
    });
    expect(called.seen).toContain(`heard ${caller.id}`);
  }
  for (const { seen } of controllers) expect(seen.filter((it) => !it.startsWith('heard'))).toEqual([]);
}

/** Somebody who knows the old key. */
const stranger = ({ port }: { readonly port: number }, identity: string) => {
  const socket = tlsConnect({
    ...({
      minVersion: 'TLSv1.2',
      maxVersion: 'TLSv1.2',
      ciphers: 'ECDHE-PSK-CHACHA20-POLY1305',
    } as const),
    ...{ host: '127.0.0.1', port, checkServerIdentity: () => undefined },
    pskCallback: () => ({ psk: Buffer.from(old.reveal(), 'hex'), identity }),
  });
  socket.on('error', () => socket.destroy());
  const state = { secure: false, closed: false };
  socket.on('secureConnect', () => {
    state.secure = true;
  });
  socket.on('close', () => {
    state.closed = true;
  });
  return state;
};

describe('two controllers whose secrets are renewed', () => {
  it.each(possible)('hear each other when they start at steps %i and %i', async (one, two) => {
    await hearEachOther(await pair(one, two));
  });

  it.each([
    ['the first one goes ahead', [0, 1, 0, 1, 0, 1]],
    ['the second one goes ahead', [1, 0, 1, 0, 1, 0]],
    ['they take turns', [0, 1, 1, 0, 0, 1]],
  ])('hear each other at every moment where %s', async (_, order) => {
    const controllers = await pair(0, 0);
    const at: [Step, Step] = [0, 0];
    await hearEachOther(controllers);
    for (const which of order as (0 | 1)[]) {
      at[which] = (at[which] + 1) as Step;
      controllers[which].reads(at[which]);
      await hearEachOther(controllers);
    }
    expect(at).toEqual([3, 3]);
  });

  it('are told as unknown where a step was left out, which no run does', async () => {
    const [one, two] = await pair(0, 2);
    two.beat();
    await until(() => one.seen.length > 0 && two.seen.length > 0);
    expect([one.seen.length, two.seen.length]).toEqual([1, 1]);
    expect([...one.seen, ...two.seen].join()).toMatch(/^unknown 127.*unknown server1/);
    // So does provision, which gives all servers the key of the primary; renewal.json stays.
    one.seen.length = 0;
    two.seen.length = 0;
    two.reads(1);
    await until(() => {
      one.beat();
      return two.seen.includes('heard server1') && one.seen.includes('heard server2');
    });
    expect([one.seen.includes('heard server2'), two.seen.includes('heard server1')]).toEqual([true, true]);
  });

  it('leave a connection on which an answer is awaited until it has come', async () => {
    const controllers = await pair(1, 1);
    const [one, two] = controllers;
    await hearEachOther(controllers);
    one.link.ask('server2', 1, { kind: 'stop', mcOnly: false, force: false });
    await until(() => two.asked !== null);
    one.reads(2);
    one.beat();
    one.beat();
    two.link.answer('server1', two.asked ?? 0, { ok: true, text: 'stopped' });
    await until(() => one.seen.some((it) => it.startsWith('reply')));
    expect(one.seen.filter((it) => it.startsWith('reply'))).toEqual(['reply server2 true stopped']);
    one.seen.length = 0;
    // From here on the new key is used: the old one may be forgotten.
    await hearEachOther(controllers);
    two.reads(2);
    two.reads(3);
    await hearEachOther(controllers);
  });

  it('end the connections of whoever has proven the forgotten key, and take none any more', async () => {
    const [one] = await pair(2, 2);
    const named = `${clusterMark(old)}/server2`;
    const before = stranger(one, named);
    await until(() => before.secure);
    expect([before.secure, before.closed]).toEqual([true, false]);
    one.reads(3);
    await until(() => before.closed);
    expect(before.closed).toBe(true);
    for (const identity of [named, 'server2']) {
      const after = stranger(one, identity);
      await until(() => after.closed);
      expect([after.secure, after.closed]).toEqual([false, true]);
    }
  });
});

describe('a renewal.json that is left over behind a renewal', () => {
  const named = `${clusterMark(old)}/server2`;

  it('keeps no old key in force once the peers have shown that they have forgotten it', async () => {
    const [left, two] = await pair(2, 3);
    const before = stranger(left, named);
    await until(() => before.secure);
    expect([before.secure, before.closed]).toEqual([true, false]);
    await until(() => {
      two.beat();
      return before.closed;
    });
    expect(before.closed).toBe(true);
    const after = stranger(left, named);
    await until(() => after.closed);
    expect([after.secure, after.closed]).toEqual([false, true]);
    await hearEachOther([left, two]);
  });

  it('as long as a peer knows of the renewal both are heard', async () => {
    const [one, two] = await pair(2, 2);
    await hearEachOther([one, two]);
    const caller = stranger(one, named);
    await until(() => caller.secure);
    await hearEachOther([one, two]);
    expect([caller.secure, caller.closed]).toEqual([true, false]);
  });
});

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'mc-renewal-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

function write(name: string, text: string, mode = 0o600): void {
  mkdirSync(join(dir, name, '..'), { recursive: true, mode: 0o700 });
  writeFileSync(join(dir, name), text);
  chmodSync(join(dir, name), mode);
}

const password = { from: new Secret('old "word"\\'), to: new Secret("new:'word'") };

describe('renewal.json', () => {
  it('says what it was given, and gives nothing away by itself', () => {
    const renewal: Renewal = { key: turn, password };
    const text = renewalText(renewal);
    const read = parseRenewal(text);
    expect(read && renewalText(read)).toBe(text);
    expect(read?.password?.to.reveal()).toBe("new:'word'");
    expect(JSON.stringify(read)).not.toMatch(/old "|new:|abab/);
    expect(parseRenewal(renewalText({ password }))?.key).toBeUndefined();
  });

  it.each([
    '',
    'x',
    '[]',
    'null',
    '{}',
    '{"format":2}',
    '{"format":1,"key":{"from":"a"}}',
    '{"format":1,"password":"x"}',
  ])('is not understood as %s', (text) => {
    expect(parseRenewal(text)).toBeUndefined();
    write('renewal.json', text);
    expect(readRenewal(dir)).toMatchObject({ ok: false, diagnostics: [{ code: 'MCF012' }] });
  });

  it('is read beside the files of a controller, which tells the marks of both keys and no more', () => {
    write('network.conf', 'server1 127.0.0.1 27540\n');
    write('server1.conf', `db_instance = '${dir}/none'\n`);
    write('cluster.key', `${old.reveal()}\n`);
    const both = (...keys: Secret[]) => keys.map(clusterMark);
    const marks = () => processFacts(loadConfiguration(dir, 'server1')).keys;
    expect(marks()).toEqual({ speaks: clusterMark(old), hears: [clusterMark(old)], renewal: false });
    // In the form of a hand-made key.
    const base64 = Buffer.from(fresh.reveal(), 'hex').toString('base64');
    write('renewal.json', renewalText({ key: { from: old, to: new Secret(base64) }, password }));
    expect(marks()).toEqual({ speaks: clusterMark(old), hears: both(old, fresh), renewal: true });
    write('cluster.key', `${fresh.reveal()}\n`);
    expect(marks()).toEqual({ speaks: clusterMark(fresh), hears: both(fresh, old), renewal: true });
    write('renewal.json', renewalText({ password }));
    expect(marks()).toEqual({ speaks: clusterMark(fresh), hears: [clusterMark(fresh)], renewal: true });
    chmodSync(join(dir, 'renewal.json'), 0o640);
    expect(() => loadConfiguration(dir, 'server1')).toThrow(/MCF002 .*renewal.json is open to others/);
    write('renewal.json', renewalText({ key: { from: old, to: new Secret('short') } }));
    expect(() => loadConfiguration(dir, 'server1')).toThrow(/MCF012 .*renewal.json cannot be understood/);
  });

  it('says nothing where the key is neither of its two: it is left over, and its keys were forgotten', () => {
    const other = new Secret('ef'.repeat(32));
    const heard = (own: Secret) => heardKeys(own, turn).map((key) => key.reveal());
    expect(heard(other)).toEqual([other.reveal()]);
    expect(heard(old)).toEqual([old.reveal(), fresh.reveal()]);
    expect(heard(fresh)).toEqual([fresh.reveal(), old.reveal()]);
  });

  it('makes an arbiter hear two keys of one cluster, and none that another one has', () => {
    const [one, two] = [old, fresh].map(arbiterKeyOf);
    if (!one || !two) throw new Error('no keys');
    write('arbitration.conf', "port = 1\nmy_address = '127.0.0.1'\n");
    write('clusters/a/network.conf', 'server1 127.0.0.1 1\narbiter1 127.0.0.1 2 arbiter\n');
    write('clusters/a/arbiter.key', `${one.reveal()}\n`);
    write('clusters/a/renewal.json', renewalText({ key: { from: one, to: two } }));
    const files = () => readArbiterFiles(dir).clusters;
    const a = files().get('a');
    expect(a?.ok && [...a.value.keys.keys()]).toEqual([fingerprint(one), fingerprint(two)]);
    // The servers tell the same marks of the cluster keys.
    expect(fingerprint(two)).toBe(clusterMark(fresh));
    write('clusters/b/network.conf', 'server1 127.0.0.1 1\narbiter1 127.0.0.1 2 arbiter\n');
    write('clusters/b/arbiter.key', `${two.reveal()}\n`);
    expect(files().get('b')).toMatchObject({ ok: false, diagnostics: [{ code: 'MCF012' }] });
  });
});
