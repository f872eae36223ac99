/**
 * What the shipped playbooks declare of TLS: nothing where the inventory says nothing, and else what follows from what the servers were
 * seen to serve.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Secret } from '../../src/base/secret.ts';
import type { Intent } from '../../src/intent/intent.ts';
import type { Cluster } from '../../src/inventory/cluster.ts';
import type { Issued, OwnPair } from '../../src/observe/issued.ts';
import { type HostView, preferredView, type View } from '../../src/observe/survey.ts';
import { compile } from '../../src/playbook/compile.ts';
import { parsePlaybook } from '../../src/playbook/playbook.ts';
import { type TlsVariables, tlsVariables } from '../../src/playbook/variables/tls.ts';
import { variablesFor } from '../../src/playbook/variables.ts';
import { parseConninfo } from '../../src/postgres/conninfo.ts';
import type { RuleRow } from '../../src/postgres/hba-rows.ts';
import type { TlsLook } from '../../src/resources/contract/tls-look.ts';
import { kinds } from '../../src/resources/registry.ts';
import { shippedTemplate } from '../../src/shipped.ts';
import { included } from '../../src/verbs/playbook-files.ts';
import { clusterOf, pairInventory, serverNamed, threeInventory } from '../observe/cluster.ts';
import { ca, other, server1, server2, stranger } from '../postgres/pems.ts';

const files = '{ ca: /pki/ca.pem, certificate: /pki/server.pem, key: /pki/server.key }';
const withTls = (tls: string) =>
  clusterOf(pairInventory.replace('data_dir: /database/inst1', `data_dir: /database/inst1, tls: ${tls}`));
const [given, off, silent] = [await withTls(files), await withTls('off'), await clusterOf(pairInventory)];
const generated = await withTls('generated');
const trio = await clusterOf(
  threeInventory.replace('data_dir: /database/inst1', `data_dir: /database/inst1, tls: ${files}`),
);
const maintains = {
  kind: 'maintenance',
  host: 'server2',
  by: 'a',
  reason: '',
  expected: '',
  of: '',
  replace: false,
  alone: false,
} as const;
const maintenance = { number: 1, by: 'a', since: '2027-01-01T00:00:00Z', until: null, reason: '' };
const nowMs = Date.UTC(2027, 0, 1);
const certificates: Readonly<Record<string, string>> = { server1, server2 };

const look = (name: string, served: string | undefined, over: Partial<TlsLook> = {}): TlsLook => ({
  nowMs,
  ca,
  certificate: certificates[name] ?? '',
  ...(served === undefined ? {} : { served }),
  ...over,
});

const data = { content: 'cluster', files: [], recorded: '77', running: true } as const;
const hosts = (
  served: Readonly<Record<string, string | undefined>>,
  standby: Partial<HostView> = {},
): ReadonlyMap<string, HostView> =>
  new Map([
    ['server1', { data: { ...data, standbySignal: false }, tls: look('server1', served.server1) }],
    ['server2', { data: { ...data, standbySignal: true }, tls: look('server2', served.server2), ...standby }],
  ]);
const seen = (map: ReadonlyMap<string, HostView>): View => ({ primary: 'server1', hosts: map });
const provision: Intent = { kind: 'provision' };

const of = (cluster: Cluster, view: View, name: string, source: string): TlsVariables =>
  tlsVariables({ cluster, view, intent: provision }, serverNamed(cluster, name), source);

const verified = {
  sslmode: 'verify-full',
  sslrootcert: '/pki/ca.pem',
  channel_binding: 'require',
  gssencmode: 'disable',
  sslcert: '/nonexistent/pgduet',
  sslcrl: '/nonexistent/pgduet',
};

describe('a server that was there before', () => {
  const single = (ssl: string) =>
    ({ live: { settings: new Map([['ssl', { value: ssl }]]) } }) as unknown as NonNullable<
      HostView['single']
    >;
  const demanded = (ssl: string, kind: 'migrate' | 'provision', cluster = silent) => {
    const [first, second] = hosts({ server1: undefined, server2: undefined });
    if (!first || !second) throw new Error('a pair');
    const view = seen(new Map([[first[0], { ...first[1], single: single(ssl) }], second]));
    return tlsVariables({ cluster, view, intent: { kind } }, serverNamed(cluster, 'server2'), 'server1')
      .demands;
  };

  it('is followed by TLS where it offered that, whoever signs', () => {
    expect(demanded('on', 'migrate')).toEqual({
      sslmode: 'require',
      sslrootcert: '/nonexistent/pgduet',
      gssencmode: 'disable',
      sslcert: '/nonexistent/pgduet',
      sslcrl: '/nonexistent/pgduet',
    });
    expect(demanded('off', 'migrate')).toEqual({});
    expect(demanded('on', 'provision')).toEqual({});
  });
});

describe('what is demanded of a server', () => {
  it('is nothing where the inventory says nothing of TLS', () => {
    const view = seen(hosts({ server1: 'none', server2: 'none' }));
    expect(of(silent, view, 'server2', 'server1')).toMatchObject({
      state: '',
      demands: {},
      rule: 'host',
      settings: {},
      logins: {},
      problem: '',
      except: ['synchronous_standby_names', 'synchronized_standby_slots'],
    });
  });

  it('is no more than before where it was seen to serve none, or what the list does not know', () => {
    for (const served of ['none', stranger, other]) {
      const view = seen(hosts({ server1: served, server2 }));
      expect(of(given, view, 'server2', 'server1').demands, served).toEqual({});
    }
    const list = seen(hosts({ server1 }, { tls: look('server2', server2, { ca: other }) }));
    expect(of(given, list, 'server2', 'server1').demands).toEqual({});
  });

  it('is a proof where it serves what the list knows', () => {
    expect(of(given, seen(hosts({ server1, server2 })), 'server2', 'server1').demands).toEqual(verified);
  });

  it('is a proof where it was not seen, or does not answer: unknown takes nothing away', () => {
    for (const view of [preferredView(given), seen(hosts({})), seen(new Map())])
      expect(of(given, view, 'server2', 'server1').demands).toEqual(verified);
  });

  describe('beside a third server that may take over', () => {
    const three = (third: HostView | undefined, verifies: boolean, over: Partial<View> = {}): View => ({
      primary: 'server1',
      hosts: new Map([
        ...hosts({ server1, server2 }, { verifies }),
        ...(third ? [['server3', third] as const] : []),
      ]),
      ...over,
    });
    const shown = (served: string | undefined): HostView => ({
      tls: look('server3', served, { certificate: server2 }),
    });
    const maintained: Partial<View> = { maintained: new Map([['server3', maintenance]]) };
    const absent: Partial<View> = { absent: new Set(['server3']) };
    const demands = (view: View, intent: Intent = provision) =>
      tlsVariables({ cluster: trio, view, intent }, serverNamed(trio, 'server2'), 'server1').demands;

    it('is nothing as long as that one is seen to serve none: the controllers turn host and port alone', () => {
      for (const over of [{}, maintained])
        for (const verifies of [true, false])
          expect(demands(three(shown('none'), verifies, over))).toEqual({});
    });

    it('does not begin as long as that one is out and nobody knows what it serves', () => {
      expect(demands(three(undefined, false, absent))).toEqual({});
      expect(demands(three(shown(undefined), false, maintained))).toEqual({});
    });

    it('is a proof where others verify already, or that one is at hand and only down', () => {
      expect(demands(three(undefined, true, absent))).toEqual(verified);
      expect(demands(three(shown(undefined), true, maintained))).toEqual(verified);
      expect(demands(three(shown(undefined), false))).toEqual(verified);
    });

    it('is a proof for a rebuild, which goes by its source', () => {
      const rebuild: Intent = { kind: 'rebuild', host: 'server2', copy: false };
      expect(demands(three(shown('none'), false, maintained), rebuild)).toEqual(verified);
    });

    it('is proven by logins meanwhile', () => {
      const view = three({ ...shown('none'), data: { ...data, standbySignal: true } }, false);
      const { logins, rule, upstream } = tlsVariables(
        { cluster: trio, view, intent: provision },
        serverNamed(trio, 'server2'),
        'server1',
      );
      expect(Object.keys(logins)).toEqual(['server1']);
      expect(logins.server1).toContain('sslmode=verify-full');
      expect([rule, upstream]).toEqual(['host', 'kept']);
    });
  });

  it('is no more than before with TLS off, whatever is served', () => {
    expect(of(off, seen(hosts({ server1, server2 })), 'server2', 'server1')).toMatchObject({
      state: 'off',
      demands: {},
      settings: { ssl: 'off' },
      rule: 'host',
    });
  });
});

describe('the lines of a server that shall offer none', () => {
  it('go once it was seen to offer none, and ssl itself stays declared', () => {
    const except = (served: string | undefined) =>
      of(off, seen(hosts({ server1: served })), 'server1', 'server2').except.slice(2);
    expect(except(server1)).toEqual(['ssl', 'ssl_cert_file', 'ssl_key_file']);
    expect(except(undefined)).toEqual(['ssl', 'ssl_cert_file', 'ssl_key_file']);
    expect(except('none')).toEqual(['ssl']);
  });
});

describe('the order', () => {
  it('has logins as long as a standby does not verify, from and to those that serve', () => {
    const turning = seen(hosts({ server1, server2 }, { verifies: false }));
    const { logins, rule } = of(given, turning, 'server2', 'server1');
    expect(Object.keys(logins)).toEqual(['server1']);
    expect(parseConninfo(logins.server1 ?? '')).toMatchObject({
      ...verified,
      host: '192.0.2.100',
      replication: 'true',
    });
    expect(rule).toBe('host');
    expect(Object.keys(of(given, turning, 'server1', 'server2').logins)).toEqual(['server2']);
  });

  it('has no login to who serves none yet, or does not run', () => {
    expect(
      of(given, seen(hosts({ server1: 'none', server2: 'none' }, { verifies: false })), 'server2', 'server1')
        .logins,
    ).toEqual({});
    const stopped = { verifies: false, data: { ...data, standbySignal: true, running: false } };
    expect(of(given, seen(hosts({ server1 }, stopped)), 'server1', 'server2').logins).toEqual({});
  });

  it('has the rules at its end', () => {
    const rule = (view: View) => of(given, view, 'server1', 'server2').rule;
    expect(rule(seen(hosts({ server1: 'none', server2: 'none' }, { verifies: false })))).toBe('host');
    expect(rule(seen(hosts({ server1, server2 }, { verifies: true })))).toBe('hostssl');
    expect(rule(preferredView(given))).toBe('hostssl');
  });
});

describe('what is in the way', () => {
  it('is a certificate of another server that this one could not follow', () => {
    const tls = look('server2', 'none', { certificate: stranger });
    const view = seen(hosts({ server1: 'none' }, { tls }));
    expect(of(given, view, 'server1', 'server2').problem).toMatch(
      /the certificate of server2 is not good: .*somebody else/,
    );
    expect(of(given, view, 'server2', 'server1').problem).toBe('');
  });

  it('is whoever is away when it shall be off, as long as TLS is served', () => {
    const away = { ...seen(hosts({ server1, server2 })), absent: new Set(['server2']) };
    expect(of(off, away, 'server1', 'server2').problem).toContain('server2 is away');
    const none = { ...seen(hosts({ server1: 'none', server2: 'none' })), absent: new Set(['server2']) };
    expect(of(off, none, 'server1', 'server2').problem).toBe('');
  });
});

function declared(
  name: string,
  cluster: Cluster,
  view: View,
  intent: Intent = provision,
  on = 'server2',
  issued?: Issued,
) {
  const path = join(import.meta.dirname, '../../playbooks', `${name}.yml`);
  const playbook = parsePlaybook({ path, text: readFileSync(path, 'utf8') }, [...kinds.keys()], included);
  if (!playbook.ok) throw new Error(JSON.stringify(playbook.diagnostics));
  const materials = {
    kinds,
    template: shippedTemplate,
    asset: () => 'bundle',
    secret: () => new Secret('5a'.repeat(32)),
    entropy: '00'.repeat(16),
  };
  const result = compile(playbook.value, { cluster, view, intent, issued }, materials);
  if (!result.ok) throw new Error(JSON.stringify(result.diagnostics));
  return result.value.filter(({ host }) => host === on);
}

const rulesYaml = `[
    { type: local, database: app, user: app, method: scram-sha-256 },
    { type: host, database: app, user: mon, address: 10.0.0.5, method: scram-sha-256, tls: optional },
    { type: host, database: app, user: app, address: 10.0.0.0/8, method: scram-sha-256 },
    { type: host, database: app, user: app, address: 127.0.0.1, method: scram-sha-256 },
    { type: host, database: '"a b", x', user: krb, address: .example.com, method: gss },
    { type: host, database: all, user: all, address: 11.0.0.0/8, method: reject },
    { type: hostssl, database: all, user: dba, address: all, method: cert },
    { type: hostnossl, database: all, user: old, address: 12.0.0.0/8, method: scram-sha-256 },
    { type: host, database: all, user: all, address: all, method: scram-sha-256 },
    { type: host, database: all, user: all, address: '::/0', method: scram-sha-256 },
    { type: host, database: all, user: all, address: samehost, method: scram-sha-256 }]`;
const [required, optional] = await Promise.all(
  ['required', 'optional'].map((word) =>
    withTls(
      `${files}, tls_clients: ${word}, hba: ${(word === 'required' ? rulesYaml : rulesYaml.replace(', tls: optional', '')).replaceAll(/\n */g, ' ')}`,
    ),
  ),
);

describe('rules of clients', () => {
  const cluster = (one: Cluster | undefined): Cluster => {
    if (!one) throw new Error('no cluster');
    return one;
  };
  const lines = (
    one: Cluster | undefined,
    view: View,
    name = 'server1',
    intent: Intent = provision,
  ): readonly string[] =>
    variablesFor({ cluster: cluster(one), view, intent }, serverNamed(cluster(one), name)).hba.map(
      ({ line }) => line.replaceAll('  ', ' '),
    );
  const plain = [
    'local app app scram-sha-256',
    'host app mon 10.0.0.5/32 scram-sha-256',
    'host app app 10.0.0.0/8 scram-sha-256',
    'host app app 127.0.0.1/32 scram-sha-256',
    'host "a b",x krb .example.com gss',
    'host all all 11.0.0.0/8 reject',
    'hostssl all dba all cert',
    'hostnossl all old 12.0.0.0/8 scram-sha-256',
    'host all all all scram-sha-256',
    'host all all ::/0 scram-sha-256',
    'host all all samehost scram-sha-256',
  ];
  const demanding = [
    'local app app scram-sha-256',
    'host app mon 10.0.0.5/32 scram-sha-256',
    'hostssl app app 10.0.0.0/8 scram-sha-256',
    'hostnossl app app 10.0.0.0/8 reject',
    'host app app 127.0.0.1/32 scram-sha-256',
    'hostssl "a b",x krb .example.com gss',
    'hostgssenc "a b",x krb .example.com gss',
    'hostnossl "a b",x krb .example.com reject',
    'host all all 11.0.0.0/8 reject',
    'hostssl all dba all cert',
    'hostnossl all old 12.0.0.0/8 scram-sha-256',
    'host all all 127.0.0.0/8 scram-sha-256',
    'host all all ::1/128 scram-sha-256',
    'hostssl all all all scram-sha-256',
    'hostnossl all all all reject',
    'host all all ::1/128 scram-sha-256',
    'hostssl all all ::/0 scram-sha-256',
    'hostnossl all all ::/0 reject',
    'host all all samehost scram-sha-256',
  ];
  const session = { user: 'app', database: 'app', address: '10.0.0.9', application: 'psql', count: 2 };
  const refusal = {
    type: 'hostnossl',
    database: ['app'],
    user: ['app'],
    address: '10.0.0.0',
    mask: '255.0.0.0',
    method: 'reject',
  };
  const refusalOf = (user: string, address: string, mask: string | null): RuleRow => ({
    ...refusal,
    database: user === 'all' ? ['all'] : ['app'],
    user: [user],
    address,
    mask,
  });
  const withClients = (served: string | undefined, rules: readonly RuleRow[]): View => {
    const map = new Map(hosts({ server1: served }));
    map.set('server1', { ...map.get('server1'), clients: { rules, sessions: [session] } });
    return seen(map);
  };

  it('stay as they are written where nothing is required', () => {
    expect(lines(optional, seen(hosts({ server1, server2 })))).toEqual(plain);
  });

  it('demand TLS, each with its refusal, where it is required and served, or not seen', () => {
    for (const view of [seen(hosts({ server1 })), seen(hosts({})), preferredView(cluster(required))])
      expect(lines(required, view)).toEqual(demanding);
    expect(lines(required, seen(hosts({ server1: stranger })))).toEqual(demanding);
  });

  it('wait for a server that is seen to serve none, and do not fall behind what stands', () => {
    expect(lines(required, seen(hosts({ server1: 'none', server2 })))).toEqual(plain);
    expect(lines(required, seen(hosts({ server1: 'none', server2 })), 'server2')).toEqual(demanding);
    const others = [
      { ...refusal, address: '10.0.0.5', mask: '255.255.255.255' },
      { ...refusal, type: 'host' },
    ];
    expect(lines(required, withClients('none', others))).toEqual(plain);
    expect(lines(required, withClients('none', [refusal]))).toEqual(demanding);
  });

  it('stand by whatever spelling of an address', async () => {
    const one = async (address: string, standing: string, mask: string) => {
      const rule = `[{ type: host, database: app, user: app, address: '${address}', method: scram-sha-256 }]`;
      const spelt = await withTls(`${files}, tls_clients: required, hba: ${rule}`);
      return lines(spelt, withClients('none', [{ ...refusal, address: standing, mask }]));
    };
    for (const [address, standing, mask] of [
      ['2001:DB8:0::/32', '2001:db8::', 'ffff:ffff::'],
      ['10.1.2.3/8', '10.1.2.3', '255.0.0.0'],
      ['10.1.2.3', '10.1.2.3', '255.255.255.255'],
      ['::ffff:10.0.0.0/104', '::ffff:10.0.0.0', 'ffff:ffff:ffff:ffff:ffff:ffff:ff00::'],
    ] as const)
      expect(await one(address, standing, mask), address).toHaveLength(2);
    expect(await one('10.1.2.3/8', '10.1.2.4', '255.0.0.0')).toHaveLength(1);
  });

  it('are not turned on by a teardown, and stay where they stand, or cannot be seen', () => {
    const teardown: Intent = {
      kind: 'teardown',
      keepData: true,
      allData: false,
      controllersOnly: false,
      moved: false,
    };
    const at = (view: View) => lines(required, view, 'server1', teardown);
    expect(at(withClients(server1, []))).toEqual(plain);
    expect(at(withClients(server1, [refusal]))).toEqual(demanding);
    expect(at(seen(hosts({})))).toEqual(demanding);
  });

  it('name who is in without TLS as they are turned on, and once only', () => {
    const told = (one: Cluster | undefined, view: View) =>
      of(cluster(one), view, 'server1', 'server2').lockedOut;
    const words = /^sessions of now without TLS go on.*: app@app from 10\.0\.0\.9 \(psql\), 2 times$/;
    expect(told(required, withClients('none', []))).toMatch(words);
    expect(told(required, withClients(server1, []))).toMatch(words);
    const all = [
      refusalOf('app', '10.0.0.0', '255.0.0.0'),
      refusalOf('all', 'all', null),
      refusalOf('all', '::', '::'),
    ];
    const gss = { ...refusalOf('krb', '.example.com', null), database: ['a b', 'x'] };
    const whole = withClients(server1, [...all, gss]);
    expect(told(required, whole)).toBe('');
    // One of them standing is not all of them: who comes by another one would be kept out.
    for (const rules of [[refusal], all]) expect(told(required, withClients(server1, rules))).toMatch(words);
    expect(told(optional, withClients(server1, []))).toBe('');
    const hba = (view: View) =>
      declared('provision', cluster(required), view, provision, 'server1').find(({ id }) =>
        id.startsWith('hba '),
      );
    expect(hba(withClients(server1, []))?.desired).toMatchObject({ lockedOut: expect.stringMatching(words) });
    expect(hba(whole)?.desired).not.toHaveProperty('lockedOut');
  });
});

describe('the playbook', () => {
  const ours = (id: string): boolean => /^certificate|^logins|^served|TLS/.test(id);

  it.each([
    [
      'given',
      given,
      ['certificate /pki/server.pem', 'logins of replication', 'settings TLS', 'served /pki/server.pem'],
    ],
    ['off', off, ['certificate none', 'settings no TLS']],
    ['silent', silent, []],
  ])('of provision declares what is %s', (_, cluster, wanted) => {
    for (const view of [preferredView(cluster), seen(hosts({ server1, server2 }))])
      expect(
        declared('provision', cluster, view)
          .map(({ id }) => id)
          .filter(ours),
      ).toEqual(wanted);
  });

  it.each<[string, OwnPair, readonly string[]]>([
    ['not seen', { state: 'unseen' }, ['tls_key', 'tls_pair']],
    ['without a key', { state: 'keyless' }, ['tls_key', 'tls_pair']],
    ['refused', { state: 'refused', problem: 'a stranger' }, ['tls_key', 'tls_pair']],
    [
      'signed',
      { state: 'signed', name: 'abc', certificate: server2 },
      [
        'tls_key',
        'tls_pair',
        'logins of replication',
        'settings TLS',
        'served /mcdir/inst1/tls/abc/server.pem',
      ],
    ],
    [
      'kept',
      { state: 'kept', name: 'abc' },
      [
        'tls_key',
        'tls_pair',
        'logins of replication',
        'settings TLS',
        'served /mcdir/inst1/tls/abc/server.pem',
      ],
    ],
    ['not asked for', { state: 'none' }, []],
  ])('of provision waits with the settings until the pair has its name: %s', (_, pair, wanted) => {
    const issued = { list: ca, pairs: new Map([['server2', pair]]) };
    const all = declared(
      'provision',
      generated,
      seen(hosts({ server1: 'none', server2: 'none' })),
      provision,
      'server2',
      issued,
    );
    const ids = all.map(({ id }) => id.replace(/^(tls_\w+) .*/, '$1'));
    expect(ids.filter((id) => ours(id) || id.startsWith('tls_'))).toEqual(wanted);
    expect(ids.includes('file /mcdir/inst1/tls/ca.pem')).toBe(pair.state !== 'none');
    const settings = all.find(({ id }) => id === 'settings TLS')?.desired;
    if (settings)
      expect(settings).toMatchObject({
        values: {
          ssl: 'on',
          ssl_cert_file: '/mcdir/inst1/tls/abc/server.pem',
          ssl_key_file: '/mcdir/inst1/tls/abc/server.key',
        },
        ...(pair.state === 'signed' ? { untried: true } : {}),
      });
  });

  it('of generated certificates demands by the copy of the list that outlives the management directory', () => {
    const tls = look('server2', server2, { home: '/home', pair: 'abc' });
    const view = seen(hosts({ server1, server2 }, { tls, verifies: true }));
    const issued = {
      list: ca,
      pairs: new Map<string, OwnPair>([['server2', { state: 'kept', name: 'abc' }]]),
    };
    const { demands, rule, upstream } = tlsVariables(
      { cluster: generated, view, intent: provision, issued },
      serverNamed(generated, 'server2'),
      'server1',
    );
    expect(demands).toEqual({
      ...verified,
      sslrootcert: expect.stringMatching(/^\/home\/\.pgduet-ca-[0-9a-f]{8}\.pem$/),
    });
    expect([rule, upstream]).toEqual(['hostssl', 'kept']);
  });

  it('of the end of a maintenance brings the list, and of its beginning, or without one, nothing', () => {
    const tls = look('server2', 'none', { home: '/home' });
    const view = seen(hosts({ server1, server2: 'none' }, { tls }));
    const issued = { list: ca, pairs: new Map<string, OwnPair>([['server2', { state: 'unseen' }]]) };
    const lists = (goal: 'begin' | 'end', one: Issued | undefined, on = 'server2', of = generated) =>
      declared('maintenance', of, view, { ...maintains, goal }, on, one)
        .map(({ id }) => id)
        .filter((id) => /^(?:file|directory) /.test(id));
    expect(lists('end', issued)).toEqual([
      'directory /mcdir/inst1/tls',
      'file /mcdir/inst1/tls/ca.pem',
      expect.stringMatching(/^file \/home\/\.pgduet-ca-[0-9a-f]{8}\.pem$/),
    ]);
    expect(lists('end', issued, 'server1')).toEqual([]);
    expect(lists('begin', issued)).toEqual([]);
    expect(lists('end', { ...issued, list: '' })).toEqual([]);
    expect(lists('end', undefined, 'server2', given)).toEqual([]);
  });

  it('of a rebuild demands by what was seen, and brings the lines of its own host', () => {
    const rebuild: Intent = { kind: 'rebuild', host: 'server2', copy: false };
    const demands = (view: View): unknown =>
      declared('rebuild', given, view, rebuild).find(({ id }) => id.startsWith('rebuild '))?.desired;
    expect(demands(seen(hosts({ server1: 'none' })))).toMatchObject({ demands: {} });
    expect(demands(seen(hosts({ server1 })))).toMatchObject({ demands: verified });
    const ids = declared('rebuild', given, seen(hosts({ server1 })), rebuild).map(({ id }) => id);
    expect(ids).toContain('settings TLS');
    expect(ids).toContain('controller_version not newer');
  });
});
