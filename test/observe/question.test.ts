/** Many probes, one script, one reply: through a real shell, with output that does its best to confuse the reader. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { quote } from '../../src/base/shell.ts';
import { ask } from '../../src/observe/question.ts';
import type { Probe, ProbeReply } from '../../src/resources/contract/kind.ts';
import { preamble } from '../../src/resources/contract/preamble.ts';

const nonce = '0123456789abcdef';
const { username: me } = userInfo();
const instance = { owner: me, socketDir: '/tmp', port: 5432 };

let dir = '';
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'pgduet-question-'));
  chmodSync(dir, 0o755);
  writeFileSync(join(dir, 'postgres'), '', { mode: 0o755 });
});
afterAll(() => rmSync(dir, { recursive: true }));

/** A psql that answers what the test wants: the name of the mode stands in its environment. */
function fakePsql(script: string): void {
  writeFileSync(join(dir, 'psql'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
}

function run(script: string) {
  const { status, stdout, stderr } = spawnSync('sh', [], { input: script, encoding: 'utf8' });
  return { status: status ?? 255, stdout, stderr };
}

function askAll(
  probes: readonly Probe[],
  functions = preamble({ ...instance, postgresVersion: 15, binDir: dir }),
) {
  const question = ask(functions, probes, nonce, instance);
  return question.read(run(question.script));
}

const reply = (probe: Probe): ProbeReply => {
  const [first] = askAll([probe]);
  if (!first) throw new Error('no reply');
  return first;
};

describe('shell probes', () => {
  it.each([
    ['nothing', ':', { status: 0, stdout: '', stderr: '' }],
    ['a line', 'echo a', { status: 0, stdout: 'a\n', stderr: '' }],
    ['text without an end of line', 'printf a', { status: 0, stdout: 'a', stderr: '' }],
    ['only ends of lines', 'printf "\\n\\n"', { status: 0, stdout: '\n\n', stderr: '' }],
    ['both streams and a status', 'echo a; echo b >&2; exit 7', { status: 7, stdout: 'a\n', stderr: 'b\n' }],
    ['an error without an end of line', 'printf b >&2', { status: 0, stdout: '', stderr: 'b' }],
    [
      'the status of a missing program',
      'no-such-program-here 2>/dev/null',
      { status: 127, stdout: '', stderr: '' },
    ],
    ['text like the end of a frame', `echo; echo "shell0 end 0"`, { status: 0, stdout: '\nshell0 end 0\n' }],
    ['text like a nonce', `echo "${nonce.slice(0, 15)} shell0 end 0"`, { status: 0 }],
  ])('give back %s', (_, shell, expected) => {
    expect(reply({ shell })).toMatchObject(expected);
  });

  it('do not see each other, and one that fails takes no other one with it', () => {
    const replies = askAll([
      { shell: 'x=1; cd /; set -e; umask 0; false; echo never' },
      { shell: 'echo "[$x] $(umask)"' },
      { shell: 'exit 3' },
    ]);
    expect(replies[0]).toMatchObject({ status: 1, stdout: '' });
    expect(replies[1]).toMatchObject({ status: 0, stdout: '[] 0022\n' });
    expect(replies[2]).toMatchObject({ status: 3 });
  });

  it('that were cut off are not answered, and say what was seen last', () => {
    const question = ask('', [{ shell: 'echo a' }, { shell: 'echo b' }], nonce, instance);
    const whole = run(question.script);
    const cut = whole.stdout.indexOf('shell1');
    const replies = question.read({
      ...whole,
      stdout: whole.stdout.slice(0, cut),
      stderr: 'connection reset',
    });
    expect(replies[0]).toMatchObject({ status: 0, stdout: 'a\n' });
    expect(replies[1]).toMatchObject({ status: 255, stdout: '', stderr: 'connection reset' });
  });

  it('that ask the same are asked once and all answered', () => {
    const question = ask(
      '',
      [{ shell: 'echo a' }, { shell: 'echo b' }, { shell: 'echo a' }],
      nonce,
      instance,
    );
    expect(question.script.split('echo a')).toHaveLength(2);
    expect(question.read(run(question.script)).map(({ stdout }) => stdout)).toEqual(['a\n', 'b\n', 'a\n']);
  });

  it('give back any text exactly', () => {
    const text = fc.string({ unit: 'binary' }).filter((one) => !one.includes('\0'));
    const hostile = fc.constantFrom(
      '\n',
      'shell0 end 0\n',
      'begin',
      ' end 1',
      "'",
      '\\',
      '%s',
      '0123456789abcde',
    );
    fc.assert(
      fc.property(
        fc.array(fc.oneof(text, hostile)).map((parts) => parts.join('')),
        (given) => {
          expect(reply({ shell: `printf '%s' ${quote(given)}` }).stdout).toBe(given);
        },
      ),
      { numRuns: 30 },
    );
  });
});

describe('paths', () => {
  it('are asked by one program for all, and answered before what the shell of the probe prints', () => {
    const file = join(dir, "a 'file' | with \\ much");
    writeFileSync(file, 'text\n', { mode: 0o640 });
    chmodSync(file, 0o640);
    const probes = [
      { stat: file, sum: file, shell: 'echo more' },
      { stat: dir, sum: dir },
      { stat: join(dir, 'none'), sum: join(dir, 'none'), shell: ':' },
      { stat: file },
      { shell: 'echo alone' },
    ];
    const question = ask('', probes, nonce, instance);
    expect(question.script.match(/\bstat -c/g)).toHaveLength(1);
    const sum = createHash('sha256').update('text\n').digest('hex');
    const [both, folder, none, again, alone] = askAll(probes);
    expect(both?.stdout).toMatch(
      /^regular file\|640\|[^|\n]+\|[^|\n]+\|\d+\|\d+\n[0-9a-f]{64} {2}-\nmore\n$/,
    );
    expect(both?.stdout).toContain(sum);
    expect(folder?.stdout).toMatch(/^directory\|755\|[^|\n]+\|[^|\n]+\|\d+\|\d+\n$/);
    expect(none).toEqual({ status: 0, stdout: 'absent\n', stderr: '' });
    expect(again?.stdout).toBe(`${both?.stdout.split('\n')[0]}\n`);
    expect(alone).toEqual({ status: 0, stdout: 'alone\n', stderr: '' });
  });

  it('that could not be looked at are never absent', () => {
    const functions = `${preamble({ ...instance, postgresVersion: 15, binDir: dir })}
stat() { echo "stat: cannot stat '/x': Input/output error" >&2; return 1; }`;
    expect(askAll([{ stat: dir }], functions)[0]).toMatchObject({
      status: 1,
      stdout: '',
      stderr: expect.stringContaining('Input/output error'),
    });
  });
});

describe('SQL probes', () => {
  const sql = (query: string) => ({ sql: query });
  /** Answers each `\echo` line, and each SELECT with the next of these texts, as psql would. */
  const answering = (...answers: string[]): string => `n=0
while IFS= read -r l; do case $l in
\\\\echo*) printf '%s\\n' "\${l#?echo }";;
SELECT*) n=$((n + 1)); case $n in ${answers.map((text, index) => `${index + 1}) printf '%s\\n' ${quote(text)};;`).join(' ')} esac;;
esac; done`;

  it('go to one psql, as the administrator, and are answered one by one', () => {
    fakePsql(`echo "$@" > ${quote(join(dir, 'argv'))}; ${answering('v{"a": 1}', 'vnull', 'v[1,\n 2]')}`);
    const replies = askAll([
      sql('select 1'),
      { shell: 'echo x' },
      sql('select 2'),
      sql('select 3'),
      sql('select 1'),
    ]);
    expect(replies.map((one) => one.sql)).toEqual([{ a: 1 }, undefined, null, [1, 2], { a: 1 }]);
    expect(replies.every(({ status }) => status === 0)).toBe(true);
    expect(replies.some((one) => 'sqlProblem' in one)).toBe(false);
  });

  it('ask a session that cannot write and is not logged', () => {
    fakePsql(`echo "$PGOPTIONS" > ${quote(join(dir, 'options'))}; ${answering('v1')}`);
    expect(reply(sql('select 1')).sql).toBe(1);
    const options = readFileSync(join(dir, 'options'), 'utf8');
    expect(options).toContain('-c default_transaction_read_only=on');
    expect(options).toContain('-c log_statement=none');
  });

  it('are asked under the own name of a login that is neither root nor the administrator', () => {
    fakePsql(`echo "$PGOPTIONS" > ${quote(join(dir, 'options'))}; ${answering('v1')}`);
    // The administrator exists, and is somebody else; `id -u` says that this is not root.
    const stranger = { ...instance, owner: me === 'nobody' ? 'root' : 'nobody' };
    const functions = `${preamble({ ...stranger, postgresVersion: 15, binDir: dir })}
ME=somebody
id() { echo 4711; }`;
    const question = ask(functions, [sql('select 1')], nonce, stranger);
    expect(question.read(run(question.script))[0]?.sql).toBe(1);
    // What only a superuser may set would be refused, and with it the connection.
    expect(readFileSync(join(dir, 'options'), 'utf8')).not.toContain('log_');
  });

  it.each([
    ['an error in one query leaves the others alone', ['v1', 'ERROR:  relation "x" does not exist', 'v3']],
    ['a warning before a value is no value', ['v1', 'WARNING:  there is something\nv2', 'v3']],
    ['an empty answer is no value', ['v1', '', 'v3']],
    ['a torn value is no value', ['v1', 'v{"a": ', 'v3']],
  ])('%s', (_, answers) => {
    fakePsql(answering(...answers));
    const replies = askAll([sql('select 1'), sql('select 2'), sql('select 3')]);
    expect(replies[0]).toMatchObject({ sql: 1 });
    expect(replies[1]).not.toHaveProperty('sql');
    expect(replies[1]?.sqlProblem?.trim()).not.toBe('');
    expect(replies[1]?.sqlProblem).toBeDefined();
    expect(replies[2]).toMatchObject({ sql: 3 });
  });

  it('with more than ten of them each gets its own answer', () => {
    fakePsql(answering(...Array.from({ length: 12 }, (_, index) => `v${index}`)));
    const replies = askAll(Array.from({ length: 12 }, (_, index) => sql(`select ${index}`)));
    expect(replies.map((one) => one.sql)).toEqual(Array.from({ length: 12 }, (_, index) => index));
  });

  it.each([
    [
      'the server does not run',
      'cat >/dev/null; echo "psql: error: connection refused"; exit 2',
      'connection refused',
    ],
    ['psql dies', 'cat >/dev/null; kill -9 $$', /./],
    [
      'the server goes away on the way',
      'read -r l; read -r l; printf "%s\\n" "${l#?echo }"; echo "FATAL:  terminating"',
      'terminating',
    ],
  ])('are not answered when %s', (_, script, problem) => {
    fakePsql(script);
    const one = reply(sql('select 1'));
    expect(one).not.toHaveProperty('sql');
    if (typeof problem === 'string') expect(one.sqlProblem).toContain(problem);
    else expect(one.sqlProblem).toMatch(problem);
  });

  it('are not answered where PostgreSQL is not installed', () => {
    const functions = preamble({ ...instance, postgresVersion: 15, binDir: '/nonexistent' });
    expect(askAll([sql('select 1')], functions)[0]).toMatchObject({
      sqlProblem: 'PostgreSQL is not installed',
    });
  });

  it('are not answered where the administrator does not exist yet', () => {
    const other = { ...instance, owner: 'no-such-user' };
    const question = ask(
      preamble({ ...other, postgresVersion: 15, binDir: dir }),
      [sql('select 1')],
      nonce,
      other,
    );
    expect(question.read(run(question.script))[0]).toMatchObject({
      sqlProblem: 'there is no user no-such-user',
    });
  });

  it('a probe of both kinds gets both answers', () => {
    fakePsql(answering('v{"x": true}'));
    expect(reply({ shell: 'echo a; exit 4', sql: 'select 1' })).toEqual({
      status: 4,
      stdout: 'a\n',
      stderr: '',
      sql: { x: true },
    });
  });
});
