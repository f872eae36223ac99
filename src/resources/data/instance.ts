/** instance: the data directory of the primary, made by initdb with checksums. An existing one is never made again. */
import { advised, here } from '../../base/command.ts';
import type { Diagnostic } from '../../base/diagnostic.ts';
import { quote, sh } from '../../base/shell.ts';
import { closePublic } from '../../postgres/public-schema.ts';
import { flag, text } from '../contract/field.ts';
import { type DesiredOf, serverFields } from '../contract/fields.ts';
import { change, present, type ResourceKind, refuse, same, unknown } from '../contract/kind.ts';
import {
  type DataDirectory,
  dataDirectoryProbe,
  readDataDirectory,
  systemFile,
  unidentified,
} from './data-directory.ts';
import { beginMaking, endMaking } from './making.ts';
import { anotherCluster, isMissing, missingData, unreadRecord, unusable } from './refusals.ts';

const fields = serverFields({
  locale: text('locale of the databases', 'C.UTF-8'),
  encoding: text('their encoding', 'UTF8'),
  closed: flag('whether schema `public` of `postgres` and of `template1` is its owner’s alone', false),
});
type Desired = DesiredOf<typeof fields>;

const begun = ({ dataDir }: Desired): Diagnostic => ({
  code: 'SAF032',
  what: `the server in '${dataDir}' is being migrated: its former unit or a person is still in charge of it`,
  why: 'what provision does would come between',
  ...advised`Run ${here`pgduet migrate`} again to go on, or 'pgduet teardown' to go back.`,
});

/** Nobody is there yet: later a session in template1 would keep others from CREATE DATABASE. A statement that fails ends it. */
const closed = ({ dataDir, owner }: Desired): string =>
  ['template1', 'postgres']
    .map(
      (database) =>
        sh`printf '%s\n' ${closePublic} | as ${owner} "$PGBIN/postgres" --single -c exit_on_error=on -D ${dataDir} ${database} >&2 || exit 1
`,
    )
    .join('');

export const instance: ResourceKind<Desired, DataDirectory> = {
  kind: 'instance',
  summary:
    'A data directory made by initdb, with checksums; peer authentication on the socket, SCRAM elsewhere.',
  fields,
  key: (desired) => desired.dataDir,
  renews: (desired) => desired.dataDir,
  // What was recorded decides; where its directory is made anew, that has to be done before.
  inside: systemFile,
  describe: (desired) => `instance in ${desired.dataDir}`,
  probe: (desired) => ({ shell: dataDirectoryProbe(desired) }),
  read: (reply, desired) => {
    const seen = readDataDirectory(reply);
    if (!seen) return unknown(reply.stderr.trim() || 'the data directory could not be looked at');
    // Without a record it is not ours, whatever it is; with one, it has to be the recorded one.
    const finished = seen.version === desired.version && seen.recorded !== undefined;
    const problem = (finished || seen.making !== undefined) && unidentified(seen);
    return problem ? unknown(problem) : present(seen);
  },
  diff: (desired, observed) => {
    const seen = observed.state === 'present' ? observed.value : undefined;
    // What is left of a copy belongs to a primary, and only what a teardown was deleting may be made anew.
    const systems = seen?.making === 'erase' ? [seen.recorded] : [];
    const problem =
      seen &&
      (unreadRecord(desired.dataDir, desired, seen) ??
        unusable(desired.dataDir, desired.version, seen, { systems }));
    if (problem) return refuse(problem);
    if (seen && isMissing(seen)) return refuse(missingData(desired.dataDir, desired, seen));
    if (seen?.former) return refuse(begun(desired));
    const summary = `make instance in ${desired.dataDir} (initdb, checksums${desired.walDir ? `, WAL in ${desired.walDir}` : ''})`;
    if (seen?.making !== undefined)
      return change({ summary, reason: `an interrupted ${seen.making} left an unfinished one` });
    if (!seen || seen.content === 'absent' || seen.content === 'empty')
      return change({ summary, reason: `the directory is ${seen?.content ?? 'absent'}` });
    if (seen.recorded === undefined || seen.recorded !== seen.control?.systemIdentifier)
      return refuse(anotherCluster(desired.id, desired.dataDir, seen, seen.recorded));
    return same(`cluster ${seen.recorded}, timeline ${seen.control.reached.timeline}`);
  },
  steps: (_change, desired) => [
    {
      title: `initdb in ${desired.dataDir}`,
      script: `${beginMaking({ ...desired, what: 'initdb' })}
${sh`as ${desired.owner} "$PGBIN/initdb" $nosync -D ${desired.dataDir} -U ${desired.owner} --data-checksums --auth-local=peer --auth-host=scram-sha-256 --encoding=${desired.encoding} --locale=${desired.locale}`} ${desired.walDir ? `--waldir=${quote(desired.walDir)}` : ''} >&2
${desired.closed ? closed(desired) : ''}${endMaking(desired, desired.owner, desired.walDir)}`,
    },
  ],
};
