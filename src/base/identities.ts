/**
 * identity.key and identities.json: which server is which to the others (ADR 30). In: texts. Out: public keys, as base64 of their DER, and the
 * text that is laid on all servers. Whether a key can be used is looked at by whoever uses it. Pure.
 */
import { isObject, jsonOf } from './json.ts';

export const identityFile = 'identity.key';
export const identitiesFile = 'identities.json';

/** What a controller has written down of its peers: the key that each has proven last. */
export const provenFile = (id: string): string => `${id}.proven.json`;

const format = 1;
const begin = '-----BEGIN PUBLIC KEY-----';
const end = '-----END PUBLIC KEY-----';

/** By server identifier. */
export type Publics = Readonly<Record<string, string>>;

export const identitiesText = (servers: Publics): string => {
  const sorted = Object.fromEntries(Object.entries(servers).sort(([a], [b]) => (a < b ? -1 : 1)));
  return `${JSON.stringify({ format, servers: sorted }, null, 2)}\n`;
};

/** Undefined of what is no such text. */
export function parseIdentities(text: string): Publics | undefined {
  const value = jsonOf(text);
  if (!isObject(value) || value.format !== format || !isObject(value.servers)) return undefined;
  const servers = Object.entries(value.servers);
  return servers.every((entry): entry is [string, string] => typeof entry[1] === 'string')
    ? Object.fromEntries(servers)
    : undefined;
}

/** The public part, which stands behind the private one; undefined where there is none. */
export function publicPart(text: string): string | undefined {
  const part = text.split(begin)[1]?.split(end);
  if (part?.length !== 2) return undefined;
  const key = part[0]?.replace(/\s/g, '') ?? '';
  return /^[A-Za-z0-9+/]{80,200}={0,2}$/.test(key) ? key : undefined;
}
