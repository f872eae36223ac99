/**
 * Which certificates of servers count, and which are made now (ADR 28, points 4 and 5), for `postgres.tls: generated`. The list of the present
 * primary says which CAs count: what only another server shows is never spread. A server that serves is not signed anew. In: what is seen, and
 * who can sign. Out: the list, and the pair of every server. Pure, but for what the signer is given.
 */
import { createHash, createPublicKey, X509Certificate } from 'node:crypto';
import type { Cluster, Server } from '../inventory/cluster.ts';
import { certificatesIn, endMs, isPlaceholder, startMs } from '../postgres/certificate.ts';
import { filesObjection, type TlsLook } from '../resources/contract/tls-look.ts';
import type { View } from './survey.ts';
import { tlsDirectory } from './tls.ts';

/** Who signs in this run. The same question has the same answer for as long as the run goes on. */
export interface Authority {
  /** From when its certificates count, by the clock of the operator's machine: milliseconds since 1970. */
  readonly fromMs: number;
  /** The certificate of the CA that signs: one of the list where it fits the key that is at hand, else a new one. PEM. */
  ca(list: readonly string[]): string;
  /** Of the list that which fits the key of the inventory. */
  known(list: readonly string[]): string | undefined;
  sign(request: { readonly publicKey: string; readonly names: readonly string[] }, ca: string): string;
}

export type OwnPair =
  /** It has one, and serves it or will. */
  | { readonly state: 'kept'; readonly name: string }
  /** Its certificate is made: the pair is to be laid, and has this name then. */
  | { readonly state: 'signed'; readonly name: string; readonly certificate: string }
  /** Its key is to be made first. */
  | { readonly state: 'keyless' }
  /** It gets another pair, or has got it: `name` is the one that it is to show now. */
  | {
      readonly state: 'renewed';
      readonly name: string;
      /** Whether this run may turn the server to another pair. */
      readonly turns: boolean;
      readonly needsKey?: true;
      /** For the key that waits. */
      readonly certificate?: string;
    }
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

export function issuedFor(asked: Asked): Issued | undefined {
  const { cluster, view, only, out, authority } = asked;
  if (cluster.servers.every(({ postgres }) => postgres.tls !== 'generated')) return undefined;
  const leading = view.hosts.get(view.primary)?.tls;
  const known = listOf(leading);
  const asks = (name: string): boolean => !out.includes(name) && (only === undefined || name === only);
  const found = cluster.servers.map((server) => {
    const look = view.hosts.get(server.name)?.tls;
    const pair = leading === undefined ? unjudged(look) : ownPair(server, look, known, asked);
    return { server, look, pair: only === undefined ? pair : besideRebuild(pair, server.name, asked) };
  });
  const open = found.some(({ server, pair }) => pair === undefined && asks(server.name));
  // A first list is none as long as somebody goes by another one.
  const begun = known.length === 0 && found.some(({ pair }) => pair?.state === 'refused');
  const ca = open && leading && !begun ? authority?.ca(known) : undefined;
  const isNew = ca !== undefined && !known.includes(ca);
  const objection =
    ca === undefined ? undefined : ((isNew ? unlisted(asked) : undefined) ?? untimely(asked, ca));
  return {
    list: (isNew && objection === undefined ? [...known, ca] : known).join(''),
    pairs: new Map(
      found.map(({ server, look, pair }): [string, OwnPair] => {
        if (pair) return [server.name, pair];
        if (!asks(server.name)) return [server.name, { state: 'none' }];
        if (ca === undefined || !authority || !look) return [server.name, { state: 'unseen' }];
        if (objection !== undefined) return [server.name, refused(objection)];
        if (look.request === undefined) return [server.name, { state: 'keyless' }];
        if (!isOurKind(look.request))
          return [server.name, refused('the key that waits is none for ECDSA P-256')];
        const certificate = authority.sign({ publicKey: look.request, names: namesOf(server) }, ca);
        return [server.name, { state: 'signed', name: pairNameOf(certificate), certificate }];
      }),
    ),
  };
}

/**
 * A rebuild is refused for its target alone: what is wrong with another server blocks no way back behind a failover. Beside a primary that has no
 * list and shows nothing it turns nothing on; one that shows something brings its settings along, so that the target needs its pair.
 */
function besideRebuild(pair: OwnPair | undefined, name: string, { view, only }: Asked): OwnPair | undefined {
  const leading = view.hosts.get(view.primary)?.tls;
  const look = view.hosts.get(name)?.tls;
  if (!leading || !look) return pair;
  if (name !== only) return pair && standing(look);
  if (listOf(leading).length > 0) return pair;
  if (!isInUse(leading)) return { state: 'none' };
  return look.pair === undefined && isLost(leading) ? refused(lostList) : standing(look);
}

/** Those who would not learn of a new CA, and follow by a list, or were not seen: they could follow nobody who shows what it has signed. */
function unlisted({ cluster, view, out }: Asked): string | undefined {
  const missed = cluster.servers.flatMap(({ name }) => {
    if (!out.includes(name)) return [];
    const look = view.hosts.get(name)?.tls;
    if (look && look.pair === undefined && look.named !== true && listOf(look).length === 0) return [];
    return view.absent?.has(name) ? [`${name} is away`] : [`${name} is in maintenance`];
  });
  return missed.length > 0
    ? `it would be signed by a new CA, of which not every server would learn: ${missed.join(', ')}. Bring back who is out, then run the same command again`
    : undefined;
}

/** What is signed now would not count on a host by its own clock: it would not be served, and each run would make another one. */
function untimely({ cluster, view, out, authority }: Asked, ca: string): string | undefined {
  const signer = new X509Certificate(ca);
  for (const { name } of cluster.servers) {
    const { nowMs } = view.hosts.get(name)?.tls ?? {};
    if (nowMs === undefined || out.includes(name)) continue;
    if (endMs(signer) < nowMs)
      return `the CA that would sign it, ${signer.subject}, has ended on ${signer.validTo} by the clock of ${name}: name another key in secrets.ca_key`;
    const aheadMs = Math.max(authority?.fromMs ?? 0, startMs(signer)) - nowMs;
    if (aheadMs > 0)
      return `by the clock of ${name} it would count in ${Math.ceil(aheadMs / 3_600_000)} hours only: that clock is slow, or the one of this machine is fast. Set them right, then run the same command again`;
  }
  return undefined;
}

/** The certificates of a list as they are written: parsed, each once. The copy counts where the list itself is lost. */
export function listOf(look: TlsLook | undefined): readonly string[] {
  const read = (text: string | undefined) => (text === undefined ? undefined : certificatesIn(text));
  const found = read(look?.ca) ?? read(look?.copy) ?? [];
  return [...new Set(found.map((one) => one.toString()))];
}

export function isOurKind(publicKey: string): boolean {
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

const standing = ({ pair }: TlsLook): OwnPair =>
  pair === undefined ? { state: 'none' } : { state: 'kept', name: pair };

/** A placeholder of the distribution is as good as none. */
const serves = ({ served }: TlsLook): boolean =>
  served !== undefined && served !== 'none' && !isPlaceholder(served);

/** Others may go by it, or the server will start with it. */
const isInUse = (look: TlsLook): boolean => serves(look) || look.named === true;

/** A pair that nobody goes by needs no list: it is what is left of TLS that was turned off, or of a run that was broken off. */
const isLost = (leading: TlsLook): boolean =>
  listOf(leading).length === 0 && leading.pair !== undefined && isInUse(leading);

/** Undefined: it is to be given one. */
function ownPair(
  server: Server,
  look: TlsLook | undefined,
  known: readonly string[],
  { cluster, view }: Asked,
): OwnPair | undefined {
  if (!look) return { state: 'unseen' };
  const leading = view.hosts.get(view.primary)?.tls;
  // Whose list counts holds none: nobody can say who else may be believed.
  if (leading && isLost(leading))
    return server.name === view.primary ? refused(lostList) : { state: 'unseen' };
  if (look.pair === undefined) {
    // A pair that postgresql.conf names and that is not there is lost, or stands on the server that this one was copied from.
    if (!serves(look) || look.named === true) return undefined;
    return refused(`${server.name} serves a certificate that pgduet has not made, and clients may go by it`);
  }
  const place = { host: server.logTransferAddress, version: server.postgres.version };
  const objection =
    known.length === 0
      ? (look.problem ?? unheard(server, cluster, view))
      : filesObjection(look, place, known.join(''));
  if (objection === undefined) return { state: 'kept', name: look.pair };
  // What a person has done to its key is for a person to repair.
  if (!isInUse(look) && look.problem === undefined) return undefined;
  return refused(objection);
}

const refused = (problem: string): OwnPair => ({ state: 'refused', problem });

const lostList =
  'the list of those who sign is lost or torn on the primary, and so is the copy beside the password file';

/** The role has come to a server on which TLS was never turned on. Another server could have forged its list: a person has to know it. */
function unheard(server: Server, { servers }: Cluster, { primary }: View): string {
  const leading = servers.find(({ name }) => name === primary);
  const [from, to] = [server, leading ?? server].map((one) => `${tlsDirectory(one)}/ca.pem`);
  return `the primary, ${primary}, has no list of those who sign. Compare ${from} of ${server.name} with what your clients have, and lay it on ${primary} as ${to}`;
}
