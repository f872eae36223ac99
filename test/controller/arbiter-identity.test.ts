/**
 * The keys between an arbiter and the servers of its clusters (ADR 30), with the arbiter as a process: on the way there every server is answered, and
 * once a key was used the key of the cluster speaks for nobody any more.
 */
import { generateKeyPairSync } from 'node:crypto';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as tlsConnect } from 'node:tls';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { identitiesText, type Publics, parseIdentities } from '../../src/base/identities.ts';
import { renewalText } from '../../src/base/renewal.ts';
import { Secret } from '../../src/base/secret.ts';
import type { ArbiterStatus } from '../../src/controller/arbiter/status.ts';
import { arbiterKeyOf } from '../../src/controller/config-arbiter-key.ts';
import { arbiterIdentity } from '../../src/controller/io/arbiter-identity.ts';
import { ArbiterPort } from '../../src/controller/io/arbiter-port.ts';
import type { Identities } from '../../src/controller/io/identity-files.ts';
import {
  type OwnKey,
  ownKey,
  type PairKey,
  pairIdentity,
  pairKey,
} from '../../src/controller/io/pair-key.ts';
import { keyOf, RealArbiter, TalkingServer, until } from './support/arbiter.ts';
import { view } from './support/conversation.ts';
import { bundleController, freePorts } from './support/pair.ts';

function makeKey(): OwnKey & { readonly text: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ec', {
    namedCurve: 'prime256v1',
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  const own = ownKey(privateKey);
  if (!own) throw new Error('no key');
  return { ...own, text: `${privateKey}${publicKey}` };
}

const [one, two, arb, other] = [makeKey(), makeKey(), makeKey(), makeKey()];
const publics: Publics = { server1: one.public, server2: two.public };
const all: Publics = { ...publics, arbiter1: arb.public };
const keyOfOne = arbiterKeyOf(new Secret(keyOf('one')));

const dir = mkdtempSync(join(tmpdir(), 'mc-arb-identity-'));
const bundle = join(dir, 'mc.js');
let arbiter: RealArbiter;
const open: { close(): void }[] = [];

beforeAll(async () => {
  chmodSync(dir, 0o755);
  await bundleController(bundle);
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));
beforeEach(async () => {
  const [port = 0] = await freePorts(1);
  arbiter = new RealArbiter(bundle, port);
});
afterEach(async () => {
  for (const it of open.splice(0)) it.close();
  await arbiter.remove();
});

/** What provision lays on the arbiter. */
function lay(own: { readonly text: string } = arb, known: Publics = publics, cluster = 'one'): void {
  arbiter.write(`clusters/${cluster}/identity.key`, own.text);
  arbiter.write(`clusters/${cluster}/identities.json`, identitiesText(known));
}

const file = (name: string): string => join(arbiter.dir, 'clusters/one', name);
const written = (): Publics | undefined =>
  existsSync(file('arbiter.proven.json'))
    ? parseIdentities(readFileSync(file('arbiter.proven.json'), 'utf8'))
    : undefined;

function server(id: string, identities?: Identities, cluster = 'one', port = arbiter.port): TalkingServer {
  const made = new TalkingServer(view(id, 'standby'), port, keyOf(cluster), {}, identities);
  open.push(made.link);
  return made;
}

const reload = (): void => {
  const { stdout, stderr, status } = arbiter.ctl('reload');
  expect(status, stdout + stderr).toBe(0);
};

const stateOf = (id: string, cluster = 'one'): string | undefined =>
  (JSON.parse(arbiter.ctl('status', '--json').stdout) as ArbiterStatus).clusters
    .find((it) => it.cluster === cluster)
    ?.servers.find((it) => it.server_id === id)?.identity;

const lost = (by: TalkingServer): readonly string[] => by.seen.filter((it) => it.startsWith('lost'));

/** For some heartbeats: each is answered, and no connection is lost on the way. */
async function isAnswered(by: TalkingServer, times = 4): Promise<void> {
  for (let beats = 0; beats < times; beats += 1) expect(await by.tell(), arbiter.said).not.toBeNull();
  expect(lost(by)).toEqual([]);
}

async function untilProven(by: TalkingServer): Promise<void> {
  for (let beats = 0; beats < 20 && by.link.identities().arbiter1 !== 'proven'; beats += 1) await by.tell();
  expect(by.link.identities()).toEqual({ arbiter1: 'proven' });
}

const known = (own: OwnKey, proven: Publics = {}): Identities => ({ own, known: all, proven });

/** The key that these two have, for a server that anybody says to be. */
function made(own: OwnKey, their: OwnKey, id = 'server1', key = keyOfOne): PairKey {
  const pair = pairKey(own, their.public, key, [id, 'arbiter1']);
  if (!pair) throw new Error('no key');
  return pair;
}

/** Somebody who calls by a key of his choice; what becomes of it. */
function speaks(identity: string, psk: Secret): Promise<'in' | 'turned away'> {
  const socket = tlsConnect({
    ...({ minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2', ciphers: 'ECDHE-PSK-CHACHA20-POLY1305' } as const),
    ...{ host: '127.0.0.1', port: arbiter.port, checkServerIdentity: () => undefined },
    pskCallback: () => ({ psk: Buffer.from(psk.reveal(), 'hex'), identity }),
  });
  return new Promise((resolve) => {
    socket.on('secureConnect', () =>
      setTimeout(() => {
        resolve(socket.destroyed ? 'turned away' : 'in');
        socket.destroy();
      }, 100),
    );
    socket.on('error', () => resolve('turned away'));
  });
}

const plainly = (id: string): Promise<'in' | 'turned away'> =>
  speaks(arbiterIdentity(keyOfOne, id), keyOfOne);
const by = (pair: PairKey, id: string): Promise<'in' | 'turned away'> =>
  speaks(pairIdentity(pair, id, false), pair.key);

describe('on the way to keys of their own', () => {
  it.each([
    ['the arbiter reads first', ['arbiter', 'server']],
    ['the server reads first', ['server', 'arbiter']],
  ])('%s: every heartbeat is answered, and both demand the key at the end', async (_title, order) => {
    await arbiter.start();
    const [first, second] = [server('server1'), server('server2')];
    await Promise.all([first, second].map((it) => isAnswered(it)));
    for (const who of order) {
      if (who === 'server') first.knows(known(one));
      else {
        lay();
        reload();
      }
      await isAnswered(first);
    }
    await untilProven(first);
    expect(first.proven).toEqual([`arbiter1 ${arb.public}`]);
    expect(written()).toEqual({ server1: one.public });
    expect(stateOf('server1')).toBe('proven');
    expect(arbiter.said).toContain('cluster one: server1 has proven its own key (MCR00014)');
    // The other one is of the version before, or has not read its files.
    expect(stateOf('server2')).toBe('open');
    await isAnswered(second);
    expect(await plainly('server1')).toBe('turned away');
    const why = 'it calls itself server1 of cluster one, and does not prove the key of server1';
    await until(() => arbiter.said.includes(why));
    expect(arbiter.said).toContain(why);
    await isAnswered(first);
  });

  it('an arbiter of the version before is called by the key of the cluster, and answers', async () => {
    await arbiter.start();
    const it1 = server('server1', known(one));
    await isAnswered(it1, 6);
    expect(it1.link.identities()).toEqual({ arbiter1: 'open' });
  });

  it('a start of either is by that key at once, and what was proven lasts', async () => {
    lay();
    await arbiter.start();
    const it1 = server('server1', known(one));
    await untilProven(it1);
    await arbiter.kill();
    await arbiter.start();
    expect(stateOf('server1')).toBe('proven');
    expect(await plainly('server1')).toBe('turned away');
    const again = server('server1', known(one, { arbiter1: arb.public }));
    await isAnswered(again);
    expect(again.proven).toEqual([]);
  });

  it('a cluster of the same server names on the same arbiter has keys of its own', async () => {
    arbiter.addCluster('two');
    lay();
    await arbiter.start();
    const [mine, theirs] = [server('server1', known(one)), server('server1', undefined, 'two')];
    await untilProven(mine);
    await isAnswered(theirs);
    expect([stateOf('server1'), stateOf('server1', 'two')]).toEqual(['proven', 'none']);
    lay(other, { server1: two.public }, 'two');
    reload();
    theirs.knows({ own: two, known: { arbiter1: other.public }, proven: {} });
    await isAnswered(theirs);
    await untilProven(theirs);
    await isAnswered(mine);
    // The directory of one cluster says nothing in the other one.
    const key = arbiterKeyOf(new Secret(keyOf('two')));
    expect(await by(made(two, arb), 'server1')).toBe('turned away');
    expect(await by(made(two, other, 'server1', keyOfOne), 'server1')).toBe('turned away');
    expect(await by(made(two, other, 'server1', key), 'server1')).toBe('in');
  });

  it('goes through a renewal of the secrets, and hears the former key no more at its end', async () => {
    lay();
    await arbiter.start();
    const [first, second] = [server('server1', known(one)), server('server2', known(two))];
    await untilProven(first);
    await untilProven(second);
    const key = keyOf('one, renewed');
    const [from, to] = [keyOfOne, arbiterKeyOf(new Secret(key))];
    const step = async (name: string, text: string): Promise<void> => {
      arbiter.write(`clusters/one/${name}`, text);
      reload();
      await isAnswered(first);
      await isAnswered(second);
    };
    await step('renewal.json', renewalText({ key: { from, to } }));
    first.speak(key);
    await isAnswered(first);
    await step('arbiter.key', `${to.reveal()}\n`);
    second.speak(key);
    await isAnswered(second);
    await isAnswered(first);
    expect(await by(made(two, arb, 'server2'), 'server2')).toBe('turned away');
    rmSync(file('renewal.json'));
    reload();
    await isAnswered(first);
    expect([stateOf('server1'), stateOf('server2')]).toEqual(['proven', 'proven']);
  });
});

describe('another key', () => {
  it('of the arbiter: who runs is answered, whoever reads first, and the former one ends', async () => {
    for (const order of [
      ['arbiter', 'server'],
      ['server', 'arbiter'],
    ]) {
      lay();
      await arbiter.start();
      const it1 = server('server1', known(one));
      await untilProven(it1);
      const fresh = makeKey();
      for (const who of order) {
        if (who === 'arbiter') {
          lay(fresh);
          reload();
        } else
          it1.knows({
            own: one,
            known: { ...all, arbiter1: fresh.public },
            proven: { arbiter1: arb.public },
          });
        await isAnswered(it1);
      }
      await untilProven(it1);
      expect(it1.proven.at(-1)).toBe(`arbiter1 ${fresh.public}`);
      await isAnswered(it1);
      // Who has taken the former key of the arbiter speaks for no server.
      expect(await by(made(arb, one), 'server1')).toBe('turned away');
      it1.link.close();
      await arbiter.kill();
      rmSync(file('arbiter.proven.json'));
    }
  });

  it('of a server, as behind a replacement: the former host is turned away once the new one has called', async () => {
    lay();
    await arbiter.start();
    const former = server('server1', known(one));
    await untilProven(former);
    lay(arb, { ...publics, server1: other.public });
    reload();
    await isAnswered(former);
    expect(stateOf('server1')).toBe('former');
    const now = server('server1', { own: other, known: all, proven: {} });
    for (let beats = 0; beats < 5 && now.proven.length === 0; beats += 1) await now.tell({}, 500);
    expect(stateOf('server1')).toBe('proven');
    expect(written()).toEqual({ server1: other.public });
    expect(await by(made(one, arb), 'server1')).toBe('turned away');
    expect(await former.tell({}, 500)).toBeNull();
    expect(await now.tell()).not.toBeNull();
  });

  it('the directory of the cluster is lost on the arbiter, and made anew: it is heard as soon as the servers know its key', async () => {
    lay();
    await arbiter.start();
    const it1 = server('server1', known(one));
    await untilProven(it1);
    await arbiter.kill();
    for (const name of ['identity.key', 'identities.json', 'arbiter.proven.json', 'cell.json'])
      rmSync(file(name));
    const fresh = makeKey();
    lay(fresh);
    await arbiter.start();
    expect(await it1.tell({}, 500)).toBeNull();
    it1.knows({ own: one, known: { ...all, arbiter1: fresh.public }, proven: { arbiter1: arb.public } });
    expect(await it1.tell()).not.toBeNull();
    expect(it1.proven.at(-1)).toBe(`arbiter1 ${fresh.public}`);
  });
});

describe('who has the key of the cluster and not that of the server', () => {
  it('cannot speak for it, by any word', async () => {
    lay();
    await arbiter.start();
    await untilProven(server('server1', known(one)));
    const theirs = made(one, arb);
    const mine = made(two, arb);
    expect(await plainly('server1')).toBe('turned away');
    expect(await by(mine, 'server1')).toBe('turned away');
    // The mark is seen on the wire; the key is not.
    for (const psk of [mine.key, keyOfOne])
      expect(await speaks(pairIdentity(theirs, 'server1', false), psk)).toBe('turned away');
    expect(await by(made(two, arb, 'server2'), 'server2')).toBe('in');
    expect(await by(theirs, 'server9')).toBe('turned away');
  });

  it('is cut off where it came before the server had proven its key', async () => {
    lay();
    await arbiter.start();
    const socket = tlsConnect({
      ...({ minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2', ciphers: 'ECDHE-PSK-CHACHA20-POLY1305' } as const),
      ...{ host: '127.0.0.1', port: arbiter.port, checkServerIdentity: () => undefined },
      pskCallback: () => ({
        psk: Buffer.from(keyOfOne.reveal(), 'hex'),
        identity: arbiterIdentity(keyOfOne, 'server1'),
      }),
    });
    let ended = false;
    socket.on('error', () => undefined);
    socket.on('close', () => {
      ended = true;
    });
    await new Promise((resolve) => socket.on('secureConnect', resolve));
    await untilProven(server('server1', known(one)));
    await until(() => ended);
    expect(ended).toBe(true);
  });

  it('is not heard where it answers in the place of the arbiter', async () => {
    const [port = 0] = await freePorts(1);
    const seen: string[] = [];
    const impostor = new ArbiterPort(
      {
        known: (identity) => {
          seen.push(identity);
          return { who: { fingerprint: 'f'.repeat(16), id: 'server1' }, key: keyOfOne };
        },
        isHeard: () => true,
      },
      () => 16,
      {
        heard: () => {
          seen.push('heard');
          return null;
        },
        unknownPeer: () => undefined,
        identified: () => undefined,
      },
    );
    await impostor.listen('127.0.0.1', port);
    open.push(impostor);
    const it1 = server('server1', known(one, { arbiter1: arb.public }), 'one', port);
    expect(await it1.tell({}, 1000)).toBeNull();
    expect(seen.length).toBeGreaterThan(0);
    // Never by the key of the cluster, however often it fails.
    expect(seen.filter((identity) => !identity.startsWith('pair/'))).toEqual([]);
    expect(lost(it1)[0]).toContain('lost arbiter1: the keys differ');
  });
});

describe('the files of an arbiter', () => {
  it('a key that is missing while servers are named leaves that cluster out, and no other one', async () => {
    arbiter.addCluster('two');
    arbiter.write('clusters/one/identities.json', identitiesText(publics));
    await arbiter.start();
    expect(arbiter.said).toMatch(/identity\.key cannot be read.*\(MCR00004\)/);
    await isAnswered(server('server1', undefined, 'two'));
  });

  it('what cannot be written down is demanded all the same, and told', async () => {
    arbiter.disturb(`
      const fs = require('node:fs');
      const { openSync } = fs;
      fs.openSync = (path, ...rest) =>
        String(path).includes('arbiter.proven.json') ? openSync('/dev/full', 'w') : openSync(path, ...rest);
    `);
    lay();
    await arbiter.start();
    const it1 = server('server1', known(one));
    await untilProven(it1);
    expect(arbiter.said).toMatch(/could not be written down: ENOSPC.*\(MCR00015\)/);
    expect(written()).toBeUndefined();
    expect(await plainly('server1')).toBe('turned away');
    reload();
    expect(await plainly('server1')).toBe('turned away');
    await isAnswered(it1);
  });
});
