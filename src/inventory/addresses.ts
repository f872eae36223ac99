/** What an address looks like: IP addresses, host names, and the networks of client rules. Pure. */
import { isIPv4, isIPv6 } from 'node:net';

/** 4, 6 or 0, as `isIP` of Node says. Without a colon it is no IPv6: the expression for those is long, and compiled at its first use. */
export const isIP = (text: string): 0 | 4 | 6 =>
  isIPv4(text) ? 4 : text.includes(':') && isIPv6(text) ? 6 : 0;

const label = /^[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$/;

/** A host name as DNS takes it. Digits and dots alone are a mistyped IP address, never a name. */
export function isHostName(text: string): boolean {
  const name = text.endsWith('.') ? text.slice(0, -1) : text;
  return name.length <= 253 && !/^[\d.]+$/.test(name) && name.split('.').every((part) => label.test(part));
}

/** An address that one host can have: no zone, no wildcard. */
export function isHostAddress(text: string): boolean {
  if (isIP(text) !== 0) return !text.includes('%') && !isWildcard(text);
  return isHostName(text);
}

export function isWildcard(text: string): boolean {
  return text === '*' || text === '0.0.0.0' || (isIP(text) === 6 && /^[0:]+$/.test(text));
}

export function isLoopback(text: string): boolean {
  const address = canonicalAddress(text);
  return address === 'localhost' || address === '::1' || (isIP(address) === 4 && address.startsWith('127.'));
}

/** One spelling for one address, for comparing: 2001:DB8:0::1 and 2001:db8::1 are the same. */
export function canonicalAddress(text: string): string {
  const lower = text.toLowerCase().replace(/\.$/, '');
  if (isIP(lower) !== 6 || lower.includes('%')) return lower;
  return new URL(`http://[${lower}]`).hostname.slice(1, -1);
}

/** "10.0.0.0/8" and "2001:db8::/32". */
export function isNetwork(text: string): boolean {
  const [address = '', bits = '', ...rest] = text.split('/');
  const family = isIP(address);
  if (rest.length > 0 || family === 0 || !/^\d{1,3}$/.test(bits) || address.includes('%')) return false;
  return Number(bits) <= (family === 4 ? 32 : 128);
}

/** pg_hba.conf takes no IP address without a mask; one address is the network of that address alone. */
export function normalAddress(text: string): string {
  const family = isIP(text);
  if (family === 0) return text;
  return `${text}/${family === 4 ? 32 : 128}`;
}
