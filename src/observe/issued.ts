/**
 * Which certificates of servers count, and which are made now (ADR 28, points 4 and 5), for `postgres.tls: generated`. The list of the present
 * primary says which CAs count: what only another server shows is never spread. A server that serves is not signed anew. In: what is seen, and
 * who can sign. Out: the list, and the pair of every server. Pure, but for what the signer is given.
 */
import { createHash, createPublicKey, X509Certificate } from 'node:crypto';
import type { Cluster, Server } from '../inventory/cluster.ts';
import { certificatesIn } from '../postgres/certificate.ts';
import { filesObjection, type TlsLook } from '../resources/contract/tls-look.ts';
import type { View } from './survey.ts';

/** Who signs in this run. The same question has the same answer for as long as the run goes on. */
export interface Authority {
  /** The certificate of the CA that signs: one of the list where it fits the key that is at hand, else a new one. PEM. */
  ca(list: readonly string[]): string;
  sign(request: { readonly publicKey: string; readonly names: readonly string[] }, ca: string): string;
}

export type OwnPair =
  /** It has one, and serves it or will. */
  | { readonly state: 'kept'; readonly name: string }
  /** Its certificate is made: the pair is to be laid, and has this name then. */
  | { readonly state: 'signed'; readonly name: string; readonly certificate: string }
  /** Its key is to be made first. */
  | { readonly state: 'keyless' }
  /** Nothing may be done about it. A sentence without its full stop. */
  | { readonly state: 'refused'; readonly problem: string }
  /** It was not seen, or the primary was not, or nobody signs in this run. */
  | { readonly state: 'unseen' }
  /** Nothing is asked for. */
  | { readonly state: 'none' };

export interface Issued {
  /** Those who sign, as PEM; empty where nobody says it. */
  readonly list: string;
  readonly pairs: ReadonlyMap<string, OwnPair>;
}

export interface Asked {
  readonly cluster: Cluster;
  readonly view: View;
  /** The one server that is brought into a cluster; nobody else is given a pair then. */
  readonly only?: string | undefined;
  /** For whom nothing is done in this run. */
  readonly out: readonly string[];
  readonly authority?: Authority | undefined;
}

export function issuedFor({ cluster, view, only, out, authority }: Asked): Issued | undefined {
  if (cluster.servers.every(({ postgres }) => postgres.tls !== 'generated')) return undefined;
  const leading = view.hosts.get(view.primary)?.tls;
  const known = listOf(leading);
  const lost = known.length === 0 && leading?.pair !== undefined;
  // Beside a primary that serves no pair of ours a single server is given none.
  const asks = (name: string): boolean =>
    !out.includes(name) && (only === undefined || (name === only && known.length > 0));
  const found = cluster.servers.map((server) => {
    const look = view.hosts.get(server.name)?.tls;
    const pair =
      leading === undefined
        ? unjudged(look)
        : lost
          ? withoutList(server, view)
          : ownPair(server, look, known);
    return { server, look, pair };
  });
  const open = found.some(({ server, pair }) => pair === undefined && asks(server.name));
  const ca = open && leading ? authority?.ca(known) : undefined;
  const list = ca === undefined || known.includes(ca) ? known : [...known, ca];
  return {
    list: list.join(''),
    pairs: new Map(
      found.map(({ server, look, pair }): [string, OwnPair] => {
        if (pair) return [server.name, pair];
        if (!asks(server.name)) return [server.name, { state: 'none' }];
        if (ca === undefined || !authority || !look) return [server.name, { state: 'unseen' }];
        if (look.request === undefined) return [server.name, { state: 'keyless' }];
        if (!isOurKind(look.request))
          return [server.name, refused('the key that waits is none for ECDSA P-256')];
        const certificate = authority.sign({ publicKey: look.request, names: namesOf(server) }, ca);
        return [server.name, { state: 'signed', name: pairNameOf(certificate), certificate }];
      }),
    ),
  };
}

/** The certificates of a list as they are written: parsed, each once. The copy counts where the list itself is lost. */
export function listOf(look: TlsLook | undefined): readonly string[] {
  const read = (text: string | undefined) => (text === undefined ? undefined : certificatesIn(text));
  const found = read(look?.ca) ?? read(look?.copy) ?? [];
  return [...new Set(found.map((one) => one.toString()))];
}

function isOurKind(publicKey: string): boolean {
  try {
    return createPublicKey(publicKey).asymmetricKeyDetails?.namedCurve === 'prime256v1';
  } catch {
    return false;
  }
}

/** By which clients and other servers connect to it, its own name first. */
export const namesOf = ({ name, host, logTransferAddress }: Server): readonly string[] => [
  ...new Set([name, logTransferAddress, host.address]),
];

/** The directory of a pair: the first 16 digits of SHA-256 of its certificate. */
export const pairNameOf = (certificate: string): string =>
  createHash('sha256').update(new X509Certificate(certificate).raw).digest('hex').slice(0, 16);

/** Where the primary was not seen nobody can say who counts: what is there stays. */
const unjudged = (look: TlsLook | undefined): OwnPair =>
  look?.pair === undefined ? { state: 'unseen' } : { state: 'kept', name: look.pair };

/** Undefined: it is to be given one. */
function ownPair(server: Server, look: TlsLook | undefined, known: readonly string[]): OwnPair | undefined {
  if (!look) return { state: 'unseen' };
  const serves = look.served !== undefined && look.served !== 'none';
  if (look.pair === undefined) {
    // A pair that postgresql.conf names and that is not there is lost, or stands on the server that this one was copied from.
    if (!serves || look.named === true) return undefined;
    return refused(`${server.name} serves a certificate that pgduet has not made, and clients may go by it`);
  }
  const place = { host: server.logTransferAddress, version: server.postgres.version };
  const objection =
    known.length === 0
      ? 'the primary has no list of those who sign'
      : filesObjection(look, place, known.join(''));
  if (objection === undefined) return { state: 'kept', name: look.pair };
  // What a person has done to its key is for a person to repair.
  if (!serves && look.named !== true && look.problem === undefined) return undefined;
  return refused(objection);
}

const refused = (problem: string): OwnPair => ({ state: 'refused', problem });

/** Whose list counts holds none: nobody can say who else may be believed. */
function withoutList({ name }: Server, view: View): OwnPair {
  if (name !== view.primary) return { state: 'unseen' };
  return refused(
    'the list of those who sign is lost or torn on the primary, and so is the copy beside the password file',
  );
}
