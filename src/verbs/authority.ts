/**
 * Who signs the certificates of the servers in a run: with the key of the inventory, or with one that is made now and lives in the memory of this
 * process alone. Chance and the clock come in here. Made only where something is to be signed: the library is not loaded at other times.
 */
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  X509Certificate,
} from 'node:crypto';
import type { Cluster } from '../inventory/cluster.ts';
import type { Authority } from '../observe/issued.ts';

const hourMs = 3_600_000;
const tenYearsMs = 3652 * 24 * hourMs;

/** Undefined where pgduet makes no certificates. */
export async function authorityOf({ name, servers, caKey }: Cluster): Promise<Authority | undefined> {
  if (servers.every(({ postgres }) => postgres.tls !== 'generated')) return undefined;
  const { caCertificate, serialFrom, serverCertificate } = await import('../postgres/certificate-made.ts');
  const serial = () => serialFrom(randomBytes(16));
  const signs = once(
    (): KeyObject =>
      caKey
        ? createPrivateKey(caKey.reveal())
        : generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey,
  );
  const nowMs = Date.now();
  // A host whose clock is behind takes it, too.
  const times = { fromMs: nowMs - hourMs, untilMs: nowMs + tenYearsMs };
  const made = once(() => {
    const day = new Date(nowMs).toISOString().slice(0, 10);
    const ca = `pgduet ${name} ${day} ${randomBytes(2).toString('hex')}`;
    return caCertificate({ name: ca, key: signs(), serial: serial() }, times);
  });
  const signed = new Map<string, string>();
  return {
    fromMs: times.fromMs,
    ca: (list) => list.find((one) => isOf(one, signs())) ?? made(),
    known: (list) => (caKey ? list.find((one) => isOf(one, signs())) : undefined),
    sign: (request, ca) => {
      const question = [ca, request.publicKey, ...request.names].join('\n');
      const known = signed.get(question);
      if (known !== undefined) return known;
      const { fromMs } = times;
      // No longer than its CA.
      const untilMs = Math.min(times.untilMs, Date.parse(new X509Certificate(ca).validTo));
      const by = { certificate: ca, key: signs() };
      const certificate = serverCertificate({ ...request, serial: serial() }, by, { fromMs, untilMs });
      signed.set(question, certificate);
      return certificate;
    },
  };
}

const isOf = (certificate: string, key: KeyObject): boolean =>
  new X509Certificate(certificate).publicKey.equals(createPublicKey(key));

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
