/**
 * The key of the link between two servers, which only these two can compute (ADR 30). In: the own key, the public part of the other one, the
 * cluster key. Out: a key and its mark, from which no key can be found. Pure.
 */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  hkdfSync,
  type KeyObject,
} from 'node:crypto';
import { Secret } from '../../base/secret.ts';
import type { ServerId } from '../core/view.ts';

/** The key of this host. */
export interface OwnKey {
  readonly key: KeyObject;
  /** Base64 of its DER, as `identities.json` has it. */
  readonly public: string;
}

export interface PairKey {
  readonly mark: string;
  readonly key: Secret;
  /** What it is made of. */
  readonly own: OwnKey;
  readonly other: string;
  readonly clusterKey: Secret;
}

/** Undefined of what is no key for ECDH with P-256. */
export function otherKey(text: string): KeyObject | undefined {
  try {
    const key = createPublicKey({ key: Buffer.from(text, 'base64'), format: 'der', type: 'spki' });
    return isOurKind(key) ? key : undefined;
  } catch {
    return undefined;
  }
}

/** Undefined of what is no such key. */
export function ownKey(text: string): OwnKey | undefined {
  try {
    const key = createPrivateKey(text);
    const der = createPublicKey(key).export({ format: 'der', type: 'spki' });
    return isOurKind(key) ? { key, public: der.toString('base64') } : undefined;
  } catch {
    return undefined;
  }
}

const isOurKind = ({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): boolean =>
  asymmetricKeyType === 'ec' && asymmetricKeyDetails?.namedCurve === 'prime256v1';

/** The same on both sides, whoever of the two asks. Undefined where the other part is no key. */
export function pairKey(
  own: OwnKey,
  other: string,
  clusterKey: Secret,
  names: readonly [ServerId, ServerId],
): PairKey | undefined {
  const publicKey = otherKey(other);
  if (!publicKey) return undefined;
  const shared = diffieHellman({ privateKey: own.key, publicKey });
  const info = `pgduet pair key ${JSON.stringify([...names].sort())}`;
  const bytes = hkdfSync('sha256', shared, Buffer.from(clusterKey.reveal(), 'hex'), info, 32);
  const key = new Secret(Buffer.from(bytes).toString('hex'));
  return { mark: markOf(key), key, own, other, clusterKey };
}

const markOf = (key: Secret): string =>
  createHash('sha256').update(`pgduet pair mark ${key.reveal()}`).digest('hex').slice(0, 16);

/** As what a server introduces itself by such a key; `turn`: it knows of a renewal of the secrets (ADR 16). */
export const pairIdentity = ({ mark }: PairKey, id: ServerId, isTurning: boolean): string =>
  `${isTurning ? 'turn' : 'pair'}/${mark}/${id}`;

/** Undefined of what is no such identity. */
export function readPairIdentity(
  identity: string,
): { readonly mark: string; readonly id: ServerId; readonly isTurning: boolean } | undefined {
  const match = /^(pair|turn)\/([0-9a-f]{16})\/([^/]+)$/.exec(identity);
  return match?.[2] === undefined || match[3] === undefined
    ? undefined
    : { mark: match[2], id: match[3], isTurning: match[1] === 'turn' };
}
