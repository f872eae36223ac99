/**
 * Who demands TLS of whom. Where the inventory says nothing of it: a server that offered TLS before a migration is followed by it, so that one
 * that offers none any more could not be followed. Where it is being turned on: why nothing is demanded yet. Pure.
 */
import { isOffered } from '../../observe/tls.ts';
import { present } from '../../resources/contract/kind.ts';
import type { Audit, AuditContext } from '../audit.ts';
import type { Reported } from '../finding.ts';
import { answer } from './answer.ts';

interface Demands {
  readonly offers: boolean;
  readonly demands: boolean;
}

const query = `select json_build_object('offers', current_setting('ssl') = 'on', 'demands',
 coalesce((select conninfo from pg_stat_wal_receiver), current_setting('primary_conninfo', true), '') ~ 'sslmode=(require|verify)')`;

export const tlsDemands: Audit<Demands | undefined> = {
  name: 'TLS that is demanded',
  probe: ({ postgres: { tls } }) => (tls === undefined ? { sql: query } : {}),
  read: (reply, { postgres: { tls } }) => (tls === undefined ? answer<Demands>(reply) : present(undefined)),
  judge: (context, seen) => [...unoffered(seen), ...notYet(context)],
};

function unoffered(seen: ReadonlyMap<string, Demands | undefined>): readonly Reported[] {
  const asking = [...seen].flatMap(([name, one]) => (one?.demands ? [name] : []));
  return [...seen].flatMap(([host, one]): readonly Reported[] => {
    const others = asking.filter((name) => name !== host);
    return one?.offers === false && others.length > 0
      ? [
          {
            code: 'TLS040',
            host,
            object: 'ssl',
            declared: `on: ${others.join(', ')} follows by TLS`,
            found: 'off',
          },
        ]
      : [];
  });
}

/** What can be reached is turned on by the next provision, which is told by its resources. */
function notYet({ cluster, view }: AuditContext): readonly Reported[] {
  const waits = [...view.hosts].flatMap(([name, { verifies }]) => (verifies === false ? [name] : []));
  if (waits.length === 0 || !cluster.servers.some(isOffered)) return [];
  const behind = cluster.servers.flatMap(({ name }) => {
    const out = view.absent?.has(name)
      ? 'is away'
      : view.maintained?.has(name)
        ? 'is in maintenance'
        : undefined;
    const served = view.hosts.get(name)?.tls?.served;
    if (out === undefined || (served !== undefined && served !== 'none')) return [];
    return [`${name} ${out}, and ${served === 'none' ? 'offers no TLS' : 'was not seen to offer TLS'}`];
  });
  return behind.length > 0
    ? [
        {
          code: 'TLS041',
          host: null,
          object: 'replication',
          declared: 'servers verify each other by TLS',
          found: `not yet: ${behind.join('; ')}; who verifies could not follow it`,
        },
      ]
    : [];
}
