/** Two real instances, their controllers and an arbiter: a frozen primary is survived without a person, and is not a second one. */

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Secret } from '../../src/base/secret.ts';
import type { ArbiterStatus } from '../../src/controller/arbiter/status.ts';
import { arbiterKeyOf } from '../../src/controller/config-arbiter-key.ts';
import type { Persisted } from '../../src/controller/core/state.ts';
import { RealArbiter } from './support/arbiter.ts';
import { cannotRun, freePorts, Pair, signal } from './support/pair.ts';

if (cannotRun !== undefined && process.env.CI) throw new Error(cannotRun);

/** The processes of an instance, as far as they are there now. */
function processesOf(postmaster: number): number[] {
  const all = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const children = all.filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/status`, 'utf8').includes(`\nPPid:\t${postmaster}\n`);
    } catch (error) {
      if (error instanceof Error && 'code' in error) return false;
      throw error;
    }
  });
  return [postmaster, ...children.map(Number)];
}

describe.skipIf(cannotRun !== undefined)('two instances, their controllers and an arbiter', () => {
  const pair = new Pair();
  let arbiter: RealArbiter;
  beforeAll(async () => {
    await pair.create();
    const [port = 0] = await freePorts(1);
    arbiter = new RealArbiter(pair.bundle, port);
    const network = join(pair.mcdir, 'network.conf');
    const text = `${readFileSync(network, 'utf8')}arbiter1 127.0.0.1 ${port} arbiter\n`;
    writeFileSync(network, text);
    arbiter.write('clusters/one/network.conf', text);
    const key = new Secret(readFileSync(join(pair.mcdir, 'cluster.key'), 'utf8'));
    arbiter.write('clusters/one/arbiter.key', `${arbiterKeyOf(key).reveal()}\n`);
    for (const id of ['server1', 'server2'] as const)
      await pair.configure(id, 'heartbeat_error_action = arbitration');
    await arbiter.start();
  });
  afterAll(async () => {
    await pair.destroy();
    await arbiter.remove();
  });

  const stateOf = (id: string): Persisted =>
    (JSON.parse(readFileSync(join(pair.mcdir, `${id}.state.json`), 'utf8')) as { state: Persisted }).state;
  const cluster = () => (JSON.parse(arbiter.ctl('status', '--json').stdout) as ArbiterStatus).clusters[0];

  it('the promise of the primary names the cell of the arbiter', async () => {
    for (const id of ['server1', 'server2'])
      expect(pair.ctl('start', '--local-server', id)).toMatchObject({ status: 0, stderr: '' });
    for (const id of ['server1', 'server2'])
      await pair.until(
        id,
        (it) => it.mirroring_status === 'switchable' && it.arbiters?.[0]?.status === 'online',
      );
    const cells = [{ at: 'arbiter1', id: cluster()?.cell_id }];
    for (const id of ['server1', 'server2'])
      await expect.poll(() => stateOf(id).sync?.cells, { timeout: 20_000 }).toEqual(cells);
    await pair.until('server2', (it) => it.mirroring_status === 'switchable');
    expect(cluster()?.servers.map(({ status }) => status)).toEqual(['online', 'online']);
  });

  it('without the arbiter nothing happens, and it is told', async () => {
    await arbiter.kill();
    await pair.until('server1', (it) => it.arbiters?.[0]?.status === 'offline');
    expect(pair.sql(1, 'create table kept (it int); insert into kept values (1)').status).toBe(0);
    expect(pair.log('server1')).toMatch(/the arbiter arbiter1 is not heard: .* \(MCA01136\)/);
    await arbiter.start();
    await pair.until('server1', (it) => it.arbiters?.[0]?.status === 'online');
  });

  it('the standby of a frozen primary gets the term, and the former primary stops when it wakes up', async () => {
    await pair.until('server2', (it) => it.mirroring_status === 'switchable');
    const { term = 0 } = stateOf('server2').sync ?? {};
    const frozen = [pair.daemonPid('server1'), ...processesOf(pair.postmasterPid(1))];
    for (const pid of frozen) signal(pid, 'SIGSTOP');
    try {
      await expect
        .poll(() => pair.sql(2, 'select pg_is_in_recovery()').stdout, { timeout: 60_000 })
        .toBe('f\n');
      expect(pair.sql(2, 'select it from kept').stdout).toBe('1\n');
      expect(cluster()).toMatchObject({ term, holder: 'server2' });
      expect(arbiter.cellOnDisk()).toMatchObject({ term, holder: 'server2' });
    } finally {
      for (const pid of frozen) signal(pid, 'SIGCONT');
    }
    const row = (id: string) => pair.status('server1')?.servers.find((it) => it.server_id === id);
    await expect.poll(() => row('server1')?.instance, { timeout: 60_000 }).toMatch(/held|stopped/);
    await expect.poll(() => row('server2')?.host_role, { timeout: 20_000 }).toBe('primary');
    expect(stateOf('server2').sync).toMatchObject({ primary: 'server2', term: term + 1 });
  });
});
