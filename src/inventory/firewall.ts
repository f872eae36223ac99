/** What an inventory says of firewall and listening, read from its draft; and the networks that follow from client rules. Pure. */
import type { Firewall, HbaRule } from './cluster.ts';
import type { Draft, Partly } from './draft.ts';

/** Undefined where the inventory does not say it. */
export function firewallOf({ data: { firewall } }: Pick<Draft, 'data'>): Firewall | undefined {
  if (firewall === undefined) return undefined;
  if (typeof firewall === 'string') return { by: firewall, servers: [] };
  const { by, clients, servers = [] } = firewall;
  if (by === undefined) return undefined;
  return { by, servers: present(servers), ...(clients ? { clients: present(clients) } : {}) };
}

/** Further addresses; undefined: on every address. */
export function listenOf({ data }: Pick<Draft, 'data'>): readonly string[] | undefined {
  const listen = data.postgres?.listen;
  if (listen === undefined || listen === 'all') return undefined;
  return listen === 'declared' ? [] : present(listen);
}

const present = <T>(values: readonly (T | undefined)[]): readonly T[] =>
  values.flatMap((value) => (value === undefined ? [] : [value]));

/** Who a rule lets in over a network: an address or a network, `all`, or a word that only PostgreSQL can read. */
const letsIn = ({ type, method, address }: Partly<HbaRule>): string | undefined =>
  type === 'local' || method === 'reject' || address === 'samehost' ? undefined : address;

/** `all` where some rule is for everybody. */
export function networksOfRules(rules: readonly Partly<HbaRule>[]): readonly string[] | 'all' {
  const words = [...new Set(rules.flatMap((rule) => letsIn(rule) ?? []))];
  return words.includes('all') ? 'all' : words;
}

/** The first rule whose clients no set of networks can hold. */
export const ruleWithoutNetwork = (
  rules: readonly (Partly<HbaRule> | undefined)[],
  isNetwork: (text: string) => boolean,
): number =>
  rules.findIndex((rule) => {
    const address = rule && letsIn(rule);
    return address !== undefined && address !== 'all' && !isNetwork(address);
  });
