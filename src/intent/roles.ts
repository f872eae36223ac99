/** Who is primary, as far as the command has to know it. In: the intent and the observations of all hosts. Out: a view or a refusal. Pure. */
import type { Diagnostic } from '../base/diagnostic.ts';
import type { Cluster } from '../inventory/cluster.ts';
import { keptSurvey } from '../observe/kept.ts';
import { type HostView, survey, type View } from '../observe/survey.ts';
import type { Intent } from './intent.ts';

/** A teardown goes on where the usual survey finds no cluster of ours any more. */
export const surveyFor = (
  intent: Intent,
  cluster: Cluster,
  hosts: ReadonlyMap<string, HostView>,
): { readonly view: View } | { readonly refused: Diagnostic } =>
  intent.kind === 'teardown' ? keptSurvey(intent, cluster, hosts) : survey(cluster, hosts);
