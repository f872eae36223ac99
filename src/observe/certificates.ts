/**
 * What `pgduet certificates` tells: who shows which certificate, until when and by whom, and what the others would hold against it. In: what is
 * seen of each host. Out: rows. Times are those of each host's own clock. Pure.
 */
import { X509Certificate } from 'node:crypto';
import type { Cluster, Server } from '../inventory/cluster.ts';
import { certificatesIn, endMs, startMs } from '../postgres/certificate.ts';
import { filesObjection, type TlsLook } from '../resources/contract/tls-look.ts';
import { listOf } from './issued.ts';
import type { HostView } from './survey.ts';

export interface CertificateRow {
  readonly subject: string;
  readonly issuer: string;
  readonly names: readonly string[];
  readonly fromMs: number;
  readonly untilMs: number;
  /** Whole days to its end, by the clock of the host that shows it; negative once it has ended. */
  readonly daysLeft: number;
  readonly sha256: string;
  /** As openssl shows it: hexadecimal digits. */
  readonly serial: string;
}

/** `serves`: what lies on its disk; `other`: something else than what lies there; `plain`: it answers, and offers no TLS. */
export type Showing = 'serves' | 'other' | 'plain' | 'silent' | 'unseen';

export interface ServerCertificate {
  readonly server: string;
  readonly showing: Showing;
  /** What it shows; where it does not answer, what lies on its disk. */
  readonly certificate: CertificateRow | null;
  /** What lies on its disk, where it shows another one. */
  readonly lies: CertificateRow | null;
  /** What is ready to take its place. */
  readonly next: CertificateRow | null;
  /** Why others could not follow it by the list of the primary, or why it would not start with what lies there. */
  readonly problem: string | null;
}

export interface Certificates {
  readonly cluster: string;
  readonly primary: string | null;
  readonly servers: readonly ServerCertificate[];
  /** Of the primary: those who sign. */
  readonly signers: readonly CertificateRow[];
}

/** `primary`: undefined where nobody is known to be it; each is judged by its own list then. */
export function certificatesOf(
  cluster: Cluster,
  hosts: ReadonlyMap<string, HostView>,
  primary: string | undefined,
): Certificates {
  const leading = primary === undefined ? undefined : hosts.get(primary)?.tls;
  const list = listOf(leading);
  return {
    cluster: cluster.name,
    primary: primary ?? null,
    servers: cluster.servers.map((server) =>
      ofServer(server, hosts.get(server.name)?.tls, list.length > 0 ? list.join('') : undefined),
    ),
    signers: list.map((pem) => rowOf(new X509Certificate(pem), leading?.nowMs ?? 0)),
  };
}

function ofServer(server: Server, look: TlsLook | undefined, list: string | undefined): ServerCertificate {
  const { name, logTransferAddress, postgres } = server;
  if (!look)
    return { server: name, showing: 'unseen', certificate: null, lies: null, next: null, problem: null };
  const [shown] = certificatesIn(look.served ?? '') ?? [];
  const [lies] = certificatesIn(look.certificate ?? '') ?? [];
  const own = shown ?? lies;
  const place = { host: logTransferAddress, version: postgres.version };
  const [next] = look.next === look.certificate ? [] : (certificatesIn(look.next ?? '') ?? []);
  const showing = showingOf(look, shown, lies);
  const judged = look.certificate !== undefined || look.problem !== undefined;
  return {
    server: name,
    showing,
    certificate: own ? rowOf(own, look.nowMs) : null,
    lies: showing === 'other' && lies ? rowOf(lies, look.nowMs) : null,
    next: next ? rowOf(next, look.nowMs) : null,
    problem: (judged ? filesObjection(look, place, list ?? look.ca) : undefined) ?? null,
  };
}

function showingOf(
  { served }: TlsLook,
  shown: X509Certificate | undefined,
  lies: X509Certificate | undefined,
): Showing {
  if (shown) return shown.fingerprint256 === lies?.fingerprint256 ? 'serves' : 'other';
  return served === 'none' ? 'plain' : 'silent';
}

const dayMs = 86_400_000;

function rowOf(certificate: X509Certificate, nowMs: number): CertificateRow {
  const { subject, issuer, subjectAltName = '', fingerprint256: sha256 } = certificate;
  const untilMs = endMs(certificate);
  return {
    subject: oneLine(subject),
    issuer: oneLine(issuer),
    names: [
      ...new Set(subjectAltName.split(', ').map((name) => name.replace(/^(?:DNS|IP Address):/, ''))),
    ].filter((name) => name !== ''),
    fromMs: startMs(certificate),
    untilMs,
    daysLeft: Math.floor((untilMs - nowMs) / dayMs),
    sha256,
    serial: certificate.serialNumber,
  };
}

/** "CN=shop CA\nO=Example" → "CN=shop CA, O=Example" */
const oneLine = (name: string): string => name.trim().replaceAll('\n', ', ');
