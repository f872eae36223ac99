/**
 * The key by which the servers of a cluster prove themselves to their arbiter. It is made from the cluster key and does not tell it,
 * so that the host of an arbiter can answer its clusters and cannot speak to their controllers. In: a key. Out: another one, or its mark. Pure.
 */
import { createHash } from 'node:crypto';
import { Secret } from '../base/secret.ts';

/** In: the content of cluster.key, 32 bytes in hex or base64. Out: 32 bytes in hex. */
export function arbiterKeyOf(clusterKey: Secret): Secret {
  const text = clusterKey.reveal().trim();
  const bytes = /^[0-9a-fA-F]{64}$/.test(text) ? Buffer.from(text, 'hex') : Buffer.from(text, 'base64');
  return new Secret(createHash('sha256').update('pgduet arbiter key ').update(bytes).digest('hex'));
}

const digits = 16;

/** Names the cluster by its key for arbiters, and says nothing of it. */
export const fingerprint = (key: Secret): string =>
  createHash('sha256').update(`pgduet arbiter${key.reveal()}`).digest('hex').slice(0, digits);

/** The mark of a cluster key is that of the key for arbiters which is made from it: servers and arbiter tell the same. */
export const clusterMark = (clusterKey: Secret): string => fingerprint(arbiterKeyOf(clusterKey));
