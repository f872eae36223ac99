/**
 * Secrets of others from what a host answers to what is shown: rules, settings and lines of files, each with one, become
 * observations, differences, a plan and findings, and stand in none of the formats.
 */
import { expect, it } from 'vitest';
import { openFinding } from '../../src/check/finding.ts';
import { planFindings } from '../../src/check/from-plan.ts';
import { makePlan, type ObservedResource } from '../../src/plan/plan.ts';
import { checkJson } from '../../src/report/check-json.ts';
import { checkJunit } from '../../src/report/check-junit.ts';
import { checkNagios } from '../../src/report/check-nagios.ts';
import { checkPrometheus } from '../../src/report/check-prometheus.ts';
import { checkText } from '../../src/report/check-text.ts';
import { planJson } from '../../src/report/plan.ts';
import { jsonText } from '../../src/report/shown.ts';
import type { ProbeReply } from '../../src/resources/contract/kind.ts';
import { cluster, report } from '../report/check-samples.ts';
import { fileLine, live } from '../resources/cases/drift.ts';
import { desiredOf, fullReply, kindNamed } from '../resources/cases.ts';

const secret = 'Ca9naRy';

function observed(name: string, yaml: string, reply: Partial<ProbeReply>): ObservedResource {
  const kind = kindNamed(name);
  const desired = desiredOf(name, yaml);
  return {
    resource: { host: 'server1', id: `${name} ${yaml}`, kind, desired, after: [], late: false },
    observed: kind.read(fullReply(reply), desired),
  };
}

const values = {
  archive_command: `KEY=${secret} declared %p`,
  'vault.token': `${secret}1`,
  primary_conninfo: `host=a password=${secret}`,
};
const found = {
  archive_command: `PGPASSWORD=${secret} curl -u a:${secret} -p${secret} https://u:${secret}@h/%f`,
  'vault.token': `${secret}2`,
  primary_conninfo: `postgresql://u:${secret}@h/d?password=${secret}`,
};
const line = ([name, value]: readonly string[]): string => `${name} = '${value}'`;
const fact = { context: 'sighup', pending: false, source: 'command line', type: 'string' };

const seen = (): readonly ObservedResource[] => [
  observed('hba', '{ template: hba.hbs }', {
    stdout: `100 600 postgres\nrunning\nhost all all ::/0 ldap ldapserver=h ldapbindpasswd="${secret} ""${secret}"""\nhost all all ::/0 radius radiussecrets=\\\n${secret}, ${secret}\n`,
    sql: {
      loaded: 200,
      broken: false,
      rows: [{ line: 2, method: null, error: `could not parse RADIUS secrets list "${secret}"` }],
    },
  }),
  ...[
    { stdout: 'stopped', sql: undefined },
    { stdout: 'running', sql: {} },
  ].map(({ stdout, sql }) =>
    observed('settings', `{ name: '${stdout}', values: ${JSON.stringify(values)} }`, {
      stdout: `100 600 postgres\n${stdout}\n${Object.entries(found).map(line).join('\n')}\n`,
      ...(sql && {
        sql: {
          ...live(),
          settings: Object.fromEntries(
            Object.entries(found).map(([name, value]) => [name, { ...fact, value, raw: value }]),
          ),
          lines: Object.entries(found).map(([name, value]) => fileLine(name, value, { file: '/x.conf' })),
          overrides: [{ role: 'app', database: null, setting: `vault.token=${secret}` }],
        },
      }),
    }),
  ),
  observed('line', '{ path: /etc/x, line: "word PASSWORD=1" }', {
    stdout: `100\nword PASSWORD=${secret}\nword TOKEN="${secret} x"\n`,
  }),
  observed('file', '{ path: /etc/x, owner: root, content: "a" }', {
    stdout: `regular file|644|root|root|100|100\narchive_command = 'x ${secret}'\n`,
  }),
];

it('no format of a check shows one, nor the JSON of a plan', () => {
  const plan = makePlan(seen());
  const findings = planFindings(plan, 'pgduet provision').map(openFinding);
  const codes = findings.map(({ code }) => code);
  for (const code of ['HBA001', 'HBA004', 'SET001', 'SET003', 'SET004', 'SET005', 'FIL008', 'FIL002'])
    expect(codes).toContain(code);
  const told = report(cluster(findings));
  const shown = [
    checkText(told, { colour: false, diff: true }),
    checkText(told, { colour: false, diff: true, width: 60 }),
    jsonText(checkJson(told)),
    checkJunit(told),
    checkNagios(told).text,
    checkPrometheus(told),
    jsonText({ plan: planJson(plan) }),
  ];
  for (const text of shown) expect(text.split('\n').filter((row) => row.includes(secret))).toEqual([]);
  // What differs only in what is not shown says so.
  expect(shown[0]).toContain('*** (another one; it is not shown)');
});
