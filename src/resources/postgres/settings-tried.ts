/**
 * Settings that a host may not be able to start a server with are tried there before they are written (`contract/scratch.ts`). In: the change
 * that is planned. Out: the question, and why the change cannot be made. Pure.
 */
import type { Diagnostic } from '../../base/diagnostic.ts';
import { effectiveConf, parseConf } from '../../postgres/conf-file.ts';
import { isOfHost } from '../../postgres/host-settings.ts';
import type { Change, Probe, ProbeReply } from '../contract/kind.ts';
import { trialScript } from '../contract/scratch.ts';
import { readTrial } from '../contract/trial.ts';
import type { FileEdit } from './settings-file.ts';
import type { SettingsDesired } from './settings-observation.ts';

export interface TriedSettings {
  /** As the server would read them at its next start. */
  readonly settings: Readonly<Record<string, string>>;
}

type TriedPlace = Pick<SettingsDesired, 'instance' | 'version' | 'brought'>;

/**
 * Undefined where there is nothing to try: a server without data is tried by its first start, and what any host can do, and asks for no
 * restart, is tried where it is written.
 */
export function toBeTried(
  { effects = [] }: Change,
  { before, after }: FileEdit,
  auto: string,
): TriedSettings | undefined {
  const values = new Map([
    ...effectiveConf(after),
    ...parseConf(auto).map((line) => [line.name, line] as const),
  ]);
  const earlier = new Map(parseConf(before).map(({ name, value }) => [name, value]));
  const changed = [...values].filter(([name, { value }]) => earlier.get(name) !== value);
  const restart = effects.some(({ action, target }) => action === 'restart' && target === 'instance');
  if (!restart && !changed.some(([name]) => isOfHost(name))) return undefined;
  return { settings: Object.fromEntries([...values].map(([name, { value }]) => [name, value])) };
}

export const triedProbe = (
  { settings }: TriedSettings,
  { instance: { owner, dataDir }, version, brought = [] }: TriedPlace,
): Probe => ({ shell: trialScript(settings, { owner, version, dataDir, brought }) });

export function triedProblem(
  { stdout }: ProbeReply,
  { settings }: TriedSettings,
  { instance }: TriedPlace,
): Diagnostic | undefined {
  const problems = readTrial(stdout, settings, instance.owner);
  if (problems.length === 0) return undefined;
  return {
    code: 'SAF048',
    what: `the server would not start again with ${instance.dataDir}/postgresql.conf as it is to be: ${problems[0]}${problems.length > 1 ? `, and ${problems.length - 1} more` : ''}`,
    why: 'it runs, and would be down behind its next restart; nothing has been changed on any server',
    fix: 'Repair what is listed below on the host, or correct the inventory (postgres.settings); then run the same command again.',
    evidence: problems,
  };
}
