/** From the noise of a failed step to a message that says what to do. A table of known causes, then the general one. Pure. */
import type { Code } from '../base/codes.ts';
import { type Diagnostic, DiagnosticError } from '../base/diagnostic.ts';
import { platforms } from '../base/platform.ts';

interface Cause {
  readonly pattern: RegExp;
  /** Lines that do not count: another program says there what happened to it. */
  readonly butIn?: RegExp;
  readonly code: Code;
  readonly why: string;
  readonly fix: string;
}

const causes: readonly Cause[] = [
  {
    pattern: /^mc_ctl: switch failed: /m,
    code: 'HST015',
    why: 'the Mirroring Controller gave the switch up; what it says, and how the servers stand now, is below',
    fix: "Do what its words ask for. While the status is 'switching', wait, or end it with mc_ctl switch --abort on any server. If no primary runs, see docs/switch.md, 'When a switch fails'; else run the same command again.",
  },
  {
    pattern: /does not serve the certificate that lies there/,
    code: 'TLS011',
    why: 'PostgreSQL did not take the certificate over; it serves as it did before',
    fix: "Read the end of the server's log on the host, correct the file that it names, then run the same command again.",
  },
  {
    pattern: /certificate verify failed|unknown ca\b/i,
    code: 'TLS011',
    why: 'the certificate of the other server is not signed by a CA of the list, or its time has not come or is over by the clock of this host',
    fix: 'Compare the list (postgres.tls.ca) on this host with who signed the certificate of the other one, and the clocks; then run the same command again.',
  },
  {
    pattern: /does not match host name/,
    code: 'TLS011',
    why: 'the certificate of the other server is for other names than the address that replication connects to',
    fix: 'Lay a certificate on that host whose names (subjectAltName) have its log_transfer_address, then run the same command again.',
  },
  {
    pattern:
      /root certificate file .* (?:does not exist|could not be read)|could not read root certificate file/i,
    code: 'TLS011',
    why: 'the list of those who sign (postgres.tls.ca) is missing on this host, or is no whole list of certificates',
    fix: 'Lay it there again, open to the instance administrator, then run the same command again.',
  },
  {
    pattern: /server does not support SSL|channel binding (?:is )?required/i,
    code: 'TLS011',
    why: 'one side of the connection wants TLS, and the other one does not offer it',
    fix: "Run 'pgduet check', which says what each server shows; then run 'pgduet provision'.",
  },
  {
    // Where rules begin with hostssl its words are the same as where one is missing.
    pattern: /no pg_hba\.conf entry for /,
    code: 'HST001',
    why: 'the server that was asked has no client rule for this login; a rule that begins with hostssl counts with TLS only',
    fix: "Run 'pgduet check', which says which rule is missing or another one; then 'pgduet provision', which writes it.",
  },
  {
    pattern: /after \d+ s: |^mirroring status$/m,
    code: 'HST010',
    why: 'the servers run, but they do not work together as they should',
    fix: "Read the server log of the standby (primary_conninfo, pg_hba.conf, password file) and what 'pgduet status' shows, then run the same command again.",
  },
  {
    pattern: /No space left on device|Disk quota exceeded|could not extend file/i,
    code: 'HST006',
    why: 'a disk of the host is full',
    fix: 'Make room on the file system that is named below, then run the same command again; what was finished is kept.',
  },
  ...platforms.flatMap(({ manager }): readonly Cause[] => [
    {
      pattern: manager.notOffered,
      code: 'HST004',
      why: "the host's package sources do not offer it",
      fix: "Add the package source that has this version (for PostgreSQL: your distribution's or the PostgreSQL project's), or name a version in the inventory that the host can install.",
    },
    {
      pattern: manager.unreachable,
      code: 'HST004',
      why: 'the package source of the host could not be reached',
      fix: `Check the host's network and its package sources (${manager.refresh}), then run the same command again.`,
    },
  ]),
  {
    pattern: /Address already in use|could not bind/i,
    code: 'HST005',
    why: 'another program uses the port',
    fix: 'Stop that program, or name another port in the inventory.',
  },
  {
    pattern: /Read-only file system/i,
    butIn: /\b(FATAL|PANIC|ERROR|LOG|DETAIL|HINT): |\b(EROFS|EACCES|EPERM): /,
    code: 'HST012',
    why: 'a file system of the host is mounted read-only',
    fix: 'Make it writable for this run (mount -o remount,rw and its mount point; findmnt -T PATH names it), or look in the log of its kernel why it is not; then run the same command again.',
  },
  {
    pattern: /Permission denied|Operation not permitted|must be run as root|may not be used by non-root/i,
    butIn: /\b(FATAL|PANIC|ERROR|LOG|DETAIL|HINT): |\b(EROFS|EACCES|EPERM): /,
    code: 'HST012',
    why: 'the login user may not do this on the host',
    fix: 'Log in as root or set "ssh: { become: sudo }" in the inventory.',
  },
  {
    pattern: /: not found$|No such file or directory.*(initdb|pg_basebackup|psql)/im,
    code: 'HST003',
    why: 'a program that is needed is not where it should be',
    fix: 'Check that PostgreSQL of the version in the inventory is installed; name its directory with postgres.bin_dir if it is in an unusual place.',
  },
  {
    pattern: /^its controller says: /m,
    code: 'HST010',
    why: 'the instance does not answer in time; its controller says below how it stands, and what it waits for',
    fix: 'Do what its words ask for, then run the same command again.',
  },
];

const general: Omit<Cause, 'pattern'> = {
  code: 'HST001',
  why: 'the step ended with an error, so nothing behind it was done on this host',
  fix: 'Look at the lines below, repair the cause on the host, then run the same command again: it continues where this run stopped.',
};

const evidenceLines = 12;

export interface Account {
  /** Titles of what was done before, in this run, on this host. */
  readonly done: readonly string[];
  /** Titles of what was planned behind it. */
  readonly open: readonly string[];
}

export interface FailedStep extends Account {
  readonly host: string;
  readonly title: string;
  readonly status: number;
  readonly stderr: string;
}

export function stepFailure(step: FailedStep): Diagnostic {
  const lines = step.stderr.split('\n').filter((line) => line.trim() !== '');
  const cause = causes.find((candidate) => isCause(candidate, step.stderr)) ?? general;
  return {
    code: cause.code,
    what: `'${step.title}' failed with status ${step.status}`,
    why: cause.why,
    fix: cause.fix,
    host: step.host,
    evidence: [...lines.slice(-evidenceLines), ...accountLines(step)],
  };
}

const isCause = ({ pattern, butIn }: Cause, said: string): boolean =>
  pattern.test(
    butIn
      ? said
          .split('\n')
          .filter((line) => !butIn.test(line))
          .join('\n')
      : said,
  );

const accountLines = ({ done, open }: Account): readonly string[] => [
  `already changed: ${done.length === 0 ? 'nothing' : done.join('; ')}`,
  `not done: ${open.length === 0 ? 'nothing else was planned here' : open.join('; ')}`,
];

/** A connection that broke within a batch: the same error, and how far the batch had come. */
export function brokenOff(error: unknown, running: string | undefined, account: Account): unknown {
  if (!(error instanceof DiagnosticError)) return error;
  const diagnostics = error.diagnostics.map((diagnostic) => ({
    ...diagnostic,
    evidence: [`broke off: ${running ?? 'between two steps'}`, ...accountLines(account)],
  }));
  return new DiagnosticError(diagnostics, error.exitCode);
}
