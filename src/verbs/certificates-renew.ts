/**
 * `pgduet certificates renew [HOST...] [--ca [--finish]]`: other keys and certificates for TLS while everything runs, by a CA that counts, or by a new one
 * in two steps (ADR 28). The same command goes on with a renewal that was interrupted.
 */
import { createPublicKey } from 'node:crypto';
import type { Outcome } from '../apply/run.ts';
import { DiagnosticError } from '../base/diagnostic.ts';
import { exitCode } from '../base/exit-codes.ts';
import type { CertificatesIntent } from '../intent/certificates.ts';
import type { Cluster } from '../inventory/cluster.ts';
import type { Renewing } from '../observe/renewed.ts';
import type { View } from '../observe/survey.ts';
import { type RenewalState, renewalState, renewalText } from '../report/renewal.ts';
import { shippedPlaybook } from '../shipped.ts';
import { applyVerb } from './apply.ts';
import { inventory } from './inventory.ts';
import { checkServers, namedServers } from './operating.ts';
import { flag, type Given } from './verb.ts';
import type { World } from './world.ts';

export async function renew(world: World, given: Given): Promise<number> {
  const action = actionOf(given);
  const hosts = namedServers(given);
  const { cluster } = await inventory(world);
  const { caKey } = cluster;
  const intent: CertificatesIntent = {
    kind: 'certificates',
    action,
    hosts,
    nowMs: Date.now(),
    ...(caKey
      ? { signer: createPublicKey(caKey.reveal()).export({ type: 'spki', format: 'pem' }).toString() }
      : {}),
  };
  const end: { state?: RenewalState } = {};
  const exit = await applyVerb(world, intent, shippedPlaybook('certificates'), {
    serversOnly: true,
    // Of a renewal of the CA nobody is held up by a host that is away: it is named at the end.
    mayBeAway: (host) => action !== 'renew' || (hosts.length > 0 && !hosts.includes(host)),
    check: (declared) => {
      checkServers(declared, hosts);
      checkGenerated(declared);
    },
    notes: (view) => notesOf(action, view, cluster, hosts),
    facts: (outcome) => {
      end.state = stateOf(cluster, intent, outcome);
      return { renewal: end.state };
    },
    proof: (outcome) => {
      end.state = stateOf(cluster, intent, outcome);
      return renewalText(end.state);
    },
  });
  return exit === exitCode.done && !world.options.check && end.state?.unfinished.length
    ? exitCode.changesPending
    : exit;
}

const stateOf = (cluster: Cluster, intent: Renewing, { view }: Outcome): RenewalState =>
  renewalState(cluster, view, intent);

function actionOf(given: Given): Renewing['action'] {
  if (!flag(given, 'ca') && flag(given, 'finish'))
    throw wrong(
      '--finish is the second step of a new CA',
      'without --ca there is one step only',
      "Write 'pgduet certificates renew --ca --finish'.",
    );
  if (!flag(given, 'ca')) return 'renew';
  if (!flag(given, 'finish')) return 'ca';
  if (namedServers(given).length > 0)
    throw wrong(
      '--finish takes no host',
      'every server that has a certificate by the new CA ready is turned to it',
      'Leave the hosts out.',
    );
  return 'finish';
}

const wrong = (what: string, why: string, fix: string): DiagnosticError =>
  new DiagnosticError([{ code: 'CLI004', what, why, fix }], exitCode.inputWrong);

function checkGenerated({ servers }: Cluster): void {
  if (servers.some(({ postgres: { tls } }) => tls === 'generated')) return;
  throw new DiagnosticError(
    [
      {
        code: 'TLS032',
        what: 'the inventory does not say that pgduet makes certificates (postgres.tls: generated)',
        why: 'it renews those that it has made, and no others',
        fix: 'Files that you have laid you replace yourself; then pgduet provision has the servers read them (docs/tls.md).',
      },
    ],
    exitCode.refused,
  );
}

/** In which order, and what clients notice. */
function notesOf(
  action: Renewing['action'],
  { primary }: View,
  { servers }: Cluster,
  hosts: readonly string[],
): readonly string[] {
  const meant = servers.map(({ name }) => name).filter((name) => hosts.length === 0 || hosts.includes(name));
  const order = [
    ...meant.filter((name) => name !== primary),
    ...meant.filter((name) => name === primary),
  ].join(', ');
  switch (action) {
    case 'renew':
      return [
        `Each server gets a new key and certificate, then shows it, one after the other by a reload: ${order}. Nothing is restarted, and what is connected stays so. Each is asked what it shows; where that is not the new one, the former pair comes back. The former key is deleted behind the proof.`,
      ];
    case 'ca':
      return [
        `First step: the new CA comes on the list of every server, and certificates by it are made ready: ${order}. No server shows them yet.`,
      ];
    case 'finish':
      return [
        `Second step: who has a certificate by the new CA ready shows it, one server after the other by a reload, ${primary} last. Nothing is restarted, and what is connected stays so. Clients that verify by an earlier list are refused from then on. A CA that has signed nothing of what is shown leaves the list, once every server was seen.`,
      ];
  }
}
