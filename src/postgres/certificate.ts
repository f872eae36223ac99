/**
 * Certificates as libpq and PostgreSQL judge them: who signed one, for which names and how long it counts. libpq says "certificate
 * verify failed" for each of these and names none; here each has a sentence. In: PEM. Out: words. Pure.
 */
import { X509Certificate } from 'node:crypto';

/** All certificates of a file in their order, or undefined: libpq refuses every server where a part of its list is no certificate. */
export function certificatesIn(pem: string): readonly X509Certificate[] | undefined {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  const begun = pem.match(/-----BEGIN /g) ?? [];
  if (blocks.length === 0 || begun.length !== blocks.length) return undefined;
  const read = blocks.map(certificateIn);
  return read.every((one) => one !== undefined) ? read : undefined;
}

function certificateIn(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined;
  }
}

/** What a server shows, and what the others hold against it. */
export interface Shown {
  readonly chain: readonly X509Certificate[];
  readonly list: readonly X509Certificate[];
  /** As the connection strings of the other servers say it: a name or an address. */
  readonly host: string;
  /** Major version of PostgreSQL, and of its libpq. */
  readonly version: number;
  readonly nowMs: number;
}

/** Why another server could not follow the one that shows this; a sentence without its full stop. */
export function objectionTo({ chain, list, host, version, nowMs }: Shown): string | undefined {
  const [own] = chain;
  if (!own) return 'it shows no certificate';
  const anchored = path(own, chain.slice(1), list);
  if (!anchored)
    return `it is signed by ${nameOf(own.issuer)}, and no certificate of the list leads to a CA of the list`;
  const untimely = anchored.find((one) => nowMs < startMs(one) || nowMs > endMs(one));
  if (untimely)
    return `the certificate of ${nameOf(untimely.subject)} counts from ${untimely.validFrom} to ${untimely.validTo}`;
  if (!speaksFor(own, host, version))
    return `it is for ${own.subjectAltName ?? nameOf(own.subject)}, and the other servers connect to ${host}${version < 15 && isAddress(host) ? ` (libpq before 15 wants an address as DNS:${host}, too)` : ''}`;
  if (undigested.includes(signatureOf(own)))
    return 'its signature has no digest (Ed25519 or Ed448): clients that log in with a password over TLS could not bind it to the connection, and would be refused';
  return undefined;
}

/**
 * A certificate that has signed itself and is no CA, as distributions make one for each host so that services start (Debian's "snakeoil"): it
 * stands for nobody, and servers of a cluster have nothing in common by it.
 */
export function isPlaceholder(pem: string): boolean {
  const [own, ...others] = certificatesIn(pem) ?? [];
  return own !== undefined && others.length === 0 && !own.ca && isSignedBy(own, own);
}

export const startMs = ({ validFrom }: X509Certificate): number => Date.parse(validFrom);
export const endMs = ({ validTo }: X509Certificate): number => Date.parse(validTo);

/** From a certificate up to one of the list that has signed itself, as OpenSSL wants it. */
function path(
  from: X509Certificate,
  between: readonly X509Certificate[],
  list: readonly X509Certificate[],
  depth = 8,
): readonly X509Certificate[] | undefined {
  if (list.some((one) => one.fingerprint256 === from.fingerprint256) && isSignedBy(from, from)) return [from];
  if (depth === 0) return undefined;
  for (const issuer of [...list, ...between]) {
    if (issuer.fingerprint256 === from.fingerprint256 || !issuer.ca || !isSignedBy(from, issuer)) continue;
    const rest = path(issuer, between, list, depth - 1);
    if (rest) return [from, ...rest];
  }
  return undefined;
}

export const isSignedBy = (one: X509Certificate, by: X509Certificate): boolean =>
  one.checkIssued(by) && one.verify(by.publicKey);

/** A server may be called 1, which is none. */
export const isAddress = (host: string): boolean => host.includes(':') || /^\d+(?:\.\d+){3}$/.test(host);

/** Is this among its names? */
export const isFor = (own: X509Certificate, name: string): boolean =>
  isAddress(name) ? own.checkIP(name) !== undefined : own.checkHost(name, { subject: 'never' }) !== undefined;

/** The rules of libpq: an address counts as such from 15 on, and as the text of a DNS name in every version. */
function speaksFor(own: X509Certificate, host: string, version: number): boolean {
  if (!isAddress(host)) return own.checkHost(host, { subject: 'default' }) !== undefined;
  const names = (own.subjectAltName ?? '').split(', ');
  return names.includes(`DNS:${host}`) || (version >= 15 && own.checkIP(host) !== undefined);
}

/** "CN=shop CA\nO=Example" → "CN=shop CA, O=Example" */
const nameOf = (name: string): string => `'${name.trim().replaceAll('\n', ', ')}'`;

/** The object identifiers of Ed25519 and Ed448, as bytes in hex. */
const undigested = ['2b6570', '2b6571'];

/** The second part of the outer sequence begins with the identifier of the signature (RFC 5280, 4.1). */
function signatureOf({ raw }: X509Certificate): string {
  const [outer] = header(raw, 0);
  const [inner, length] = header(raw, outer);
  const [algorithm] = header(raw, inner + length);
  const [begin, size] = header(raw, algorithm);
  return raw.subarray(begin, begin + size).toString('hex');
}

/** Where the content of the DER value at this place begins, and how long it is. */
function header(raw: Buffer, at: number): readonly [begin: number, length: number] {
  const first = raw[at + 1] ?? 0;
  if (first < 0x80) return [at + 2, first];
  const bytes = first & 0x7f;
  return [at + 2 + bytes, raw.readUIntBE(at + 2, bytes)];
}
