/**
 * As what a server introduces itself where one port knows several keys: to an arbiter, which serves many clusters, and to its peers while the
 * cluster key is renewed. Pure.
 */
import type { Secret } from '../../base/secret.ts';
import { fingerprint } from '../config-arbiter-key.ts';
import type { ServerId } from '../core/view.ts';

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
