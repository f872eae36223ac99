/** How the survey asks for the replication password that a host has. In: the cluster. Out: shell that prints the line of the password file. Pure. */
import { Secret } from '../base/secret.ts';
import { assigned, quote } from '../base/shell.ts';
import type { Cluster } from '../inventory/cluster.ts';
import { pgpassLine } from '../postgres/pgpass.ts';

/**
 * The line of a server of this cluster. Where none has its present address, the first one that names a host and a port of the
 * cluster: the address may have been another one. What stands for several clusters is the password of none.
 */
export function passwordScript({ servers, replicationUser: user }: Cluster): string {
  const line = (host: string, port: number): string =>
    pgpassLine({ host, port: String(port), database: 'replication', user, password: new Secret('') });
  const present = servers.map(({ logTransferAddress, postgres }) => line(logTransferAddress, postgres.port));
  const moved = servers.map(({ postgres }) => line('', postgres.port));
  const program = String.raw`BEGIN { n = split(ENVIRON["present"], present, "\n"); m = split(ENVIRON["moved"], moved, "\n") }
{ for (i = 1; i <= n; i++) if (index($0, present[i]) == 1) { print; found = 1; exit }
  if (other == "" && substr($0, 1, 2) != "*:") for (i = 1; i <= m; i++) if (index($0, moved[i]) > 1) other = $0 }
END { if (!found && other != "") print other }`;
  const words = [
    ['present', present.join('\n')],
    ['moved', [...new Set(moved)].join('\n')],
  ] as const;
  return `if [ -f "$PASSFILE" ]; then text=$(text_of "$PASSFILE") || exit $?
printf '%s\\n' "$text" | LC_ALL=C ${words.map(assigned).join(' ')} awk ${quote(program)}; fi`;
}
