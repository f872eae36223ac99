/**
 * What belongs to an etcd in the management directory: etcd.password, etcd-ca.pem with the certificates that it is trusted by, and etcd.cell.
 * In: the directory and the configuration. Out: how it is spoken to, or every mistake. Never reads a file that others can write or read.
 */
import { join } from 'node:path';
import { certificatesIn } from '../../base/certificates.ts';
import type { Diagnostic, Result } from '../../base/diagnostic.ts';
import { etcdName } from '../../base/endpoint.ts';
import { Secret } from '../../base/secret.ts';
import type { NetworkConf, ServerConf } from '../config.ts';
import { clusterMark } from '../config-arbiter-key.ts';
import type { EtcdRegister } from './etcd-link.ts';
import { diagnostic, parsed } from './files.ts';
import { isThere } from './whole-file.ts';

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
  const cell = readCellName(dir);
  const problems = [
    ...rivals(network),
    ...[password, ca, cell].flatMap((it) => (it.ok ? [] : it.diagnostics)),
  ];
  if (!password.ok || !ca.ok || !cell.ok || problems.length > 0) return { ok: false, diagnostics: problems };
  // A cluster that is set up anew has another key, and so a cell of its own; that of a renewed key keeps its name.
  const prefix = `${etcdPrefix}${cell.value ?? clusterMark(key)}/`;
  return {
    ok: true,
    value: { id: etcdName, endpoints, user, password: password.value, ca: ca.value, prefix },
  };
}

/** The mark that the cell is named by, where the key has been renewed since; null where it never was. */
function readCellName(dir: string): Result<string | null> {
  const path = join(dir, 'etcd.cell');
  return isThere(path) ? parsed(path, parseCellName) : { ok: true, value: null };
}

function parseCellName(text: string, file: string): Result<string> {
  const line = text.trim();
  if (/^[0-9a-f]{16}$/.test(line)) return { ok: true, value: line };
  const why =
    'it must be one line with the mark of the first cluster key; two servers that look at two cells get no answer';
  const fix = 'Copy it from another server of the cluster, or provision again.';
  return { ok: false, diagnostics: [diagnostic('MCF007', `${file} names no cell`, why, fix)] };
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
  if (certificatesIn(text).length > 0) return { ok: true, value: text };
  const why = 'an etcd that nobody vouches for would be told the password';
  return {
    ok: false,
    diagnostics: [diagnostic('MCF007', `${file} holds no certificate (PEM)`, why, 'Provision again.')],
  };
}
