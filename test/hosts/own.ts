/**
 * What is pgduet's on a host, written by hand from docs/ (provision, migrate, teardown, security, mc_ctl): never from the program, since
 * that is what is judged. In: where a cluster has its directories. Out: whether a path may come, change or go. Pure.
 */

/** Where everything of one server on one host is. */
export interface Places {
  readonly cluster: string;
  /** The management directory and the programs, with every name that leads to them. */
  readonly ownPaths: readonly string[];
  /** With every name that leads to it. */
  readonly dataDirs: readonly string[];
  /** WAL and tablespaces, with every name that leads to them. */
  readonly moreDirs: readonly string[];
  readonly passfile: string;
  /** Where others write all the time. */
  readonly lives: readonly string[];
  /** Of the server that was there before pgduet. */
  readonly unit?: string;
  /** A server stood in the data directory before. */
  readonly isSingle: boolean;
}

/** What runs by itself, and is nobody's. */
export const restless: readonly string[] = [
  ...[
    '/proc',
    '/sys',
    '/dev',
    '/run',
    '/tmp',
    '/var/tmp',
    '/var/log',
    '/var/cache',
    '/var/lib/apt',
    '/lost+found',
  ],
  ...['/var/lib/systemd', '/var/lib/private', '/etc/.updated', '/var/.updated', '/opt/local-client'],
];

/** PostgreSQL's own in a data directory: it changes as long as the server runs. */
const internals =
  'base global pg_commit_ts pg_dynshmem pg_logical pg_multixact pg_notify pg_replslot pg_serial pg_snapshots pg_stat';
export const internal: readonly string[] = [
  ...internals.split(' '),
  ...'pg_stat_tmp pg_subtrans pg_tblspc pg_twophase pg_wal pg_xact log'.split(' '),
];
const running =
  'postmaster.pid postmaster.opts current_logfiles backup_label.old tablespace_map.old backup_manifest PG_VERSION';
/** Written while a server is multiplexed; teardown gives them back. */
const edited =
  'postgresql.conf postgresql.auto.conf pg_hba.conf pg_ident.conf pgduet.json standby.signal pgsql_tmp_mc_disk_check';

/** The second record of what a server was before; its name has the server and a mark of its machine. */
const recorded = /^pgduet\.before\.[\w-]+\.[0-9a-f]{12}\.json$/;

/** Files of many owners: lines of pgduet come and go, those of others stay. */
export const shared = ({ passfile }: Places): readonly string[] => ['/etc/services', passfile];

export const isIn = (place: string, path: string): boolean => path === place || path.startsWith(`${place}/`);

/** While the cluster is there. `isNew`: nothing was there before pgduet came. */
export function isOwn(places: Places, path: string, isNew: boolean): boolean {
  const { cluster, ownPaths, unit } = places;
  const system = '/etc/systemd/system';
  const wants = `${system}/multi-user.target.wants`;
  const own = [
    ...ownPaths,
    `${system}/mcoi_${cluster}.service`,
    `${wants}/mcoi_${cluster}.service`,
    `${system}/postgresql_${cluster}.service`,
    `${wants}/postgresql_${cluster}.service`,
    ...(unit === undefined ? [] : [`${system}/${unit}.d/pgduet.conf`]),
  ];
  if (own.some((place) => isIn(place, path)) || isList(places, path)) return true;
  if (places.dataDirs.some((dir) => isIn(dir, path) && isOwnData(places, dir, path, isNew))) return true;
  if (places.moreDirs.some((dir) => isIn(dir, path) && (isNew || path === dir || isServers(dir, path))))
    return true;
  // Directories above those, and where they did not exist.
  const above = [...own, ...places.dataDirs, ...places.moreDirs, places.passfile];
  return isNew && above.some((place) => isIn(path, place));
}

/** A copy of those who sign for TLS, beside the password file (docs/tls.md). */
const isList = ({ passfile }: Places, path: string): boolean =>
  /^\.pgduet-ca-[0-9a-f]{8}\.pem$/.test(path.slice(passfile.lastIndexOf('/') + 1)) &&
  isIn(passfile.slice(0, passfile.lastIndexOf('/')), path);

/** What PostgreSQL calls its own in a directory of WAL or in a tablespace. */
const isServers = (dir: string, path: string): boolean =>
  /^(PG_\d+_\d+|[0-9A-F]{24}(\..*)?|[0-9A-F]{8}\.history|archive_status|summaries|xlogtemp\..*)$/.test(
    path.slice(dir.length + 1).split('/')[0] ?? '',
  );

/** In the directory of a server that was there, only what PostgreSQL and pgduet write; elsewhere all that is new. */
function isOwnData({ isSingle }: Places, dir: string, path: string, isNew: boolean): boolean {
  if (path === dir) return true;
  if (!isSingle) return isNew;
  const first = path.slice(dir.length + 1).split('/')[0] ?? '';
  return recorded.test(first) || [...internal, ...running.split(' '), ...edited.split(' ')].includes(first);
}

/** What a single server changes by running, also once it is single again; elsewhere nothing is. */
export function isChurn(places: Places, path: string): boolean {
  if (!places.isSingle) return false;
  return (
    places.moreDirs.some((dir) => isIn(dir, path) && isServers(dir, path)) ||
    places.dataDirs.some((dir) => {
      const first = path.slice(dir.length + 1).split('/')[0] ?? '';
      return isIn(dir, path) && [...internal, ...running.split(' ')].includes(first);
    })
  );
}

/** Strictly above something of the cluster: such a directory may be left empty. */
export const isAbove = ({ ownPaths, dataDirs, moreDirs }: Places, path: string): boolean =>
  [...ownPaths, ...dataDirs, ...moreDirs].some((place) => place !== path && isIn(path, place));
