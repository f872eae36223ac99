/** The register in a real etcd: answers that are lost or late, members that are gone, and what makes a cell another one. */
import { rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { Secret } from '../../src/base/secret.ts';
import { outcomeOf } from '../../src/controller/core/register.ts';
import type { Vote } from '../../src/controller/core/view.ts';
import type { EtcdRegister } from '../../src/controller/io/etcd-link.ts';
import { view } from './support/conversation.ts';
import { Authority, describeEtcd, emptyDir, Gateway, RealEtcd } from './support/etcd.ts';
import { asking, beat, EtcdTests } from './support/etcd-tests.ts';
import { freePorts } from './support/pair.ts';

const tests = new EtcdTests();
const { serverAt } = tests;

describeEtcd('one member', () => {
  let etcd: RealEtcd;
  let clusters = 0;
  let prefix = '';
  beforeAll(async () => {
    etcd = await RealEtcd.started(tests.authority);
  });
  afterAll(() => etcd.remove());

  const newPrefix = (): string => {
    clusters += 1;
    prefix = `/pgduet/inst${clusters}/`;
    return prefix;
  };

  const gateway = () => tests.gateway(etcd);

  it('an answer that is lost was given: the next read shows the own attempt, and nothing is written twice', async () => {
    const { gate, endpoint } = await gateway();
    const server = serverAt(etcd.register(newPrefix(), { endpoints: [endpoint] }));
    const cells = await server.named();
    let lost = 0;
    gate.fate = (path) => {
      if (path !== '/v3/kv/txn') return 'pass';
      lost += 1;
      return 'lose the answer';
    };
    const cell = await server.vote({ cells, attempt: 7 });
    expect(outcomeOf(asking(cells, 7), 'server1', () => cell ?? undefined)).toBe('won');
    expect(lost).toBe(1);
    // Made, and given away once.
    expect((await etcd.admin.keyOf(`${prefix}cell`))?.version).toBe(2);
  });

  it('a transaction that lands late, behind the vote of another server, changes nothing', async () => {
    const { gate, endpoint } = await gateway();
    const register = etcd.register(newPrefix());
    const slow = serverAt({ ...register, endpoints: [endpoint] });
    const cells = await slow.named();
    const land = gate.holdWrites();
    expect(await slow.vote({ cells, attempt: 7 }, 300)).toBeNull();
    await gate.untilWritten();
    const other = serverAt(register, 'server2');
    expect(await other.vote({ cells, attempt: 3 })).toMatchObject({ holder: 'server2', attempt: 3 });
    const before = gate.calls.length;
    gate.fate = () => 'pass';
    land();
    expect(await slow.vote({ cells, attempt: 7 })).toMatchObject({ holder: 'server2', attempt: 3 });
    expect(gate.calls.length).toBeGreaterThan(before);
    expect((await etcd.admin.keyOf(`${prefix}cell`))?.version).toBe(2);
  });

  it('a transaction that finds the vote of another server is a no', async () => {
    const { gate, endpoint } = await gateway();
    const register = etcd.register(newPrefix());
    const slow = serverAt({ ...register, endpoints: [endpoint] });
    const cells = await slow.named();
    const land = gate.holdWrites();
    const told = slow.vote({ cells, attempt: 7 });
    await gate.untilWritten();
    await serverAt(register, 'server2').vote({ cells, attempt: 3 });
    land();
    expect(await told).toMatchObject({ holder: 'server2', attempt: 3 });
  });

  it('one that lands after its vote was taken back is taken back, too', async () => {
    const { gate, endpoint } = await gateway();
    const server = serverAt(etcd.register(newPrefix(), { endpoints: [endpoint] }));
    const cells = await server.named();
    const land = gate.holdWrites();
    expect(await server.vote({ cells, attempt: 7 }, 300)).toBeNull();
    const back = { ...asking(cells, 7), stage: 'back' as const };
    // Nothing is there yet that could be given back.
    await gate.untilWritten();
    expect((await server.tell({ vote: back }))?.cell).toMatchObject({ term: 0, holder: null });
    gate.fate = () => 'pass';
    land();
    for (let round = 0; round < 100 && (await etcd.admin.keyOf(`${prefix}cell`))?.version !== 3; round += 1)
      await server.tell({ vote: back });
    expect((await server.tell({ vote: back }))?.cell).toMatchObject({ term: 1, holder: null, attempt: 7 });
  });

  it('a member that does not answer costs one limit, and then the next one is asked', async () => {
    const { gate, endpoint } = await gateway();
    gate.fate = () => 'lose the question';
    const server = serverAt(etcd.register(newPrefix(), { endpoints: [endpoint, ...etcd.endpoints] }));
    await server.named();
    const asked = gate.calls.length;
    expect(asked).toBe(1);
    await server.tell();
    await server.tell();
    expect(gate.calls).toHaveLength(asked);
    expect(server.seen.filter((it) => it.startsWith('lost'))).toEqual([]);
  });

  it('asks never twice at once, however often it is told something', async () => {
    const { gate, endpoint } = await gateway();
    let under = 0;
    let most = 0;
    gate.fate = () => {
      under += 1;
      most = Math.max(most, under);
      return {
        until: sleep(20).then(() => {
          under -= 1;
        }),
      };
    };
    const server = serverAt(etcd.register(newPrefix(), { endpoints: [endpoint] }));
    const views = Array.from({ length: 50 }, (_, seq) => view('server1', 'standby', { seq: 100 + seq }));
    for (const it of views) server.link.heartbeat(it);
    await server.say(view('server1', 'standby', { seq: 200 }));
    expect(most).toBe(1);
    // One for the first of them, which makes the cell, one for the last.
    expect(gate.calls.filter((it) => it === '/v3/kv/range').length).toBeLessThanOrEqual(3);
  });

  it('says in words why it is not heard', async () => {
    const register = etcd.register(newPrefix());
    const [port = 0] = await freePorts(1);
    const other = new Authority();
    const told = async (change: Partial<EtcdRegister>): Promise<string> => {
      const server = serverAt({ ...register, ...change });
      await beat(server, () => server.seen.length > 0);
      return server.seen.join('\n').replaceAll(/127\.0\.0\.1:\d+/g, 'HOST');
    };
    expect(await told({ password: new Secret('wrong') })).toBe(
      "lost arbiter1: https://HOST: it does not take the password of user 'pgduet'",
    );
    expect(await told({ user: 'nobody' })).toBe(
      "lost arbiter1: https://HOST: it does not take the password of user 'nobody'",
    );
    expect(await told({ prefix: '/elsewhere/inst1/' })).toBe(
      "lost arbiter1: https://HOST: user 'pgduet' may not read and write the keys of this cluster",
    );
    expect(await told({ ca: other.ca })).toMatch(
      /^lost arbiter1: https:\/\/HOST: its certificate is not trusted \(/,
    );
    expect(await told({ endpoints: [`https://127.0.0.1:${port}`] })).toBe(
      'lost arbiter1: https://HOST: nobody listens there',
    );
    other.remove();
  });

  it('what cannot be asked at all is a member that does not answer, and the next one is asked', async () => {
    const bad = 'https://127.0.0.300:2379';
    const register = etcd.register(newPrefix());
    const alone = serverAt({ ...register, endpoints: [bad] });
    await beat(alone, () => alone.seen.length > 0);
    expect(alone.seen).toEqual([`lost arbiter1: ${bad}: Invalid URL`]);
    // It goes on to be asked, and its time limit is no error of its own.
    expect(await alone.tell({}, 3000)).toBeNull();
    const both = serverAt({ ...register, endpoints: [bad, ...etcd.endpoints] });
    await both.named();
    expect(both.seen.join()).not.toContain('lost');
  });

  it('a token that can be none is not sent back', async () => {
    const { gate, endpoint } = await gateway();
    for (const token of ['two\r\nlines: 1', 'a b', '', 'x'.repeat(8193)]) {
      gate.fate = (path) => (path === '/v3/auth/authenticate' ? { says: { token } } : 'pass');
      gate.calls.length = 0;
      const server = serverAt(etcd.register(newPrefix(), { endpoints: [endpoint] }));
      await beat(server, () => server.seen.length > 0);
      expect(server.seen[0]).toMatch(/^lost arbiter1: .*: it says nothing that can be understood$/);
      expect(new Set(gate.calls)).toEqual(new Set(['/version', '/v3/auth/authenticate']));
      server.link.close();
    }
  });

  it('refuses one whose certificate is of another address', async () => {
    tests.authority.sign('stranger', 'IP:192.0.2.1');
    const gate = new Gateway(tests.authority, etcd.endpoints[0] ?? '', 'stranger');
    tests.keep(gate);
    const server = serverAt(etcd.register(newPrefix(), { endpoints: [await gate.listen()] }));
    await beat(server, () => server.seen.length > 0);
    expect(server.seen.join()).toMatch(/its certificate is one of another name or address$/);
    expect(gate.calls).toEqual([]);
  });

  it('logs in again when etcd has forgotten it, and once only', async () => {
    const { gate, endpoint } = await gateway();
    const server = serverAt(etcd.register(newPrefix(), { endpoints: [endpoint] }));
    await server.named();
    await etcd.admin.asRoot('/v3/auth/disable', {});
    await server.tell({}, 500);
    await etcd.admin.post('/v3/auth/enable', {});
    const logins = (): number => gate.calls.filter((it) => it === '/v3/auth/authenticate').length;
    const before = logins();
    await beat(server, () => server.seen.at(-1) === 'heard arbiter1 0');
    expect(await server.tell()).not.toBeNull();
    expect(logins() - before).toBeLessThanOrEqual(2);
    // In the same round, so that nobody is told of a loss.
    expect(server.seen.join()).not.toContain('auth token');
  });

  it('logs in anew each minute, and before it writes that a term is given away', async () => {
    const { gate, endpoint } = await gateway();
    const server = serverAt(etcd.register(newPrefix(), { endpoints: [endpoint] }));
    const logins = (): number => gate.calls.filter((it) => it === '/v3/auth/authenticate').length;
    const cells = await server.named();
    await server.tell();
    expect(logins()).toBe(1);
    // The clock of this process, by which a login counts, goes on; etcd keeps the token for five minutes.
    const now = performance.now.bind(performance);
    const clock = vi.spyOn(performance, 'now');
    try {
      clock.mockImplementation(() => now() + 59_000);
      await server.tell();
      expect(logins()).toBe(1);
      clock.mockImplementation(() => now() + 61_000);
      await server.tell();
      await server.tell();
      expect(logins()).toBe(2);
    } finally {
      clock.mockRestore();
    }
    expect(await server.vote({ cells, attempt: 7 })).toMatchObject({ holder: 'server1', attempt: 7 });
    const wrote = gate.calls.lastIndexOf('/v3/kv/txn');
    expect(gate.calls[wrote - 1]).toBe('/v3/auth/authenticate');
    expect(server.seen.join()).not.toContain('lost');
  });

  it('an etcd without authentication is none, and its password is not asked for with every heartbeat', async () => {
    const register = etcd.register(newPrefix());
    await etcd.admin.asRoot('/v3/auth/disable', {});
    try {
      const { gate, endpoint } = await gateway();
      const server = serverAt({ ...register, endpoints: [endpoint] });
      await beat(server, () => false, 1000);
      expect(server.seen).toHaveLength(1);
      expect(server.seen[0]).toMatch(/its authentication is off/);
      expect(gate.calls).toEqual(['/version', '/v3/auth/authenticate']);
    } finally {
      await etcd.admin.post('/v3/auth/enable', {});
    }
  });

  it('a cell that another etcd has made is a copy, and becomes another one', async () => {
    const server = serverAt(etcd.register(newPrefix()));
    const [{ id = '' } = {}] = await server.named();
    const key = `${prefix}cell`;
    const { value = '' } = (await etcd.admin.keyOf(key)) ?? {};
    await etcd.admin.put(key, value.replace(/"etcd":"\d+"/, '"etcd":"1"'));
    const now = (await server.tell())?.cell;
    expect(now).toMatchObject({ term: 0, holder: null });
    expect(now?.id).not.toBe(id);
  });

  it('what is no cell is left as it is, and told', async () => {
    const server = serverAt(etcd.register(newPrefix()));
    await server.named();
    await etcd.admin.put(`${prefix}cell`, '{"format":2}');
    await beat(server, () => server.seen.some((it) => it.startsWith('lost')));
    expect(server.seen.at(-1)).toContain('holds no cell of this version');
    expect((await etcd.admin.keyOf(`${prefix}cell`))?.value).toBe('{"format":2}');
  });

  it('an etcd that was put back to an older state has another cell, as far as that can be noticed', async () => {
    const server = serverAt(etcd.register(newPrefix()));
    const cells = await server.named();
    const copy = emptyDir();
    await etcd.copyDisks(copy);
    await server.vote({ cells, attempt: 1 });
    await etcd.putBack(copy);
    rmSync(copy, { recursive: true });
    const back = { ...asking(cells, 1), stage: 'back' as const };
    const now = (await server.tell({ vote: back }))?.cell;
    expect(now).toMatchObject({ term: 0, holder: null });
    expect(now?.id).not.toBe(cells[0]?.id);
    // It is thrown away once.
    expect((await server.tell({ vote: back }))?.cell).toEqual(now);
  });

  /** Who says that it serves as primary. */
  const serving = async (): Promise<string | undefined> =>
    (await etcd.admin.keyOf(`${prefix}primary`))?.value;
  const soon = { timeout: 20_000 };
  /** A lease that outlasts a busy machine. */
  const long = { heartbeatTimeoutMs: 20_000 };

  it('a primary that is in service is preferred until it says that it hands over', async () => {
    const register = etcd.register(newPrefix());
    const primary = serverAt(register, 'server1', long);
    const standby = serverAt(register, 'server2');
    const cells = await primary.named();
    const vote: Vote = { ...asking(cells, 1), against: 'server1' };
    await primary.tell({ role: 'primary', phase: 'running', handover: null });
    await expect.poll(serving, soon).toBe('server1');
    await standby.named();
    await sleep(2500);
    expect((await standby.tell({ vote }))?.cell).toMatchObject({ term: 0 });
    const handover = { id: 1, kind: 'switch' as const, to: 'server2', checkpoint: null };
    await primary.tell({ handover });
    await expect.poll(serving, soon).toBeUndefined();
    expect((await standby.tell({ vote }))?.cell).toMatchObject({ term: 1, holder: 'server2' });
  });

  it('leaves the word of another primary alone, and says its own again when that was lost', async () => {
    const register = etcd.register(newPrefix());
    const [frozen, now] = [serverAt(register), serverAt(register, 'server2', long)];
    const cells = await frozen.named();
    const sync = { primary: 'server1', timeline: 1, epoch: 1, members: [], eligible: [] };
    const bound = { ...sync, voters: [], needed: 0, term: 1, cells };
    const running = { role: 'primary', phase: 'running', handover: null, vote: null } as const;
    await frozen.tell({ ...running, sync: bound });
    await expect.poll(serving, soon).toBe('server1');
    // It stands still until its word has ended, and the term is given to the other one.
    await expect.poll(serving, soon).toBeUndefined();
    await now.vote({ cells });
    // It wakes up, and tells what it was: it serves no more, although nobody else has said so yet.
    await frozen.tell();
    await frozen.tell();
    await sleep(500);
    expect(await serving()).toBeUndefined();
    await now.tell({ ...running, sync: { ...bound, primary: 'server2', term: 2 } });
    await expect.poll(serving, soon).toBe('server2');
    await frozen.tell({ phase: 'stopping' });
    await frozen.tell({ phase: 'stopped' });
    await sleep(500);
    expect(await serving()).toBe('server2');
    await etcd.admin.deleteKey(`${prefix}primary`);
    await now.tell();
    await expect.poll(serving, soon).toBe('server2');
  });

  it('a primary says that it serves beside its votes, which wait for nothing', async () => {
    const { gate, endpoint } = await gateway();
    const register = etcd.register(newPrefix(), { endpoints: [endpoint] });
    // Longer than anybody here waits.
    const server = serverAt(register, 'server1', { heartbeatTimeoutMs: 100_000 });
    const cells = await server.named();
    gate.fate = (path) => (path === '/v3/lease/grant' ? 'lose the question' : 'pass');
    await server.tell({ role: 'primary', phase: 'running', handover: null });
    await expect.poll(() => gate.calls, soon).toContain('/v3/lease/grant');
    expect((await server.tell({ vote: asking(cells, 1) }))?.cell).toMatchObject({
      term: 1,
      holder: 'server1',
    });
    expect(gate.calls.filter((it) => it === '/v3/lease/grant')).toHaveLength(1);
  });

  it('tells nothing of an etcd that a reload has taken away', async () => {
    const server = serverAt(etcd.register(newPrefix()));
    await server.named();
    server.update(null);
    const before = server.seen.length;
    expect(await server.tell({}, 500)).toBeNull();
    expect(server.seen).toHaveLength(before);
  });
});

describeEtcd('three members', () => {
  let etcd: RealEtcd;
  beforeAll(async () => {
    etcd = await RealEtcd.started(tests.authority, 3);
  });
  afterAll(() => etcd.remove());

  it('of which one is gone, or frozen, give terms away', async () => {
    const server = serverAt(etcd.register('/pgduet/one/'));
    const cells = await server.named();
    await etcd.kill(0);
    expect(await server.vote({ cells, attempt: 1 })).toMatchObject({
      term: 1,
      holder: 'server1',
      attempt: 1,
    });
    await etcd.start();
    etcd.signal(1, 'SIGSTOP');
    expect(await server.vote({ cells, term: 2, attempt: 2 })).toMatchObject({ term: 2, holder: 'server1' });
    etcd.signal(1, 'SIGCONT');
  });

  it('of which two are gone answer nobody, and know afterwards what they have told', async () => {
    const server = serverAt(etcd.register('/pgduet/two/'));
    const cells = await server.named();
    const told = await server.vote({ cells, attempt: 1 });
    await etcd.kill(1);
    await etcd.kill(2);
    await beat(server, () => server.seen.some((it) => it.startsWith('lost')));
    expect(server.seen.at(-1)).toMatch(/^lost arbiter1: .*nobody listens there.*nobody listens there/);
    expect(await server.vote({ cells, term: 2, attempt: 2 }, 3000)).toBeNull();
    await etcd.start();
    expect(told).toMatchObject({ term: 1, holder: 'server1' });
    expect(await server.vote({ cells, term: 2, attempt: 2 })).toMatchObject({ term: 2, attempt: 2 });
  });
});
