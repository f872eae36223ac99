/**
 * What we make of PostgreSQL's files, beside what PostgreSQL itself makes of them: settings by pg_file_settings, rules by
 * pg_hba_file_rules, and by a server that is to start with them. One cluster of initdb for all; no server runs.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { quote } from '../../src/base/shell.ts';
import { assignmentIn, isUnreadable } from '../../src/postgres/conf-lines.ts';
import { authLines, fieldText, listedNames, methodOf } from '../../src/postgres/hba-tokens.ts';
import { recoveryNames, recoverySettings } from '../../src/postgres/recovery-settings.ts';
import { tryFunctions } from '../../src/resources/contract/tried.ts';

const bin = '/usr/lib/postgresql/15/bin';

/** A server never runs as root; then it runs as nobody. */
const asOrdinaryUser = (
  script: string,
  input = '',
): { status: number | null; stdout: string; stderr: string } =>
  process.getuid?.() === 0
    ? spawnSync('runuser', ['-u', 'nobody', '--', 'sh', '-c', script], { encoding: 'utf8', cwd: '/', input })
    : spawnSync('sh', ['-c', script], { encoding: 'utf8', input });

describe.skipIf(!existsSync(`${bin}/initdb`))('PostgreSQL 15', () => {
  const dir = mkdtempSync(join(tmpdir(), 'pgduet-eyes-'));
  const data = join(dir, 'data');
  const at = (name: string): string => join(dir, name);

  /** Each row as JSON, by a server of one process. */
  function ask(query: string): readonly Readonly<Record<string, unknown>>[] {
    const { stdout, stderr } = asOrdinaryUser(
      `${bin}/postgres --single -j -D ${quote(data)} -c config_file=${quote(at('conf'))} -c hba_file=${quote(at('hba'))} postgres`,
      `select to_jsonb(q)::text as x from (${query}) q;\n\n`,
    );
    if (!stdout.includes('backend>')) throw new Error(stderr);
    return [...stdout.matchAll(/^\t 1: x = "(.*)"\t\(typeid/gm)].map(([, json = '']) => JSON.parse(json));
  }

  beforeAll(() => {
    chmodSync(dir, 0o777);
    const made = asOrdinaryUser(
      `${bin}/initdb --no-sync -E UTF8 --locale=C.UTF-8 -A peer -D ${quote(data)} 2>&1`,
    );
    expect(made.stdout).toContain('Success');
    for (const name of ['conf', 'hba']) writeFileSync(at(name), '');
  });
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  const settingLine = fc
    .tuple(
      fc.constantFrom('', ' ', '\t', '\r'),
      fc.constantFrom('app.x', 'App.Y', 'cluster_name', 'app.é', '_a.b', 'a-b', '1a', "'q'", 'a.b.c'),
      fc.constantFrom('=', ' = ', '\t=\r', ' ', '', ' = = '),
      fc.constantFrom(
        "'x'",
        "''",
        "'it''s'",
        "'a\\'b'",
        "'a\\\\'",
        "'\\303\\251\\n'",
        "'# no comment'",
        "'open",
        "'a'b",
        "'é'",
        'on',
        'a.b',
        'a.b.c',
        'a/b:c-d',
        '1',
        '-1',
        '+0x1F',
        '64MB',
        '1.5',
        '1.5GB',
        '.5e-3',
        '1e3',
        'a b',
        '',
        'C:\\x',
        '*',
      ),
      fc.constantFrom('', '#c', " # it's", '\t', ' \r', ' x', "# 'open"),
      fc.constantFrom('', '\r', '\r\r'),
    )
    .map((parts) => parts.join(''));

  it('reads every line of postgresql.conf as we do', () => {
    const lines = fc.sample(settingLine, { numRuns: 1500, seed: 7 });
    const known = (line: string): boolean => /\.|^cluster_name$/.test(assignmentIn(line)?.name ?? '');
    const [good, bad] = [lines.filter(known), lines.filter(isUnreadable)];
    expect(Math.min(good.length, bad.length)).toBeGreaterThan(100);
    writeFileSync(at('conf'), good.join('\n'));
    const rows = ask('select sourceline as line, name, setting from pg_file_settings where sourceline > 0');
    const read = new Map(rows.map((row) => [row.line, row]));
    for (const [index, line] of good.entries()) {
      const row = read.get(index + 1);
      expect([String(row?.name).toLowerCase(), row?.setting], JSON.stringify(line)).toEqual(
        Object.values(assignmentIn(line) ?? {}),
      );
    }
    // What cannot be read ends the file that it stands in, so each has one of its own.
    const odd = bad.slice(0, 100);
    for (const [index, line] of odd.entries()) writeFileSync(at(`bad${index}`), line);
    writeFileSync(at('conf'), odd.map((_, index) => `include 'bad${index}'\n`).join(''));
    const said = asOrdinaryUser(
      `${bin}/postgres -D ${quote(data)} -C port -c config_file=${quote(at('conf'))}`,
    );
    for (const [index, line] of odd.entries())
      expect(said.stderr, JSON.stringify(line)).toContain(`syntax error in file "${at(`bad${index}`)}"`);
    writeFileSync(at('conf'), '');
  });

  it('knows the settings that are left from a recovery, with these values when nobody has set them', () => {
    const rows = ask(
      `select name, boot_val from pg_settings where name in (${recoveryNames.map((name) => `'${name}'`).join(', ')})`,
    );
    expect(Object.fromEntries(rows.map(({ name, boot_val }) => [name, boot_val]))).toEqual(
      Object.fromEntries(recoveryNames.map((name) => [name, recoverySettings[name]?.neutral])),
    );
  });

  const word = fc.constantFrom(
    'all',
    'app',
    '"all"',
    '"my db"',
    'my" "db',
    'a,b',
    'a, b',
    '+staff',
    '"+staff"',
    '"a""b"',
    '"@jane"',
    'x"#"y',
    '""',
    'é',
  );
  const rule = fc
    .tuple(
      word,
      word,
      fc.constantFrom('10.0.0.0/8', '10.0.0.1 255.0.0.0', 'all', '::1/128', '.example.com'),
      fc.constantFrom(
        'scram-sha-256',
        '"trust"',
        'reject',
        'ldap ldapserver=a ldapprefix="" ldapsuffix="@corp, x"',
      ),
      fc.constantFrom('', ' # all', '#x', ' \\\n', '\t'),
      fc.constantFrom('', '\r'),
    )
    .map(
      ([database, user, address, method, rest, end]) =>
        `host ${database}\t${user} ${address}  ${method}${rest}${end}`,
    );
  const unescaped = (list: unknown): string => (Array.isArray(list) ? list.join(' ') : String(list));

  it('reads every line of pg_hba.conf as we do', () => {
    const lines = [
      '# begin \\',
      'host a b c d',
      '',
      ...fc.sample(rule, { numRuns: 300, seed: 7 }),
      '# no line end',
    ];
    writeFileSync(at('hba'), lines.join('\n'));
    const rows = ask(
      'select line_number as line, type, database, user_name as users, address, auth_method as method, error from pg_hba_file_rules',
    );
    const ours = authLines(lines.join('\n'));
    expect(rows.map(({ line, error }) => [line, error])).toEqual(ours.map(({ line }) => [line, null]));
    for (const [index, row] of rows.entries()) {
      const mine = ours[index];
      const texts = (field: number): string => (mine?.fields[field] ?? []).map(({ text }) => text).join(' ');
      expect(
        [unescaped(row.database), unescaped(row.users), row.method],
        JSON.stringify(lines[index]),
      ).toEqual([texts(1), texts(2), mine && methodOf(mine)]);
    }
  });

  const inventoryName = fc.oneof(
    fc.constantFrom(
      'all',
      'my db',
      'Jane Doe',
      '"all"',
      '"one, two"',
      '+my group',
      'a#b',
      'é x',
      '"a""b"',
      '"/^a{1,2}$"',
      'x\ty',
    ),
    fc.string({ unit: 'grapheme', minLength: 1 }),
  );

  it('reads the names of an inventory as they are meant', () => {
    const lists = fc
      .sample(fc.array(inventoryName, { minLength: 1, maxLength: 3 }), { numRuns: 300, seed: 7 })
      .map((names) => listedNames(names.join(',')))
      .filter(
        (words) => words !== undefined && !words.some(({ text, quoted }) => !quoted && text.startsWith('@')),
      );
    expect(lists.length).toBeGreaterThan(100);
    writeFileSync(at('hba'), lists.map((words = []) => `local ${fieldText(words)} all peer\n`).join(''));
    const rows = ask('select database, error from pg_hba_file_rules');
    expect(rows).toEqual(
      lists.map((words = []) => ({ database: words.map(({ text }) => text), error: null })),
    );
  });

  /** Whether the server itself would start with these rules, and what it says. */
  function load(text: string): { status: number | null; stderr: string } {
    writeFileSync(at('hba'), text);
    return asOrdinaryUser(`PGBIN=${bin}\n${tryFunctions(data)}\nrules_load ${quote(at('hba'))}`);
  }

  it.each([
    ['', 'local all all peer\nhostssl all all all scram-sha-256\n'],
    ['line 2 of configuration file', 'local all all peer\nhost my db app 10.0.0.0/8 scram-sha-256\n'],
    ['end-of-line before authentication method', 'host all, app 10.0.0.0/8 scram-sha-256\n'],
    ['', 'host "my db" app 10.0.0.0/8 scram-sha-256\n'],
    ['could not open', 'host all @nobody 10.0.0.0/8 scram-sha-256\n'],
    ['could not load', ''],
  ])('says %j of rules before they are in force', (said, text) => {
    const { status, stderr } = load(text);
    expect([status, stderr.includes(said)], stderr).toEqual([said === '' ? 0 : 1, true]);
    if (said === '') expect(stderr).toBe('');
  });

  it('leaves nothing behind when rules are tried', () => {
    const list = (): string =>
      execFileSync('ls', ['-A', tmpdir()], { encoding: 'utf8' }).replace(/^(?!tmp\.).*\n/gm, '');
    const before = list();
    load('nonsense\n');
    expect(list()).toBe(before);
  });
});
