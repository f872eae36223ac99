/**
 * Why `pgduet certificates renew` cannot begin, with a way out: nobody can sign, a rotation of the CA is under way or has nothing to begin with, a
 * clock says another time. In: what is seen, the public key of who could sign, the time here. Out: all of it at once. Pure.
 */
import { createPublicKey, X509Certificate } from 'node:crypto';
import { advised, here } from '../base/command.ts';
import type { Diagnostic } from '../base/diagnostic.ts';
import { endMs } from '../postgres/certificate.ts';
import { listOf } from './issued.ts';
import {
  type AskedAnew,
  type Held,
  heldPairs,
  isByAnother,
  isGood,
  isMeant,
  isServing,
  signersOf,
} from './renewed.ts';

export interface Here {
  readonly signer?: string | undefined;
  readonly nowMs: number;
}

type Seen = Omit<AskedAnew, 'authority'>;

export function renewalObstacles(seen: Seen, by: Here): readonly Diagnostic[] {
  const { view, renewing } = seen;
  const known = listOf(view.hosts.get(view.primary)?.tls);
  if (known.length === 0) return [withoutList(view.primary)];
  const held = heldPairs(seen);
  const strange = strangers(seen, held);
  switch (renewing.action) {
    case 'renew':
      return [...strange, ...clocks(seen, by), ...renewObstacles(held, known, seen, by)];
    case 'ca':
      return [...strange, ...clocks(seen, by), ...rotationObstacles(held, known, seen, by)];
    case 'finish':
      return finishObstacles(held, known, seen);
  }
}

const withoutList = (primary: string): Diagnostic => ({
  code: 'TLS032',
  host: primary,
  what: `${primary}, the primary, has no list of those who sign`,
  why: 'nobody can say which CAs count',
  ...advised`${here`pgduet provision`} makes it, or says what to do (docs/tls.md, 'When pgduet refuses to sign').`,
});

/** Who has nothing that could be renewed. */
function strangers({ cluster, view, out, renewing }: Seen, held: readonly Held[]): readonly Diagnostic[] {
  return cluster.servers.flatMap(({ name }): readonly Diagnostic[] => {
    if (out.includes(name) || !isMeant(renewing, name)) return [];
    const one = held.find(({ server }) => server.name === name);
    if (one && (isServing(one.look) || renewing.hosts.length === 0)) return [];
    return [
      {
        code: 'TLS032',
        host: name,
        what: one
          ? `${name} does not answer by TLS (${view.hosts.get(name)?.tls?.served === 'none' ? 'it offers none' : 'it may be stopped'})`
          : `${name} has no certificate that pgduet has made`,
        why: one
          ? 'a new certificate is proven by a handshake, or the former one comes back'
          : 'there is none to renew',
        ...advised`${one ? 'Start it, or leave it out; or ' : ''}${here`pgduet provision`} brings it to what the inventory says; then run the same command again.`,
      },
    ];
  });
}

const hourMs = 3_600_000;
const time = (ms: number): string =>
  new Date(ms)
    .toISOString()
    .replace('.000Z', 'Z')
    .replace(/\.\d+Z$/, 'Z');

/** A certificate counts from an hour before it is made, by the clock here; until when, too. */
const clocks = ({ cluster, view, out }: Seen, { nowMs }: Here): readonly Diagnostic[] =>
  cluster.servers.flatMap(({ name }): readonly Diagnostic[] => {
    const there = view.hosts.get(name)?.tls?.nowMs;
    if (there === undefined || out.includes(name) || Math.abs(there - nowMs) <= hourMs) return [];
    return [
      {
        code: 'TLS035',
        host: name,
        what: `the clock of ${name} says ${time(there)}, the one of this machine ${time(nowMs)}`,
        why: 'what is signed here would not count there yet, or would end at another time than it says',
        fix: 'Set the one that is wrong right (chrony or systemd-timesyncd), then run the same command again.',
      },
    ];
  });

const isOf = (ca: string, signer: string): boolean =>
  new X509Certificate(ca).publicKey.equals(createPublicKey(signer));

const toRotate = advised`Renew the CA itself, in two steps: ${here`pgduet certificates renew --ca`}, then ${here`pgduet certificates renew --ca --finish`} (docs/tls.md).`;

/** By a CA that counts: its key has to be at hand. */
function renewObstacles(
  held: readonly Held[],
  known: readonly string[],
  { view, renewing }: Seen,
  { signer }: Here,
): readonly Diagnostic[] {
  const ca = signer === undefined ? undefined : known.find((one) => isOf(one, signer));
  if (ca === undefined)
    return [
      {
        code: 'TLS028',
        what: 'nobody can sign by a CA that counts',
        why:
          signer === undefined
            ? 'its key was forgotten by the run that made it: the inventory has no secrets.ca_key'
            : 'secrets.ca_key is the key of no CA of the list of the primary',
        ...toRotate,
      },
    ];
  const { subject, validTo } = new X509Certificate(ca);
  const ended = [...view.hosts].filter(([, { tls }]) => tls && tls.nowMs > endMs(new X509Certificate(ca)));
  if (ended.length > 0)
    return [
      {
        code: 'TLS028',
        what: `the CA of secrets.ca_key, ${subject.replace(/^CN=/, '')}, has ended on ${validTo}`,
        why: `by the clock of ${ended.map(([name]) => name).join(', ')} nothing that it signs counts`,
        fix: `Name another key in secrets.ca_key, or take it out. ${toRotate.fix}`,
        commands: toRotate.commands,
      },
    ];
  const rotating = held.filter(
    (one) =>
      isMeant(renewing, one.server.name) && isGood(one, known) && signersOf(one.look.next, [ca]).length === 0,
  );
  return rotating.length > 0 ? [underWay(rotating)] : [];
}

const names = (held: readonly Held[]): string => held.map(({ server }) => server.name).join(', ');

const underWay = (held: readonly Held[]): Diagnostic => ({
  code: 'TLS029',
  what: `a renewal of the CA is not finished: a certificate by another CA than that of secrets.ca_key is ready on ${names(held)}`,
  why: 'it would be thrown away',
  ...advised`When your clients have the list (${here`pgduet ca`}): ${here`pgduet certificates renew --ca --finish`}.`,
});

/** With a key that is kept a new CA is another key. */
function rotationObstacles(
  held: readonly Held[],
  known: readonly string[],
  { renewing }: Seen,
  { signer }: Here,
): readonly Diagnostic[] {
  const ca = signer === undefined ? undefined : known.find((one) => isOf(one, signer));
  if (ca === undefined) return [];
  const meant = held.filter(({ server }) => isMeant(renewing, server.name));
  if (meant.some(({ look }) => signersOf(look.certificate, [ca]).length === 0)) return [];
  return [
    {
      code: 'TLS029',
      what: `secrets.ca_key is the key of the CA that has signed ${names(meant)} already`,
      why: 'a new CA has a new key: whoever had the former one could go on signing',
      ...advised`Name another key in secrets.ca_key, or take it out. If only the servers are to get other certificates: ${here`pgduet certificates renew`}.`,
    },
  ];
}

/** What is not whole is not used. */
function finishObstacles(
  held: readonly Held[],
  known: readonly string[],
  { view }: Seen,
): readonly Diagnostic[] {
  const ready = held.filter((one) => isGood(one, known));
  const torn = held.filter(
    (one) => one.look.next !== undefined && one.look.next !== one.look.certificate && !ready.includes(one),
  );
  const begun = held.filter(({ look }) => look.next === undefined && look.request !== undefined);
  const isOpen = ready.some((one) => isByAnother(one, known));
  const follows = view.hosts.get(view.primary)?.streams?.senders ?? [];
  const unreached = follows.filter(({ name }) => view.absent?.has(name) === true).map(({ name }) => name);
  return [
    ...(isOpen && unreached.length > 0 ? [connected(unreached)] : []),
    ...(torn.length > 0
      ? [again(`what is ready on ${names(torn)} is by no CA of the list of the primary, or lacks a name`)]
      : []),
    ...(isOpen && begun.length > 0 ? [again(`a key of ${names(begun)} waits for its certificate`)] : []),
  ];
}

const again = (what: string): Diagnostic => ({
  code: 'TLS029',
  what: `the first step of the renewal is not whole: ${what}`,
  why: 'a server that was turned to it could not be followed by all',
  ...advised`Run ${here`pgduet certificates renew --ca`} once more, give your clients the list (${here`pgduet ca`}), then run the same command again.`,
});

/** It is not down: it may be the one that takes over, by a list that nobody knows. */
const connected = (unreached: readonly string[]): Diagnostic => ({
  code: 'TLS029',
  what: `${unreached.join(', ')} could not be reached from here, and streams from the primary`,
  why: 'whether it knows the new CA was not seen: without it, it could not connect again, and commits may wait for it',
  fix: 'Make it reachable, or see that it is down, then run the same command again.',
});
