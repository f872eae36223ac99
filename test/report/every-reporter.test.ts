/**
 * Every reporter, given texts of a host in which a secret stands and which would move the cursor or begin a line of their own:
 * neither comes through, in any format. The table is complete: a file of src/report/ that is not in it is an error.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import type { RunEvent } from '../../src/apply/event.ts';
import type { Finding } from '../../src/check/finding.ts';
import type { CheckReport } from '../../src/check/report.ts';
import type { Cluster } from '../../src/inventory/cluster.ts';
import type { Certificates } from '../../src/observe/certificates.ts';
import { clusterStatus } from '../../src/observe/status.ts';
import type { View } from '../../src/observe/survey.ts';
import { makePlan, type Plan } from '../../src/plan/plan.ts';
import { withoutRestarts } from '../../src/plan/restarts.ts';
import { certificatesJson, certificatesText } from '../../src/report/certificates.ts';
import { changeJson, changesOf, changeText } from '../../src/report/check-change.ts';
import { checkJson } from '../../src/report/check-json.ts';
import { checkJunit } from '../../src/report/check-junit.ts';
import { checkNagios, failedNagios } from '../../src/report/check-nagios.ts';
import { checkPrometheus } from '../../src/report/check-prometheus.ts';
import { checkText } from '../../src/report/check-text.ts';
import { diagnosticJson, renderDiagnostic } from '../../src/report/diagnostic.ts';
import { plainReport } from '../../src/report/plain.ts';
import { planJson, planText } from '../../src/report/plan.ts';
import { renewalText } from '../../src/report/renewal.ts';
import { moveWords, notesText, pointText, rollingJson, sheetText } from '../../src/report/rolling.ts';
import { harmless, jsonText, shown } from '../../src/report/shown.ts';
import { statusJson, statusText } from '../../src/report/status.ts';
import { liveTree } from '../../src/report/tree.ts';
import { text } from '../../src/resources/contract/field.ts';
import { fieldsOf } from '../../src/resources/contract/fields.ts';
import {
  type AnyKind,
  anyKind,
  change,
  degraded,
  present,
  refuse,
  same,
  unknown,
} from '../../src/resources/contract/kind.ts';
import type { Situation } from '../../src/rolling/next.ts';
import { clusterOf, pairInventory } from '../observe/cluster.ts';
import { mixed } from './check-samples.ts';

const canary = 'Ca9naRy';
/** A secret, and what a terminal, a monitor or a reader of lines would act upon. */
const poison = `x PGPASSWORD=${canary} \u001b[2K\u009b31m\u202e\u200b\r\nFORGED`;
const file = (mark: string): string =>
  `${mark} = 1\nprimary_conninfo = 'host=a password=''${canary} x'''\n\u001b[2Jy = 2\nhost all all ::/0 ldap ldapbindpasswd="${canary} x"\n`;

const diagnostic = {
  code: 'SAF001',
  what: poison,
  why: poison,
  fix: poison,
  host: poison,
  evidence: [poison, `archive_command = 'x ${canary}'`],
} as const;

const restart = [{ action: 'restart', target: 'instance' }] as const;
const poisoned = {
  summary: poison,
  reason: poison,
  notes: [poison],
  text: { before: file('a'), after: file('b'), name: poison },
};

/** Its observation says which verdict it gives. */
const kind: AnyKind = anyKind<{ name: string }, string, typeof poisoned>({
  kind: 'thing',
  summary: 'A thing of tests.',
  fields: fieldsOf({ name: text('name of the thing') }),
  key: ({ name }) => name,
  describe: () => poison,
  probe: () => ({}),
  read: () => present(''),
  diff: (_, observed) => {
    const seen = observed.state === 'present' ? observed.value : '';
    if (seen === 'same') return same(poison);
    if (seen === 'refused') return refuse(diagnostic);
    if (seen === 'degraded') return degraded(diagnostic);
    return change<typeof poisoned>({ ...poisoned, ...(seen === 'restart' ? { effects: restart } : {}) });
  },
  steps: () => [],
});

const plan = (...seen: readonly string[]): Plan =>
  withoutRestarts(
    makePlan(
      seen.map((state, index) => ({
        resource: {
          host: 'server1',
          id: `thing ${index} ${poison}`,
          kind,
          desired: { name: '' },
          after: [],
          late: false,
        },
        observed: state === 'unknown' ? unknown(poison) : present(state),
      })),
    ),
    () => false,
  );
const plans = (): readonly Plan[] =>
  [
    ['same'],
    ['change', 'restart'],
    ['refused'],
    ['degraded'],
    ['unknown'],
    ['change', 'unknown', 'same'],
  ].map((seen) => plan(...seen));

const finding = (one: Finding): Finding => ({
  ...one,
  object: poison,
  what: poison,
  declared: poison,
  found: poison,
  source: poison,
  consequence: poison,
  repair: poison,
  diff: { name: poison, before: file('a'), after: file('b') },
});
const check: CheckReport = {
  ...mixed,
  clusters: mixed.clusters.map((cluster) => ({
    ...cluster,
    hosts: cluster.hosts.map((host) => ({ ...host, address: poison })),
    findings: cluster.findings.map(finding),
  })),
};
const before: CheckReport = {
  ...check,
  clusters: check.clusters.map((cluster) => ({
    ...cluster,
    findings: cluster.findings.map((one, index) =>
      index === 0 ? { ...one, object: `other ${poison}` } : { ...one, found: canary.slice(1) },
    ),
  })),
};

const at = { host: 'server1', title: poison, ms: 1 } as const;
const script = `put /x 0600 postgres: '${file('c')}'\nput /y 0600 postgres: 'archive_command = '\\''x ${canary}'\\'''\necho 'PASSWORD=${canary} x' # it's PASSWORD=${canary}\u001b[2K FORGED`;
const events: readonly RunEvent[] = [
  { kind: 'opening', host: 'server1', address: poison },
  { kind: 'opened', host: 'server1', ms: 1 },
  { kind: 'locked', host: 'server1', reply: { held: true } },
  { kind: 'observed', host: 'server1', ms: 1, probes: 1 },
  { kind: 'batch', number: 1, hosts: [{ host: 'server1', titles: [poison] }] },
  { kind: 'step', ...at, state: 'started' },
  { kind: 'progress', ...at, progress: { doneBytes: 1, totalBytes: 2 } },
  { kind: 'progress', ...at, progress: { meanwhile: poison } },
  { kind: 'step', ...at, state: 'failed' },
  { kind: 'step', ...at, state: 'done' },
  { kind: 'script', host: 'server1', script, status: 0, ms: 1 },
  { kind: 'verified', changes: 1, roundTrips: {}, ms: 1 },
];

let pair: Cluster;
beforeAll(async () => {
  pair = await clusterOf(pairInventory);
});
const view: View = { hosts: new Map(), primary: 'server1' };

function status() {
  const found = clusterStatus(pair, new Map(), 0);
  const rows = found.rows.map((row) => ({
    ...row,
    state: poison,
    controller: poison,
    why: poison,
    toDo: poison,
    lsn: poison,
    syncState: poison,
  }));
  const arbiter = {
    arbiter: 'a',
    address: 'b',
    heardBy: [poison],
    unheardBy: [{ server: 'c', why: poison }],
  };
  return { ...found, problem: poison, rows, arbiter };
}

function certificates(): Certificates {
  const row = {
    subject: poison,
    issuer: poison,
    names: [poison],
    fromMs: 0,
    untilMs: 0,
    daysLeft: 0,
    sha256: poison,
    serial: poison,
  };
  const servers = [
    {
      server: 'server1',
      showing: 'other',
      certificate: row,
      lies: row,
      next: row,
      problem: poison,
    } as const,
  ];
  return { cluster: 'inst1', primary: 'server1', servers, signers: [row] };
}

async function ofTree(): Promise<string> {
  const written: string[] = [];
  const spies = [process.stdout, process.stderr].map((stream) =>
    vi.spyOn(stream, 'write').mockImplementation((chunk) => written.push(String(chunk)) > 0),
  );
  try {
    const tree = liveTree(['server1']);
    for (const event of events) {
      tree.emit(event);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await tree.finish(true);
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
  return written.join('');
}

function ofPlain(): string {
  const lines: string[] = [];
  const report = plainReport({ verbose: true, elapsed: () => 0, write: (line) => lines.push(line) });
  for (const event of events) report(event);
  return lines.join('\n');
}

const doneSteps = ['out', 'command'] as const;
const update: Situation = {
  order: {
    format: 1,
    id: '0badcafe',
    cluster: 'shop',
    systemIdentifier: '7000',
    by: poison,
    made: '2026-11-30T12:00:00.000Z',
    servers: [
      { name: 'server2', machineId: '' },
      { name: 'server1', machineId: '' },
    ],
    primary: 'server1',
    home: null,
    to: null,
    work: {
      reboot: false,
      pause: false,
      command: poison,
      validate: poison,
      packages: { server2: { [poison]: poison } },
    },
    expected: '30m',
    rebootMs: 1,
    agreed: { alone: true, rebuild: false, despite: [] },
    known: [],
  },
  rows: new Map([
    [
      'server2',
      { id: '0badcafe', done: [{ step: 'out', at: 1, began: poison, ms: 1, states: {}, seen: poison }] },
    ],
  ]),
  primary: 'server1',
  out: new Set(['server2']),
  away: new Set(),
  held: new Set<string>(),
  able: new Set(['server2']),
};
const point = { name: 'check', host: poison, what: poison, fix: poison } as const;

const planOptions = { colour: false, diff: true, all: true };
/** By file of src/report/: everything that it makes. */
const reporters: Readonly<Record<string, () => readonly string[] | Promise<readonly string[]>>> = {
  'certificates.ts': () => [
    certificatesText(certificates(), false),
    jsonText(certificatesJson(certificates()), 2),
  ],
  'renewal.ts': () => {
    const state = {
      action: 'ca',
      servers: { server1: { shows: poison, ready: poison } },
      signers: [poison],
      unfinished: [poison],
    } as const;
    return [renewalText(state), jsonText(state)];
  },
  'check-change.ts': () =>
    changesOf(before, check).flatMap((one) => [
      changeText(one, { colour: false }),
      jsonText(changeJson(one)),
    ]),
  'check-json.ts': () => [jsonText(checkJson(check), 2)],
  'check-junit.ts': () => [checkJunit(check)],
  'check-nagios.ts': () => [checkNagios(check).text, failedNagios([diagnostic]).text],
  'check-prometheus.ts': () => [checkPrometheus(check)],
  'check-text.ts': () => [
    checkText(check, { colour: false, diff: true }),
    checkText(check, { colour: false, diff: true, width: 60 }),
  ],
  'diagnostic.ts': () => [
    renderDiagnostic(diagnostic, { color: false }),
    renderDiagnostic(diagnostic, { color: false, width: 50 }),
    jsonText(diagnosticJson(diagnostic)),
  ],
  'plain.ts': () => [ofPlain()],
  'plan.ts': () =>
    plans().flatMap((one) => [planText(one, pair, view, planOptions), jsonText({ plan: planJson(one) })]),
  'rolling.ts': () => [
    sheetText(update),
    pointText(point),
    notesText([poison]),
    ...doneSteps.map((step) => moveWords({ kind: 'work', server: poison, step })).map(shown),
    jsonText(
      rollingJson(update, { state: 'failed', exit: 1, points: [point], notes: [poison], left: [poison] }),
    ),
  ],
  'status.ts': () => [statusText(status(), false), jsonText(statusJson(status()))],
  'tree.ts': async () => [await ofTree()],
};
/** These make no output of texts of a host; what they give goes through the ones above, or is ours. */
const parts = [
  'check-words.ts',
  'colour.ts',
  'diff.ts',
  'explanation.ts',
  'preference.ts',
  'script.ts',
  'severity-colour.ts',
  'shown.ts',
  'table.ts',
  'xml.ts',
];

const acted = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/;

describe('a reporter', () => {
  it('is in the table, whoever adds it', () => {
    const files = readdirSync(join(import.meta.dirname, '../../src/report'));
    expect([...Object.keys(reporters), ...parts].sort()).toEqual(files.sort());
  });

  it('is asked by every verb: none makes a document by itself, but of a code, which is our own text', () => {
    const verbs = join(import.meta.dirname, '../../src/verbs');
    const making = readdirSync(verbs, { recursive: true, encoding: 'utf8' }).filter((file) =>
      /JSON\.stringify/.test(file.endsWith('.ts') ? readFileSync(join(verbs, file), 'utf8') : ''),
    );
    expect(making).toEqual(['explain.ts']);
  });

  it.each(Object.keys(reporters))(
    '%s shows no secret of others and nothing that a terminal acts on',
    async (name) => {
      const texts = (await reporters[name]?.()) ?? [];
      expect(texts.join('')).toContain('FORGED');
      for (const shown of texts) {
        expect(shown).not.toContain(canary);
        expect(acted.exec(shown)?.[0]).toBeUndefined();
        expect(shown.split('\n').filter((line) => /^FORGED/.test(line))).toEqual([]);
      }
    },
  );
});

it('what is written at last has no controls but line breaks and colours', () => {
  expect(harmless('\u001b[1mbold\u001b[0m\n\u001b[2J\u001b]0;x\u0007 \u009b1m\r')).toBe(
    '\u001b[1mbold\u001b[0m\n\\x1b[2J\\x1b]0;x\\x07 \\x9b1m\\x0d',
  );
});

it('a document for programs stays the same data', () => {
  const document = { a: ['\u001b\u009b\u202e\n"\\'], b: { c: 1, d: null } };
  expect(JSON.parse(jsonText(document, 2))).toEqual(document);
});
