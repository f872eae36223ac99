/**
 * Client rules as the server itself reads them (pg_hba_file_rules): also those of included files, and what somebody wrote by hand. In: rows.
 * Out: their words. Pure.
 */

/** What rules are compared by: names without their quotes, an address as CIDR, name or keyword. */
export interface RuleWords {
  readonly database: readonly string[];
  readonly user: readonly string[];
  readonly address: string;
}

export interface RuleRow {
  readonly type: string;
  readonly database: readonly string[];
  readonly user: readonly string[];
  readonly address: string;
  /** Null behind a name or a keyword. */
  readonly mask: string | null;
  readonly method: string;
}

/** SQL: those for the network in their order. One that cannot match, since TLS is off, has an error and counts all the same. */
export const ruleRowsQuery = `(select coalesce(json_agg(json_build_object('type', r.type, 'database', r.database, 'user', r.user_name,
 'address', r.address, 'mask', r.netmask, 'method', r.auth_method) order by (to_jsonb(r) ->> 'rule_number')::int, r.line_number), '[]')
 from pg_hba_file_rules r where r.type <> 'local')`;

export const rowWords = ({ database, user, address, mask }: RuleRow): RuleWords => ({
  database,
  user,
  address: mask === null ? address : `${address}/${maskBits(mask)}`,
});

/** "255.255.0.0" → 16; "ffff:ffff::" → 32. */
const maskBits = (mask: string): number =>
  (mask.includes(':')
    ? mask.split(':').map((group) => Number.parseInt(group || '0', 16))
    : mask.split('.').map(Number)
  ).reduce((sum, part) => sum + part.toString(2).replaceAll('0', '').length, 0);
