/**
 * `pgduet replace HOST`: the host of a standby is a new one. The former host is locked out by other secrets, then the new one takes its place, with the
 * proof that it follows (ADR 22).
 */
import { randomBytes } from 'node:crypto';
import type { Outcome } from '../apply/run.ts';
import { DiagnosticError } from '../base/diagnostic.ts';
import { exitCode } from '../base/exit-codes.ts';
import { Secret } from '../base/secret.ts';
import type { Intent } from '../intent/intent.ts';
import type { ReplaceIntent } from '../intent/replace.ts';
import type { Cluster } from '../inventory/cluster.ts';
import type { View } from '../observe/survey.ts';
import { shippedPlaybook } from '../shipped.ts';
import { applyVerb } from './apply.ts';
import { compiler, playbook } from './load.ts';
import { checkServers } from './operating.ts';
import { proofOf } from './proof.ts';
import { argument, type Given, text } from './verb.ts';
import type { World } from './world.ts';

export function replace(world: World, given: Given): Promise<number> {
  const host = argument(given, 'host');
  checkFingerprint(text(given, 'host-key'));
  const made = {
    clusterKey: new Secret(randomBytes(32).toString('hex')),
    password: new Secret(randomBytes(24).toString('base64url')),
  };
  for (const secret of Object.values(made)) world.mask.add(secret);
  const intent: ReplaceIntent = {
    kind: 'replace',
    host,
    by: world.operator,
    of: text(given, 'of') ?? '',
    password: made.password,
  };
  const lockOut = (cluster: Cluster) => {
    const path = shippedPlaybook('secrets');
    const rest = without(cluster, host);
    const compile = compiler(world, rest, playbook(path), path);
    return {
      cluster: rest,
      intent: { kind: 'renew', made } as const,
      compile,
      behind: (settled: Intent): Intent => ({
        ...intent,
        stage: 'entered',
        password: broughtBy(settled) ?? made.password,
      }),
    };
  };
  return applyVerb(world, intent, shippedPlaybook('replace'), {
    check: (cluster) => checkServers(cluster, [host]),
    // What waits for a restart elsewhere is no part of it.
    mayRestart: (name) => name === host,
    prelude: (cluster, first) => (stageOf(first.intent) === 'new' ? lockOut(cluster) : undefined),
    notes: (view, cluster, _plan, settled) => notesOf(host, view, cluster, settled),
    facts: (outcome, cluster) => ({
      replace: {
        host,
        // Null: it is no new host.
        locked_out_of: stageOf(outcome.intent) === 'known' ? null : placesWithout(cluster, host),
      },
    }),
    proof: (outcome: Outcome) => proofOf(outcome, ['standby', 'replication', 'mirroring', 'register']),
  });
}

/** As `ssh-keygen -l` shows it. */
function checkFingerprint(given: string | undefined): void {
  if (given === undefined || /^SHA256:[A-Za-z0-9+/]{43}$/.test(given)) return;
  throw new DiagnosticError(
    [
      {
        code: 'CLI004',
        what: `--host-key takes a fingerprint, not '${given}'`,
        why: 'it is compared with the key that the host shows, and only that key is accepted',
        fix: "Write it as the console of the host shows it: 'SHA256:' and 43 characters (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub).",
      },
    ],
    exitCode.inputWrong,
  );
}

const stageOf = (intent: Intent): ReplaceIntent['stage'] =>
  intent.kind === 'replace' ? intent.stage : undefined;

/** What an interrupted renewal had begun goes before what was made now. */
const broughtBy = (settled: Intent): Secret | undefined =>
  settled.kind === 'renew' ? settled.renewal?.password?.to : undefined;

/** As the others know the cluster as long as nobody has that server's place. */
export function without(cluster: Cluster, name: string): Cluster {
  return {
    ...cluster,
    hosts: cluster.hosts.filter((host) => host.name !== name),
    servers: cluster.servers.filter((server) => server.name !== name),
  };
}

const placesWithout = (cluster: Cluster, name: string): readonly string[] => {
  const { hosts } = without(cluster, name);
  return hosts.map((host) => host.name);
};

/** The former host keeps what it had: a certificate of the cluster, and the key of it. */
export function stillTrusted(host: string, cluster: Cluster): readonly string[] {
  const tls = cluster.servers.find(({ name }) => name === host)?.postgres.tls;
  if (tls === undefined || tls === 'off') return [];
  const ended =
    tls === 'generated'
      ? 'run pgduet certificates renew --ca behind this, and with --finish once clients have the new list'
      : 'have it revoked, or take another CA';
  return [
    `The certificate of the former host is trusted until it ends: if that host is out of your hands, ${ended}.`,
  ];
}

/** What is done before the plan, and what nobody can prove. */
function notesOf(host: string, view: View, cluster: Cluster, settled: Intent): readonly string[] {
  if (stageOf(settled) !== 'new')
    return [
      `${host} is no new host, so nobody is locked out: it is made as declared, as pgduet provision does.`,
    ];
  const given = cluster.replicationPassword !== undefined;
  const bound = view.hosts.get(view.primary)?.record?.bound === true;
  return [
    `First the former host of ${host} is locked out: the cluster key${given ? ' is' : ' and the replication password are'} renewed on ${placesWithout(cluster, host).join(', ')}, while they run.`,
    ...(given
      ? [
          `The replication password stands in the inventory and stays: if the former host is out of your hands, change it there, then run pgduet secrets renew.`,
        ]
      : []),
    ...stillTrusted(host, cluster),
    ...(cluster.etcd ? ['The password of etcd stays: it is yours to change.'] : []),
    ...(bound
      ? []
      : [
          `No register answers for this cluster: nobody can prove that the former host, if it was only cut off, has not acknowledged commits. Your yes says that it is off or lost.`,
        ]),
  ];
}
