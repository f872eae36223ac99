/**
 * The host key check: reads the known_hosts files of a target once, judges a key, and adds one when that was asked for.
 * In: a target and a key. Out: nothing, or CON002/CON003. Must never: accept a key silently; accept a new key of
 * another type for a host whose keys are known, not even when new keys are accepted. A person who names the key of a host
 * by its fingerprint means that key, and no other one, in place of those that are known.
 */
import {
  appendFileSync,
  closeSync,
  copyFileSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  realpathSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import type { DiagnosticError } from '../base/diagnostic.ts';
import { quote } from '../base/shell.ts';
import {
  entriesOf,
  fingerprint,
  hostKeyAlgorithms,
  judgeKey,
  type KeyVerdict,
  type KnownHost,
  keyType,
  knownLine,
  parseKnownHosts,
} from './known-hosts.ts';
import { refusal } from './refusal.ts';
import type { Target } from './ssh-target.ts';

/** All known_hosts files of a run, each read once. */
export interface HostKeys {
  /** What to offer to a target, best first. */
  algorithms(target: Target): string[];
  /** Undefined: the key may be used; when it was accepted as new, `remember` must follow once its signature is verified. */
  check(target: Target, key: Buffer): DiagnosticError | undefined;
  /** Adds a key that `check` let pass because new keys are accepted. */
  remember(target: Target, key: Buffer): void;
}

function readEntries(file: string): KnownHost[] {
  try {
    return parseKnownHosts(readFileSync(file, 'utf8'), file);
  } catch {
    return []; // A file that is not there, or cannot be read, knows no host; the key is then reported as unknown.
  }
}

const placeOf = (entry: KnownHost): string => `${entry.file}:${entry.line}`;

function unknownKey(
  target: Target,
  key: Buffer,
  verdict: Extract<KeyVerdict, { kind: 'unknown' }>,
): DiagnosticError {
  const { name, address, port } = target;
  const file = target.userKnownHosts[0] ?? '~/.ssh/known_hosts';
  const portOption = port === 22 ? '' : ` -p ${port}`;
  const authority = verdict.authority
    ? ` Host certificates (@cert-authority, ${placeOf(verdict.authority)}) are not supported; add the plain key of the host.`
    : '';
  return refusal({
    code: 'CON002',
    what: `the host key of '${name}' is not known: ${keyType(key)} ${fingerprint(key)}`,
    why: 'whoever answers at that address could pose as the host, and would be given files and passwords',
    fix:
      `Compare with 'ssh-keygen -lf /etc/ssh/ssh_host_${shortType(key)}_key.pub' on the host itself; if it is the same, ` +
      `run: ssh-keyscan${portOption} ${quote(address)} >>${quote(file)}, or repeat with --accept-new-host-keys.${authority}`,
    host: name,
  });
}

function shortType(key: Buffer): string {
  const type = keyType(key);
  return type === 'ssh-rsa' ? 'rsa' : type.startsWith('ecdsa') ? 'ecdsa' : 'ed25519';
}

function changedKey(target: Target, key: Buffer, entry: KnownHost): DiagnosticError {
  const sameType = entry.type === keyType(key);
  return refusal({
    code: 'CON003',
    what: sameType
      ? `the host key of '${target.name}' has changed`
      : `'${target.name}' shows none of its known host keys, but a key of another type`,
    why: 'either the host was installed anew, or somebody else answers in its place',
    fix: `If the host was installed anew, remove line ${entry.line} of ${entry.file}, then check the new key before you accept it. Where it is the host of a standby: pgduet replace ${quote(target.name)} --host-key SHA256:…, with the fingerprint that its own console shows (ssh-keygen -lf /etc/ssh/ssh_host_${shortType(key)}_key.pub).`,
    host: target.name,
    evidence: [
      `known:   ${entry.type} ${fingerprint(entry.key)}  (${placeOf(entry)})`,
      `offered: ${keyType(key)} ${fingerprint(key)}`,
    ],
  });
}

/** What a person has said of a host: its key has this fingerprint, as "SHA256:…". */
export interface NamedKey {
  readonly host: string;
  readonly fingerprint: string;
}

const otherThanNamed = (target: Target, key: Buffer, named: NamedKey): DiagnosticError =>
  refusal({
    code: 'CON003',
    what: `the host key of '${target.name}' is not the one that --host-key names`,
    why: 'either the fingerprint is of another key of the host or of another host, or somebody else answers in its place',
    fix: `Compare on the host itself: ssh-keygen -lf /etc/ssh/ssh_host_${shortType(key)}_key.pub. Nothing was sent to it.`,
    host: target.name,
    evidence: [`named:   ${named.fingerprint}`, `offered: ${keyType(key)} ${fingerprint(key)}`],
  });

/** A line that stands for others too, or that is not this person's, is not ours to change. */
function fixedLine(target: Target, entry: KnownHost): DiagnosticError {
  return refusal({
    code: 'CON003',
    what: `${placeOf(entry)} names another key for '${target.name}', and cannot be replaced`,
    why: 'it is a pattern for several hosts, or stands in a file of the whole machine: the former host would go on to be known by it',
    fix: `Take '${target.name}' out of that line, then run the same command again.`,
    host: target.name,
  });
}

function revokedKey(target: Target, key: Buffer, entry: KnownHost): DiagnosticError {
  return refusal({
    code: 'CON003',
    what: `the host key of '${target.name}' is revoked: ${keyType(key)} ${fingerprint(key)}`,
    why: `it is marked @revoked in ${placeOf(entry)}: the key is known to be in wrong hands`,
    fix: `Give the host a new key (ssh-keygen -A after removing the old one), and add that to known_hosts.`,
    host: target.name,
  });
}

/** A file that was edited by hand may lack its last newline; the new entry must not become part of that line. */
function lacksNewline(file: string): boolean {
  try {
    const { size } = statSync(file);
    if (size === 0) return false;
    const last = Buffer.alloc(1);
    const fd = openSync(file, 'r');
    readSync(fd, last, 0, 1, size - 1);
    closeSync(fd);
    return last[0] !== 0x0a;
  } catch {
    return false; // No such file: it will be made.
  }
}

/** As `ssh-keygen -R` does: the file as it was stays beside it, as FILE.old. */
function removeLines(path: string, entries: readonly KnownHost[]): void {
  const file = realpathSync(path);
  const text = readFileSync(file, 'utf8');
  const gone = entries.map(({ line }) => line);
  const left = text.split('\n').filter((_line, index) => !gone.includes(index + 1));
  const { mode } = statSync(file);
  copyFileSync(file, `${file}.old`);
  writeFileSync(`${file}.pgduet-tmp`, left.join('\n'), { mode });
  renameSync(`${file}.pgduet-tmp`, file);
}

export function hostKeys(acceptNew: boolean, named?: NamedKey): HostKeys {
  const files = new Map<string, KnownHost[]>();
  const entriesFor = (target: Target): KnownHost[] =>
    [...target.userKnownHosts, ...target.globalKnownHosts].flatMap((file) => {
      const entries = files.get(file) ?? readEntries(file);
      files.set(file, entries);
      return entries;
    });
  // An alias is looked up as it stands; it never carries a port.
  const nameOf = (target: Target): [string, number] =>
    target.hostKeyAlias === undefined ? [target.address, target.port] : [target.hostKeyAlias, 22];
  /** Lines of the host with other keys than this one. */
  const former = (target: Target, key: Buffer): KnownHost[] =>
    entriesOf(entriesFor(target), ...nameOf(target)).filter(
      (entry) => entry.marker === undefined && !entry.key.equals(key),
    );
  const checkNamed = (target: Target, key: Buffer, by: NamedKey): DiagnosticError | undefined => {
    if (fingerprint(key) !== by.fingerprint) return otherThanNamed(target, key, by);
    const fixed = former(target, key).find(
      ({ file, names }) => !target.userKnownHosts.includes(file) || /[*?!]/.test(names),
    );
    return fixed && fixedLine(target, fixed);
  };
  const isNamed = (target: Target): boolean => named?.host === target.name;
  return {
    algorithms: (target) => hostKeyAlgorithms(entriesFor(target), ...nameOf(target)),
    check(target, key) {
      const verdict = judgeKey(entriesFor(target), ...nameOf(target), key);
      if (named && isNamed(target) && verdict.kind !== 'revoked') return checkNamed(target, key, named);
      switch (verdict.kind) {
        case 'known':
          return undefined;
        case 'revoked':
          return revokedKey(target, key, verdict.entry);
        case 'changed':
          return changedKey(target, key, verdict.entry);
        case 'unknown': {
          const [other] = verdict.others;
          if (other) return changedKey(target, key, other);
          return acceptNew ? undefined : unknownKey(target, key, verdict);
        }
      }
    },
    remember(target, key) {
      if (isNamed(target))
        for (const file of new Set(former(target, key).map((entry) => entry.file))) {
          removeLines(
            file,
            former(target, key).filter((entry) => entry.file === file),
          );
          files.set(file, readEntries(file));
        }
      if (judgeKey(entriesFor(target), ...nameOf(target), key).kind !== 'unknown') return;
      const [file] = target.userKnownHosts;
      if (file === undefined) return;
      const line = knownLine(...nameOf(target), key, target.hashKnownHosts);
      mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
      appendFileSync(file, `${lacksNewline(file) ? '\n' : ''}${line}`, { mode: 0o600 });
      files.set(file, readEntries(file));
    },
  };
}
