/**
 * A provisioning with an arbiter that does not go as it should: interrupted, begun twice, without the arbiter's host; and what the
 * hosts know of each other's keys afterwards.
 */
import { afterAll, beforeAll, expect } from 'vitest';
import { Secret } from '../../../src/base/secret.ts';
import { arbiterKeyOf } from '../../../src/controller/config-arbiter-key.ts';
import { describeLab, labTest } from '../harness/describe.ts';
import { type Host, Lab } from '../harness/lab.ts';
import { until } from '../harness/run.ts';
import { fileText, mcCtlStatus, serverOf, untilSwitchable } from '../support/instance.ts';
import { inventory, managementDir } from '../support/inventory.ts';
import { built } from '../support/pgduet.ts';
import { type Ended, Run } from '../support/running.ts';

const directory = '/mcarb/arbiter';
const keyFile = `${directory}/clusters/inst1/arbiter.key`;

describeLab('a provisioning with an arbiter', () => {
  let lab: Lab;
  let file: string;
  let hosts: readonly [Host, Host, Host];
  const said: Ended[] = [];
  beforeAll(async () => {
    built();
    lab = await Lab.open();
    hosts = await lab.hosts(3, { names: ['server1', 'server2', 'arb1'] });
    const [a, b, c] = hosts;
    file = inventory(lab, [a, b], {
      multiplexing: { on_heartbeat_loss: undefined },
      hosts: {
        server1: { address: a.address, role: 'primary' },
        server2: { address: b.address, role: 'standby' },
        arb1: { address: c.address, role: 'arbiter' },
      },
    });
  });
  afterAll(() => lab?.close());
  const start = (verb: string, ...more: string[]) => new Run([verb, '-i', file, ...more]);
  async function ends(run: Run, ...statuses: readonly number[]): Promise<Ended> {
    const ended = await run.ended;
    said.push(ended);
    expect(statuses, `${ended.stdout}\n${ended.stderr}`).toContain(ended.status);
    return ended;
  }

  labTest('that is interrupted leaves nothing that keeps the next one from its end', async () => {
    const run = start('provision', '--yes');
    await until(
      () => `nothing of the arbiter was made:\n${run.stderr}`,
      60_000,
      async () => ((await hosts[2].sh(`test -e ${directory}`)).status === 0 ? true : undefined),
      20,
    );
    run.child.kill('SIGINT');
    await ends(run, 130);
    await ends(start('provision', '--yes'), 0);
    expect((await ends(start('provision', '--yes', '--json'), 0)).stdout).toContain('"plan": []');
    for (const host of hosts.slice(0, 2)) await untilSwitchable(serverOf(host));
  });

  labTest('that is begun twice lets one in, and tells the other one', async () => {
    await hosts[2].sh(`echo '# somebody was here' >> ${directory}/arbitration.conf`, { check: true });
    const both = [start('provision', '--yes'), start('provision', '--yes')];
    const ended = await Promise.all(both.map((run) => ends(run, 0, 6)));
    expect(ended.map(({ status }) => status).sort()).toEqual([0, 6]);
    expect(ended.find(({ status }) => status === 6)?.stderr).toContain('RUN001');
  });

  labTest('whose arbiter is down says which host, and touches nobody', async () => {
    await hosts[2].powerOff();
    const down = await ends(start('provision', '--yes'), 4);
    expect(down.stderr).toMatch(/CON\d+.*arb1|arb1.*CON\d+/);
    expect(await mcCtlStatus(serverOf(hosts[0]))).toContain('switchable');
    await hosts[2].powerOn();
    await ends(start('provision', '--yes'), 0);
  });

  labTest('gives each host the keys that it needs, and shows none of them', async () => {
    const clusterKey = fileText(hosts[0], `${managementDir}/cluster.key`).trim();
    const arbiterKey = fileText(hosts[2], keyFile).trim();
    expect(arbiterKey).toBe(arbiterKeyOf(new Secret(clusterKey)).reveal());
    const places = async (host: Host, key: string): Promise<readonly string[]> => {
      const found = await host.sh(
        // The journal is binary, and its files are among these.
        'grep -rlsF --exclude-dir=proc --exclude-dir=sys --exclude-dir=dev -f - / | LC_ALL=C sort',
        { input: `${key}\n` },
      );
      return found.stdout.trim().split('\n').filter(Boolean);
    };
    for (const host of hosts.slice(0, 2)) {
      expect(await places(host, clusterKey), host.name).toEqual([`${managementDir}/cluster.key`]);
      expect(await places(host, arbiterKey), host.name).toEqual([]);
    }
    expect(await places(hosts[2], arbiterKey)).toEqual([keyFile]);
    expect(await places(hosts[2], clusterKey)).toEqual([]);
    expect((await hosts[2].sh(`stat -c '%a %U' ${keyFile}`)).stdout.trim()).toBe('600 mcarb');
    const all = said.map(({ stdout, stderr }) => `${stdout}${stderr}`).join('\n');
    for (const key of [clusterKey, arbiterKey]) expect(all.includes(key)).toBe(false);
  });
});
