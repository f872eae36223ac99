/** Verbs beside a standby in maintenance whose host is off: the other two servers switch, are rebuilt and provisioned, and automatic switching is turned off and on. */
import { afterAll, beforeAll, expect } from 'vitest';
import { describeLab, labTest } from '../harness/describe.ts';
import { type LabCluster, provisionedTrio } from '../support/cluster.ts';
import { type Server, sql, untilSwitchable } from '../support/instance.ts';
import { expectExit, findingsOf, type RunDocument } from '../support/pgduet.ts';

describeLab('beside a standby in maintenance', () => {
  let trio: LabCluster;
  let servers: readonly Server[];
  const server = (index: number): Server => {
    const found = servers[index];
    if (!found) throw new Error(`no server ${index}`);
    return found;
  };
  beforeAll(async () => {
    trio = await provisionedTrio();
    servers = trio.servers;
  });
  afterAll(() => trio?.close());

  const begin = (on: Server) =>
    on.host.sh(`mc_ctl maintenance begin --server server2 -M ${on.managementDir} --by alice --reason disks`, {
      user: on.owner,
      check: true,
    });

  labTest('the others switch, and the proof is about them', async () => {
    await begin(server(0));
    await server(1).host.powerOff();
    const refused = await trio.run('switch', '--to', 'server2', '--yes');
    expectExit(refused, 5);
    expect(refused.stderr).toContain('SAF015');
    const made = await trio.run('switch', '--yes');
    expectExit(made, 0);
    expect(made.stderr).toContain('server2 is left alone: in maintenance by alice');
    expect(made.stderr).toContain('2 of 3 servers were looked at; server2 is in maintenance.');
    expect(await sql(server(2), 'select pg_is_in_recovery()')).toBe('f');
    const told = findingsOf(await trio.check());
    expect(told.map(({ code, host }) => `${code} ${host}`)).toEqual(['PRF001 null', 'MNT001 server2']);
  });

  labTest('the others are rebuilt, and automatic switching is turned off and on', async () => {
    const [former, leads] = [server(0), server(2)];
    expectExit(await trio.run('rebuild', 'server1', '--copy', '--yes'), 0);
    const off = await trio.run('failover', 'off', '--yes', '--json');
    expectExit(off, 0);
    expect(off.json<RunDocument>().left_alone).toMatchObject([{ server: 'server2', by: 'alice' }]);
    expectExit(await trio.run('failover', 'on', '--yes'), 0);
    await Promise.all([former, leads].map(untilSwitchable));
    const made = await trio.provision('--json');
    expectExit(made, 0);
    expect(made.json<RunDocument>()).toMatchObject({ plan: [], left_alone: [{ server: 'server2' }] });
  });
});
