/**
 * Client rules as to encryption: which of them cross a network, and which one stands behind another that takes all of its clients.
 * In: words of rules. Out: what follows from them. Pure.
 */
import { BlockList } from 'node:net';
import type { RuleWords } from '../postgres/hba-rows.ts';
import { fieldText, listedNames } from '../postgres/hba-tokens.ts';
import { canonicalAddress, isIP, isLoopback, normalAddress } from './addresses.ts';
import type { HbaRule } from './cluster.ts';

/** What cannot be read has been refused with the inventory. */
const names = (list: string) => listedNames(list) ?? [{ text: list, quoted: true }];

export const namesText = (list: string): string => fieldText(names(list));

export const wordsOf = ({
  database,
  user,
  address = '',
}: Pick<HbaRule, 'database' | 'user' | 'address'>): RuleWords => ({
  database: names(database).map(({ text }) => text),
  user: names(user).map(({ text }) => text),
  address,
});

/** PostgreSQL tells an address as it spells it itself. */
export const sameClients = (one: RuleWords, other: RuleWords): boolean =>
  comparable(one) === comparable(other);

function comparable({ database, user, address }: RuleWords): string {
  const [host = '', bits] = normalAddress(address).split('/');
  return JSON.stringify([database, user, canonicalAddress(host), bits]);
}

/** Its clients may come without TLS, and over a network, so that `required` means it. Unix sockets and loopback stay on the host. */
export const crossesInClear = ({
  type,
  method,
  address,
}: Pick<HbaRule, 'type' | 'method' | 'address'>): boolean =>
  type === 'host' && method !== 'reject' && address !== undefined && crossesNetwork(address);

export function crossesNetwork(address: string): boolean {
  const [host = '', bits] = address.split('/');
  const wide = bits !== undefined && Number(bits) < (isIP(host) === 4 ? 8 : 128);
  return address !== 'samehost' && (wide || !isLoopback(host));
}

const loopback = ['127.0.0.0/8', '::1/128'] as const;

/** The parts of a wider address that never leave the host. */
export const loopbackIn = (address: string): readonly string[] =>
  address === 'all' || address === 'samenet' ? loopback : loopback.filter((one) => contains(address, one));

/** Every client that the second one would take has met the first one already. */
export const takesAllOf = (first: RuleWords, second: RuleWords): boolean =>
  // A login for replication has no database: all databases are none of them.
  takesNames(first.database, second.database, ['replication']) &&
  takesNames(first.user, second.user, []) &&
  (first.address === 'all' || first.address === second.address || contains(first.address, second.address));

const takesNames = (
  first: readonly string[],
  second: readonly string[],
  beside: readonly string[],
): boolean =>
  second.every((name) => first.includes(name) || (first.includes('all') && !beside.includes(name)));

/** Networks only: what a name means is not known here. */
function contains(wide: string, narrow: string): boolean {
  const [outer, inner] = [networkOf(wide), networkOf(narrow)];
  if (!outer || !inner || outer.family !== inner.family || outer.bits > inner.bits) return false;
  const list = new BlockList();
  list.addSubnet(outer.host, outer.bits, outer.family);
  return list.check(inner.host, inner.family);
}

function networkOf(text: string) {
  const [host = '', bits] = text.split('/');
  const family = isIP(host);
  if (family === 0) return undefined;
  const most = family === 4 ? 32 : 128;
  return { host, bits: Number(bits ?? most), family: family === 4 ? ('ipv4' as const) : ('ipv6' as const) };
}
