/**
 * What `pgduet certificates renew` intends: which servers get another pair, by whom, and when they are turned to it. The first look says which
 * pairs are to be replaced. In: the intent, cluster and view. Out: the intent, settled, or why it cannot begin. Pure.
 */
import type { Diagnostic } from '../base/diagnostic.ts';
import type { Cluster } from '../inventory/cluster.ts';
import { formerPairs, heldPairs, type Renewing } from '../observe/renewed.ts';
import { renewalObstacles } from '../observe/renewed-obstacles.ts';
import type { View } from '../observe/survey.ts';
import type { Intent } from './intent.ts';
import { leftAlone } from './maintenance.ts';

export interface CertificatesIntent extends Renewing {
  readonly kind: 'certificates';
  /** The public key of secrets.ca_key, as PEM. */
  readonly signer?: string;
  /** The clock of the operator's machine: milliseconds since 1970. */
  readonly nowMs: number;
}

export function settleCertificates(
  intent: CertificatesIntent,
  cluster: Cluster,
  view: View,
): CertificatesIntent {
  if (intent.former) return intent;
  return { ...intent, former: formerPairs(heldPairs({ cluster, view, out: outOf(intent, view) }), intent) };
}

export const outOf = (intent: Intent, view: View): readonly string[] => [
  ...leftAlone(intent, view),
  ...(view.absent ?? []),
];

export function certificateObstacles(
  { intent, intended }: { readonly intent: Intent; readonly intended: Intent },
  cluster: Cluster,
  view: View,
): readonly Diagnostic[] {
  if (intent.kind !== 'certificates') return [];
  // What this run has begun by itself is no obstacle to its end.
  if (intended.kind === 'certificates' && intended.former) return [];
  const { signer, nowMs } = intent;
  return renewalObstacles({ cluster, view, out: outOf(intent, view), renewing: intent }, { signer, nowMs });
}
