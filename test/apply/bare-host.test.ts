/**
 * A host that carries no server, beside a pair of servers: it is compiled for, locked, looked at, changed, checked and shown as
 * any other, and nobody asks it for a data directory. An arbiter, a host of backups and a web host will be such hosts.
 */
import { existsSync, readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { audits } from '../../src/check/audits.ts';
import { clusterStatus } from '../../src/observe/status.ts';
import { preferredView } from '../../src/observe/survey.ts';
import { planText } from '../../src/report/plan.ts';
import { inspect } from '../../src/verbs/inspect.ts';
import { failureOf, me, type TestWorld, testWorld } from './world.ts';

let w: TestWorld;
beforeEach(async () => {
  w = await testWorld(undefined, ['web1']);
});
afterEach(() => w.remove());

const playbook = `
title: one host more
plays:
  - on: all
    resources:
      - directory: { path: '{{here}}/both', owner: ${me} }
  - on: web1
    resources:
      - package: { name: sh, provides: sh }
      - directory: { path: '{{here}}/www', owner: ${me} }
      - file: { path: '{{here}}/www/page', owner: ${me}, content: '{{host.name}} of {{cluster.name}}: {{#each servers}}{{name}} {{/each}}' }
`;

const scriptsOf = (host: string): string =>
  w.transport.scripts
    .filter((one) => one.host === host)
    .map(({ script }) => script)
    .join('\n');

describe('a run', () => {
  it('changes it, and finds nothing to do the second time', async () => {
    const first = await w.play(playbook);
    expect(first.changed.filter(({ host }) => host === 'web1').map(({ summary }) => summary)).toHaveLength(2);
    expect(readFileSync(w.at('web1', 'www/page'), 'utf8')).toBe('web1 of inst1: server1 server2 \n');
    const second = await w.play(playbook);
    expect(second.changed).toEqual([]);
    expect(second.roundTrips).toEqual({ server1: 1, server2: 1, web1: 1 });
  });

  it('leaves it out of a play for all, which means servers', async () => {
    await w.play(playbook);
    expect(existsSync(w.at('server1', 'both'))).toBe(true);
    expect(existsSync(w.at('web1', 'both'))).toBe(false);
  });

  it('locks it, and shows it in the plan by its name and address', async () => {
    const { plan, view } = await w.play(playbook, { confirm: async () => false });
    expect(w.events.filter(({ kind }) => kind === 'locked')).toHaveLength(3);
    const text = planText(plan, w.cluster, view, { colour: false, diff: false, all: true });
    expect(text).toContain('\nweb1  web1\n');
    expect(text).toContain('= package sh');
  });

  it('asks it for no data directory and no PostgreSQL', async () => {
    await w.play(playbook);
    expect(scriptsOf('server1')).toMatch(/pg_control|psql/);
    expect(scriptsOf('web1')).not.toMatch(/pg_control|psql|cluster\.key|pgpass"/);
    expect(scriptsOf('web1')).toContain('PGBIN= ');
  });

  it('refuses a kind that is about a server there, before anybody is contacted', async () => {
    const wrong = `
title: a role where no server is
plays:
  - on: web1
    resources:
      - role: { name: app }
      - file: { path: '/port-{{postgres.port}}', owner: root, content: x }
`;
    const { diagnostics, exitCode } = await failureOf(w.play(wrong));
    expect(exitCode).toBe(3);
    expect(diagnostics.map(({ code, what }) => `${code} ${what}`)).toEqual([
      'PLY003 role: the host carries no server',
      expect.stringMatching(/^PLY004 .*postgres\.port/),
    ]);
    expect(w.transport.scripts).toEqual([]);
  });
});

it('a check looks at it in one round trip, and says that it carries no server', async () => {
  await w.play(playbook);
  const report = await inspect(
    {
      cluster: w.cluster,
      compile: w.compiler(playbook),
      audits,
      version: '0.1.0',
      open: new Map(),
    },
    w.ports,
  );
  expect(
    report.hosts.map(({ name, role, reached, roundTrips }) => [name, role, reached, roundTrips]),
  ).toEqual([
    ['server1', 'primary', true, 1],
    ['server2', 'standby', true, 1],
    ['web1', 'none', true, 1],
  ]);
  expect(report.findings.filter(({ host }) => host === 'web1')).toEqual([]);
});

it('a check tells of what has gone from it', async () => {
  const report = await inspect(
    { cluster: w.cluster, compile: w.compiler(playbook), audits, version: '0.1.0', open: new Map() },
    w.ports,
  );
  expect(report.findings.filter(({ host }) => host === 'web1').map(({ object }) => object)).toEqual([
    w.at('web1', 'www'),
    w.at('web1', 'www/page'),
  ]);
});

it('the status of the cluster is that of its servers', () => {
  expect(clusterStatus(w.cluster, new Map(), 0).rows.map(({ server }) => server)).toEqual([
    'server1',
    'server2',
  ]);
  expect(preferredView(w.cluster).primary).toBe('server1');
});
