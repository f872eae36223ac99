/**
 * Renewals of certificates, run through as the hosts would see them: each round compiles from what is seen, and does what is asked of every server.
 * Who is turned when, what leaves the list, and why a renewal does not begin.
 */
import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { Secret } from '../../src/base/secret.ts';
import { type Authority, type Issued, issuedFor, pairNameOf } from '../../src/observe/issued.ts';
import { formerPairs, heldPairs, type Renewing, renewedFor } from '../../src/observe/renewed.ts';
import { renewalObstacles } from '../../src/observe/renewed-obstacles.ts';
import type { HostView, View } from '../../src/observe/survey.ts';
import type { TlsLook } from '../../src/resources/contract/tls-look.ts';
import { authorityOf } from '../../src/verbs/authority.ts';
import { server1 as foreign } from '../postgres/pems.ts';
import { clusterOf, threeInventory } from './cluster.ts';

const cluster = await clusterOf(
  threeInventory.replace('data_dir: /database/inst1', 'data_dir: /database/inst1, tls: generated'),
);
const nowMs = Date.now();
const newKey = () => generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
const secret = (): Secret =>
  new Secret(newKey().privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
const publicOf = (key: Secret): string =>
  createPublicKey(key.reveal()).export({ type: 'spki', format: 'pem' }).toString();
async function signer(caKey?: Secret): Promise<Authority> {
  const authority = await authorityOf(caKey ? { ...cluster, caKey } : cluster);
  if (!authority) throw new Error('nobody signs');
  return authority;
}
type Looks = Readonly<Record<string, TlsLook>>;
const viewOf = (looks: Looks, primary = 'server1'): View => ({
  primary,
  hosts: new Map(Object.entries(looks).map(([name, tls]): [string, HostView] => [name, { tls }])),
});
const count = (list: string): number => list.match(/BEGIN CERTIFICATE/g)?.length ?? 0;
const names = ['server1', 'server2', 'server3'];

/** A cluster that serves what this one has signed. */
async function serving(authority: Authority): Promise<Looks> {
  const bare: TlsLook = { nowMs, served: 'none', named: false };
  const asked = Object.fromEntries(
    names.map((name) => [
      name,
      { ...bare, request: newKey().publicKey.export({ type: 'spki', format: 'pem' }).toString() },
    ]),
  );
  const issued = issuedFor({ cluster, view: viewOf(asked), out: [], authority });
  return Object.fromEntries(
    [...(issued?.pairs ?? [])].map(([name, pair]) => {
      if (pair.state !== 'signed') throw new Error(pair.state);
      const { certificate } = pair;
      return [
        name,
        { nowMs, ca: issued?.list ?? '', certificate, served: certificate, pair: pair.name, named: true },
      ];
    }),
  );
}

/** What a host does in a round: a key, then the certificate beside it, then it names what is ready, serves it and forgets the former one. */
function worked(looks: Looks, { list, pairs }: Issued, refuses: readonly string[] = []): Looks {
  return Object.fromEntries(
    Object.entries(looks).map(([name, look]): [string, TlsLook] => {
      const pair = pairs.get(name);
      const known = { ...look, ca: list };
      if (pair?.state !== 'renewed') return [name, look];
      if (pair.needsKey)
        return [
          name,
          { ...known, request: newKey().publicKey.export({ type: 'spki', format: 'pem' }).toString() },
        ];
      if (pair.certificate) {
        const { request: _, ...rest } = known;
        return [name, { ...rest, next: pair.certificate }];
      }
      if (!pair.turns || !look.next || pairNameOf(look.next) !== pair.name) return [name, known];
      const { next, ...rest } = known;
      if (refuses.includes(name)) return [name, { ...known, certificate: look.next, pair: pair.name }];
      return [name, { ...rest, certificate: next ?? '', served: next ?? '', pair: pair.name }];
    }),
  );
}

interface Ran {
  readonly looks: Looks;
  /** Whose pair was another one behind each round. */
  readonly turned: readonly string[];
}

function run(
  looks: Looks,
  renewing: Renewing,
  authority: Authority,
  { out = [] as readonly string[], primary = 'server1', rounds = 12 } = {},
): Ran {
  const view = viewOf(looks, primary);
  const former = formerPairs(heldPairs({ cluster, view, out }), renewing);
  const turned: string[] = [];
  let now = looks;
  for (let round = 0; round < rounds; round += 1) {
    const issued = renewedFor({
      cluster,
      view: viewOf(now, primary),
      out,
      authority,
      renewing: { ...renewing, former },
    });
    const next = worked(now, issued);
    const moved = Object.keys(now).filter((name) => now[name]?.pair !== next[name]?.pair);
    if (moved.length > 0) turned.push(moved.join('+'));
    now = next;
  }
  return { looks: now, turned };
}
const without = (looks: Looks, name: string): Looks =>
  Object.fromEntries(Object.entries(looks).filter(([one]) => one !== name));
const served = (looks: Looks) => names.map((name) => looks[name]?.served);
const renewing = (action: Renewing['action'], ...hosts: string[]): Renewing => ({ action, hosts });
const obstacles = (
  looks: Looks,
  asked: Renewing,
  at: { signer?: string; nowMs?: number; primary?: string } = {},
) =>
  renewalObstacles(
    { cluster, view: viewOf(looks, at.primary), out: [], renewing: asked },
    { signer: at.signer, nowMs: at.nowMs ?? nowMs },
  ).map(({ code, what }) => `${code} ${what}`);

const key = secret();
const on = await serving(await signer(key));

describe('a renewal by the CA that counts', () => {
  it('turns one server after the other, the primary last, and the list stays', async () => {
    const { looks, turned } = run(on, renewing('renew'), await signer(key));
    expect(turned).toEqual(['server2', 'server3', 'server1']);
    expect(new Set([...served(looks), ...served(on)]).size).toBe(6);
    expect(looks.server1?.ca).toBe(on.server1?.ca);
    expect(run(on, renewing('renew'), await signer(key), { primary: 'server2' }).turned.at(-1)).toBe(
      'server2',
    );
  });

  it('makes all keys and certificates before it turns anybody', async () => {
    expect(run(on, renewing('renew'), await signer(key), { rounds: 2 }).turned).toEqual([]);
    expect(run(on, renewing('renew'), await signer(key), { rounds: 3 }).turned).toEqual(['server2']);
  });

  it('is about the servers that are named alone', async () => {
    const { looks, turned } = run(on, renewing('renew', 'server3'), await signer(key));
    expect(turned).toEqual(['server3']);
    expect([looks.server1, looks.server2]).toEqual([on.server1, on.server2]);
  });

  it('uses what a run that was killed has left', async () => {
    const { looks } = run(on, renewing('renew'), await signer(key), { rounds: 2 });
    const ready = names.map((name) => looks[name]?.next);
    expect(served(run(looks, renewing('renew'), await signer(key)).looks)).toEqual(ready);
  });

  it('turns nobody else as long as one that was turned does not show it', async () => {
    const authority = await signer(key);
    let { looks } = run(on, renewing('renew'), authority, { rounds: 2 });
    const former = formerPairs(heldPairs({ cluster, view: viewOf(looks), out: [] }), renewing('renew'));
    for (let round = 0; round < 4; round += 1) {
      const asked = { ...renewing('renew'), former };
      looks = worked(
        looks,
        renewedFor({ cluster, view: viewOf(looks), out: [], authority, renewing: asked }),
        ['server2'],
      );
    }
    expect(looks.server3?.pair).toBe(on.server3?.pair);
    // Killed there, another run proves it, and makes no third one.
    const again = formerPairs(heldPairs({ cluster, view: viewOf(looks), out: [] }), renewing('renew'));
    expect(again.server2).toBe('');
  });

  it('leaves who does not answer as it is', async () => {
    const { served: _, ...stopped } = on.server2 ?? { nowMs };
    const { looks, turned } = run({ ...on, server2: stopped }, renewing('renew'), await signer(key));
    expect(turned).toEqual(['server3', 'server1']);
    expect(looks.server2?.pair).toBe(on.server2?.pair);
  });

  it('is refused where nobody has the key, with the way out', () => {
    expect(obstacles(on, renewing('renew'))).toEqual(['TLS028 nobody can sign by a CA that counts']);
    expect(obstacles(on, renewing('renew'), { signer: publicOf(secret()) })).toHaveLength(1);
    expect(obstacles(on, renewing('renew'), { signer: publicOf(key) })).toEqual([]);
    const late = Object.fromEntries(
      Object.entries(on).map(([name, look]) => [name, { ...look, nowMs: nowMs + 4000 * 86_400_000 }]),
    );
    expect(
      obstacles(late, renewing('renew'), { signer: publicOf(key), nowMs: nowMs + 4000 * 86_400_000 })[0],
    ).toMatch(/^TLS028 the CA of secrets.ca_key, pgduet .* has ended/);
  });

  it('is refused where the clock of a host is more than an hour away, with both times', () => {
    const away = (ms: number): Looks => ({ ...on, server2: { ...on.server2, nowMs: nowMs + ms } as TlsLook });
    const year = 365 * 86_400_000;
    for (const ms of [year, -year, 3_700_000])
      expect(obstacles(away(ms), renewing('renew'), { signer: publicOf(key) })).toEqual([
        expect.stringMatching(
          /^TLS035 the clock of server2 says \d{4}-.*Z, the one of this machine \d{4}-.*Z$/,
        ),
      ]);
    expect(obstacles(away(600_000), renewing('renew'), { signer: publicOf(key) })).toEqual([]);
  });

  it('is refused for a server that has no pair of pgduet, or is named and does not answer', () => {
    const { pair: _, ...none } = on.server2 ?? { nowMs };
    expect(obstacles({ ...on, server2: none }, renewing('renew'), { signer: publicOf(key) })[0]).toMatch(
      /^TLS032 server2 has no certificate/,
    );
    const { served: __, ...stopped } = on.server2 ?? { nowMs };
    const looks = { ...on, server2: stopped };
    expect(obstacles(looks, renewing('renew', 'server2'), { signer: publicOf(key) })[0]).toMatch(/^TLS032/);
    expect(obstacles(looks, renewing('renew'), { signer: publicOf(key) })).toEqual([]);
  });
});

describe.each([
  ['whose key is kept', secret()],
  ['whose key is forgotten', undefined],
])('a new CA %s', (_title, next) => {
  it('is made ready at the first step, and nobody is turned', async () => {
    const { looks, turned } = run(on, renewing('ca'), await signer(next));
    expect(turned).toEqual([]);
    expect(served(looks)).toEqual(served(on));
    expect(names.every((name) => looks[name]?.next !== undefined)).toBe(true);
    expect(count(looks.server3?.ca ?? '')).toBe(2);
    const again = run(looks, renewing('ca'), await signer(next)).looks;
    expect(again).toEqual(looks);
  });

  it('is used at the second one without any key, and the former CA leaves the list last', async () => {
    const { looks } = run(on, renewing('ca'), await signer(next));
    const all = run(looks, renewing('finish'), await signer());
    expect(all.turned).toEqual(['server2', 'server3', 'server1']);
    expect(names.map((name) => count(all.looks[name]?.ca ?? ''))).toEqual([1, 1, 1]);
    const half = run(looks, renewing('finish'), await signer(), { rounds: 3 });
    expect(count(half.looks.server1?.ca ?? '')).toBe(2);
    expect(run(half.looks, renewing('finish'), await signer()).looks).toEqual(all.looks);
    expect(run(all.looks, renewing('finish'), await signer()).looks).toEqual(all.looks);
    expect(obstacles(all.looks, renewing('finish'))).toEqual([]);
  });

  it('holds through a failover between the two', async () => {
    const { looks } = run(on, renewing('ca'), await signer(next));
    const { turned } = run(looks, renewing('finish'), await signer(), { primary: 'server3' });
    expect(turned).toEqual(['server1', 'server2', 'server3']);
  });

  it('does not drive the former one from the list while a server is not seen', async () => {
    const { looks } = run(without(on, 'server3'), renewing('ca'), await signer(next), { out: ['server3'] });
    expect(names.map((name) => looks[name]?.next !== undefined)).toEqual([true, true, false]);
    const all = run(looks, renewing('finish'), await signer(), { out: ['server3'] });
    expect(all.turned).toEqual(['server2', 'server1']);
    expect(count(all.looks.server1?.ca ?? '')).toBe(2);
    // It is back: the list came by provision.
    const back = { ...all.looks, server3: { ...on.server3, ca: all.looks.server1?.ca ?? '' } as TlsLook };
    expect(count(run(back, renewing('finish'), await signer()).looks.server1?.ca ?? '')).toBe(2);
    const brought = run(back, renewing('ca', 'server3'), await signer(next)).looks;
    const { looks: end } = run(brought, renewing('finish'), await signer());
    expect(count(end.server1?.ca ?? '')).toBe(next ? 1 : 2);
  });

  it('does not drive it away while somebody shows what nobody of the list has signed, or what it has not', async () => {
    const { looks } = run(on, renewing('ca'), await signer(next));
    const all = run(looks, renewing('finish'), await signer(), { rounds: 3 }).looks;
    const [one] = [{ ...all.server1, served: foreign, certificate: foreign } as TlsLook];
    expect(
      count(run({ ...all, server1: one }, renewing('finish'), await signer()).looks.server2?.ca ?? ''),
    ).toBe(2);
    const silent = { ...looks.server3, served: 'none' } as TlsLook;
    expect(
      count(run({ ...looks, server3: silent }, renewing('finish'), await signer()).looks.server1?.ca ?? ''),
    ).toBe(2);
  });

  it('leaves what provision says as it is in between', async () => {
    const { looks } = run(on, renewing('ca'), await signer(next));
    const issued = issuedFor({ cluster, view: viewOf(looks), out: [], authority: await signer(next) });
    expect([...(issued?.pairs ?? [])].map(([name, pair]) => [name, pair])).toEqual(
      names.map((name) => [name, { state: 'kept', name: on[name]?.pair }]),
    );
    expect(issued?.list).toBe(looks.server1?.ca);
  });

  it('is not thrown away by a renewal by another CA', async () => {
    const { looks } = run(on, renewing('ca'), await signer(next));
    expect(obstacles(looks, renewing('renew'), { signer: publicOf(key) })[0]).toMatch(
      /^TLS029 a renewal of the CA is not finished/,
    );
  });
});

describe('a new CA', () => {
  it('has another key than the one that counts', () => {
    expect(obstacles(on, renewing('ca'), { signer: publicOf(key) })[0]).toMatch(
      /^TLS029 secrets.ca_key is the key of the CA that has signed server1, server2, server3 already/,
    );
    expect(obstacles(on, renewing('ca'), { signer: publicOf(secret()) })).toEqual([]);
    expect(obstacles(on, renewing('ca'))).toEqual([]);
  });

  it('is not used where its first step is not whole', async () => {
    const next = secret();
    const { looks } = run(on, renewing('ca'), await signer(next));
    const { next: _, ...late } = looks.server3 ?? { nowMs };
    expect(obstacles({ ...looks, server3: { ...late, request: 'x' } }, renewing('finish'))[0]).toMatch(
      /^TLS029 the first step .* a key of server3 waits/,
    );
    // The present primary was away as the list came.
    const old = { ...looks, server1: { ...looks.server1, ca: on.server1?.ca ?? '' } as TlsLook };
    expect(obstacles(old, renewing('finish'))[0]).toMatch(
      /^TLS029 .* is by no CA of the list of the primary/,
    );
    expect(run(old, renewing('finish'), await signer()).turned).toEqual([]);
  });

  it('is not used while a standby streams that was not reached', async () => {
    const { looks } = run(without(on, 'server3'), renewing('ca'), await signer(), { out: ['server3'] });
    const told = (senders: readonly string[]) => {
      const hosts = new Map(viewOf(looks).hosts);
      const streams = {
        receiver: null,
        senders: senders.map((name) => ({ name, state: 'streaming', address: null })),
      };
      hosts.set('server1', { ...hosts.get('server1'), streams });
      const view = { ...viewOf(looks), hosts, absent: new Set(['server3']) };
      return renewalObstacles(
        { cluster, view, out: ['server3'], renewing: renewing('finish') },
        { nowMs },
      ).map(({ what }) => what);
    };
    expect(told(['server2', 'server3'])).toEqual([
      'server3 could not be reached from here, and streams from the primary',
    ]);
    expect(told(['server2'])).toEqual([]);
  });

  it('of a run that was killed behind the list is followed by another one, and leaves the list with the former one', async () => {
    const { looks } = run(on, renewing('ca'), await signer(), { rounds: 1 });
    expect(count(looks.server1?.ca ?? '')).toBe(2);
    const again = run(looks, renewing('ca'), await signer()).looks;
    expect(count(again.server1?.ca ?? '')).toBe(3);
    expect(count(run(again, renewing('finish'), await signer()).looks.server1?.ca ?? '')).toBe(1);
  });
});

it('needs the list of a primary', () => {
  const { ca: _, ...lost } = on.server1 ?? { nowMs };
  expect(obstacles({ ...on, server1: lost }, renewing('finish'))[0]).toMatch(
    /^TLS032 server1, the primary, has no list/,
  );
});
