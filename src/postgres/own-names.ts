/**
 * The names that PostgreSQL itself gives below a data directory, a WAL directory and the directory of a tablespace, as a table, and
 * those of pgduet beside them. What is not in it is somebody else's. Pure.
 */

import { usualLog } from './log-names.ts';

export type OwnPlace = 'data' | 'wal' | 'tablespace';

interface OwnName {
  /** d: directory, f: file, l: symbolic link, s: socket. */
  readonly type: 'd' | 'f' | 'l' | 's';
  /** Relative to the place; an extended regular expression for the whole of it. */
  readonly pattern: string;
  /** The first and the last major version that makes it; without them all do. */
  readonly from?: number;
  readonly until?: number;
}

const d = (pattern: string): OwnName => ({ type: 'd', pattern });
const f = (pattern: string): OwnName => ({ type: 'f', pattern });

const hex = (digits: string): string => `[0-9A-F]{${digits}}`;
const segment = hex('24');
const walFile = `(${segment}(\\.partial|\\.${hex('8')}\\.backup)?|${hex('8')}\\.history)`;

/** The controller's check of a disk writes it; PostgreSQL takes it for a temporary file of its own. */
export const diskCheck = 'pgsql_tmp_mc_disk_check';

const wal: readonly OwnName[] = [
  f(`${walFile}|${hex('8')}\\.history\\.tmp|xlogtemp\\.[0-9]+|RECOVERYXLOG|RECOVERYHISTORY|${diskCheck}`),
  d('archive_status'),
  f(`archive_status/${walFile}\\.(ready|done)`),
  { type: 'd', pattern: 'summaries', from: 17 },
  { type: 'f', pattern: `summaries/(${hex('40')}\\.summary|temp\\.summary)`, from: 17 },
];

/** Files of relations in a directory of a database. */
const relations = 't?[0-9]+(_[0-9]+)?(_fsm|_vm|_init)?(\\.[0-9]+)?';
const inDatabase = `(${relations}|PG_VERSION|pg_filenode\\.map(\\.tmp)?|pg_internal\\.init(\\.[0-9]+)?)`;
const sortFile = 'pgsql_tmp[0-9.]+((\\.sharedfileset|\\.fileset)(/[^/]+)?)?';

/** What stands alike in `base` and in the directory of a version in a tablespace. */
const databases = (base: string): readonly OwnName[] => [
  d(`${base}[0-9]+|${base}pgsql_tmp|${base}pgsql_tmp/pgsql_tmp[0-9.]+(\\.sharedfileset|\\.fileset)`),
  f(`${base}[0-9]+/${inDatabase}|${base}pgsql_tmp/${sortFile}`),
];

const below = (directory: string, names: readonly OwnName[]): readonly OwnName[] =>
  names.map((name) => ({ ...name, pattern: `${directory}/(${name.pattern})` }));

const tops = 'postgresql\\.conf|postgresql\\.auto\\.conf|pg_hba\\.conf|pg_ident\\.conf';

const data: readonly OwnName[] = [
  d('base|global|pg_(commit_ts|dynshmem|logical|multixact|notify|replslot|serial|snapshots)'),
  d('pg_(stat|stat_tmp|subtrans|tblspc|twophase|wal|xact)|pg_logical/(mappings|snapshots)'),
  d('pg_multixact/(members|offsets)|pg_replslot/[a-z0-9_]+(\\.tmp)?|log'),
  f(`PG_VERSION|${tops}|postgresql\\.auto\\.conf\\.tmp|postmaster\\.(opts|pid)|current_logfiles(\\.tmp)?`),
  f(
    'backup_label(\\.old|\\.tmp)?|tablespace_map(\\.old)?|backup_manifest(\\.tmp)?|(standby|recovery)\\.signal',
  ),
  f('promote|logrotate|autoprewarm\\.blocks(\\.tmp)?|global/pg_stat_statements\\.stat'),
  f(`global/(pg_control|${inDatabase})`),
  f('(pg_xact|pg_subtrans|pg_commit_ts|pg_notify|pg_serial|pg_multixact/(members|offsets))/[0-9A-F]{4,15}'),
  f('pg_dynshmem/mmap\\.[0-9]+|pg_snapshots/[0-9A-F-]+(\\.tmp)?'),
  f('pg_logical/replorigin_checkpoint(\\.tmp)?|pg_logical/mappings/map-[0-9A-Fa-f_-]+'),
  f('pg_logical/snapshots/[0-9A-F]+-[0-9A-F]+\\.snap(\\.[0-9]+\\.tmp)?'),
  f('pg_replslot/[a-z0-9_]+(\\.tmp)?/(state(\\.tmp)?|xid-[0-9]+-lsn-[0-9A-F]+-[0-9A-F]+\\.spill)'),
  f('pg_stat(_tmp)?/[a-z0-9_]+\\.(stat|tmp|stat\\.tmp)|pg_stat_tmp/pgss_query_texts\\.stat'),
  { type: 'f', pattern: `pg_twophase/${hex('8')}`, until: 16 },
  { type: 'f', pattern: `pg_twophase/${hex('16')}`, from: 17 },
  // What else the settings say is read from them.
  f(`log/${usualLog}`),
  { type: 'l', pattern: 'pg_wal|pg_tblspc/[0-9]+' },
  { type: 's', pattern: '\\.s\\.PGSQL\\.[0-9]+' },
  f('\\.s\\.PGSQL\\.[0-9]+\\.lock'),
  // In place: a setting for developers makes these without a link.
  d('pg_tblspc/[0-9]+|pg_tblspc/[0-9]+/PG_[0-9]+_[0-9]+'),
  ...below('pg_tblspc/[0-9]+/PG_[0-9]+_[0-9]+', databases('')),
  f(`pg_tblspc/[0-9]+/${diskCheck}`),
  ...databases('base/'),
  ...below('pg_wal', wal),
  // Of pgduet, and of its controller.
  f(
    `pgduet\\.json|\\.?pgduet\\.before\\.[A-Za-z0-9_.-]+\\.json(\\.pgduet-tmp)?|startup\\.log|\\.(postgresql|pg_hba)\\.conf\\.trial|\\.[a-z_.]+\\.pgduet-tmp|${diskCheck}`,
  ),
];

/** Of one version alone: others may have theirs beside it. */
const tablespace = (version: number): readonly OwnName[] => [
  d(`PG_${version}_[0-9]+`),
  ...below(`PG_${version}_[0-9]+`, databases('')),
  f(diskCheck),
];

const places: Readonly<Record<OwnPlace, (version: number) => readonly OwnName[]>> = {
  data: () => data,
  wal: () => wal,
  tablespace,
};

/** One pattern for each type of file: what may stand there. */
export function ownNames(place: OwnPlace, version: number): ReadonlyMap<OwnName['type'], string> {
  const rows = places[place](version).filter(
    ({ from = 0, until = version }) => from <= version && version <= until,
  );
  const types = [...new Set(rows.map(({ type }) => type))];
  return new Map(
    types.map((type) => [type, rows.flatMap((row) => (row.type === type ? [row.pattern] : [])).join('|')]),
  );
}

/** All of the above for names at the top of a data directory, of whatever type: few words, since each look makes a program of them. */
export const topNames = (version: number): string =>
  [...ownNames('data', version).values()]
    .flatMap(alternatives)
    .filter((pattern) => !pattern.includes('/'))
    .join('|');

/** The parts of a pattern between the bars that stand in no brackets. */
function alternatives(pattern: string): readonly string[] {
  const parts: string[] = [];
  let part = '';
  let depth = 0;
  for (const [token] of pattern.matchAll(/\\.|\[[^\]]*\]|./g)) {
    if (token === '(') depth += 1;
    if (token === ')') depth -= 1;
    if (token === '|' && depth === 0) {
      parts.push(part);
      part = '';
    } else part += token;
  }
  return [...parts, part];
}
