/**
 * Reference addresses under the shipped unit, on each Debian: an address that answers nothing is told, one that answers only an
 * echo, a datagram or a connection counts, over IPv4 and IPv6. A pair of each Debian has the same three hosts as references,
 * one for each way, so that all of them wait at the same time.
 */
import { expect } from 'vitest';
import { describeLab, labTest } from '../harness/describe.ts';
import { type Host, Lab } from '../harness/lab.ts';
import { until } from '../harness/run.ts';
import { type Server, serverOf, untilSwitchable } from '../support/instance.ts';
import { inventory, managementDir } from '../support/inventory.ts';
import { built, expectExit, pgduet } from '../support/pgduet.ts';

type Way = 'echo' | 'udp' | 'tcp';

/** The reference answers in this way alone, or in none. Rules in front of the local table take what comes in. */
const answersOnly = (reference: Host, way: Way | undefined) =>
  reference.sh(
    ['-4', '-6']
      .flatMap((family) => [
        `ip ${family} rule show | grep -q '^100:' || { ip ${family} rule add pref 100 lookup local; ip ${family} rule del pref 0; }`,
        `while ip ${family} rule del pref 10 2>/dev/null; do :; done`,
        ...(['udp', 'tcp'] as const)
          .filter((it) => it !== way)
          .map(
            (it) =>
              `ip ${family} rule add pref 10 ipproto ${it} dport ${it === 'udp' ? 33_434 : 7} blackhole`,
          ),
      ])
      .concat(
        ['ipv4/icmp_echo_ignore_all', 'ipv6/icmp/echo_ignore_all'].map(
          (name) => `echo ${way === 'echo' ? 0 : 1} > /proc/sys/net/${name}`,
        ),
      )
      .join('\n'),
    { check: true },
  );

interface Shown {
  readonly servers: readonly { readonly server_id: string; readonly quiet_references: readonly string[] }[];
}

async function quietOf({ host, id }: Server): Promise<string> {
  const { stdout } = await host.sh(`cat ${managementDir}/${id}.status.json`, { check: true });
  const { servers } = JSON.parse(stdout) as Shown;
  const quiet = servers.find(({ server_id }) => server_id === id)?.quiet_references ?? [];
  return quiet.toSorted().join();
}

const addressesOf = (references: readonly Host[]): string[] =>
  references.flatMap(({ address, address6 }) => [address, address6]);

/** Three rounds without an answer, 10 s apart, make an address quiet. */
const threeRounds = 35_000;

async function untilQuiet(
  servers: readonly Server[],
  quiet: readonly Host[],
  withinMs: number,
): Promise<void> {
  const wanted = addressesOf(quiet).toSorted().join();
  await Promise.all(
    servers.map((server) =>
      until(
        () => `the quiet addresses of ${server.id} do not become '${wanted}'`,
        withinMs,
        async () => ((await quietOf(server)) === wanted ? true : undefined),
        500,
      ),
    ),
  );
}

describeLab('reference addresses', () => {
  labTest('count whatever way they answer in, and are told when they do not', async () => {
    built();
    await using lab = await Lab.open();
    const [echo, udp, tcp] = await lab.hosts(3, { names: ['echo', 'udp', 'tcp'] });
    const twelve = await lab.hosts(2, { names: ['server1', 'server2'] });
    const thirteen = await lab.hosts(2, { image: 'debian13', names: ['server3', 'server4'] });
    const multiplexing = { reference_addresses: addressesOf([echo, udp, tcp]) };
    const files = [
      inventory(lab, twelve, { name: 'twelve.yml', version: 15, multiplexing }),
      inventory(lab, thirteen, { name: 'thirteen.yml', version: 17, multiplexing }),
    ];
    const hosts = [...twelve, ...thirteen];
    const servers = hosts.map((host) => serverOf(host));
    const checked = (file: string) => pgduet(lab)(['check', '-i', file]);

    await Promise.all([answersOnly(echo, 'echo'), answersOnly(udp, undefined), answersOnly(tcp, undefined)]);
    const provisioned = await Promise.all(
      files.map((file) => pgduet(lab)(['provision', '-i', file, '--yes'])),
    );
    for (const run of provisioned) expectExit(run, 0);
    await Promise.all(servers.map((server) => untilSwitchable(server)));
    await untilQuiet(servers, [udp, tcp], 2 * threeRounds);
    for (const run of await Promise.all(files.map(checked))) {
      expectExit(run, 1);
      expect(run.stdout).toContain('NET003');
    }

    await Promise.all([answersOnly(echo, undefined), answersOnly(udp, 'udp'), answersOnly(tcp, 'tcp')]);
    await untilQuiet(servers, [echo], 2 * threeRounds);
    await answersOnly(echo, 'echo');
    await untilQuiet(servers, [], 15_000);
    for (const run of await Promise.all(files.map(checked))) expectExit(run, 0);
    for (const host of hosts) {
      const { stdout } = await host.sh('cat /proc/sys/net/ipv4/ping_group_range', { check: true });
      expect(stdout.trim().split(/\s+/)).toEqual(['0', '2147483647']);
    }
  });
});
