/** What the verbs that name servers have in common: which are meant, and which of the others may be away. In: the command line. Out: parts of a purpose. */
import { type Diagnostic, DiagnosticError } from '../base/diagnostic.ts';
import { exitCode } from '../base/exit-codes.ts';
import type { StoppedRecord } from '../base/stopped-words.ts';
import type { Cluster } from '../inventory/cluster.ts';
import type { View } from '../observe/survey.ts';
import type { Purpose } from './apply.ts';
import { type Given, repeatedArgument } from './verb.ts';

export const namedServers = (given: Given): readonly string[] => repeatedArgument(given, 'host');

/** A host that nobody means does not have to answer. */
export const about = (hosts: readonly string[]): Pick<Purpose, 'serversOnly' | 'mayBeAway' | 'check'> => ({
  serversOnly: true,
  mayBeAway: (host) => hosts.length > 0 && !hosts.includes(host),
  check: (cluster) => checkServers(cluster, hosts),
});

/** By server: who has stopped it and when, as it was seen last; null where nobody has. */
export const stoppedServers = ({ hosts }: View): Readonly<Record<string, StoppedRecord | null>> =>
  Object.fromEntries([...hosts].map(([name, { stopped }]) => [name, stopped ?? null]));

export function checkServers({ servers }: Cluster, hosts: readonly string[]): void {
  const stray = hosts.find((host) => !servers.some(({ name }) => name === host));
  if (stray === undefined) return;
  const diagnostic: Diagnostic = {
    code: 'INV020',
    what: `'${stray}' carries no server`,
    why: 'this is about PostgreSQL and its controller',
    fix: `Name one of: ${servers.map(({ name }) => name).join(', ')}; or none, for all of them.`,
  };
  throw new DiagnosticError([diagnostic], exitCode.inputWrong);
}
