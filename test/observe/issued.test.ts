/** Which certificates count, and which are made: the list of the present primary decides, and a server that serves is not signed anew. */
import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { Secret } from '../../src/base/secret.ts';
import { type Issued, issuedFor, namesOf, pairNameOf } from '../../src/observe/issued.ts';
import type { HostView, View } from '../../src/observe/survey.ts';
import type { TlsLook } from '../../src/resources/contract/tls-look.ts';
import { authorityOf } from '../../src/verbs/authority.ts';
import { server1 as foreign, ca as foreignCa, placeholder } from '../postgres/pems.ts';
import { clusterOf, serverNamed, threeInventory } from './cluster.ts';

const cluster = await clusterOf(
  threeInventory.replace('data_dir: /database/inst1', 'data_dir: /database/inst1, tls: generated'),
);
const signer = async (caKey?: Secret) => {
  const authority = await authorityOf(caKey ? { ...cluster, caKey } : cluster);
  if (!authority) throw new Error('nobody signs');
  return authority;
};
const keys = () => generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
const request = () => keys().publicKey.export({ type: 'spki', format: 'pem' }).toString();
const nowMs = Date.now();
const bare: TlsLook = { nowMs, served: 'none', named: false };
const viewOf = (looks: Readonly<Record<string, TlsLook | undefined>>, primary = 'server1'): View => ({
  primary,
  hosts: new Map(Object.entries(looks).map(([name, tls]): [string, HostView] => [name, tls ? { tls } : {}])),
});
const asked = async (
  looks: Readonly<Record<string, TlsLook | undefined>>,
  authority = signer(),
  more = {},
) => {
  const issued = issuedFor({ cluster, view: viewOf(looks), out: [], authority: await authority, ...more });
  if (!issued) throw new Error('nothing is issued');
  return issued;
};
const count = (list: string): number => list.match(/BEGIN CERTIFICATE/g)?.length ?? 0;
const problems = ({ pairs }: Issued) =>
  [...pairs.values()].flatMap((pair) => (pair.state === 'refused' ? [pair.problem] : []));
const states = ({ pairs }: { readonly pairs: ReadonlyMap<string, { readonly state: string }> }) =>
  [...pairs.values()].map(({ state }) => state);

/** Looks of servers that have their pairs, all signed by this one, and serve them. */
async function turnedOn(authority = signer()): Promise<Readonly<Record<string, TlsLook>>> {
  const waiting = { ...bare, request: request() };
  const { list, pairs } = await asked(
    Object.fromEntries(cluster.servers.map(({ name }) => [name, waiting])),
    authority,
  );
  return Object.fromEntries(
    [...pairs].map(([name, pair]) => {
      if (pair.state !== 'signed') throw new Error(pair.state);
      const { certificate } = pair;
      return [name, { nowMs, ca: list, certificate, served: certificate, pair: pair.name, named: true }];
    }),
  );
}
const on = await turnedOn();

describe('a cluster without certificates', () => {
  it('has nothing made before its primary was seen', async () => {
    const issued = await asked({ server1: undefined, server2: bare });
    expect([issued.list, ...states(issued)]).toEqual(['', 'unseen', 'unseen', 'unseen']);
  });

  it('has its keys made first, and one CA on the list by then', async () => {
    const issued = await asked({ server1: bare, server2: bare, server3: { ...bare, request: request() } });
    expect(states(issued)).toEqual(['keyless', 'keyless', 'signed']);
    expect(count(issued.list)).toBe(1);
  });

  it('is given certificates for its names, good in every PostgreSQL', async () => {
    const [look] = [on.server3];
    const leaf = new X509Certificate(look?.certificate ?? '');
    expect(leaf.subjectAltName).toBe('DNS:server3, IP Address:2001:DB8:0:0:0:0:0:3, DNS:2001:db8::3');
    expect(look?.pair).toBe(leaf.fingerprint256.replaceAll(':', '').toLowerCase().slice(0, 16));
    expect(namesOf(serverNamed(cluster, 'server1'))).toEqual(['server1', '192.0.2.100']);
    expect(states(await asked(on))).toEqual(['kept', 'kept', 'kept']);
  });

  it('gets the same answer to the same question, so that a run can plan again', async () => {
    const authority = signer();
    const looks = { server1: { ...bare, request: request() } };
    expect(await asked(looks, authority)).toEqual(await asked(looks, authority));
  });

  it('signs no key of another kind, whatever a host says', async () => {
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({
      type: 'spki',
      format: 'pem',
    });
    for (const key of [rsa.toString(), 'none']) {
      const issued = await asked({ server1: { ...bare, request: key }, server2: bare, server3: bare });
      expect(issued.pairs.get('server1')).toMatchObject({ state: 'refused' });
    }
  });

  it('is none where the inventory does not say so', async () => {
    const silent = await clusterOf(threeInventory);
    expect(issuedFor({ cluster: silent, view: viewOf({}), out: [] })).toBeUndefined();
    expect(await authorityOf(silent)).toBeUndefined();
  });
});

describe('the list', () => {
  it('is that of the primary: what another server has beside it is not spread', async () => {
    const forged = { ...on.server2, ca: `${on.server2?.ca}${foreignCa}` } as TlsLook;
    expect((await asked({ ...on, server2: forged })).list).toBe(on.server1?.ca);
  });

  it('is the copy where the management directory of the primary is lost, and the key there is a new one', async () => {
    const { ca: text = '', certificate = '' } = on.server1 ?? {};
    const lost = { ...bare, served: certificate, named: true, copy: text };
    const issued = await asked({ ...on, server1: lost });
    expect(states(issued)).toEqual(['keyless', 'kept', 'kept']);
    expect(issued.list.startsWith(text)).toBe(true);
    expect(count(issued.list)).toBe(2);
  });

  it('is nobody to say as long as the primary is away: what is there stays', async () => {
    const issued = await asked({ ...on, server1: undefined, server3: bare });
    expect([issued.list, ...states(issued)]).toEqual(['', 'unseen', 'kept', 'unseen']);
  });

  it('is nobody else to say where the primary has lost both', async () => {
    const { ca: _, ...lost } = on.server1 ?? bare;
    for (const look of [lost, { ...lost, ca: on.server1?.ca?.slice(0, 200) ?? '' }]) {
      const issued = await asked({ ...on, server1: look });
      expect([issued.list, ...states(issued)]).toEqual(['', 'refused', 'unseen', 'unseen']);
    }
  });
});

describe('a server that comes later', () => {
  it('is signed by a CA that counts where its key is at hand, and the list stays', async () => {
    const key = new Secret(keys().privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
    const all = await turnedOn(signer(key));
    const issued = await asked({ ...all, server3: { ...bare, request: request() } }, signer(key));
    expect(states(issued)).toEqual(['kept', 'kept', 'signed']);
    expect(issued.list).toBe(all.server1?.ca);
  });

  it('is signed by a new CA behind the others where no key was kept', async () => {
    const issued = await asked({ ...on, server3: { ...bare, request: request() } });
    expect(states(issued)).toEqual(['kept', 'kept', 'signed']);
    expect(issued.list.startsWith(on.server1?.ca ?? '-')).toBe(true);
    expect(count(issued.list)).toBe(2);
  });

  it('is the only one that a rebuild is about, beside a primary that has pairs', async () => {
    const looks = { ...on, server2: bare, server3: bare };
    expect(states(await asked(looks, signer(), { only: 'server3' }))).toEqual(['kept', 'none', 'keyless']);
    const off = { server1: bare, server2: bare, server3: bare };
    const issued = await asked(off, signer(), { only: 'server3' });
    expect([issued.list, ...states(issued)]).toEqual(['', 'none', 'none', 'none']);
  });

  it('brings a new CA on no list that a server would not get, which may follow by it', async () => {
    const looks = { ...on, server3: { ...bare, request: request() } };
    const maintained = await asked(looks, signer(), { out: ['server2'] });
    expect(states(maintained)).toEqual(['kept', 'kept', 'refused']);
    expect(problems(maintained).join()).toMatch(/new CA.*: server2 is in maintenance\. Bring back/);
    expect(maintained.list).toBe(on.server1?.ca);
    const view = { ...viewOf({ ...looks, server2: undefined }), absent: new Set(['server2']) };
    const away = await asked({}, signer(), { view, out: ['server2'] });
    expect(problems(away).join()).toMatch(/: server2 is away/);
    expect(away.list).toBe(on.server1?.ca);
  });

  it('is signed beside one that is left out where the CA counts already, or where that one follows by no list', async () => {
    const key = new Secret(keys().privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
    const all = await turnedOn(signer(key));
    const comes = { ...bare, request: request() };
    const known = await asked({ ...all, server3: comes }, signer(key), { out: ['server2'] });
    expect(states(known)).toEqual(['kept', 'kept', 'signed']);
    const { server1 } = on;
    const first = await asked({ server1, server2: bare, server3: comes }, signer(), { out: ['server2'] });
    expect(states(first)).toEqual(['kept', 'none', 'signed']);
  });

  it('brings no CA as long as it is left out', async () => {
    const issued = await asked({ ...on, server3: bare }, signer(), { out: ['server3'] });
    expect(states(issued)).toEqual(['kept', 'kept', 'none']);
    expect(issued.list).toBe(on.server1?.ca);
  });
});

describe('the role has come to a server on which TLS was never turned on', () => {
  const looks = { ...on, server3: bare };
  const view = viewOf(looks, 'server3');

  it('a rebuild goes on, and turns nothing on', async () => {
    const issued = await asked({}, signer(), { view, only: 'server1' });
    expect(states(issued)).toEqual(['none', 'kept', 'none']);
    expect(issued.list).toBe('');
  });

  it('provision says which list is to be laid where, and goes on behind that', async () => {
    const refused = await asked({}, signer(), { view });
    expect([refused.list, ...states(refused)]).toEqual(['', 'refused', 'refused', 'unseen']);
    expect(problems(refused)).toEqual(
      ['server1', 'server2'].map(
        (name) =>
          `the primary, server3, has no list of those who sign. Compare /mcdir/inst1/tls/ca.pem of ${name} with what your clients have, and lay it on server3 as /mcdir/inst1/tls/ca.pem`,
      ),
    );
    const laid = viewOf({ ...on, server3: { ...bare, ca: on.server1?.ca ?? '' } }, 'server3');
    expect(states(await asked({}, signer(), { view: laid }))).toEqual(['kept', 'kept', 'keyless']);
  });
});

describe('a rebuild', () => {
  it('is not refused for what is wrong with another server', async () => {
    const broken = { ...on.server2, problem: 'the key is open to others' } as TlsLook;
    const looks = { ...on, server2: broken };
    expect(states(await asked(looks, signer(), { only: 'server3' }))).toEqual(['kept', 'kept', 'kept']);
    const target = await asked(looks, signer(), { only: 'server2' });
    expect(states(target)).toEqual(['kept', 'refused', 'kept']);
  });

  it('beside a primary that serves, and has lost its list, needs a pair that is there', async () => {
    const { ca: _, ...lost } = on.server1 ?? bare;
    const looks = { ...on, server1: lost, server3: bare };
    expect(states(await asked(looks, signer(), { only: 'server2' }))).toEqual(['kept', 'kept', 'none']);
    expect(states(await asked(looks, signer(), { only: 'server3' }))).toEqual(['kept', 'kept', 'refused']);
  });
});

describe('the clocks', () => {
  const hour = 3_600_000;
  it('of hosts say from when a certificate counts: nothing is made that would not yet', async () => {
    const behind = { ...bare, nowMs: nowMs - 3.5 * hour };
    const issued = await asked({ server1: bare, server2: behind, server3: bare });
    expect(states(issued)).toEqual(['refused', 'refused', 'refused']);
    expect(problems(issued)[0]).toMatch(/^by the clock of server2 it would count in 3 hours only: /);
    expect(issued.list).toBe('');
    const little = await asked({ server1: bare, server2: { ...bare, nowMs: nowMs - hour / 2 } });
    expect(states(little)).toEqual(['keyless', 'keyless', 'unseen']);
  });

  it('say that a CA has ended, too', async () => {
    const key = new Secret(keys().privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
    const later = { nowMs: nowMs + 11 * 365 * 24 * hour };
    const all = Object.fromEntries(
      Object.entries(await turnedOn(signer(key))).map(([name, look]) => [name, { ...look, ...later }]),
    );
    const issued = await asked({ ...all, server3: { ...bare, ...later } }, signer(key));
    expect(problems(issued).at(-1)).toMatch(
      /the CA that would sign it, CN=pgduet .* has ended on .* in secrets\.ca_key/,
    );
  });
});

describe('a server that serves', () => {
  it('is not turned to another certificate', async () => {
    const strange = { ...on.server2, certificate: foreign, served: foreign } as TlsLook;
    const issued = await asked({ ...on, server2: strange });
    expect(issued.pairs.get('server2')).toMatchObject({ state: 'refused' });
    expect(issued.list).toBe(on.server1?.ca);
  });

  it('is given a pair where it shows the placeholder of its distribution: nobody stands behind it', async () => {
    const shown = { ...bare, served: placeholder };
    expect(states(await asked({ server1: shown, server2: bare, server3: shown }))).toEqual([
      'keyless',
      'keyless',
      'keyless',
    ]);
  });

  it('is not taken from who has laid its certificate', async () => {
    const issued = await asked({ server1: { ...bare, served: foreign }, server2: bare, server3: bare });
    expect(issued.pairs.get('server1')).toMatchObject({
      state: 'refused',
      problem: 'server1 serves a certificate that pgduet has not made, and clients may go by it',
    });
  });

  it('is not signed anew while it is stopped, or a person has broken its key', async () => {
    const { served: _, ...stopped } = on.server2 ?? bare;
    const strange = { ...stopped, certificate: foreign };
    expect(states(await asked({ ...on, server2: strange }))).toEqual(['kept', 'refused', 'kept']);
    const broken = { ...on.server2, problem: 'the key is open to others' } as TlsLook;
    expect(states(await asked({ ...on, server2: broken }))).toEqual(['kept', 'refused', 'kept']);
  });

  it('is signed anew where it serves no more, and the list is lost: TLS was turned off', async () => {
    const left = { ...bare, certificate: foreign, pair: pairNameOf(foreign) };
    for (const look of [left, { ...left, ca: foreignCa.slice(0, 200) }])
      expect(states(await asked({ server1: look, server2: left, server3: bare }))).toEqual([
        'keyless',
        'keyless',
        'keyless',
      ]);
  });

  it('is signed anew before it serves, where the run that began it was broken off', async () => {
    const begun = { ...bare, certificate: foreign, pair: pairNameOf(foreign) };
    expect(states(await asked({ ...on, server2: begun }))).toEqual(['kept', 'keyless', 'kept']);
  });
});
