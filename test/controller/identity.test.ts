/**
 * A key for each server (ADR 30): on the way there every two controllers hear each other, whatever each of them knows by then, and nobody is turned
 * away; once a peer has proven its key, the cluster key speaks for it no more.
 */
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as tlsConnect } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { identitiesText, type Publics, parseIdentities, publicPart } from '../../src/base/identities.ts';
import { Secret } from '../../src/base/secret.ts';
import { serverConf } from '../../src/controller/config.ts';
import { frame } from '../../src/controller/io/frames.ts';
import { type Identities, readIdentities, writeProven } from '../../src/controller/io/identity-files.ts';
import { AdminLink, type LinkSettings } from '../../src/controller/io/network.ts';
import { type OwnKey, ownKey, pairIdentity, pairKey } from '../../src/controller/io/pair-key.ts';
import { view } from './support/conversation.ts';
import { freePorts } from './support/pair.ts';
import { possible } from './support/renewal-steps.ts';

const clusterKey = new Secret('ab'.repeat(32));
const nextKey = new Secret('cd'.repeat(32));
const turn = { key: { from: clusterKey, to: nextKey } };

function keyText(namedCurve = 'prime256v1'): string {
  const { privateKey, publicKey } = generateKeyPairSync('ec', {
    namedCurve,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  return `${privateKey}${publicKey}`;
}

function makeKey(): OwnKey {
  const own = ownKey(keyText());
  if (!own) throw new Error('no key');
  return own;
}

const [one, two, other] = [makeKey(), makeKey(), makeKey()];
const all: Publics = { server1: one.public, server2: two.public };

const conf = serverConf({
  dbInstance: '/a',
  heartbeatIntervalMs: 30,
  heartbeatTimeoutMs: 1000,
  remoteCallTimeoutMs: 500,
});

const open: AdminLink[] = [];
afterEach(() => {
  for (const link of open.splice(0)) link.close();
});

async function until(condition: () => boolean, ms = 3000): Promise<void> {
  for (let waited = 0; waited < ms && !condition(); waited += 5) await sleep(5);
}

type Keys = Partial<Pick<LinkSettings, 'key' | 'renewal'>> & { readonly identities?: Identities };

class Controller {
  readonly id: string;
  readonly seen: string[] = [];
  readonly proven: Publics[] = [];
  link: AdminLink;
  readonly #servers: LinkSettings['servers'];
  #keys: Keys;

  constructor(id: string, ports: readonly number[], keys: Keys) {
    this.id = id;
    this.#servers = ports.map((port, index) => ({ id: `server${index + 1}`, host: '127.0.0.1', port }));
    this.#keys = keys;
    this.link = this.#newLink();
  }

  get port(): number {
    return this.#servers.find((line) => line.id === this.id)?.port ?? 0;
  }

  #settings(): LinkSettings {
    const self = this.#servers.find((line) => line.id === this.id);
    if (!self) throw new Error(this.id);
    return { self, servers: this.#servers, conf, key: clusterKey, ...this.#keys };
  }

  #newLink(): AdminLink {
    const link = new AdminLink(this.#settings(), () => view(this.id, 'standby'), {
      heard: (peer) => this.seen.push(`heard ${peer}`),
      refused: (peer) => this.seen.push(`refused ${peer}`),
      unknownPeer: (from, why) => this.seen.push(`unknown ${from}: ${why}`),
      request: () => undefined,
      reply: () => undefined,
      proven: (_peer, known) => this.proven.push(known),
    });
    open.push(link);
    return link;
  }

  reads(keys: Keys): void {
    this.#keys = keys;
    this.link.update(this.#settings());
  }

  /** As a start of the program does, with what was written down. */
  async restarts(keys: Keys): Promise<void> {
    this.link.close();
    await sleep(20);
    this.#keys = keys;
    this.link = this.#newLink();
    await this.link.listen();
  }

  beat(): void {
    this.link.heartbeat(view(this.id, 'standby'));
  }

  get troubles(): readonly string[] {
    return this.seen.filter((it) => !it.startsWith('heard'));
  }
}

async function pair(first: Keys, second: Keys): Promise<readonly [Controller, Controller]> {
  const ports = await freePorts(2);
  const made = [new Controller('server1', ports, first), new Controller('server2', ports, second)] as const;
  await Promise.all(made.map(({ link }) => link.listen()));
  return made;
}

/** For some heartbeats: each of them is heard by the other one, and nobody is turned away. */
async function hearEachOther([a, b]: readonly [Controller, Controller], times = 6): Promise<void> {
  for (let beats = 0; beats < times; beats += 1) {
    for (const it of [a, b]) it.seen.length = 0;
    const heard = () => a.seen.includes('heard server2') && b.seen.includes('heard server1');
    await until(() => {
      a.beat();
      b.beat();
      return heard();
    });
    expect(heard()).toBe(true);
    expect([a.troubles, b.troubles]).toEqual([[], []]);
    await sleep(20);
  }
}

const states = ([a, b]: readonly [Controller, Controller]) => [
  a.link.identities().server2,
  b.link.identities().server1,
];

const nothing: Identities = { known: {}, proven: {} };
/** What a server may have read: nothing, its key, the keys of all, and these with what was proven. */
const stages = (own: OwnKey): readonly [Identities, Identities, Identities] => [
  nothing,
  { own, known: {}, proven: {} },
  { own, known: all, proven: {} },
];

/** Somebody who connects by a key of his choice; what becomes of it. */
function speaks(port: number, identity: string, psk: Secret, says?: object): Promise<'in' | 'turned away'> {
  const socket = tlsConnect({
    ...({
      minVersion: 'TLSv1.2',
      maxVersion: 'TLSv1.2',
      ciphers: 'ECDHE-PSK-CHACHA20-POLY1305',
    } as const),
    ...{ host: '127.0.0.1', port, checkServerIdentity: () => undefined },
    pskCallback: () => ({ psk: Buffer.from(psk.reveal(), 'hex'), identity }),
  });
  return new Promise((resolve) => {
    socket.on('secureConnect', () => {
      if (says) socket.write(frame(says));
      setTimeout(() => {
        resolve(socket.destroyed ? 'turned away' : 'in');
        socket.destroy();
      }, 100);
    });
    socket.on('error', () => resolve('turned away'));
  });
}

describe('the key of a pair', () => {
  const of = (own: OwnKey, their: OwnKey, key = clusterKey, names: [string, string] = ['a', 'b']) =>
    pairKey(own, their.public, key, names);

  it('is the same for both, whoever asks, and for nobody else', () => {
    const mine = of(one, two);
    expect(of(two, one, clusterKey, ['b', 'a'])?.key.reveal()).toBe(mine?.key.reveal());
    expect(mine?.mark).toMatch(/^[0-9a-f]{16}$/);
    for (const differs of [of(other, two), of(one, two, nextKey), of(one, two, clusterKey, ['a', 'c'])]) {
      expect(differs?.key.reveal()).not.toBe(mine?.key.reveal());
      expect(differs?.mark).not.toBe(mine?.mark);
    }
  });

  it('cannot be made of what is no such key', () => {
    const [secp, ed] = [keyText('secp384r1'), generateKeyPairSync('ed25519')];
    const der = ed.publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
    for (const text of ['', 'AAAA', der, publicPart(secp) ?? '', `${one.public.slice(0, 60)}AAAA`])
      expect(pairKey(one, text, clusterKey, ['a', 'b']), text).toBeUndefined();
    expect(ownKey(secp)).toBeUndefined();
    expect(ownKey('nothing')).toBeUndefined();
  });
});

describe('on the way to keys of their own', () => {
  const matrix = ([0, 1, 2] as const).flatMap((first) =>
    ([0, 1, 2] as const).map((second) => [first, second] as const),
  );

  it.each(matrix)('a pair that has come to %i and %i hears each other', async (first, second) => {
    const made = await pair({ identities: stages(one)[first] }, { identities: stages(two)[second] });
    await hearEachOther(made);
    const isProven = first === 2 && second === 2;
    expect(states(made)).toEqual(
      isProven ? ['proven', 'proven'] : [first === 2 ? 'open' : 'none', second === 2 ? 'open' : 'none'],
    );
  });

  it.each([
    ['the first one reads first', [0, 1]],
    ['the second one reads first', [1, 0]],
  ])('%s: nobody is turned away, and both demand it at the end', async (_title, order) => {
    const made = await pair({}, {});
    await hearEachOther(made);
    for (const stage of [1, 2] as const)
      for (const index of order) {
        made[index]?.reads({ identities: stages(index === 0 ? one : two)[stage] });
        await hearEachOther(made);
      }
    expect(states(made)).toEqual(['proven', 'proven']);
    expect(made.map(({ proven }) => proven.at(-1))).toEqual([
      { server2: two.public },
      { server1: one.public },
    ]);
  });

  const provenOf = (own: OwnKey, peer: 'server1' | 'server2'): Identities => ({
    own,
    known: all,
    proven: { [peer]: all[peer] ?? '' },
  });

  it('a restart of either, or of both, calls by that key at once', async () => {
    const made = await pair(
      { identities: provenOf(one, 'server2') },
      { identities: provenOf(two, 'server1') },
    );
    await hearEachOther(made);
    await made[0].restarts({ identities: provenOf(one, 'server2') });
    made[1].seen.length = 0;
    made[0].beat();
    await until(() => made[1].seen.includes('heard server1'));
    expect(made[1].seen).toContain('heard server1');
    expect(made[1].troubles).toEqual([]);
  });

  it('a record of what was proven that is lost on one side: it is heard, and demands it again', async () => {
    const made = await pair({ identities: stages(one)[2] }, { identities: provenOf(two, 'server1') });
    await until(() => {
      for (const it of made) it.beat();
      return made[0].link.identities().server2 === 'proven';
    });
    // Its first call, by the cluster key, was turned away, and is told.
    await sleep(200);
    await hearEachOther(made);
    expect(states(made)).toEqual(['proven', 'proven']);
  });

  it('lasts where the file of the keys is empty, or is lost', async () => {
    const made = await pair(
      { identities: { ...provenOf(one, 'server2'), known: {} } },
      { identities: { ...provenOf(two, 'server1'), known: {} } },
    );
    await hearEachOther(made);
    expect(await speaks(made[0].port, 'server2', clusterKey)).toBe('turned away');
  });

  describe('while the cluster key is renewed', () => {
    const steps = [
      { key: clusterKey, renewal: null },
      { key: clusterKey, renewal: turn },
      { key: nextKey, renewal: turn },
      { key: nextKey, renewal: null },
    ] as const;
    it.each(possible)('steps %i and %i hear each other, proven or not', async (first, second) => {
      for (const stage of [
        [stages(one)[2], stages(two)[2]],
        [provenOf(one, 'server2'), provenOf(two, 'server1')],
        [stages(one)[2], nothing],
      ] as const) {
        const made = await pair(
          { ...steps[first], identities: stage[0] },
          { ...steps[second], identities: stage[1] },
        );
        await hearEachOther(made, 4);
      }
    });

    it('goes through all steps with connections that stand, and forgets the old one at the end', async () => {
      const keys = [provenOf(one, 'server2'), provenOf(two, 'server1')] as const;
      const made = await pair({ ...steps[0], identities: keys[0] }, { ...steps[0], identities: keys[1] });
      for (const step of steps)
        for (const index of [0, 1] as const) {
          made[index].reads({ ...step, identities: keys[index] });
          await hearEachOther(made, 3);
        }
      const former = pairKey(two, one.public, clusterKey, ['server1', 'server2']);
      expect(former && (await speaks(made[0].port, pairIdentity(former, 'server2', false), former.key))).toBe(
        'turned away',
      );
    });
  });

  describe('a host that has another key', () => {
    const fresh = makeKey();
    const freshly = { server1: fresh.public, server2: two.public };
    const before: Identities = provenOf(two, 'server1');
    const after: Identities = { own: two, known: freshly, proven: { server1: one.public } };
    const renewed: Identities = { own: fresh, known: freshly, proven: { server2: two.public } };

    it.each([
      ['it reads first', [0, 1]],
      ['the other one reads first', [1, 0]],
    ])('%s: they hear each other, and the former key ends', async (_title, order) => {
      const made = await pair({ identities: provenOf(one, 'server2') }, { identities: before });
      await hearEachOther(made);
      for (const index of order) {
        made[index]?.reads({ identities: index === 0 ? renewed : after });
        await hearEachOther(made);
      }
      await until(() => {
        for (const it of made) it.beat();
        return made[1].link.identities().server1 === 'proven';
      });
      expect(made[1].proven.at(-1)).toEqual({ server1: fresh.public });
      const former = pairKey(one, two.public, clusterKey, ['server1', 'server2']);
      if (!former) throw new Error('no key');
      // Neither in the name of the former host, nor to the host that had it in its memory.
      expect(await speaks(made[1].port, pairIdentity(former, 'server1', false), former.key)).toBe(
        'turned away',
      );
      expect(await speaks(made[0].port, pairIdentity(former, 'server2', false), former.key)).toBe(
        'turned away',
      );
      await hearEachOther(made);
    });

    it('is heard from its start on where the others have read of it', async () => {
      const made = await pair({ identities: renewed }, { identities: after });
      await until(() => {
        for (const it of made) it.beat();
        return states(made).join() === 'proven,proven';
      });
      await hearEachOther(made);
    });
  });
});

describe('who has the cluster key and not the key of the server', () => {
  const proven: Identities = { own: two, known: all, proven: { server1: one.public } };

  it('cannot speak for it, by any word', async () => {
    const made = await pair({ identities: stages(one)[2] }, { identities: proven });
    const { port } = made[1];
    const lie = { v: 1, kind: 'heartbeat', seq: 1, view: view('server1', 'primary') };
    const [mine, theirs] = [other, one].map((own) =>
      pairKey(own, two.public, clusterKey, ['server1', 'server2']),
    );
    if (!mine || !theirs) throw new Error('no keys');
    expect(await speaks(port, 'server1', clusterKey, lie)).toBe('turned away');
    expect(made[1].troubles.at(-1)).toContain(
      'it calls itself server1, and does not prove the key of server1',
    );
    expect(await speaks(port, pairIdentity(mine, 'server1', false), mine.key, lie)).toBe('turned away');
    expect(await speaks(port, pairIdentity(theirs, 'server1', false), mine.key, lie)).toBe('turned away');
    expect(await speaks(port, pairIdentity(theirs, 'server1', false), clusterKey, lie)).toBe('turned away');
    expect(made[1].seen).not.toContain('heard server1');
    expect(await speaks(port, pairIdentity(theirs, 'server1', false), theirs.key)).toBe('in');
  });

  it('cannot say in its own name what another server says', async () => {
    const ports = await freePorts(3);
    const three = makeKey();
    const known = { ...all, server3: three.public };
    const victim = new Controller('server2', ports, { identities: { own: two, known, proven: {} } });
    await victim.link.listen();
    const own = pairKey(three, two.public, clusterKey, ['server3', 'server2']);
    if (!own) throw new Error('no key');
    const lie = { v: 1, kind: 'heartbeat', seq: 1, view: view('server1', 'primary') };
    expect(await speaks(victim.port, pairIdentity(own, 'server3', false), own.key, lie)).toBe('turned away');
    expect(victim.seen).not.toContain('heard server1');
  });

  it('is not heard where it answers in the place of that server', async () => {
    const ports = await freePorts(2);
    const caller = new Controller('server2', ports, { identities: proven });
    const impostor = new Controller('server1', ports, { identities: { own: other, known: all, proven: {} } });
    await Promise.all([caller, impostor].map(({ link }) => link.listen()));
    for (let beats = 0; beats < 10; beats += 1) {
      caller.beat();
      impostor.beat();
      await sleep(30);
    }
    expect(caller.seen).not.toContain('heard server1');
    expect(caller.link.identities().server1).toBe('proven');
  });

  it('is cut off where it came before the server had proven its key', async () => {
    const made = await pair({ identities: stages(one)[2] }, { identities: stages(two)[2] });
    const socket = tlsConnect({
      minVersion: 'TLSv1.2',
      maxVersion: 'TLSv1.2',
      ciphers: 'ECDHE-PSK-CHACHA20-POLY1305',
      host: '127.0.0.1',
      port: made[1].port,
      checkServerIdentity: () => undefined,
      pskCallback: () => ({ psk: Buffer.from(clusterKey.reveal(), 'hex'), identity: 'server1' }),
    });
    let ended = false;
    socket.on('error', () => undefined);
    socket.on('close', () => {
      ended = true;
    });
    await until(() => socket.authorized || socket.getProtocol() !== null);
    await until(() => {
      for (const it of made) it.beat();
      return states(made).join() === 'proven,proven';
    });
    await until(() => ended);
    expect(ended).toBe(true);
  });
});

describe('the files', () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'pgduet-identity-'));
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));
  const write = (name: string, text: string, mode = 0o600) => writeFileSync(join(dir, name), text, { mode });
  const read = () => readIdentities(dir, 'server1');
  const mistakes = () => {
    const result = read();
    return result.ok ? [] : result.diagnostics.map(({ code, what }) => `${code} ${what.replace(dir, 'DIR')}`);
  };

  it('none of them: there are no keys', () => {
    expect(read()).toEqual({ ok: true, value: nothing });
  });

  it('come back as they were written', () => {
    const text = keyText();
    write('identity.key', text);
    write('identities.json', identitiesText(all));
    writeProven(dir, 'server1', { server2: two.public });
    const result = read();
    expect(result).toMatchObject({ ok: true, value: { known: all, proven: { server2: two.public } } });
    expect(result.ok && result.value.own?.public).toBe(publicPart(text));
    expect(parseIdentities(readFileSync(join(dir, 'server1.proven.json'), 'utf8'))).toEqual({
      server2: two.public,
    });
  });

  it('a key that is missing while others are named is a mistake: nobody could be spoken to', () => {
    write('identities.json', identitiesText(all));
    expect(mistakes()).toEqual(['MCF001 DIR/identity.key cannot be read']);
  });

  it.each([
    ['no key', 'nothing\n'],
    ['a key without its public part', keyText().split('-----BEGIN PUBLIC')[0] ?? ''],
    [
      'the public part of another key',
      `${keyText().split('-----BEGIN PUBLIC')[0]}-----BEGIN PUBLIC${keyText().split('-----BEGIN PUBLIC')[1]}`,
    ],
    ['a key of another curve', keyText('secp384r1')],
  ])('%s is a mistake', (_title, text) => {
    write('identity.key', text);
    expect(mistakes()).toEqual(['MCF012 DIR/identity.key holds no key of a server']);
  });

  it('what others can read or write is never used', () => {
    write('identity.key', keyText(), 0o644);
    write('identities.json', identitiesText(all), 0o666);
    expect(mistakes()).toHaveLength(2);
    expect(mistakes().join()).toContain('MCF002 DIR/identity.key is open to others');
  });

  it.each([
    ['no JSON', '{'],
    ['another form', '{"format":2,"servers":{}}'],
    ['no key', identitiesText({ server2: 'AAAA' })],
  ])('%s in identities.json is a mistake', (_title, text) => {
    write('identity.key', keyText());
    write('identities.json', text);
    expect(mistakes()).toEqual(['MCF012 DIR/identities.json cannot be understood']);
  });
});
