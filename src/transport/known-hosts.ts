/**
 * known_hosts as OpenSSH reads it: plain, hashed and wildcard names, [host]:port, @revoked, several keys per host.
 * In: the text of the files and a host key. Out: whether the key is known, unknown, changed or revoked; and the
 * line to add. Pure: reading and appending the files is `host-keys.ts`.
 */
import { createHash, createHmac, randomBytes } from 'node:crypto';

export interface KnownHost {
  readonly file: string;
  readonly line: number;
  readonly marker?: string;
  /** The first field: comma-separated patterns, or |1|salt|hash. */
  readonly names: string;
  readonly type: string;
  readonly key: Buffer;
}

export type KeyVerdict =
  | { readonly kind: 'known'; readonly entry: KnownHost }
  | { readonly kind: 'revoked'; readonly entry: KnownHost }
  /** Another key of this type is known. */
  | { readonly kind: 'changed'; readonly entry: KnownHost }
  /** No key of this type is known; `others` are known keys of other types. */
  | { readonly kind: 'unknown'; readonly others: readonly KnownHost[]; readonly authority?: KnownHost };

/** Lines that cannot be read are passed over, as ssh does. */
export function parseKnownHosts(text: string, file: string): KnownHost[] {
  return text.split('\n').flatMap((content, index): KnownHost[] => {
    const fields = content.trim().split(/[ \t]+/);
    if (fields[0] === '' || fields[0]?.startsWith('#')) return [];
    const marker = fields[0]?.startsWith('@') ? fields.shift() : undefined;
    const [names, type, key] = fields;
    if (names === undefined || type === undefined || key === undefined) return [];
    const at = { file, line: index + 1, names, type, key: Buffer.from(key, 'base64') };
    return [marker === undefined ? at : { ...at, marker }];
  });
}

/** The name that a host has in known_hosts: bare at port 22, "[host]:port" elsewhere. */
export function knownName(host: string, port: number): string {
  const name = host.toLowerCase();
  return port === 22 ? name : `[${name}]:${port}`;
}

/** Does a pattern with * and ? stand for this name? */
function globMatches(pattern: string, name: string): boolean {
  const source = pattern
    .toLowerCase()
    .replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`).test(name);
}

function hashedMatches(names: string, name: string): boolean {
  const [, version, salt, hash] = names.split('|');
  if (version !== '1' || salt === undefined || hash === undefined) return false;
  return createHmac('sha1', Buffer.from(salt, 'base64')).update(name).digest('base64') === hash;
}

/** A negated pattern that matches rules the whole line out. */
export function namesMatch(names: string, name: string): boolean {
  if (names.startsWith('|')) return hashedMatches(names, name);
  const patterns = names.split(',');
  if (patterns.some((pattern) => pattern.startsWith('!') && globMatches(pattern.slice(1), name)))
    return false;
  return patterns.some((pattern) => !pattern.startsWith('!') && globMatches(pattern, name));
}

/** The entries of a host. At another port than 22 the bare name counts only to confirm a key, as in ssh. */
export function entriesOf(entries: readonly KnownHost[], host: string, port: number): KnownHost[] {
  const name = knownName(host, port);
  return entries.filter((entry) => namesMatch(entry.names, name));
}

export const keyType = (key: Buffer): string => key.toString('latin1', 4, 4 + key.readUInt32BE(0));

export function judgeKey(entries: readonly KnownHost[], host: string, port: number, key: Buffer): KeyVerdict {
  const mine = entriesOf(entries, host, port);
  const bare = port === 22 ? [] : entriesOf(entries, host, 22);
  const revoked = [...mine, ...bare].find((entry) => entry.marker === '@revoked' && entry.key.equals(key));
  if (revoked) return { kind: 'revoked', entry: revoked };
  const plain = mine.filter((entry) => entry.marker === undefined);
  const known = plain.find((entry) => entry.key.equals(key));
  if (known) return { kind: 'known', entry: known };
  const changed = plain.find((entry) => entry.type === keyType(key));
  if (changed) return { kind: 'changed', entry: changed };
  const confirmed = bare.find((entry) => entry.marker === undefined && entry.key.equals(key));
  if (confirmed && plain.length === 0) return { kind: 'known', entry: confirmed };
  const authority = mine.find((entry) => entry.marker === '@cert-authority');
  return { kind: 'unknown', others: plain, ...(authority ? { authority } : {}) };
}

const algorithmsOfType: Readonly<Record<string, readonly string[]>> = {
  'ssh-ed25519': ['ssh-ed25519'],
  'ecdsa-sha2-nistp256': ['ecdsa-sha2-nistp256'],
  'ecdsa-sha2-nistp384': ['ecdsa-sha2-nistp384'],
  'ecdsa-sha2-nistp521': ['ecdsa-sha2-nistp521'],
  'ssh-rsa': ['rsa-sha2-512', 'rsa-sha2-256'],
};

/**
 * What to offer, in order: the types that are known first, or a host that is known by its ed25519 key would
 * look changed because it was asked for another one. The SHA-1 signature "ssh-rsa" is not offered, as in OpenSSH 8.8.
 */
export function hostKeyAlgorithms(entries: readonly KnownHost[], host: string, port: number): string[] {
  const mine = entriesOf(entries, host, port);
  const all = mine.length > 0 || port === 22 ? mine : entriesOf(entries, host, 22);
  const known = all.filter((entry) => entry.marker === undefined).map((entry) => entry.type);
  const types = new Set([...known, ...Object.keys(algorithmsOfType)]);
  return [...types].flatMap((type) => algorithmsOfType[type] ?? []);
}

/** "SHA256:…" as ssh-keygen -l shows it. */
export function fingerprint(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
}

/** The line to add for a newly accepted key, with its newline. */
export function knownLine(host: string, port: number, key: Buffer, hashed: boolean): string {
  const name = knownName(host, port);
  const salt = randomBytes(20);
  const hash = createHmac('sha1', salt).update(name).digest('base64');
  const names = hashed ? `|1|${salt.toString('base64')}|${hash}` : name;
  return `${names} ${keyType(key)} ${key.toString('base64')}\n`;
}
