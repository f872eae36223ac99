/** Reports of checks for the tests of what is made of them: one cluster as declared, one with a bit of everything, several. */
import type { Finding } from '../../src/check/finding.ts';
import { byGravity, findingOf, findingOfDiagnostic, type Reported } from '../../src/check/finding.ts';
import { type CheckReport, type ClusterReport, exitOf, type HostReport } from '../../src/check/report.ts';

const provision = 'pgduet provision -i inventory.yml';

export const host = (name: string, change: Partial<HostReport> = {}): HostReport => ({
  name,
  address: name === 'server1' ? '192.0.2.100' : '192.0.2.110',
  role: name === 'server1' ? 'primary' : 'standby',
  preferredRole: name === 'server1' ? 'primary' : 'standby',
  reached: true,
  roundTrips: 1,
  ...change,
});

export const finding = (
  told: Pick<Reported, 'code' | 'object'> & Partial<Reported>,
  diff: Finding['diff'] = null,
): Finding => ({
  ...findingOf({ host: 'server1', declared: 'a', found: 'b', ...told }, provision),
  diff,
});

export const cluster = (
  findings: readonly Finding[] = [],
  change: Partial<ClusterReport> = {},
): ClusterReport => ({
  cluster: 'inst1',
  inventory: 'inventory.yml',
  primary: 'server1',
  preferredPrimary: 'server1',
  secrets: { clusterKey: '2026-01-02T03:04:05Z', replicationPassword: null },
  hosts: [host('server1'), host('server2')],
  findings: [...findings].sort(byGravity),
  ...change,
});

export const report = (...clusters: readonly ClusterReport[]): CheckReport => ({
  clusters,
  at: '2026-11-20T12:00:00Z',
  ms: 480.4,
  exit: exitOf(clusters.flatMap(({ findings }) => findings)),
});

export const clean = report(cluster());

const settings = '/database/inst1/postgresql.conf';

export const fileDrift = finding(
  {
    code: 'FIL002',
    object: '/mcdir/inst1/network.conf',
    declared: 'as declared (sha256 0011aabb)',
    found: 'another content (sha256 ccdd2233)',
    since: 1795000000,
  },
  {
    name: '/mcdir/inst1/network.conf',
    before: 'server1 192.0.2.100\nserver2 192.0.2.111\n',
    after: 'server1 192.0.2.100\nserver2 192.0.2.110\n',
  },
);

export const memory = finding({
  code: 'SET001',
  object: 'work_mem',
  declared: '4MB',
  found: '64MB',
  source: `${settings}:12`,
});

export const refusal = findingOfDiagnostic(
  {
    code: 'SAF003',
    what: 'two primaries',
    why: 'both accept writes',
    fix: 'Stop the wrong one.',
    evidence: ['server1: runs, timeline 1', 'server2: runs, timeline 2'],
  },
  'danger',
);

export const unreached = finding({
  code: 'LOK002',
  object: 'server2',
  host: 'server2',
  declared: 'reachable',
  found: 'no answer from 192.0.2.110 port 22 in 10 s',
});

/** One of every severity, on one host, on two alike, on the cluster as a whole, with and without a diff. */
export const mixed = report(
  cluster([
    fileDrift,
    memory,
    finding({ code: 'UNT003', object: 'mcoi-inst1.service', declared: 'enabled', found: 'disabled' }),
    finding({
      code: 'UNT003',
      object: 'mcoi-inst1.service',
      host: 'server2',
      declared: 'enabled',
      found: 'disabled',
    }),
    finding({
      code: 'HBA002',
      object: 'line 7',
      declared: 'no trust',
      found: 'host all all 0.0.0.0/0 trust',
    }),
    finding({ code: 'CLK001', object: 'the clocks', host: null, declared: '1 s at most', found: '7 s' }),
    finding({ code: 'LOK001', object: 'pg_hba.conf', host: 'server2', found: 'permission denied' }),
    finding({ code: 'PRF001', object: 'server1', host: null, declared: 'server1', found: 'server2' }),
  ]),
);

/** What a host, or who owns it, might say to a terminal, to a monitor or to XML. */
export const evil = `a|b"c\\d'e<f>&g\u001b[31mh\ni\u0000j\u202ek]]>l=m`;

export const hostile = report(
  cluster([
    finding(
      { code: 'SET001', object: evil, declared: evil, found: evil, source: evil },
      { name: evil, before: `${evil}\n`, after: 'x\n' },
    ),
    finding({ code: 'LOK001', object: evil, found: evil, host: 'server2' }),
    finding({ code: 'ROL006', object: evil, found: evil, host: 'server2' }),
  ]),
);

/** Nine clusters as declared and one that is not, as a cron job over all inventories sees them. */
export const several = report(
  cluster([], { cluster: 'alpha', inventory: 'alpha.yml' }),
  cluster([fileDrift, unreached], {
    cluster: 'beta',
    inventory: 'beta.yml',
    hosts: [host('server1'), host('server2', { reached: false, role: 'unknown', roundTrips: 0 })],
  }),
  cluster([], { cluster: 'gamma', inventory: 'gamma.yml' }),
);
