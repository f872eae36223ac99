/**
 * Roles that no resource declares: passwords that are not kept as SCRAM, and superusers besides the administrator. Two
 * audits, because only a superuser may see how a password is kept. The role of the standbys has a resource of its own. Pure.
 */
import { quoteLiteral } from '../../postgres/quote.ts';
import type { Audit } from '../audit.ts';
import { answer, teller } from './answer.ts';

type Names = readonly string[];

export const passwords: Audit<Names> = {
  name: 'how passwords are kept',
  probe: (_host, cluster) => ({
    sql: `select coalesce(json_agg(rolname order by rolname), '[]') from pg_authid where rolcanlogin and rolpassword ~ '^md5[0-9a-f]{32}$' and rolname <> ${quoteLiteral(cluster.replicationUser)}`,
  }),
  read: answer,
  judge: (context, seen) => {
    const [host, names] = teller(context, seen) ?? [null, []];
    return names.map((name) => ({
      code: 'ROL005',
      host,
      object: name,
      declared: 'SCRAM-SHA-256',
      found: 'MD5',
    }));
  },
};

/** The role that initdb has made (number 10) cannot be anything else. */
export const superusers: Audit<Names> = {
  name: 'superusers',
  probe: (host, cluster) => ({
    sql: `select coalesce(json_agg(rolname order by rolname), '[]') from pg_roles where rolsuper and oid <> 10 and rolname not in (${quoteLiteral(host.postgres.owner)}, ${quoteLiteral(cluster.replicationUser)})`,
  }),
  read: answer,
  judge: (context, seen) => {
    const [host, names] = teller(context, seen) ?? [null, []];
    return names.map((name) => ({
      code: 'ROL006',
      host,
      object: name,
      declared: 'no superuser besides the administrator',
      found: 'superuser',
    }));
  },
};
