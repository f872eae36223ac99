/**
 * Whether what was committed on the primary is on the disk of every standby that commits wait for, without a commit that waits: one that is away
 * would hang it. What counts is the WAL that the primary had flushed when the question began, so that a busy server comes to an answer, too.
 */
import { quote } from '../../base/shell.ts';
import type { Step } from '../contract/kind.ts';

/** Seconds: a look forgives what is on its way, a step waits. */
const times = { look: 1, step: 10 } as const;

/** A standby that commits wait for and that streams to nobody has received nothing, as far as can be said. */
const query = `SELECT coalesce(string_agg(application_name, ', ') FILTER (WHERE coalesce(flush_lsn < '$mark', true)),
 CASE WHEN count(*) = 0 THEN nullif(current_setting('synchronous_standby_names'), '') END)
 FROM pg_stat_replication WHERE state = 'streaming' AND sync_priority > 0`;

/** Shell: sets `behind` to the names of those that have not received it after so many seconds. */
const waiting = (
  seconds: number,
): string => `mark=$(echo 'SELECT pg_current_wal_flush_lsn()' | sql) && behind=$(echo "${query}" | sql) || behind='(nobody could say)'
n=0
while [ -n "$behind" ] && [ $n -lt ${seconds * 5} ]; do
  n=$((n + 1)); sleep 0.2
  behind=$(echo "${query}" | sql) || behind='(nobody could say)'
done`;

/** Shell for a look; `behindOf` reads its answer. */
export const behindProbe = `${waiting(times.look)}
printf 'behind %s\\n' "$behind"`;

/** Empty: nobody, or nobody asked. */
export const behindOf = (stdout: string): string =>
  stdout
    .split('\n')
    .find((line) => line.startsWith('behind '))
    ?.slice('behind '.length)
    .trim() ?? '';

export const receiptStep = (name: string): Step => ({
  title: `wait until the standbys have role ${name}`,
  script: `${waiting(times.step)}
if [ -n "$behind" ]; then
  printf '%s\\n' ${quote(`within ${times.step} s the change of role ${name} was not received by the standbys that commits wait for`)}": $behind; if one of them took over now, the former password would count. The old values are not forgotten: when the standbys stream again, run the same command again." >&2
  exit 1
fi`,
});
