/**
 * A configuration file in the data directory and what the running server makes of it: shared by the kinds `settings`
 * and `hba`. Seen from both sides, so that a reload that was missed shows. Pure.
 */

import { createHash } from 'node:crypto';
import type { Diagnostic } from '../../base/diagnostic.ts';
import { quote } from '../../base/shell.ts';
import { moment } from '../../base/units.ts';
import { type Difference, type Observed, type ProbeReply, present, unknown } from '../contract/kind.ts';
import { closed } from '../contract/stat.ts';

/** L is what the kind's own query tells of the running server; all of them tell when it last read its files. */
export interface ConfigurationFile<L extends { readonly loaded: number }> {
  /** Empty where it is closed. */
  readonly text: string;
  /** The administrator of the instance may not read the file, so the server cannot either. */
  readonly closed: boolean;
  /** When the file was written, seconds since 1970. */
  readonly written: number;
  /** As stat prints it: "600". */
  readonly mode: string;
  readonly owner: string;
  /** What the kind's own shell text printed. */
  readonly extra: readonly string[];
  /** Absent when no server runs, or it is just starting. */
  readonly live?: L;
}

/** The administrator may not read the file. */
const closedStatus = 3;

/** `extra` is shell text that prints words on one line; it may use $d, the data directory. */
export const configurationProbe = (
  dataDir: string,
  name: string,
  extra?: string,
): string => `d=${quote(dataDir)}
if [ ! -f "$d/${name}" ]; then unseen "$d/${name}"; echo "$unseen"; exit; fi
stat=$(stat -c '%.6Y %a %U %.3Z %s' "$d/${name}") || exit 1
printf '%s\\n' "\${stat% * *}"
if postmaster "$d"; then state=running; else state=stopped; fi
# The last line of the pid file ("postmaster.pid"): a server that starts cannot be asked, and reads its files as one that is yet to.
if [ $state = running ]; then case $pid_state in starting*) state=stopped;; esac; fi
echo "$state"${extra === undefined ? '' : ` $(${extra})`}
# What is read here is written anew as the administrator's.
own_text "$d/${name}" \${stat#* * * } || { if [ -n "$ROOT" ] && ! peek test -r "$d/${name}"; then exit ${closedStatus}; fi; exit 1; }`;

export function readConfiguration<L extends { readonly loaded: number }>(
  reply: ProbeReply,
  name: string,
): Observed<ConfigurationFile<L>> {
  const [first = '', second = '', ...lines] = reply.stdout.split('\n');
  const [written, mode, owner] = first.split(' ');
  const [state, ...extra] = second.trim().split(' ');
  if (first === 'absent') return unknown('the instance is not there yet');
  const hidden = closed(first);
  if (hidden) return unknown(hidden);
  if (
    (reply.status !== 0 && reply.status !== closedStatus) ||
    Number.isNaN(Number(written)) ||
    !mode ||
    !owner ||
    (state !== 'running' && state !== 'stopped')
  )
    return unknown(reply.stderr.trim() || `${name} could not be read`);
  const shut = reply.status === closedStatus;
  const text = shut ? '' : lines.join('\n');
  const seen = { text, closed: shut, written: Number(written), mode, owner, extra };
  if (state === 'stopped') return present(seen);
  if (typeof reply.sql !== 'object' || reply.sql === null)
    return unknown(reply.sqlProblem ?? 'the server did not answer');
  return present({ ...seen, live: reply.sql as L });
}

/** As `sha256sum` prints it of its standard input. */
export const checksum = (text: string): string => `${createHash('sha256').update(text).digest('hex')}  -`;

/** The server runs with an older text than the file's. */
export const isStale = (seen: ConfigurationFile<{ readonly loaded: number }>): boolean =>
  seen.live !== undefined && seen.written > seen.live.loaded;

/** What only the owner of the instance may read, as `put` writes it. */
const ownMode = '600';

/** Undefined where owner and mode are right. */
export function accessDifference(
  code: 'SET013' | 'HBA006',
  path: string,
  owner: string,
  seen: ConfigurationFile<{ readonly loaded: number }>,
): Difference | undefined {
  if (seen.owner === owner && seen.mode === ownMode) return undefined;
  const words = (one: string, mode: string): string => `${one} ${mode.padStart(4, '0')}`;
  return { code, object: path, declared: words(owner, ownMode), found: words(seen.owner, seen.mode) };
}

/** What stands in it is not known, so it cannot be written anew; root gives nobody a file by a name that others can make. */
export const closedFile = (
  path: string,
  owner: string,
  seen: ConfigurationFile<{ readonly loaded: number }>,
): Diagnostic => ({
  code: 'SAF040',
  what: `'${path}' (${seen.owner} ${seen.mode.padStart(4, '0')}) cannot be read by ${owner}`,
  why: "the server would not start with it, and what is somebody else's is not taken over",
  fix: `Look what it is. If it is the file of this server: chown -h ${owner}: ${path}, then run the same command again.`,
});

/** The server has read another text, or none, since the file was written. */
export const unreadDifference = (
  code: 'SET006' | 'HBA003',
  path: string,
  { written, live }: ConfigurationFile<{ readonly loaded: number }>,
): Difference => ({
  code,
  object: path,
  declared: 'read by the server',
  found: `written ${moment(written)}, and what the server read last is of ${moment(live?.loaded ?? 0)}`,
  since: written,
});
