/**
 * What `pgduet certificates renew` makes of each server (ADR 28, point 6): a key, then a certificate that is laid ready, then the server is turned to
 * it, one server after the other. In: what is seen, what is asked for, who can sign. Out: the list, and the pair of every server. What may not be
 * is refused before (`intent/certificates.ts`). Pure, but for what the signer is given.
 */
import { X509Certificate } from 'node:crypto';
import type { Cluster, Server } from '../inventory/cluster.ts';
import { certificatesIn, isFor, isSignedBy } from '../postgres/certificate.ts';
import { filesObjection, servesFiles, type TlsLook } from '../resources/contract/tls-look.ts';
import {
  type Authority,
  type Issued,
  isOurKind,
  listOf,
  namesOf,
  type OwnPair,
  pairNameOf,
} from './issued.ts';
import type { View } from './survey.ts';

/** `renew`: by a CA that counts; `ca`: by a new one, for later; `finish`: what was laid ready for later is used. */
export interface Renewing {
  readonly action: 'renew' | 'ca' | 'finish';
  /** None: all. */
  readonly hosts: readonly string[];
  /** The pairs that are to be replaced, by server, as they were seen first; empty: that one is in the middle of its turn. */
  readonly former?: Readonly<Record<string, string>>;
}

export interface AskedAnew {
  readonly cluster: Cluster;
  readonly view: View;
  readonly out: readonly string[];
  readonly authority?: Authority | undefined;
  readonly renewing: Renewing;
}

/** A server that is looked at, and has a pair of pgduet's. */
export interface Held {
  readonly server: Server;
  readonly look: TlsLook;
  readonly pair: string;
}

export function heldPairs({
  cluster,
  view,
  out,
}: Omit<AskedAnew, 'renewing' | 'authority'>): readonly Held[] {
  return cluster.servers.flatMap((server) => {
    const look = view.hosts.get(server.name)?.tls;
    if (out.includes(server.name) || look?.pair === undefined) return [];
    return [{ server, look, pair: look.pair }];
  });
}

export const isMeant = ({ hosts }: Renewing, name: string): boolean =>
  hosts.length === 0 || hosts.includes(name);

export const isServing = ({ served }: TlsLook): boolean => served !== undefined && served !== 'none';

/** Which pair each server is to get another one for: the first look says it. */
export function formerPairs(held: readonly Held[], renewing: Renewing): Readonly<Record<string, string>> {
  return Object.fromEntries(
    held
      .filter(({ server, look }) => isMeant(renewing, server.name) && isServing(look))
      // A run that was killed as it turned the server: what is named already has only to be proven.
      .map(({ server, look, pair }) => [server.name, isTurned(look) ? '' : pair]),
  );
}

/** What was ready is named, and its mark is still there. */
const isTurned = ({ next, certificate }: TlsLook): boolean => next !== undefined && next === certificate;

/** The CAs of a list that have signed what a server shows. */
export const signersOf = (certificate: string | undefined, list: readonly string[]): readonly string[] => {
  const [own] = certificatesIn(certificate ?? '') ?? [];
  return own ? list.filter((ca) => isSignedBy(own, new X509Certificate(ca))) : [];
};

/** Is the pair that is ready one that others could follow by this list? */
export function isGood({ server, look }: Held, list: readonly string[]): boolean {
  if (look.next === undefined || isTurned(look)) return false;
  const [own] = certificatesIn(look.next) ?? [];
  if (!own || !namesOf(server).every((name) => isFor(own, name))) return false;
  const { problem: _, ...shown } = look;
  const place = { host: server.logTransferAddress, version: server.postgres.version };
  return filesObjection({ ...shown, certificate: look.next }, place, list.join('')) === undefined;
}

/** A pair by a CA by which the server is not signed now. */
export const isByAnother = ({ look }: Held, list: readonly string[]): boolean => {
  const now = signersOf(look.certificate, list);
  return signersOf(look.next, list).some((ca) => !now.includes(ca));
};

export function renewedFor(asked: AskedAnew): Issued {
  const { cluster, view, renewing, authority } = asked;
  const leading = view.hosts.get(view.primary)?.tls;
  const known = listOf(leading);
  const held = heldPairs(asked);
  const byName = new Map(held.map((one) => [one.server.name, one]));
  const open = leading && known.length > 0 ? dueOf(asked, held, known) : { due: [], list: known };
  const ready = open.due.filter((one) => isGood(one, open.list) && isWanted(one, open));
  const waiting = open.due.filter((one) => !ready.includes(one));
  // Nobody is turned as long as another one's pair is still to be made, and one after the other, the primary last.
  const [turning] = renewing.action === 'ca' || waiting.length > 0 ? [] : inTurn(ready, view.primary);
  const blocked = held.some((one) => isBeingTurned(one, renewing));
  return {
    list: (renewing.action === 'finish' ? shortened(asked, held, known) : open.list).join(''),
    pairs: new Map(
      cluster.servers.map(({ name }): [string, OwnPair] => {
        const one = byName.get(name);
        if (!one) return [name, { state: 'none' }];
        const turns = renewing.action !== 'ca' && (isMeant(renewing, name) || renewing.action === 'finish');
        const stays = { state: 'renewed', name: one.pair, turns } as const;
        if (one === turning && !blocked && one.look.next)
          return [name, { ...stays, name: pairNameOf(one.look.next) }];
        return [name, waiting.includes(one) ? made(one, stays, open.ca, authority) : stays];
      }),
    ),
  };
}

interface Open {
  /** Who is to get another pair. */
  readonly due: readonly Held[];
  readonly list: readonly string[];
  readonly ca?: string | undefined;
}

function dueOf({ renewing, authority }: AskedAnew, held: readonly Held[], known: readonly string[]): Open {
  const meant = held.filter(({ server }) => isMeant(renewing, server.name));
  switch (renewing.action) {
    case 'finish':
      return { due: held.filter((one) => isGood(one, known)), list: known };
    case 'renew': {
      const due = meant.filter(({ server, pair }) => renewing.former?.[server.name] === pair);
      return { due, list: known, ca: due.length > 0 ? authority?.ca(known) : undefined };
    }
    case 'ca': {
      const signer = authority?.known(known);
      const isDone = (one: Held): boolean =>
        signer === undefined
          ? isGood(one, known) && isByAnother(one, known)
          : signersOf(one.look.certificate, [signer]).length > 0 ||
            (isGood(one, known) && signersOf(one.look.next, [signer]).length > 0);
      const due = meant.filter((one) => !isDone(one));
      const ca = due.length > 0 ? authority?.ca(known) : undefined;
      return { due, list: ca === undefined || known.includes(ca) ? known : [...known, ca], ca };
    }
  }
}

/** What is ready may be the remains of another renewal. */
const isWanted = ({ look }: Held, { ca }: Open): boolean =>
  ca === undefined || signersOf(look.next, [ca]).length > 0;

/** Its pair is named by now, and was not seen to be served yet. */
const isBeingTurned = ({ server, look, pair }: Held, { action, former, hosts }: Renewing): boolean =>
  isServing(look) &&
  (action === 'finish' || hosts.length === 0 || hosts.includes(server.name)) &&
  !servesFiles(look) &&
  (isTurned(look) ||
    (action === 'renew' && former?.[server.name] !== undefined && former[server.name] !== pair));

const inTurn = (due: readonly Held[], primary: string): readonly Held[] => [
  ...due.filter(({ server, look }) => server.name !== primary && isServing(look)),
  ...due.filter(({ server, look }) => server.name === primary && isServing(look)),
];

function made(
  { server, look }: Held,
  stays: Extract<OwnPair, { state: 'renewed' }>,
  ca: string | undefined,
  authority: Authority | undefined,
): OwnPair {
  if (ca === undefined || !authority) return stays;
  if (look.request === undefined) return { ...stays, needsKey: true };
  if (!isOurKind(look.request))
    return { state: 'refused', problem: 'the key that waits is none for ECDSA P-256' };
  return { ...stays, certificate: authority.sign({ publicKey: look.request, names: namesOf(server) }, ca) };
}

/** Who signs nothing that is used goes from the list, once every server of the cluster was seen to show what it has. */
function shortened(
  { cluster }: AskedAnew,
  held: readonly Held[],
  known: readonly string[],
): readonly string[] {
  const isOpen = ({ look }: Held): boolean => look.next !== undefined && !isTurned(look);
  const isSeen = held.length === cluster.servers.length && held.every(({ look }) => servesFiles(look));
  if (!isSeen || held.some(isOpen)) return known;
  const signers = held.map(({ look }) => signersOf(look.served, known));
  // What somebody shows that no CA of the list has signed is for a person to look at first.
  if (signers.some((one) => one.length === 0)) return known;
  const used = new Set(signers.flat());
  return known.filter((ca) => used.has(ca));
}
