/**
 * What keeps a server from starting as the single one that it was: slots of others below the level of WAL that they need, and more slots or
 * prepared transactions than its settings allow. In: what is there, and the files as they will be. Out: words. Pure.
 */
import { effectiveConf } from '../../postgres/conf-file.ts';
import type { Before } from '../data/record.ts';
import type { SingleLive } from './single-observation.ts';

export interface StartProblem {
  readonly what: string;
  readonly why: string;
  readonly fix: string;
}

export interface FutureFiles {
  /** postgresql.conf and postgresql.auto.conf as the server will read them. */
  readonly conf: string;
  readonly auto: string;
  readonly record: Before | undefined;
}

export function keepsFromStarting(live: SingleLive, files: FutureFiles): StartProblem | undefined {
  const slots = live.others ?? [];
  const logical = slots.filter((slot) => slot.logical);
  const level = futureValue('wal_level', live, files);
  if (logical.length > 0 && level !== undefined && level.toLowerCase() !== 'logical')
    return {
      what: `it has logical slots (${namesOf(logical)}), and wal_level becomes ${level} again`,
      why: 'the server would not start with them below wal_level = logical',
      fix: `${drop(logical)} Or keep them: ALTER SYSTEM SET wal_level = 'logical'. Then run the same command again.`,
    };
  const most = Number(futureValue('max_replication_slots', live, files));
  if (slots.length > most)
    return {
      what: `it has ${slots.length} replication slots (${namesOf(slots)}), and max_replication_slots becomes ${most} again`,
      why: 'the server would not start with more slots than that',
      fix: `${drop(slots)} Or keep them: ALTER SYSTEM SET max_replication_slots = ${slots.length}. Then run the same command again.`,
    };
  const prepared = live.prepared ?? 0;
  const room = Number(futureValue('max_prepared_transactions', live, files));
  if (prepared > room)
    return {
      what: `it has ${prepared} prepared transactions, and max_prepared_transactions becomes ${room} again`,
      why: 'the server would not start with more of them than that',
      fix: `End them (SELECT * FROM pg_prepared_xacts; COMMIT PREPARED or ROLLBACK PREPARED). Or keep them: ALTER SYSTEM SET max_prepared_transactions = ${prepared}. Then run the same command again.`,
    };
  return undefined;
}

const namesOf = (slots: readonly { readonly name: string }[]): string =>
  slots.map(({ name }) => name).join(', ');

const drop = (slots: readonly { readonly name: string }[]): string =>
  `Drop what nobody needs: ${slots.map(({ name }) => `SELECT pg_drop_replication_slot('${name}');`).join(' ')}`;

/** From where a value comes that stands in no file: who starts the server gives it again. */
const passing: readonly string[] = ['command line', 'environment variable'];

function futureValue(
  name: string,
  live: SingleLive,
  { conf, auto, record }: FutureFiles,
): string | undefined {
  const given = record?.settings.find(
    (one) => one.name.toLowerCase() === name && passing.includes(one.place),
  );
  const written = effectiveConf(auto).get(name) ?? effectiveConf(conf).get(name);
  return given?.value ?? written?.value ?? live.restart[name]?.boot ?? undefined;
}
