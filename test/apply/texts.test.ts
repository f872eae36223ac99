/** The texts between the engine and a host: scripts of batches, marks of steps, failures with their causes. */
import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { batchScript, type NumberedStep, readMark, stepNoise } from '../../src/apply/batch-script.ts';
import { stepFailure } from '../../src/apply/failure.ts';
import { failure, merged } from '../../src/apply/failure-list.ts';
import { DiagnosticError } from '../../src/base/diagnostic.ts';
import { exitCode } from '../../src/base/exit-codes.ts';
import { effectScript, effectTitle } from '../../src/resources/contract/effects.ts';

const nonce = 'n0nce';
const steps = (...scripts: readonly string[]): readonly NumberedStep[] =>
  scripts.map((script, number) => ({ number, title: `step ${number}`, script }));

function runBatch(...scripts: readonly string[]) {
  const script = batchScript('greeting=hello', steps(...scripts), 'echo looked', nonce);
  const { status, stdout, stderr } = spawnSync('sh', [], { input: script, encoding: 'utf8' });
  const marks = stderr.split('\n').flatMap((line) => readMark(line, nonce) ?? []);
  return { status, stdout, stderr, marks };
}

describe('a batch', () => {
  it('runs its steps in order and looks behind them', () => {
    const { status, stdout, marks } = runBatch('echo "$greeting 1"', 'echo 2');
    expect({ status, stdout }).toEqual({ status: 0, stdout: 'hello 1\n2\nlooked\n' });
    expect(marks).toEqual([
      { number: 0, state: 'begin' },
      { number: 0, state: 'end', status: 0 },
      { number: 1, state: 'begin' },
      { number: 1, state: 'end', status: 0 },
    ]);
  });

  it.each([
    ['fails', 'false', 1],
    ['exits', 'exit 42', 42],
    ['fails in its middle', 'echo a >&2; ls /nonexistent 2>/dev/null; echo b >&2', 2],
    ['fails in a function', 'f() { false; echo no >&2; }; f', 1],
  ])('ends with the step that %s, and does not look', (_, script, expected) => {
    const { status, stdout, marks } = runBatch(':', script, 'echo never');
    expect({ status, stdout }).toEqual({ status: 90, stdout: '' });
    expect(marks.at(-1)).toEqual({ number: 1, state: 'end', status: expected });
  });

  it('gives each step its own noise, with or without an end of line', () => {
    const { stderr } = runBatch(
      'echo first >&2',
      'printf second >&2',
      'echo "n0nce step 9" >&2; echo third >&2',
      ':',
    );
    expect([0, 1, 2, 3, 4].map((number) => stepNoise(stderr, nonce, number).trim())).toEqual([
      'first',
      'second',
      'n0nce step 9\nthird',
      '',
      '',
    ]);
  });

  it('leaves no variable of one step to the next', () => {
    expect(runBatch('x=1; cd /; umask 0', 'echo "[$x]"').stdout).toContain('[]\n');
  });
});

describe('a mark', () => {
  it.each([
    ['n0nce step 3 begin', { number: 3, state: 'begin' }],
    ['n0nce step 12 end 7', { number: 12, state: 'end', status: 7 }],
    ['other step 3 begin', undefined],
    [' n0nce step 3 begin', undefined],
    ['n0nce step x begin', undefined],
    ['n0nce step 3 begin more', undefined],
    ['', undefined],
  ])('is read from %j', (line, expected) => {
    expect(readMark(line, nonce)).toEqual(expected);
  });
});

describe('a failed step', () => {
  const failed = (stderr: string) =>
    stepFailure({ host: 'server1', title: 'do it', status: 1, stderr, done: [], open: [] });

  it.each([
    ['mv: write error: No space left on device', 'HST006'],
    ['E: Unable to locate package postgresql-15', 'HST004'],
    [
      "Err:1 http://deb.debian.org bookworm InRelease  Temporary failure resolving 'deb.debian.org'",
      'HST004',
    ],
    ['chown: changing ownership of /x: Operation not permitted', 'HST012'],
    ['mkdir: cannot create directory: Permission denied', 'HST012'],
    ['touch: cannot touch /x: Read-only file system', 'HST012'],
    ['sh: 13: cannot create /usr/local/bin/.x-tmp: Read-only file system', 'HST012'],
    ['FATAL:  could not create lock file "/run/x.lock": Permission denied', 'HST001'],
    ['FATAL: a disk has failed (transaction_log): /w: EROFS: read-only file system', 'HST001'],
    [
      'FATAL:  could not open "x": Permission denied\nmkdir: cannot create directory: Permission denied',
      'HST012',
    ],
    ['the instance did not answer within 60 s\nits controller says: it waits for server2', 'HST010'],
    [
      'did not answer\nFATAL: could not write: No space left on device\nits controller says: it starts',
      'HST006',
    ],
    ['sh: 3: initdb: not found', 'HST003'],
    ['psql: error: SSL error: certificate verify failed', 'TLS011'],
    ['server certificate for "a" (and 1 other name) does not match host name "b"', 'TLS011'],
    ['root certificate file "/pki/ca.pem" does not exist', 'TLS011'],
    ['could not read root certificate file "/pki/ca.pem": no certificate or crl found', 'TLS011'],
    ['server does not support SSL, but SSL was required', 'TLS011'],
    [
      'FATAL:  no pg_hba.conf entry for replication connection from host "a", user "r", no encryption',
      'HST001',
    ],
    ['channel binding required, but SSL not in use', 'TLS011'],
    ['the server does not serve the certificate that lies there: its log says why', 'TLS011'],
    ['something else', 'HST001'],
    ['', 'HST001'],
  ])('of %j is %s', (stderr, code) => {
    const found = failed(stderr);
    expect(found.code).toBe(code);
    expect(found.why).not.toBe('');
    expect(found.fix).toMatch(/\.$/);
  });

  it('shows the last lines only, and says when nothing was done', () => {
    const { evidence = [] } = failed(Array.from({ length: 99 }, (_, index) => `line ${index}`).join('\n'));
    expect(evidence[0]).toBe('line 87');
    expect(evidence.at(-3)).toBe('line 98');
    expect(evidence.slice(-2)).toEqual([
      'already changed: nothing',
      'not done: nothing else was planned here',
    ]);
  });
});

describe('many failures', () => {
  const one = (code: 'SAF001' | 'CON001' | 'HST001' | 'RUN001') => ({ code, what: code, why: '', fix: '' });
  it.each([
    [['CON001', 'HST001'], exitCode.hostFailed],
    [['CON001', 'HST001', 'SAF001'], exitCode.refused],
    [['HST001', 'RUN001'], exitCode.locked],
    [['CON001'], exitCode.unreachable],
  ] as const)('%j end with the gravest status', (codes, status) => {
    expect(failure(codes.map(one)).exitCode).toBe(status);
  });

  it('are one error, but a defect stays what it is', () => {
    const known = [failure([one('CON001')]), failure([one('HST001')])];
    const both = merged(known);
    expect(both instanceof DiagnosticError && both.diagnostics).toHaveLength(2);
    const bug = new TypeError('x is undefined');
    expect(merged([...known, bug])).toBe(bug);
  });
});

describe('reloads and restarts', () => {
  const place = {
    instance: { dataDir: "/data/it's", socketDir: '/tmp', port: 1, owner: 'postgres' },
    id: 'server1',
    managementDir: '/mc',
    mcCtl: '/usr/local/bin/mc_ctl',
  };

  it.each([
    ['instance', 'reload'],
    ['instance', 'restart'],
    ['controller', 'reload'],
    ['controller', 'restart'],
    ['systemd', 'reload'],
  ] as const)('of the %s: %s is valid shell, with a unit and without', (target, action) => {
    for (const unit of [{}, { unit: 'mcoi_inst1' }]) {
      const script = effectScript({ action, target }, { ...place, ...unit });
      const { stderr } = spawnSync('sh', ['-n'], { input: script, encoding: 'utf8' });
      expect(stderr).toBe('');
      expect(effectTitle({ action, target })).toMatch(new RegExp(`^${action} `));
    }
  });

  it('use systemd where it starts the controller, and mc_ctl elsewhere', () => {
    const restart = { action: 'restart', target: 'instance' } as const;
    expect(effectScript(restart, { ...place, unit: 'mcoi_inst1' })).toContain('systemctl restart mcoi_inst1');
    expect(effectScript(restart, place)).toContain('stop -M /mc --local-server server1');
    expect(effectScript(restart, place)).not.toContain('systemctl');
  });
});
