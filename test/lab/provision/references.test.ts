/**
 * Reference addresses under the shipped unit, on each Debian: an address that answers nothing is told, one that answers only an
 * echo, a datagram or a connection counts, over IPv4 and IPv6. A third host is the reference.
 */
import { expect } from 'vitest';
import { describeLab, labTest } from '../harness/describe.ts';
import { type Host, type ImageName, Lab } from '../harness/lab.ts';
import { until } from '../harness/run.ts';
import { type Server, serverOf, untilSwitchable } from '../support/instance.ts';
import { inventory, managementDir } from '../support/inventory.ts';
import { built, expectExit, pgduet } from '../support/pgduet.ts';

type Way = 'echo' | 'udp' | 'tcp';

/** The reference answers in this way alone, or in none. Rules in front of the local table take what comes in. */
const answersOnly = (reference: Host, way: Way | null) =>
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

async function quietOf({ host, id }: Server): Promise<readonly string[]> {
  const { stdout } = await host.sh(`cat ${managementDir}/${id}.status.json`, { check: true });
  const { servers } = JSON.parse(stdout) as Shown;
  return servers.find(({ server_id }) => server_id === id)?.quiet_references ?? [];
}

const untilQuiet = (server: Server, wanted: readonly string[], withinMs: number): Promise<true> =>
  until(
    () => `the quiet addresses of ${server.id} do not become '${wanted}'`,
    withinMs,
    async () => ((await quietOf(server)).join() === wanted.join() ? true : undefined),
    500,
  );

/** Three rounds without an answer, 10 s apart, make an address quiet. */
const threeRounds = 35_000;

const cases: readonly { readonly image: ImageName; readonly version: number }[] = [
  { image: 'debian12', version: 15 },
  { image: 'debian13', version: 17 },
];

describeLab('reference addresses', () => {
  for (const { image, version } of cases)
    labTest(`count on ${image} whatever way they answer in, and are told when they do not`, async () => {
      built();
      await using lab = await Lab.open();
      const [a, b, reference] = await lab.hosts(3, { image, names: ['server1', 'server2', 'router'] });
      const addresses = [reference.address, reference.address6];
      const wish = { version, multiplexing: { reference_addresses: addresses } };
      const file = inventory(lab, [a, b], wish);
      const servers = [serverOf(a), serverOf(b)];
      await answersOnly(reference, null);
      expectExit(await pgduet(lab)(['provision', '-i', file, '--yes']), 0);
      await Promise.all(servers.map((server) => untilSwitchable(server)));
      await Promise.all(servers.map((server) => untilQuiet(server, addresses, 2 * threeRounds)));
      const checked = await pgduet(lab)(['check', '-i', file]);
      expectExit(checked, 1);
      expect(checked.stdout).toContain('NET003');
      for (const way of ['echo', 'udp', 'tcp'] as const) {
        await answersOnly(reference, way);
        await Promise.all(servers.map((server) => untilQuiet(server, [], 15_000)));
        if (way === 'tcp') continue;
        await answersOnly(reference, null);
        await Promise.all(servers.map((server) => untilQuiet(server, addresses, 2 * threeRounds)));
      }
      expectExit(await pgduet(lab)(['check', '-i', file]), 0);
      const parameter = await a.sh('cat /proc/sys/net/ipv4/ping_group_range', { check: true });
      expect(parameter.stdout.trim().split(/\s+/)).toEqual(['0', '2147483647']);
    });
});
