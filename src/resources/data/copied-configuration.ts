/**
 * What a copy of the primary will be started with is tried on the host that it goes to, before anything changes: shared by the kinds
 * `standby` and `rebuild`. Pure.
 */
import type { Diagnostic } from '../../base/diagnostic.ts';
import { map } from '../contract/field.ts';
import type { Probe, ProbeReply } from '../contract/kind.ts';
import { trialScript } from '../contract/scratch.ts';
import { readTrial } from '../contract/trial.ts';
import { noCopy } from './refusals.ts';

export const configurationField = map(
  'settings as the copy will start with them: the host is asked whether a server can',
);

export const demandsField = map(
  'words of the connection string to the primary besides: whether TLS is demanded',
);

interface Copied {
  readonly owner: string;
  readonly version: number;
  readonly brought?: readonly string[];
  readonly configuration?: Readonly<Record<string, string>>;
}

/** Files with relative names come with the copy. */
export const configurationProbe = ({
  configuration = {},
  owner,
  version,
  brought = [],
}: Copied): Probe | undefined =>
  Object.keys(configuration).length > 0
    ? { shell: trialScript(configuration, { owner, version, brought }) }
    : undefined;

export function configurationProblem(
  { stdout }: ProbeReply,
  { configuration = {}, owner }: Copied,
): Diagnostic | undefined {
  const problems = readTrial(stdout, configuration, owner);
  return problems.length > 0 ? noCopy(problems) : undefined;
}
