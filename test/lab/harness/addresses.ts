/**
 * Moves a text from one lab to another: the addresses of the old hosts become those of the new ones. Pure.
 * It must never leave an address of the old lab behind without saying so.
 */

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
  const words = from.all.map((address) => address.replaceAll('.', '\\.'));
  const pattern = new RegExp(`(?<![\\w.:])(?:${words.join('|')})(?!\\w)`, 'g');
  return text.replaceAll(pattern, (address) => to.all[from.all.indexOf(address)] ?? address);
}
