/** The refusals that the kinds `instance` and `standby` share: whose data stands there, and why it is not touched. Pure. */
import type { Diagnostic } from '../../base/diagnostic.ts';
import type { DataDirectory } from './data-directory.ts';

/** Why this data directory cannot be used, if it cannot; said of the directory's content alone. */
export function unusable(path: string, version: number, seen: DataDirectory): Diagnostic | undefined {
  // What an interrupted attempt left may lack any file, its version too; it is made anew, and nothing in it is missed.
  if (seen.making === undefined && seen.content === 'foreign')
    return {
      code: 'SAF002',
      what: `the data directory '${path}' holds files that are not PostgreSQL's`,
      why: 'they would be mixed up with the database, or lost',
      fix: 'Empty the directory, or name another one in the inventory (postgres.data_dir).',
      evidence: seen.files.map((name) => `found: ${name}`),
    };
  if (seen.making === undefined && seen.content === 'cluster' && seen.version !== version)
    return {
      code: 'SAF006',
      what: `the data directory '${path}' holds PostgreSQL ${seen.version ?? 'of an unknown version'}, the inventory says ${version}`,
      why: 'a server of one major version cannot use the files of another',
      fix: `Name the right version in the inventory (postgres.version), or another directory (postgres.data_dir).`,
    };
  if (seen.making !== undefined && seen.running)
    return {
      code: 'SAF005',
      what: `a server runs in '${path}', which an earlier run left unfinished`,
      why: 'emptying the directory under a running server would destroy data',
      fix: 'Look at what runs there; stop it if it is nothing, then run the same command again.',
    };
  if (seen.making !== undefined && seen.started)
    return {
      code: 'SAF001',
      what: `the data directory '${path}' was left unfinished by an earlier run, and a server has been started in it since`,
      why: 'by now it may hold data that exists nowhere else',
      fix: 'Look at what it holds. If nobody needs it, empty the directory and run the same command again; else move it away.',
      evidence: [
        `system identifier: ${seen.control?.systemIdentifier ?? 'unknown'}`,
        `state: ${seen.control?.state ?? 'unknown'}`,
      ],
    };
  return undefined;
}

/** Another cluster's data: never overwritten. */
export const anotherCluster = (
  path: string,
  seen: DataDirectory,
  expected: string | undefined,
): Diagnostic => ({
  code: 'SAF001',
  what: `the data directory '${path}' holds another cluster (system identifier ${seen.control?.systemIdentifier ?? 'unknown'})`,
  why: expected
    ? `this cluster's system identifier is ${expected}; the data there may exist nowhere else`
    : 'it was not made by pgduet for this server, and the data may exist nowhere else',
  fix: "Name another directory in the inventory (postgres.data_dir), or move the data away if it is not needed. If it is the server that shall become primary, run 'pgduet migrate'.",
  evidence: [`state: ${seen.control?.state ?? 'unknown'}`, `running: ${seen.running ? 'yes' : 'no'}`],
});
