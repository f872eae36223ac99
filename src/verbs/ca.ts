/**
 * `pgduet ca`: the certificates of those who sign for the servers, as the present primary has them: what a client needs that verifies. Looks, takes no
 * lock, changes nothing.
 */
import { X509Certificate } from 'node:crypto';
import { DiagnosticError } from '../base/diagnostic.ts';
import { exitCode } from '../base/exit-codes.ts';
import type { Cluster } from '../inventory/cluster.ts';
import { listOf } from '../observe/issued.ts';
import { survey } from '../observe/survey.ts';
import { jsonText } from '../report/shown.ts';
import { inventory } from './inventory.ts';
import { seenServers } from './seen.ts';
import type { World } from './world.ts';

export async function ca(world: World): Promise<number> {
  const { cluster } = await inventory(world);
  if (cluster.servers.every(({ postgres: { tls } }) => tls === undefined || tls === 'off'))
    throw told(
      'the inventory names nobody who signs',
      'Write postgres.tls: generated, or name files that are there (docs/tls.md), then run pgduet provision.',
    );
  const { hosts: views, away } = await seenServers(world, cluster);
  const found = survey(cluster, views);
  if ('refused' in found) throw new DiagnosticError([found.refused, ...away], exitCode.hostFailed);
  const { primary, hosts } = found.view;
  const list = listOf(hosts.get(primary)?.tls);
  if (!hosts.has(primary)) throw new DiagnosticError(away, exitCode.unreachable);
  if (list.length === 0)
    throw told(`${primary}, the primary, has no list of those who sign`, wayToList(cluster, primary));
  if (world.options.json)
    world.print(
      jsonText({ schema: 1, verb: 'ca', cluster: cluster.name, primary, ca: list.map(described) }, 2),
    );
  else world.print(list.join('').trimEnd());
  return exitCode.done;
}

/** A list that somebody else lays is not made by pgduet. */
export function wayToList({ servers }: Cluster, primary: string): string {
  const tls = servers.find(({ name }) => name === primary)?.postgres.tls;
  return typeof tls === 'object'
    ? `Lay the certificates of your CA there as ${tls.ca} (postgres.tls), whole and nothing else; pgduet check says what is missing.`
    : 'Run pgduet provision, which makes it, or says what to do; pgduet check says what is missing.';
}

const told = (what: string, fix: string): DiagnosticError =>
  new DiagnosticError(
    [{ code: 'TLS021', what, why: 'a client could not tell the servers of the cluster from others', fix }],
    exitCode.hostFailed,
  );

function described(pem: string): object {
  const { subject, fingerprint256, validFrom, validTo } = new X509Certificate(pem);
  return {
    subject,
    sha256: fingerprint256,
    from: new Date(validFrom).toISOString(),
    until: new Date(validTo).toISOString(),
    pem,
  };
}
