/** The refusals that the kinds `instance` and `standby` share: whose data stands there, and why it is not touched. Pure. */
import { advised, type Command, onHost } from '../../base/command.ts';
import type { Diagnostic } from '../../base/diagnostic.ts';
import { quote } from '../../base/shell.ts';
import {
  type DataDirectory,
  type DataDirectoryPlace,
  type Lost,
  makingFile,
  systemFile,
  unreadable,
} from './data-directory.ts';
import { inTheWay, othersInTheWay } from './own-files.ts';

/** What else is known of the data: what the server that stays holds too, and which cluster the rest of a copy may be of. */
export interface Known {
  readonly same?: readonly string[];
  readonly systems?: readonly (string | undefined)[];
}

/** Why this data directory cannot be used, if it cannot; said of the directory's content alone. */
export function unusable(
  path: string,
  version: number,
  seen: DataDirectory,
  known: Known = {},
): Diagnostic | undefined {
  // What an interrupted attempt left may lack any file, its version too; it is made anew, and nothing in it is missed.
  if (seen.making === undefined && seen.content === 'foreign')
    return {
      code: 'SAF002',
      what: `the data directory '${path}' holds files that are not PostgreSQL's`,
      why: 'they would be mixed up with the database, or lost',
      fix: seen.files.includes('lost+found')
        ? "'lost+found' belongs to the mount point: name a directory below it in the inventory (postgres.data_dir)."
        : 'Empty the directory, or name another one in the inventory (postgres.data_dir).',
      evidence: seen.files.map((name) => `found: ${name}`),
    };
  if (seen.making !== undefined || seen.content !== 'cluster') {
    const others = inTheWay(path, seen.besides ?? [], known.same);
    const problem = othersInTheWay(
      `what is needed for '${path}'`,
      others,
      'it would be lost, or mixed up with the database',
    );
    if (problem) return problem;
  }
  if (seen.making === undefined && seen.content === 'cluster' && seen.version !== version)
    return {
      code: 'SAF006',
      what: `the data directory '${path}' holds PostgreSQL ${seen.version ?? 'of an unknown version'}, the inventory says ${version}`,
      why: 'a server of one major version cannot use the files of another',
      fix: `Name the right version in the inventory (postgres.version), or another directory (postgres.data_dir).`,
    };
  return seen.making === undefined ? undefined : notExpendable(path, seen, known.systems ?? []);
}

/** Why what an interrupted attempt seems to have left may be more than that. */
export function notExpendable(
  path: string,
  seen: DataDirectory,
  systems: Known['systems'] & object,
): Diagnostic | undefined {
  const { control, making } = seen;
  if (seen.running)
    return {
      code: 'SAF005',
      what: `a server runs in '${path}', which an earlier run left unfinished`,
      why: 'emptying the directory under a running server would destroy data',
      fix: 'Look at what runs there; stop it if it is nothing, then run the same command again.',
    };
  const evidence = [
    `system identifier: ${control?.systemIdentifier ?? 'unknown'}`,
    `state: ${control?.state ?? 'unknown'}`,
  ];
  const no = (what: string): Diagnostic => ({
    code: 'SAF001',
    what: `the data directory '${path}' was left unfinished by an earlier run (${making}), and ${what}`,
    why: 'by now it may hold data that exists nowhere else',
    fix: 'Look at what it holds. If nobody needs it, empty the directory and run the same command again; else move it away.',
    evidence,
  });
  if (seen.started) return no('a server has been started in it since');
  if (control === undefined) return undefined;
  if (making === 'initdb')
    return control.unused ? undefined : no('it holds more than an initdb that nobody has used');
  return systems.includes(control.systemIdentifier) ? undefined : no('it holds another cluster now');
}

/** Data that was there once, and is not: the disk with it may come back. */
export const missingData = (path: string, place: DataDirectoryPlace, seen: DataDirectory): Diagnostic => ({
  code: 'SAF008',
  what: `the data of '${place.id}' is not in '${path}', which is ${seen.content === 'empty' ? 'empty' : 'not there'}: is a disk not mounted?`,
  why: `pgduet recorded that it was there (${systemFile(place)}); new data would go to another disk than the old, which may come back`,
  fix: `Mount the disk, then run the same command again. If the data is gone for good: rm ${systemFile(place)}, on the host of '${place.id}'.`,
  evidence: [`recorded system identifier: ${seen.recorded ?? 'unknown'}`],
});

/** A record, or a mark, that is there and tells nothing is none that is missing. */
export function unreadRecord(
  path: string,
  place: DataDirectoryPlace,
  seen: DataDirectory,
): Diagnostic | undefined {
  const there = `system identifier there: ${seen.control?.systemIdentifier ?? 'none'}`;
  if (seen.recorded === unreadable) {
    const file = systemFile(place);
    return {
      code: 'SAF008',
      what: `nobody can say whose data belongs in '${path}': ${file} is there, and holds no system identifier`,
      why: `pgduet writes it for the data of '${place.id}', which may be on a disk that is not mounted`,
      fix: `Look at that file, and whether a disk is not mounted. Where the data of '${place.id}' is known, write its system identifier: printf %s IDENTIFIER > ${quote(file)}; where there is none: rm ${quote(file)}, on the host of '${place.id}'.`,
      evidence: [there],
    };
  }
  if (seen.making !== unreadable) return undefined;
  const file = makingFile(place);
  return {
    code: 'SAF008',
    what: `nobody can say what was left unfinished in '${path}': ${file} is there, and does not tell`,
    why: 'by now the directory may hold data that exists nowhere else',
    fix: `Look at that file and at the directory. If nobody needs what is in it, empty it; then, on the host of '${place.id}': rm ${quote(file)}`,
    evidence: [there],
  };
}

/** WAL, or a tablespace, that was there once: its disk may come back, and where it does not, a person says so. */
export function lostPlace(
  path: string,
  place: DataDirectoryPlace,
  { lost = [] }: DataDirectory,
): Diagnostic | undefined {
  const [first] = lost;
  if (!first) return undefined;
  const what = first.link === 'pg_wal' ? 'WAL' : 'tablespace';
  const isLink = ({ link, target }: Lost): boolean => target !== `${path}/${link}`;
  const links = lost.filter(isLink).map(({ link }) => quote(`${path}/${link}`));
  const removals = [
    ...lost.filter((one) => !isLink(one)).map(({ target }) => `rmdir ${quote(target)}`),
    ...(links.length > 0 ? [`rm ${links.join(' ')}`] : []),
  ].join(' && ');
  return {
    code: 'SAF008',
    what: `the ${what} of '${place.id}' is not in '${first.target}': is a disk not mounted?`,
    why: `${isLink(first) ? `'${path}/${first.link}' leads there` : 'a data directory that is finished has WAL there'}; what stands on that disk may exist nowhere else, and the disk may come back`,
    fix: `Mount the disk, then run the same command again. If it is gone for good: mount another one in its place, if there shall be one, remove what leads there on the host of '${place.id}': ${removals}, then run the same command again; it goes on without what was there.`,
    evidence: lost.map((one) =>
      isLink(one) ? `${one.link} leads to ${one.target}` : `no WAL is in ${one.target}`,
    ),
  };
}

/** Nothing stands where data was recorded. */
export const isMissing = (seen: DataDirectory): boolean =>
  seen.recorded !== undefined &&
  seen.making === undefined &&
  (seen.content === 'absent' || seen.content === 'empty');

/** Another cluster's data: never overwritten. */
export const anotherCluster = (
  host: string,
  path: string,
  seen: DataDirectory,
  expected: string | undefined,
): Diagnostic => ({
  code: 'SAF001',
  what: `the data directory '${path}' holds ${clusterWords(seen)}`,
  why: `${
    expected
      ? `this cluster's system identifier is ${expected}; `
      : 'it was not made by pgduet for this server; '
  }${seen.control?.unused ? 'pgduet deletes no data that it has not made, empty or not' : 'the data there may exist nowhere else'}`,
  ...(seen.control?.unused
    ? advised`${clearing(host, path, seen)}; then run the same command again. Or name another directory in the inventory (postgres.data_dir).`
    : {
        fix: "Name another directory in the inventory (postgres.data_dir), or move the data away if it is not needed. If it is the server that shall become primary, run 'pgduet migrate'.",
      }),
  evidence: [`state: ${seen.control?.state ?? 'unknown'}`, `running: ${seen.running ? 'yes' : 'no'}`],
});

/** Whose it is, and whether anybody has used it, as far as that can be seen from outside. */
function clusterWords({ control, packaged, unit }: DataDirectory): string {
  const whose = packaged
    ? `, ${packaged.replace(' ', '/')} of the packages of Debian`
    : unit
      ? `, which ${unit} runs`
      : '';
  const used = control?.unused ? '; it is empty: nobody has ever made anything in it' : '';
  return `another cluster (system identifier ${control?.systemIdentifier ?? 'unknown'})${whose}${used}`;
}

/** The one command that takes an empty cluster away, as root. */
function clearing(host: string, path: string, { packaged, unit, running }: DataDirectory): Command {
  const command = onHost(host);
  const [version = '', cluster = ''] = (packaged ?? '').split(' ');
  const onlyIf = `nobody needs it${!packaged && !unit && running ? ', and its server is stopped' : ''}`;
  if (packaged) return { ...command`pg_dropcluster --stop ${version} ${cluster}`, onlyIf };
  const aside = `${path}.old`;
  return {
    ...(unit
      ? command`systemctl disable --now ${unit} && mv ${path} ${aside}`
      : command`mv ${path} ${aside}`),
    onlyIf,
  };
}

/** The same cluster, and nothing says that pgduet has put it there: two hosts may come from one image. */
export const unrecordedCopy = (host: string, path: string, seen: DataDirectory): Diagnostic => ({
  code: 'SAF001',
  what: `the data directory '${path}' holds a copy of this cluster that pgduet has not made${seen.packaged ? ` (${seen.packaged.replace(' ', '/')} of the packages of Debian)` : ''}`,
  why: `it has the system identifier of the primary, ${seen.control?.systemIdentifier ?? 'unknown'}, as two hosts from one image have, and is no standby; what it holds may exist nowhere else`,
  ...(seen.control?.unused
    ? advised`It is empty, nobody has ever made anything in it: ${clearing(host, path, seen)}; then run the same command again.`
    : { fix: 'Look at what it holds. If nobody needs it, move it away; then run the same command again.' }),
  evidence: [`state: ${seen.control?.state ?? 'unknown'}`, `running: ${seen.running ? 'yes' : 'no'}`],
});

/** In a sentence each why a host cannot take a copy of the primary. */
export const noCopy = (problems: readonly string[]): Diagnostic => ({
  code: 'SAF031',
  what: `the host cannot take a copy of the primary: ${problems[0]}${problems.length > 1 ? `, and ${problems.length - 1} more` : ''}`,
  why: 'the standby would not start, or not be the same as its primary; nothing has been changed',
  fix: 'Repair what is listed below, then run the same command again.',
  evidence: problems,
});
