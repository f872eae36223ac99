/**
 * What belongs to an etcd in the management directory: etcd.password, and etcd-ca.pem with the certificates that it is trusted by.
 * In: the directory and the configuration. Out: how it is spoken to, or every mistake. Never reads a file that others can write or read.
 */
import { X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import type { Diagnostic, Result } from '../../base/diagnostic.ts';
import { etcdName } from '../../base/endpoint.ts';
import { Secret } from '../../base/secret.ts';
import type { NetworkConf, ServerConf } from '../config.ts';
import { arbiterKeyOf } from '../config-arbiter-key.ts';
import { fingerprint } from './arbiter-identity.ts';
import type { EtcdRegister } from './etcd-link.ts';
import { diagnostic, parsed } from './files.ts';

/** Null where the configuration names no etcd. The key is that of the cluster. */
export function readEtcd(
  dir: string,
  network: NetworkConf,
  conf: ServerConf,
  key: Secret,
): Result<EtcdRegister | null> {
  const { etcdEndpoints: endpoints, etcdUser: user = '', etcdPrefix = '' } = conf;
  if (endpoints.length === 0) return { ok: true, value: null };
  const password = parsed(join(dir, 'etcd.password'), parsePassword);
  const ca = parsed(join(dir, 'etcd-ca.pem'), parseCertificates);
  const problems = [...rivals(network), ...[password, ca].flatMap((it) => (it.ok ? [] : it.diagnostics))];
  if (!password.ok || !ca.ok || problems.length > 0) return { ok: false, diagnostics: problems };
  // A cluster that is set up anew has another key, and so a cell of its own.
  const prefix = `${etcdPrefix}${fingerprint(arbiterKeyOf(key))}/`;
  return {
    ok: true,
    value: { id: etcdName, endpoints, user, password: password.value, ca: ca.value, prefix },
  };
}

/** Whoever answers has one name, and there is one of them. */
function rivals({ servers, arbiters }: NetworkConf): Diagnostic[] {
  const [arbiter] = arbiters;
  const named = servers.find(({ id }) => id === etcdName);
  return [
    ...(arbiter
      ? [
          diagnostic(
            'MCF008',
            `network.conf names the arbiter '${arbiter.id}', and etcd_endpoints an etcd`,
            'of two that answer alone nobody knows which one counts',
            'Remove one of them.',
          ),
        ]
      : []),
    ...(named
      ? [
          diagnostic(
            'MCF008',
            `a server is called '${etcdName}', as the etcd is`,
            'a promise could not tell them apart',
            'Give the server another name.',
          ),
        ]
      : []),
  ];
}

function parsePassword(text: string, file: string): Result<Secret> {
  const line = text.replace(/\r?\n$/, '');
  if (line !== '' && !/[\r\n]/.test(line)) return { ok: true, value: new Secret(line) };
  const why = 'it must be one line with the password of the user of etcd';
  return {
    ok: false,
    diagnostics: [diagnostic('MCF007', `${file} holds no password`, why, 'Provision again.')],
  };
}

function parseCertificates(text: string, file: string): Result<string> {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length > 0 && blocks.every(isCertificate)) return { ok: true, value: text };
  const why = 'an etcd that nobody vouches for would be told the password';
  return {
    ok: false,
    diagnostics: [diagnostic('MCF007', `${file} holds no certificate (PEM)`, why, 'Provision again.')],
  };
}

function isCertificate(block: string): boolean {
  try {
    return new X509Certificate(block).subject !== '';
  } catch (error) {
    if (error instanceof Error) return false;
    throw error;
  }
}
