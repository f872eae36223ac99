/** How a real etcd is spoken to where something stands before it: logins, versions, words, and members that say no or nothing. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeEtcd, type Gateway, password, RealEtcd } from './support/etcd.ts';
import { beat, EtcdTests } from './support/etcd-tests.ts';

const tests = new EtcdTests();
const { serverAt } = tests;

describeEtcd('what stands between a controller and etcd, or speaks in its place', () => {
  let etcd: RealEtcd;
  beforeAll(async () => {
    etcd = await RealEtcd.started(tests.authority);
  });
  afterAll(() => etcd.remove());

  const gateway = () => tests.gateway(etcd);
  const login = '/v3/auth/authenticate';
  /** Nothing is lost because this machine is busy. */
  const patient = { heartbeatTimeoutMs: 10_000 };

  it('gives no term away once everybody may write there, also where it takes the token still', async () => {
    const { gate, endpoint } = await gateway();
    const register = etcd.register('/pgduet/off/', { endpoints: [endpoint] });
    const server = serverAt(register);
    const cells = await server.named();
    await etcd.admin.asRoot('/v3/auth/disable', {});
    try {
      gate.fate = (path) => (path === login ? 'pass' : 'pass without its token');
      expect((await server.tell())?.cell).toMatchObject({ term: 0 });
      expect(await server.vote({ cells }, 3000)).toBeNull();
      expect(server.seen.at(-1)).toMatch(/its authentication is off/);
    } finally {
      await etcd.admin.post('/v3/auth/enable', {});
    }
    expect((await etcd.admin.keyOf('/pgduet/off/cell'))?.version).toBe(1);
  });

  it.each([
    { code: 16, message: 'words that nobody knows' },
    { code: 2, message: 'auth: revision in header is old' },
  ])('logs in again for $message, in the same round', async (says) => {
    const { gate, endpoint } = await gateway();
    const server = serverAt(etcd.register('/pgduet/stale/', { endpoints: [endpoint] }), 'server1', patient);
    await server.named();
    gate.calls.length = 0;
    let refused = 0;
    gate.fate = (path) => {
      if (path !== '/v3/kv/range' || refused > 0) return 'pass';
      refused += 1;
      return { says, status: says.code === 16 ? 401 : 500 };
    };
    expect(await server.tell()).not.toBeNull();
    expect(gate.calls).toEqual(['/v3/kv/range', login, '/v3/kv/range', ...gate.calls.slice(3)]);
    expect(server.seen.join()).not.toContain('lost');
  });

  it.each([
    ['the password', login, { code: 3, message: 'authentication failed, invalid user ID or password' }],
    ['the keys', '/v3/kv/range', { code: 7, message: 'permission denied' }],
  ])('one member that refuses %s keeps nobody from asking the others', async (_, refused, says) => {
    const { gate, endpoint } = await gateway();
    gate.fate = (path) => (path === refused ? { says, status: 403 } : 'pass');
    const register = etcd.register('/pgduet/refused/', { endpoints: [endpoint, ...etcd.endpoints] });
    const server = serverAt(register, 'server1', patient);
    await server.named();
    await server.tell();
    expect(server.seen.join()).not.toContain('lost');
  });

  it('nothing that it says steers a terminal, or repeats a secret', async () => {
    const { gate, endpoint } = await gateway();
    const told = async (fate: Gateway['fate']): Promise<string> => {
      gate.fate = fate;
      const server = serverAt(etcd.register('/pgduet/words/', { endpoints: [endpoint] }));
      await beat(server, () => server.seen.length > 0);
      server.link.close();
      return (server.seen[0] ?? '').replaceAll(/127\.0\.0\.1:\d+/g, 'HOST');
    };
    const echo = `bad \u001b[2J\u009b ${password} in line 1`;
    expect(await told((path) => (path === login ? { says: { message: echo }, status: 400 } : 'pass'))).toBe(
      'lost arbiter1: https://HOST: it answers the login with status 400',
    );
    const says = { message: `${echo} token=the.token\r\nMCA01001` };
    const fake = { says: { token: 'the.token' } };
    const range = await told((path) =>
      path === login ? fake : path === '/version' ? 'pass' : { says, status: 500 },
    );
    expect(range).toBe('lost arbiter1: https://HOST: it says: bad [2J *** in line 1 token=*** MCA01001');
  });

  it('one of a version that can lose what it has told is not told the password', async () => {
    const { gate, endpoint } = await gateway();
    gate.fate = () => ({ says: { etcdserver: '3.5.2', etcdcluster: '3.5.0' } });
    const server = serverAt(etcd.register('/pgduet/version/', { endpoints: [endpoint] }));
    await beat(server, () => server.seen.length > 0);
    expect(server.seen[0]).toMatch(/it is version 3\.5\.2, which can lose what it has acknowledged/);
    expect(new Set(gate.calls)).toEqual(new Set(['/version']));
    gate.fate = () => 'pass';
    await server.named();
    expect(gate.calls.slice(-3)).toContain('/v3/kv/range');
  });

  it('silent members cost a call each, also where a login is due, and a round has one end', async () => {
    const silent = await Promise.all([gateway(), gateway(), gateway()]);
    for (const { gate } of silent) gate.fate = () => 'lose the question';
    const members = silent.map(({ endpoint }) => endpoint);
    // A login may take 150 s there, and a call 4 s.
    const slow = { heartbeatTimeoutMs: 4000, heartbeatIntervalMs: 96_000, heartbeatRetry: 2 };
    const register = etcd.register('/pgduet/silent/');
    const server = serverAt({ ...register, endpoints: [...members, ...register.endpoints] }, 'server1', slow);
    await server.named();
    expect(server.seen.join()).not.toContain('lost');
    // TLS stands, and the login is never answered: each may take half of the time to give up, and the third is not asked any more.
    for (const { gate } of silent) gate.fate = (path) => (path === login ? 'lose the question' : 'pass');
    const quick = { heartbeatTimeoutMs: 3000, heartbeatIntervalMs: 100, heartbeatRetry: 2 };
    const hurried = serverAt({ ...register, endpoints: members }, 'server1', quick);
    await beat(hurried, () => hurried.seen.length > 0);
    expect(hurried.seen[0]?.match(/it does not answer/g)).toHaveLength(2);
  });
});
