/**
 * A configuration file in the data directory and what the running server makes of it: shared by the kinds `settings`
 * and `hba`. Seen from both sides, so that a reload that was missed shows. Pure.
 */
import { quote } from '../base/shell.ts';
import { type Observed, type ProbeReply, present, unknown } from './kind.ts';

/** L is what the kind's own query tells of the running server; all of them tell when it last read its files. */
export interface ConfigurationFile<L extends { readonly loaded: number }> {
  readonly text: string;
  /** When the file was written, seconds since 1970. */
  readonly written: number;
  /** What the kind's own shell text printed. */
  readonly extra: readonly string[];
  /** Absent when no server runs. */
  readonly live?: L;
}

/** `extra` is shell text that prints words on one line; it may use $d, the data directory. */
export const configurationProbe = (
  dataDir: string,
  name: string,
  extra?: string,
): string => `d=${quote(dataDir)}
if [ ! -f "$d/${name}" ]; then echo absent; exit; fi
stat -c %.6Y "$d/${name}" || exit 1
if postmaster "$d"; then state=running; else state=stopped; fi
echo "$state"${extra === undefined ? '' : ` $(${extra})`}
cat "$d/${name}"`;

export function readConfiguration<L extends { readonly loaded: number }>(
  reply: ProbeReply,
  name: string,
): Observed<ConfigurationFile<L>> {
  const [written = '', second = '', ...lines] = reply.stdout.split('\n');
  const [state, ...extra] = second.trim().split(' ');
  if (written === 'absent') return unknown('the instance is not there yet');
  if (reply.status !== 0 || (state !== 'running' && state !== 'stopped'))
    return unknown(reply.stderr.trim() || `${name} could not be read`);
  const seen = { text: lines.join('\n'), written: Number(written), extra };
  if (state === 'stopped') return present(seen);
  if (typeof reply.sql !== 'object' || reply.sql === null)
    return unknown(reply.sqlProblem ?? 'the server did not answer');
  return present({ ...seen, live: reply.sql as L });
}

/** The server runs with an older text than the file's. */
export const isStale = (seen: ConfigurationFile<{ readonly loaded: number }>): boolean =>
  seen.live !== undefined && seen.written > seen.live.loaded;
