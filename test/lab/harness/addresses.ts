/**
 * Moves a text from one lab to another: the addresses of the old hosts become those of the new ones. Pure.
 * It must never leave an address of the old lab behind without saying so.
 */

import { createHash } from 'node:crypto';

/** All addresses of a lab that a host may know, in an order that is the same for every lab. */
export interface Addresses {
  /** Begins every IPv4 address of the lab. */
  readonly subnet: string;
  readonly all: readonly string[];
}

/** Begins the IPv6 addresses of all labs. */
const PREFIX6 = 'fd77:';

export const namesLab = (content: Buffer, { subnet }: Addresses): boolean =>
  content.includes(`${subnet}.`) || content.includes(PREFIX6);

/** Why the content of a file cannot be moved; undefined when it can. */
export function obstacleIn(content: Buffer, from: Addresses): string | undefined {
  if (content.includes(0)) return 'is binary and holds an address of the lab';
  const left = moved(content.toString('latin1'), from, { subnet: '', all: from.all.map(() => '') });
  const found = [`${from.subnet}.`, PREFIX6].map((text) => left.indexOf(text)).find((at) => at >= 0);
  return found === undefined
    ? undefined
    : `holds '${left.slice(found, found + 40)}', which is no host's address`;
}

export function moved(text: string, from: Addresses, to: Addresses): string {
  const here = replaced(text, from, to);
  return here === text ? text : sealedAnew(text, here);
}

/** A record of a controller has a checksum, without which it would count as torn: every lab would begin with a server that has forgotten. */
function sealedAnew(before: string, after: string): string {
  const checksum = /^\{"format":1,"version":"[^"]*","checksum":"([0-9a-f]{64})","[a-z]+":(\{.*\})\}\n$/s;
  const [, was, content] = checksum.exec(before) ?? [];
  if (was === undefined || content === undefined || was !== sumOf(content)) return after;
  return after.replace(was, sumOf(checksum.exec(after)?.[2] ?? ''));
}

const sumOf = (content: string): string => createHash('sha256').update(content).digest('hex');

function replaced(text: string, from: Addresses, to: Addresses): string {
  const words = from.all.map((address) => address.replaceAll('.', '\\.'));
  const pattern = new RegExp(`(?<![\\w.:])(?:${words.join('|')})(?!\\w)`, 'g');
  return text.replaceAll(pattern, (address) => to.all[from.all.indexOf(address)] ?? address);
}
