/** Who is primary, as far as the command has to know it. In: the intent and the observations of all hosts. Out: a view or a refusal. Pure. */
import type { Diagnostic } from '../base/diagnostic.ts';
import type { Cluster } from '../inventory/cluster.ts';
import { keptSurvey } from '../observe/kept.ts';
import { standingSurvey } from '../observe/standing.ts';
import { type HostView, survey, type View } from '../observe/survey.ts';
import type { Intent, TeardownIntent } from './intent.ts';
import { pairObstacle } from './pairs.ts';
import { recoverSurvey } from './recover.ts';
import { renewalFor, strayValue } from './renew.ts';
import { stoppedObstacle } from './stopped.ts';
import { lostRecord } from './teardown.ts';

type Found = { readonly view: View } | { readonly refused: Diagnostic };

/** A teardown goes on where the usual survey finds no cluster of ours any more; a renewal does not begin with a value that it is not about. */
export function surveyFor(intent: Intent, cluster: Cluster, hosts: ReadonlyMap<string, HostView>): Found {
  if (intent.kind === 'teardown') return keptFor(intent, cluster, hosts);
  if (intent.kind === 'recover') return recoverSurvey(intent, cluster, hosts);
  const found: Found = intent.kind === 'migrate' ? standingSurvey(cluster, hosts) : survey(cluster, hosts);
  const stopped = 'view' in found ? stoppedObstacle(intent, found.view) : undefined;
  if (stopped) return { refused: stopped };
  if ('refused' in found || intent.kind !== 'renew' || intent.renewal) return found;
  const refused = strayValue(cluster, found.view, renewalFor(cluster, found.view, intent.made));
  return refused ? { refused } : found;
}

/** A pair that was there before is not taken apart like one of ours. */
function keptFor(intent: TeardownIntent, cluster: Cluster, hosts: ReadonlyMap<string, HostView>): Found {
  const found = keptSurvey(intent, cluster, hosts);
  const refused = 'view' in found ? (lostRecord(found.view) ?? pairObstacle(intent, found.view)) : undefined;
  return refused ? { refused } : found;
}
