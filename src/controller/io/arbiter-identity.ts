/** As what a server introduces itself to an arbiter: one port serves many clusters, each by its own key. Pure. */
import { createHash } from 'node:crypto';
import type { Secret } from '../../base/secret.ts';
import type { ServerId } from '../core/view.ts';

const digits = 16;

/** Names the cluster by its key for arbiters, and says nothing of it. */
export const fingerprint = (key: Secret): string =>
  createHash('sha256').update(`pgduet arbiter${key.reveal()}`).digest('hex').slice(0, digits);

export const arbiterIdentity = (key: Secret, id: ServerId): string => `${fingerprint(key)}/${id}`;

/** Undefined of what is no such identity. */
export function readIdentity(
  identity: string,
): { readonly fingerprint: string; readonly id: ServerId } | undefined {
  const match = /^([0-9a-f]{16})\/([^/]+)$/.exec(identity);
  return match?.[1] === undefined || match[2] === undefined
    ? undefined
    : { fingerprint: match[1], id: match[2] };
}
