/**
 * dismissed: the arbiter of this host knows the cluster no more. One that serves other clusters goes on without it; with the last
 * of them the arbiter stops, and its unit and its files are taken away.
 */
import { quote } from '../../base/shell.ts';
import { type DesiredOf, fieldsOf } from '../contract/fields.ts';
import { hostService } from '../contract/host-service.ts';
import { absent, change, present, type ResourceKind, refuse, same, unknown } from '../contract/kind.ts';
import { replyLines } from '../contract/replies.ts';
import { closed } from '../contract/stat.ts';
import {
  deleteOurs,
  literally,
  type OwnTree,
  onlyOurs,
  ownProgram,
  strangers,
  unfinishedFiles,
} from '../system/own-tree.ts';
import { findUnit, keptBeside, keptNotes, removeUnit, unitFile } from '../system/unit-files.ts';
import { vacating } from '../system/vacate.ts';
import { arbiterPidFile, arbiterPlaceFields, clusterDir, findOthers, tellArbiter } from './place.ts';

const fields = fieldsOf(arbiterPlaceFields);
type Desired = DesiredOf<typeof fields>;

interface Seen {
  readonly others: readonly string[];
  /** It knows this cluster. */
  readonly known: boolean;
  /** What is not its own in that which would be deleted. */
  readonly strangers: readonly string[];
  /** Drop-ins of its unit that a person has written. */
  readonly beside: readonly string[];
}

const ofCluster = `network\\.conf|renewal\\.json|arbiter\\.key|identity\\.key|identities\\.json|arbiter\\.proven\\.json|cell\\.json(\\.torn)?|${unfinishedFiles}`;

/** Of one cluster, and of an arbiter that knows no other one. */
const clusterTree: OwnTree = { f: ofCluster };
export const arbiterTree = ({ cluster }: Pick<Desired, 'cluster'>): OwnTree => ({
  f: `arbitration\\.conf|${ownProgram}|arbiter\\.(log|pid(\\.(stale\\.)?[0-9]+)?)|${unfinishedFiles}|clusters/${literally(cluster)}/(${ofCluster})`,
  d: `clusters|clusters/${literally(cluster)}`,
  s: 'arbiter\\.sock',
});

export const dismissed: ResourceKind<Desired, Seen> = {
  kind: 'dismissed',
  summary: 'The arbiter of the host knows the cluster no more; with its last cluster it is taken away.',
  fields,
  key: (desired) => clusterDir(desired),
  describe: (desired) => `no arbiter of ${desired.cluster} in ${desired.directory}`,
  probe: (desired) => ({
    shell: `unseen ${quote(arbiterPidFile(desired))}
case $unseen in closed*) echo "$unseen"; exit;; esac
if ${[desired.directory, ...filesOf(desired)].map((path) => `[ ! -e ${quote(path)} ]`).join(' && ')}; then echo absent; exit; fi
${findOthers(desired)}
echo "others$others"
${unitOf(desired) ? findUnit(unitOf(desired), 'unit') : ''}
if [ -e ${quote(clusterDir(desired))} ]; then echo known; fi
seen=
if [ -n "$others" ] && [ -d ${quote(clusterDir(desired))} ]; then seen=$(${strangers(clusterDir(desired), clusterTree, desired.owner)}) || exit 1; fi
if [ -z "$others" ] && [ -d ${quote(desired.directory)} ]; then seen=$(${strangers(desired.directory, arbiterTree(desired), desired.owner)}) || exit 1; fi
if [ -n "$seen" ]; then printf '%s\\n' "$seen" | sed 's/^/stranger /'; fi
:`,
  }),
  read: (reply) => {
    const [first = '', ...rest] = reply.stdout.split('\n');
    const hidden = closed(first);
    if (hidden) return unknown(hidden);
    if (first === 'absent') return absent;
    if (reply.status !== 0 || !first.startsWith('others'))
      return unknown(reply.stderr.trim() || 'the arbiter could not be looked at');
    return present({
      others: first.split(' ').slice(1),
      known: rest.includes('known'),
      beside: keptBeside(replyLines(reply.stdout), 'unit'),
      strangers: rest.flatMap((line) => /^stranger (.*)$/.exec(line)?.[1] ?? []),
    });
  },
  diff: (desired, observed) => {
    if (observed.state === 'absent') return same(`no arbiter in ${desired.directory}`);
    const { others, known, strangers } = observed.value;
    if (strangers.length > 0)
      return refuse({
        code: 'SAF002',
        what: `the directory '${others.length > 0 ? clusterDir(desired) : desired.directory}' of the arbiter holds files that are not pgduet's`,
        why: 'they would be deleted with it',
        fix: 'Look at them; move them away, then run the same command again.',
        evidence: strangers.slice(0, 8).map((path) => `found: ${path}`),
      });
    const notes = keptNotes(observed.value.beside);
    if (others.length === 0)
      return change({
        ...(notes.length > 0 ? { notes } : {}),
        summary: `stop the arbiter, and delete ${desired.directory}${serviceWords(desired)}`,
        reason: 'it serves no other cluster',
      });
    if (known)
      return change({
        summary: `delete ${clusterDir(desired)}`,
        reason: `the cluster goes; the arbiter goes on for ${others.join(', ')}`,
      });
    return same(`the arbiter in ${desired.directory} knows ${others.join(', ')}, and not ${desired.cluster}`);
  },
  steps: (_change, desired) => [
    { title: `dismiss the arbiter of ${desired.cluster}`, script: dismissal(desired) },
  ],
};

const unitOf = ({ unit }: Desired): string => hostService(unit)?.unit ?? '';

/** What starts it with the host. */
function filesOf({ unit }: Desired): readonly string[] {
  const kept = hostService(unit);
  if (kept?.unit) return [unitFile(kept.unit)];
  return kept?.script ? [kept.script.file] : [];
}

function serviceWords({ unit }: Desired): string {
  const kept = hostService(unit);
  if (kept?.unit) return ` and unit ${kept.title}`;
  return kept ? ` and ${kept.title}` : '';
}

/** It ends, and nothing starts it any more. */
function farewell(desired: Desired): string {
  const kept = hostService(desired.unit);
  const stop = tellArbiter(desired, 'stop');
  if (kept?.unit)
    return `if [ -e ${quote(unitFile(kept.unit))} ]; then ${stop}; fi\n${removeUnit(kept.unit)}`;
  return kept?.script ? `${stop}\n{ ${kept.script.remove}; } >/dev/null` : stop;
}

/** Whether it is the last one is looked at again: another cluster may have come meanwhile. What the arbiter's user has made goes as that user. */
const dismissal = (desired: Desired): string => `${vacating}
${findOthers(desired)}
if [ -d ${quote(clusterDir(desired))} ]; then
if [ -z "$others" ]; then ${onlyOurs(desired.directory, arbiterTree(desired), desired.owner)}; fi
${onlyOurs(clusterDir(desired), clusterTree, desired.owner)}
as ${quote(desired.owner)} sh -ec ${quote(`${deleteOurs(clusterDir(desired), clusterTree)}\nrmdir ${quote(clusterDir(desired))}`)}
fi
if [ -n "$others" ]; then
if controller ${quote(arbiterPidFile(desired))}; then ${tellArbiter(desired, 'reload')}; fi
exit 0
fi
${farewell(desired)}
d=${quote(desired.directory)}
if [ ! -d "$d" ]; then exit 0; fi
${onlyOurs(desired.directory, arbiterTree(desired), desired.owner)}
as ${quote(desired.owner)} sh -ec ${quote(deleteOurs(desired.directory, arbiterTree(desired)))}
if ! mountpoint -q "$d"; then acting "$d" ${quote(desired.owner)} rmdir "$d"; vacate_above "$d"; fi`;
