/**
 * The key by which the servers of a cluster prove themselves to their arbiter. It is made from the cluster key and does not tell it,
 * so that the host of an arbiter can answer its clusters and cannot speak to their controllers. In: a key. Out: another one. Pure.
 */
import { createHash } from 'node:crypto';
import { Secret } from '../base/secret.ts';

/** In: the content of cluster.key, 32 bytes in hex or base64. Out: 32 bytes in hex. */
export function arbiterKeyOf(clusterKey: Secret): Secret {
  const text = clusterKey.reveal().trim();
  const bytes = /^[0-9a-fA-F]{64}$/.test(text) ? Buffer.from(text, 'hex') : Buffer.from(text, 'base64');
  return new Secret(createHash('sha256').update('pgduet arbiter key ').update(bytes).digest('hex'));
}
