/**
 * Settings with which a server loses what it has acknowledged, or goes on with pages that are damaged: the server's own,
 * and those of roles and databases. What the inventory declares so is meant so, and is not reported. Pure.
 */

import { quoteIdentifier } from '../../postgres/quote.ts';
import { placeOf } from '../../postgres/setting-row.ts';
import { openSetting } from '../../postgres/withheld.ts';
import type { AuditContext } from '../audit.ts';
import type { Reported } from '../finding.ts';
import { type InForce, type OwnSetting, shown, undoing } from './in-force.ts';

interface Rule {
  readonly unsafe: readonly string[];
  readonly safe: string;
}

const off = ['off', 'false', 'no', '0'];
const on = ['on', 'true', 'yes', '1'];

const rules: Readonly<Record<string, Rule>> = {
  fsync: { unsafe: off, safe: 'on' },
  full_page_writes: { unsafe: off, safe: 'on' },
  // "local" waits for the disk of this server alone: what it acknowledges is lost with it.
  synchronous_commit: { unsafe: [...off, 'local'], safe: 'on' },
  zero_damaged_pages: { unsafe: on, safe: 'off' },
  ignore_checksum_failure: { unsafe: on, safe: 'off' },
};

export const isUnsafe = (name: string, value: string): boolean =>
  rules[name]?.unsafe.includes(value.toLowerCase()) ?? false;

export function judgeDurability(
  context: AuditContext,
  seen: ReadonlyMap<string, InForce>,
): readonly Reported[] {
  const ofServers = [...seen].flatMap(([host, inForce]) => ofServer(context, host, inForce));
  // Roles and databases are the same on all servers: they are reported once.
  const teller =
    context.primary !== undefined && seen.has(context.primary) ? context.primary : [...seen.keys()][0];
  const own = teller === undefined ? [] : (seen.get(teller)?.own ?? []);
  return [...ofServers, ...(teller === undefined ? [] : ofRoles(context, teller, own))];
}

const isMeant = (context: AuditContext, host: string, name: string): boolean =>
  isUnsafe(name, context.declaredSettings(host).get(name) ?? '');

function ofServer(context: AuditContext, host: string, { settings }: InForce): readonly Reported[] {
  return Object.entries(rules).flatMap(([name, { safe }]) => {
    const setting = settings.get(name);
    if (!setting || !isUnsafe(name, setting.raw) || isMeant(context, host, name)) return [];
    // What the administrator's own role or database says is reported below, with its name.
    if (['user', 'database', 'database user'].includes(setting.source)) return [];
    const repair = undoing(name, setting);
    return [
      {
        code: 'SET012' as const,
        host,
        object: name,
        declared: safe,
        found: shown(name, setting),
        source: placeOf(setting),
        ...(repair === undefined ? {} : { repair }),
      },
    ];
  });
}

function ofRoles(context: AuditContext, host: string, own: readonly OwnSetting[]): readonly Reported[] {
  return own
    .filter(({ name, value }) => isUnsafe(name, value) && !isMeant(context, host, name))
    .map((one) => ({
      code: 'SET012' as const,
      host,
      object: one.name,
      declared: rules[one.name]?.safe ?? '',
      found: openSetting(one.name, one.value),
      source: statement(one),
      repair: `on {host}: ${statement(one)} RESET ${one.name}; sessions that are open keep the value`,
    }));
}

/** "ALTER ROLE app IN DATABASE shop": what the setting was made with. */
export function statement({ role, database }: OwnSetting): string {
  const name = (text: string): string => (/^[a-z_][a-z0-9_]*$/.test(text) ? text : quoteIdentifier(text));
  if (role === null && database !== null) return `ALTER DATABASE ${name(database)}`;
  const who = role === null ? 'ALL' : name(role);
  return `ALTER ROLE ${who}${database === null ? '' : ` IN DATABASE ${name(database)}`}`;
}
