/** The playbook of a verb, and what makes resources of it. Problems are thrown as DiagnosticError before any host is contacted. */

import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { DiagnosticError } from '../base/diagnostic.ts';
import { exitCode } from '../base/exit-codes.ts';
import { type Renewal, renewalText } from '../base/renewal.ts';
import { Secret } from '../base/secret.ts';
import { serviceWord } from '../base/service-managers.ts';
import { arbiterKeyOf } from '../controller/config-arbiter-key.ts';
import type { Intent } from '../intent/intent.ts';
import { leftAlone } from '../intent/maintenance.ts';
import { broughtPassword } from '../intent/replace.ts';
import type { Cluster, Server } from '../inventory/cluster.ts';
import { type Authority, issuedFor } from '../observe/issued.ts';
import { renewedFor } from '../observe/renewed.ts';
import { environmentOf, type View } from '../observe/survey.ts';
import { compile } from '../playbook/compile.ts';
import { type Playbook, parsePlaybook } from '../playbook/playbook.ts';
import { mcCtlPath } from '../playbook/variables/controller.ts';
import { serviceManager } from '../playbook/variables/host.ts';
import type { EffectPlace } from '../resources/contract/effects.ts';
import { kinds } from '../resources/registry.ts';
import { shippedAsset, shippedTemplate } from '../shipped.ts';
import { included, textOf } from './playbook-files.ts';
import type { World } from './world.ts';

export function playbook(path: string): Playbook {
  const text = textOf(path);
  if (typeof text !== 'string')
    throw new DiagnosticError(
      [
        {
          code: 'PLY001',
          what: `the playbook '${path}' cannot be read`,
          why: text.reason,
          fix: 'Check the path and its permissions.',
        },
      ],
      exitCode.inputWrong,
    );
  const parsed = parsePlaybook({ path: normalize(path), text }, [...kinds.keys()], included);
  if (!parsed.ok) throw new DiagnosticError(parsed.diagnostics, exitCode.inputWrong);
  return parsed.value;
}

/**
 * The compiler of a run. Secrets come from the inventory, else from the hosts, else they are made now; one made now
 * stays the same for the whole run. Templates beside the playbook go before those that are shipped.
 */
export function compiler(
  world: World,
  cluster: Cluster,
  plays: Playbook,
  playbookPath: string,
  authority?: Authority,
) {
  const entropy = randomBytes(16).toString('hex');
  const made = {
    replication_password: new Secret(randomBytes(24).toString('base64url')),
    rewind_password: new Secret(randomBytes(24).toString('base64url')),
    cluster_key: new Secret(`${randomBytes(32).toString('hex')}\n`),
  };
  for (const secret of Object.values(made)) world.mask.add(new Secret(secret.reveal().trim()));
  const ownTemplate = (name: string): string | undefined => {
    const path = join(dirname(playbookPath), name);
    return /^[A-Za-z0-9_.-]+$/.test(name) && existsSync(path) ? readFileSync(path, 'utf8') : undefined;
  };
  const asset = once(shippedAsset);
  const template = once((name) => ownTemplate(name) ?? shippedTemplate(name));
  return (view: View, intent: Intent) => {
    const seen = [view.primary, ...view.hosts.keys()].map((name) => view.hosts.get(name));
    // What a renewal brings goes before what the hosts use.
    const renewal = intent.kind === 'renew' ? intent.renewal : undefined;
    const used = renewal?.key?.to ?? seen.find((host) => host?.clusterKey)?.clusterKey;
    const clusterKey = withNewline(used) ?? made.cluster_key;
    const environment = seen.flatMap((host) => (host ? (environmentOf(host) ?? []) : []))[0];
    const etcdPassword = withNewline(cluster.etcd?.password);
    const secrets: Readonly<Record<string, Secret>> = {
      replication_password:
        renewal?.password?.to ??
        cluster.replicationPassword ??
        broughtPassword(intent) ??
        seen.find((host) => host?.replicationPassword)?.replicationPassword ??
        made.replication_password,
      rewind_password: made.rewind_password,
      cluster_key: clusterKey,
      arbiter_key: new Secret(`${arbiterKeyOf(clusterKey).reveal()}\n`),
      ...(environment ? { instance_environment: environment } : {}),
      ...(etcdPassword ? { etcd_password: etcdPassword } : {}),
      ...renewalFiles(renewal ?? {}),
    };
    return compile(
      plays,
      { cluster, view, intent, issued: issuedBy(authority, cluster, view, intent) },
      {
        kinds,
        entropy,
        template,
        asset,
        secret: (name) => secrets[name],
      },
    );
  };
}

/** A rebuild brings one server into a cluster that is there; other commands than these make no certificates. */
function issuedBy(authority: Authority | undefined, cluster: Cluster, view: View, intent: Intent) {
  const asked = { cluster, view, authority, out: [...leftAlone(intent, view), ...(view.absent ?? [])] };
  return intent.kind === 'certificates'
    ? renewedFor({ ...asked, renewing: intent })
    : issuedFor({ ...asked, only: intent.kind === 'rebuild' ? intent.host : undefined });
}

/** What renewal.json holds on a server, and on the host of the arbiter. */
function renewalFiles({ key, password }: Renewal): Readonly<Record<string, Secret>> {
  const arbiter = key && { from: arbiterKeyOf(key.from), to: arbiterKeyOf(key.to) };
  return {
    renewal: new Secret(renewalText({ ...(key ? { key } : {}), ...(password ? { password } : {}) })),
    arbiter_renewal: new Secret(renewalText(arbiter ? { key: arbiter } : {})),
  };
}

/** A file is read once in a run: the same name always means the same text. */
function once(read: (name: string) => string | undefined): (name: string) => string | undefined {
  const known = new Map<string, string | undefined>();
  return (name) => {
    if (!known.has(name)) known.set(name, read(name));
    return known.get(name);
  };
}

const withNewline = (secret: Secret | undefined): Secret | undefined =>
  secret && new Secret(`${secret.reveal().trim()}\n`);

export function effectPlace(server: Server, view: View): EffectPlace {
  const { dataDir, socketDir, port, owner } = server.postgres;
  return {
    instance: { dataDir, socketDir, port, owner },
    id: server.name,
    managementDir: server.multiplexing.managementDir,
    mcCtl: mcCtlPath(server, view),
    unit: serviceWord(serviceManager(server.host, view), server.unit),
  };
}
