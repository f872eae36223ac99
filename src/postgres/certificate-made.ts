/**
 * Certificates that pgduet makes itself (ADR 28): those of a certificate authority (CA), and of servers that it signs. The one home of
 * `@peculiar/asn1-x509`, which knows the structures of X.509; `node:crypto` signs. In: keys, names, times, serial numbers. Out: PEM. Pure.
 */
import { createHash, createPublicKey, type KeyObject, sign, X509Certificate } from 'node:crypto';
import { AsnConvert, OctetString } from '@peculiar/asn1-schema';
import {
  AlgorithmIdentifier,
  AttributeTypeAndValue,
  AttributeValue,
  AuthorityKeyIdentifier,
  BasicConstraints,
  Certificate,
  ExtendedKeyUsage,
  Extension,
  Extensions,
  GeneralName,
  id_ce_authorityKeyIdentifier,
  id_ce_basicConstraints,
  id_ce_extKeyUsage,
  id_ce_keyUsage,
  id_ce_subjectAltName,
  id_ce_subjectKeyIdentifier,
  id_kp_serverAuth,
  KeyUsage,
  KeyUsageFlags,
  Name,
  RelativeDistinguishedName,
  SubjectAlternativeName,
  SubjectKeyIdentifier,
  SubjectPublicKeyInfo,
  TBSCertificate,
  Time,
  Validity,
  Version,
} from '@peculiar/asn1-x509';
import { isAddress } from './certificate.ts';

export interface Times {
  readonly fromMs: number;
  readonly untilMs: number;
}

/** A CA that can sign. */
export interface Signer {
  /** Its certificate, as PEM. */
  readonly certificate: string;
  readonly key: KeyObject;
}

const ecdsaWithSha256 = '1.2.840.10045.4.3.2';

/** The certificate of a CA, signed by itself. It signs servers, and no other CA. */
export function caCertificate(
  { name, key, serial }: { readonly name: string; readonly key: KeyObject; readonly serial: Buffer },
  times: Times,
): string {
  const own = informationOf(createPublicKey(key));
  return signed(key, serial, times, {
    subject: commonName(name),
    issuer: commonName(name),
    own,
    extensions: [
      extension(id_ce_basicConstraints, new BasicConstraints({ cA: true, pathLenConstraint: 0 }), true),
      extension(id_ce_keyUsage, new KeyUsage(KeyUsageFlags.keyCertSign), true),
      ...identifiers(own, own),
    ],
  });
}

/** The certificate of a server. `names`: names and addresses, by which clients and other servers connect to it. */
export function serverCertificate(
  {
    publicKey,
    names,
    serial,
  }: { readonly publicKey: string; readonly names: readonly string[]; readonly serial: Buffer },
  by: Signer,
  times: Times,
): string {
  const own = informationOf(createPublicKey(publicKey));
  const issuer = AsnConvert.parse(new X509Certificate(by.certificate).raw, Certificate).tbsCertificate;
  return signed(by.key, serial, times, {
    subject: commonName(names[0] ?? ''),
    issuer: issuer.subject,
    own,
    extensions: [
      extension(id_ce_basicConstraints, new BasicConstraints({ cA: false }), true),
      extension(id_ce_keyUsage, new KeyUsage(KeyUsageFlags.digitalSignature), true),
      extension(id_ce_extKeyUsage, new ExtendedKeyUsage([id_kp_serverAuth])),
      extension(id_ce_subjectAltName, new SubjectAlternativeName(names.flatMap(generalNames))),
      ...identifiers(own, issuer.subjectPublicKeyInfo),
    ],
  });
}

/** libpq before 15 compares an address with the text of the DNS names alone. */
const generalNames = (name: string): readonly GeneralName[] => [
  ...(isAddress(name) ? [new GeneralName({ iPAddress: withoutDots(name) })] : []),
  new GeneralName({ dNSName: name }),
];

/** The library reads no IPv6 address that ends like an IPv4 one (::ffff:192.0.2.1). */
const withoutDots = (address: string): string =>
  address.includes(':') ? new URL(`http://[${address}]`).hostname.slice(1, -1) : address;

const informationOf = (key: KeyObject): SubjectPublicKeyInfo =>
  AsnConvert.parse(key.export({ type: 'spki', format: 'der' }), SubjectPublicKeyInfo);

const commonName = (text: string): Name =>
  new Name([
    new RelativeDistinguishedName([
      new AttributeTypeAndValue({ type: '2.5.4.3', value: new AttributeValue({ utf8String: text }) }),
    ]),
  ]);

const extension = (extnID: string, value: unknown, critical = false): Extension =>
  new Extension({ extnID, critical, extnValue: new OctetString(AsnConvert.serialize(value)) });

/** With these several CAs in one list work in any order. */
const identifiers = (own: SubjectPublicKeyInfo, issuer: SubjectPublicKeyInfo): readonly Extension[] => [
  extension(id_ce_subjectKeyIdentifier, new SubjectKeyIdentifier(identifierOf(own))),
  extension(
    id_ce_authorityKeyIdentifier,
    new AuthorityKeyIdentifier({ keyIdentifier: new SubjectKeyIdentifier(identifierOf(issuer)) }),
  ),
];

/** RFC 7093, method 1: no SHA-1. */
const identifierOf = ({ subjectPublicKey }: SubjectPublicKeyInfo): ArrayBuffer =>
  bytes(createHash('sha256').update(Buffer.from(subjectPublicKey)).digest().subarray(0, 20));

const bytes = (buffer: Buffer): ArrayBuffer => new Uint8Array(buffer).buffer;

function signed(
  key: KeyObject,
  serial: Buffer,
  { fromMs, untilMs }: Times,
  {
    subject,
    issuer,
    own,
    extensions,
  }: {
    readonly subject: Name;
    readonly issuer: Name;
    readonly own: SubjectPublicKeyInfo;
    readonly extensions: readonly Extension[];
  },
): string {
  const algorithm = new AlgorithmIdentifier({ algorithm: ecdsaWithSha256 });
  const content = new TBSCertificate({
    version: Version.v3,
    serialNumber: bytes(serial),
    signature: algorithm,
    issuer,
    validity: new Validity(),
    subject,
    subjectPublicKeyInfo: own,
    extensions: new Extensions([...extensions]),
  });
  content.validity.notBefore = new Time(new Date(fromMs));
  content.validity.notAfter = new Time(new Date(untilMs));
  const signature = sign('sha256', Buffer.from(AsnConvert.serialize(content)), key);
  const certificate = new Certificate({
    tbsCertificate: content,
    signatureAlgorithm: algorithm,
    signatureValue: bytes(signature),
  });
  return new X509Certificate(Buffer.from(AsnConvert.serialize(certificate))).toString();
}

/** A serial number is positive, and has a first byte: `random` are bytes of chance. */
export const serialFrom = (random: Buffer): Buffer =>
  Buffer.concat([Buffer.from([((random[0] ?? 0) & 0x3f) | 0x40]), random.subarray(1)]);
