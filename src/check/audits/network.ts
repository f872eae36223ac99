/**
 * Whether each server reaches the PostgreSQL of every other one on the network for replication, in both directions: the one
 * that nobody uses today is the one that a switch needs. One small process for each other server, all at once, and at most
 * a second. It asks as the role of the standbys, for which there is a rule, and leaves before a password: no line in a log. Pure.
 */
import { quote } from '../../base/shell.ts';
import type { Cluster, Server } from '../../inventory/cluster.ts';
import { type Observed, type ProbeReply, present, unknown } from '../../resources/contract/kind.ts';
import type { Audit, AuditContext } from '../audit.ts';
import type { Reported } from '../finding.ts';

/** Exit status of pg_isready by server; of `timeout`: 124. */
type Reached = ReadonlyMap<string, number>;

const call = ({ name, logTransferAddress, postgres }: Server, user: string): string =>
  `( glimpse timeout 1 "$PGBIN/pg_isready" -q -h ${quote(logTransferAddress)} -p ${postgres.port} -U ${quote(user)} -d replication=true >/dev/null 2>&1 </dev/null; echo ${quote(name)} $? ) &`;

const script = (server: Server, cluster: Cluster): string => {
  const others = cluster.servers.filter(({ name }) => name !== server.name);
  const calls = others.map((other) => call(other, cluster.replicationUser));
  return `[ -n "$PGBIN" ] || exit 1\n${calls.join('\n')}\nwait`;
};

export const network: Audit<Reached> = {
  name: 'the network for replication',
  probe: (server, cluster) => ({ shell: script(server, cluster) }),
  read: readReached,
  judge: (context, seen) => [...seen].flatMap(([host, reached]) => judgeReached(context, host, reached)),
};

function readReached(reply: ProbeReply): Observed<Reached> {
  if (reply.status !== 0) return unknown(reply.stderr.trim() || 'PostgreSQL is not installed');
  const pairs = reply.stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line): [string, number] => [line.slice(0, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]);
  return pairs.some(([, status]) => status > 2 && status !== 124)
    ? unknown('pg_isready could not be run')
    : present(new Map(pairs));
}

/** A server that does not run, or whose host did not answer, has a finding of its own. */
function judgeReached({ cluster, view }: AuditContext, host: string, reached: Reached): readonly Reported[] {
  return cluster.servers.flatMap(({ name, logTransferAddress, postgres }) => {
    const status = reached.get(name) ?? 0;
    if (status < 2 || !view.hosts.get(name)?.data?.running) return [];
    return [
      {
        code: 'NET001' as const,
        host,
        object: name,
        declared: `${logTransferAddress.includes(':') ? `[${logTransferAddress}]` : logTransferAddress}:${postgres.port} is reached`,
        found: status === 124 ? 'no answer within 1 s' : 'refused, or no way there',
      },
    ];
  });
}
