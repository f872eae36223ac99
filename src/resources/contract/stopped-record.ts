/**
 * The record of a server that a person has stopped (ADR 20): one line "time who" of the instance administrator's. In: a place, and what stands in the
 * file. Out: shell, and plain data. Pure.
 */
import { quote, sh } from '../../base/shell.ts';

export interface StoppedRecord {
  /** "2026-11-30T09:12:00Z"; a question mark where the record does not tell. */
  readonly since: string;
  readonly by: string;
}

export interface RecordPlace {
  readonly id: string;
  readonly managementDir: string;
  readonly owner: string;
}

export const stoppedFile = ({ id, managementDir }: Pick<RecordPlace, 'id' | 'managementDir'>): string =>
  `${managementDir}/${id}.stopped`;

/** Shell: the first line of the record, behind its word; what cannot be read counts. */
export const stoppedProbe = (place: Pick<RecordPlace, 'id' | 'managementDir'>): string => {
  const file = quote(stoppedFile(place));
  return `if [ -e ${file} ] || [ -L ${file} ]; then echo "stopped $(peek head -c 300 ${file} 2>/dev/null | head -n 1)"; fi`;
};

/** From what stands behind the word. */
export function readStoppedRecord(line: string): StoppedRecord {
  const [, since = '?', by = 'somebody'] =
    /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ) (\S.*)$/.exec(line.trim()) ?? [];
  return { since, by };
}

export const stoppedBy = ({ since, by }: StoppedRecord): string =>
  `stopped with pgduet stop by ${by}${since === '?' ? '' : `, ${since.replace('T', ' ').replace('Z', ' UTC')}`}`;

/** The name of whoever asks is text of the machine that runs pgduet: one line of it. */
export const writeRecord = (place: RecordPlace, by: string): string =>
  `put ${quote(stoppedFile(place))} 0600 ${quote(`${place.owner}:`)} "$(date -u +%Y-%m-%dT%H:%M:%SZ) "${quote(`${by.replaceAll(/\s+/g, ' ').slice(0, 120)}\n`)}`;

export const removeRecord = (place: RecordPlace): string =>
  sh`acting ${stoppedFile(place)} ${place.owner} rm -f ${stoppedFile(place)}`;
