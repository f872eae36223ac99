/**
 * Clients and TLS: the rules that let somebody in without it, as each server has read them, and who is in without it now. Where the
 * inventory names no certificates nothing is asked. Pure.
 */
import { crossesNetwork, takesAllOf } from '../../inventory/client-rules.ts';
import type { Cluster } from '../../inventory/cluster.ts';
import { type ClientsSeen, clientsProbe, isOffered, ownRoles } from '../../observe/tls.ts';
import { type RuleRow, rowWords } from '../../postgres/hba-rows.ts';
import { sessionsWords } from '../../postgres/plain-sessions.ts';
import { present } from '../../resources/contract/kind.ts';
import type { Audit } from '../audit.ts';
import type { Reported } from '../finding.ts';
import { answer } from './answer.ts';

export const tlsClients: Audit<ClientsSeen | undefined> = {
  name: 'clients without TLS',
  probe: (server, cluster) => clientsProbe(cluster, server),
  read: (reply, server) => (isOffered(server) ? answer<ClientsSeen>(reply) : present(undefined)),
  judge: ({ cluster }, seen) => {
    const looked = [...seen].flatMap(([host, clients]) => (clients ? [{ host, clients }] : []));
    const open = looked.map(({ host, clients }) => ({ host, rules: openRules(cluster, clients.rules) }));
    return [
      ...together(open).flatMap(({ host, rules }) =>
        rules.length > 0 ? [openRule(cluster, host, rules)] : [],
      ),
      ...looked.flatMap(({ host, clients }) => (clients.sessions.length > 0 ? [inside(host, clients)] : [])),
    ];
  },
};

interface Open {
  readonly host: string | null;
  readonly rules: readonly string[];
}

/** Rules are the same on all servers: once, unless they are not. */
function together(all: readonly Open[]): readonly Open[] {
  const [first] = all;
  const same = all.every(({ rules }) => rules.join() === first?.rules.join());
  return first && same ? [{ ...first, host: all.length > 1 ? null : first.host }] : all;
}

/** What takes connections without TLS; a refusal in front of one with all of its clients closes it. */
const plain = ['host', 'hostnossl', 'hostnogssenc'];

function openRules(cluster: Cluster, rows: readonly RuleRow[]): readonly string[] {
  const ours = ownRoles(cluster);
  const candidates = rows.filter(({ type }) => plain.includes(type));
  return candidates.flatMap((row, index) => {
    const words = rowWords(row);
    if (row.method === 'reject' || !crossesNetwork(words.address)) return [];
    if (row.user.every((name) => ours.includes(name))) return [];
    const closed = candidates
      .slice(0, index)
      .some((other) => other.method === 'reject' && takesAllOf(rowWords(other), words));
    return closed
      ? []
      : [[row.type, row.database.join(), row.user.join(), words.address, row.method].join(' ')];
  });
}

const openRule = ({ servers }: Cluster, host: string | null, rules: readonly string[]): Reported => ({
  code: 'TLS030',
  host,
  object: 'postgres.hba',
  declared: `TLS for clients is ${servers[0]?.postgres.tlsClients ?? 'optional'}`,
  found: `${rules.length} ${rules.length === 1 ? 'rule' : 'rules'}: ${rules.join('; ')}`,
});

const inside = (host: string, { sessions }: ClientsSeen): Reported => ({
  code: 'TLS031',
  host,
  object: 'clients',
  declared: 'TLS',
  found: sessionsWords(sessions),
});
