/**
 * The record of a server that a person has stopped (ADR 20): one line "time who" of the instance administrator's. What it says is read by
 * `base/stopped-words.ts`. In: a place. Out: shell. Pure.
 */
import { quote, sh } from '../../base/shell.ts';
import { stoppedName } from '../../base/stopped-words.ts';

export interface RecordPlace {
  readonly id: string;
  readonly managementDir: string;
  readonly owner: string;
}

export const stoppedFile = ({ id, managementDir }: Pick<RecordPlace, 'id' | 'managementDir'>): string =>
  `${managementDir}/${stoppedName(id)}`;

/** Shell: the first line of the record, behind its word; what cannot be read counts. */
export const stoppedProbe = (place: Pick<RecordPlace, 'id' | 'managementDir'>): string => {
  const file = quote(stoppedFile(place));
  return `if [ -e ${file} ] || [ -L ${file} ]; then echo "stopped $(peek head -c 300 ${file} 2>/dev/null | head -n 1)"; fi`;
};

/** The name of whoever asks is text of the machine that runs pgduet: one line of it. */
export const writeRecord = (place: RecordPlace, by: string): string =>
  `put ${quote(stoppedFile(place))} 0600 ${quote(`${place.owner}:`)} "$(date -u +%Y-%m-%dT%H:%M:%SZ) "${quote(`${by.replaceAll(/\s+/g, ' ').slice(0, 120)}\n`)}`;

export const removeRecord = (place: RecordPlace): string =>
  sh`acting ${stoppedFile(place)} ${place.owner} rm -f ${stoppedFile(place)}`;
