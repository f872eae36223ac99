/** Every kind of the registry against its table, and what has to hold for every kind whatever its table says. */

import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import type { Command } from '../../src/base/command.ts';
import { shownScript } from '../../src/report/script.ts';
import type { Difference, Verdict } from '../../src/resources/contract/kind.ts';
import { preamble } from '../../src/resources/contract/preamble.ts';
import { kinds } from '../../src/resources/registry.ts';
import { wrongWithKind } from '../playbook/playbook-schema.ts';
import { tables } from './cases/tables.ts';
import {
  type Case,
  canary,
  desiredOf,
  differenceText,
  type ExpectedDifference,
  fullReply,
  type KindCases,
  kindNamed,
  parseDesired,
  sampleContext,
  samplePlace,
} from './cases.ts';

const functions = preamble({ postgresVersion: 15, owner: 'postgres', socketDir: '/tmp', port: 27500 });

function matches(text: string, words: string | RegExp, what: string): void {
  if (typeof words === 'string') expect(text, what).toContain(words);
  else expect(text, what).toMatch(words);
}

/** A syntax error in one probe would silence all probes of its host. */
function expectShell(script: string): void {
  const { status, stderr } = spawnSync('sh', ['-n'], {
    input: `${functions}\n${script}\n`,
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  expect(status).toBe(0);
}

const expectTexts = (found: readonly Difference[] = [], wanted: readonly string[]): void =>
  expect(found.map(differenceText)).toEqual(wanted);

const differencesIn = (verdict: Verdict): readonly Difference[] =>
  (verdict.kind === 'change'
    ? verdict.change.differences
    : 'differences' in verdict
      ? verdict.differences
      : []) ?? [];

const expectReported = (verdict: Verdict, tells: readonly ExpectedDifference[]): void =>
  expect(differencesIn(verdict)).toMatchObject(tells);

/** What a message names between backquotes is data, and the other way round. */
function expectCommands(text: string, commands: readonly Command[] = []): void {
  const named = [...text.matchAll(/`([^`]+)`/g)].map(([, run]) => run);
  expect(commands.map(({ run }) => run)).toEqual(named);
}

function judge(table: KindCases, one: Case): void {
  const { desired: yaml = table.desired, reply, gives, tells, server } = one;
  const kind = kindNamed(table.kind);
  const desired = desiredOf(table.kind, yaml, sampleContext({ server: { ...samplePlace, ...server } }));
  const observed = kind.read(fullReply(reply), desired);
  if (observed.state === 'unknown') {
    expect(gives).toHaveProperty('unknown');
    if ('unknown' in gives) matches(observed.reason, gives.unknown, 'the reason');
    expect(observed.reason.trim()).not.toBe('');
    return;
  }
  const verdict = kind.diff(desired, observed);
  expect(JSON.stringify([verdict, kind.key(desired), kind.describe(desired)])).not.toContain('canary');
  if (tells) expectReported(verdict, tells);
  if ('diagnostic' in verdict) expectCommands(verdict.diagnostic.fix, verdict.diagnostic.commands);
  for (const { repair, commands } of differencesIn(verdict)) expectCommands(repair ?? '', commands);
  switch (verdict.kind) {
    case 'same':
      expect(gives).toHaveProperty('same');
      if ('same' in gives) matches(verdict.reason, gives.same, 'the reason');
      expect(verdict.reason.trim()).not.toBe('');
      if ('same' in gives && !tells) expectTexts(verdict.differences, gives.differences ?? []);
      return;
    case 'refuse':
      expect(gives).toHaveProperty('refuse', verdict.diagnostic.code);
      if ('refuse' in gives) matches(verdict.diagnostic.what, gives.what, 'what');
      if ('refuse' in gives && gives.fix) matches(verdict.diagnostic.fix, gives.fix, 'the fix');
      return;
    case 'degraded': {
      expect(gives).toHaveProperty('degraded');
      if (!('degraded' in gives)) return;
      matches(verdict.diagnostic.what, gives.degraded, 'what');
      matches(verdict.diagnostic.why, gives.why, 'why');
      matches(verdict.diagnostic.fix, gives.fix, 'the fix');
      return;
    }
    case 'change': {
      expect(gives).toHaveProperty('change');
      if (!('change' in gives)) return;
      const { change } = verdict;
      matches(change.summary, gives.change, 'the summary');
      matches(change.reason, gives.reason, 'the reason');
      if (gives.differences) expectTexts(change.differences, gives.differences);
      for (const words of gives.notes ?? []) matches((change.notes ?? []).join('\n'), words, 'the notes');
      if (gives.effects) expect(change.effects ?? []).toEqual(gives.effects);
      const steps = kind.steps(change, desired);
      const script = steps.map((step) => step.script).join('\n');
      for (const words of gives.script ?? []) matches(script, words, 'the script');
      for (const words of gives.scriptLacks ?? []) expect(script).not.toContain(words);
      expect(steps.length > 0, 'whether there are steps').toBe(gives.noSteps !== true);
      if (gives.noSteps) expect(change.effects ?? []).not.toEqual([]);
      for (const step of steps) {
        expect(step.title).not.toContain('canary');
        expectShell(step.script);
        expect(shownScript(`${functions}\n${step.script}`), 'what --verbose shows').not.toMatch(
          /^\(a script of/,
        );
      }
    }
  }
}

it('every kind of the registry has cases, and every table has a kind', () => {
  expect(tables.map((table) => table.kind).sort()).toEqual([...kinds.keys()].sort());
});

describe.each(tables.map((table) => [table.kind, table] as const))('%s', (name, table) => {
  const kind = kindNamed(name);
  const desired = desiredOf(name, table.desired);

  it.each(table.cases.map((one) => [one.title, one] as const))('when %s', (_, one) => judge(table, one));

  it('has cases that are the same and cases that are unknown', () => {
    expect(table.cases.some(({ gives }) => 'same' in gives)).toBe(true);
    expect(table.cases.some(({ gives }) => 'unknown' in gives)).toBe(true);
  });

  it.each(table.errors.map((error) => [error.desired, error] as const))(
    'refuses %s with its place',
    (yaml, error) => {
      const parsed = parseDesired(name, yaml);
      const problems = parsed.ok ? [] : parsed.diagnostics;
      const found = problems.find(({ what }) =>
        typeof error.what === 'string' ? what.includes(error.what) : error.what.test(what),
      );
      expect(found, JSON.stringify(problems.map(({ what }) => what))).toBeDefined();
      expect(`${found?.at?.line}:${found?.at?.column}`).toBe(error.at);
      expect(found?.code).toBe('PLY003');
      expect(found?.what).toContain(`${name}: `);
      expect(wrongWithKind(name, yaml).length > 0, 'whether an editor sees it').toBe(!error.beyondSchema);
    },
  );

  const former = Object.entries(kind.fields.table).filter(([, { former: gone }]) => gone);
  const takesPlace = () => {
    const same = `id: server1, data_dir: /database/inst1, wal_dir: '', management_dir: /mcdir/inst1, owner: postgres, version: 15, mc_ctl: /usr/local/bin/mc_ctl`;
    expect(desiredOf(name, table.desired.replace('{', `{ ${same}, `))).toEqual(desired);
    for (const [field] of former) {
      const parsed = parseDesired(name, table.desired.replace('{', `{ ${field}: /x, `));
      const problems = parsed.ok ? [] : parsed.diagnostics;
      expect(problems.map(({ what, at }) => `${at?.column} ${what}`)).toEqual([
        expect.stringMatching(
          new RegExp(`^${field.length + 5} ${name}: '${field}' is '/x', and the inventory says '`),
        ),
      ]);
    }
  };
  if (former.length > 0) it('takes the place of its server from the inventory, and no other one', takesPlace);

  it('is right for an editor, too, wherever it is right here', () => {
    for (const yaml of [table.desired, ...table.cases.flatMap(({ desired: other }) => other ?? [])])
      expect(wrongWithKind(name, yaml), yaml).toEqual([]);
  });

  it.each([
    ['a map with a field that nobody knows', '{ certainly_not_a_field: 1 }'],
    ['a list', '[]'],
    ['nothing', ''],
  ])('does not throw for %s', (_, yaml) => {
    expect(parseDesired(name, yaml).ok).toBe(false);
  });

  it('is told apart by its key and has words for a plan', () => {
    expect(kind.key(desired)).toBe(table.key);
    expect(kind.describe(desired)).toBe(table.describes);
    expect(kind.summary).toMatch(/^\S.*\.$/);
  });

  it('asks in valid shell, with no secret in the question', () => {
    const { shell, sql, stat } = kind.probe(desired);
    expect(shell ?? sql ?? stat).toBeDefined();
    if (shell !== undefined) expectShell(`(\n${shell}\n)`);
    expect(`${shell} ${sql}`).not.toContain(canary.slice(0, 6));
  });

  it.each([
    ['the connection gave nothing', { status: 255 }],
    ['the shell was killed', { status: 137, stderr: 'Killed' }],
    ['a program is missing', { status: 127, stderr: 'sh: 1: not found' }],
    ['it says something else', { status: 126, stdout: 'Warning: the disk is read-only\n' }],
    ['the database did not answer either', { status: 255, sqlProblem: 'FATAL: the system is starting up' }],
  ])('is unknown, never absent, when %s', (_, reply) => {
    const observed = kind.read(fullReply(reply), desired);
    expect(observed.state).toBe('unknown');
    expect(observed.state === 'unknown' && observed.reason.trim()).not.toBe('');
  });
});
