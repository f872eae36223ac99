/**
 * adopt: a single server with data is known to pgduet as the primary that is to be. Its step writes down what was there
 * and gathers its configuration in the data directory; the server itself notices nothing, and its own unit or its
 * administrator stay in charge until kind `takeover`.
 */
import { quote, sh } from '../../base/shell.ts';
import { flag, optional, text, wordList } from '../contract/field.ts';
import { type DesiredOf, serverFields } from '../contract/fields.ts';
import { type Change, change, present, type ResourceKind, refuse, same, unknown } from '../contract/kind.ts';
import { makeDirectory, putFile } from '../contract/preamble.ts';
import { systemFile } from '../data/data-directory.ts';
import {
  adoptedFile,
  type Before,
  beforeFile,
  type FileBefore,
  formerDropIn,
  formerMark,
} from '../data/record.ts';
import { anotherCluster } from '../data/refusals.ts';
import { rulesScript } from '../postgres/hba.ts';
import { valueFields, wantedValues } from '../postgres/settings.ts';
import { stillAsSeen } from './adopt-look-files.ts';
import { inTheWay, notesOn } from './adopt-notes.ts';
import { type AdoptObservation, adoptProbe, readAdoptObservation } from './adopt-observation.ts';
import { adoptedOf, recordOf, standingAlone } from './adoption.ts';
import { confirmUnit } from './record-trust.ts';

const fields = serverFields(
  {
    ...valueFields,
    standbys: wordList('names of the servers that will follow it, for the plan', 'name'),
    addresses: wordList('where they come from, for the plan'),
    roles: wordList('roles that pgduet makes; existing ones are recorded'),
    unit: optional(text('the unit of the controller; without it there is none')),
    managed: flag('`false` where units and files of the system cannot be written', true),
  },
  ({ template, values, ...rest }, { server }, problem) => ({
    ...server,
    ...rest,
    instance: server,
    values: wantedValues({ template, values }, problem),
  }),
);
type Desired = DesiredOf<typeof fields>;

interface AdoptChange extends Change {
  readonly observation: AdoptObservation;
  readonly before: Before;
}

export const adopt: ResourceKind<Desired, AdoptObservation, AdoptChange> = {
  kind: 'adopt',
  summary:
    'A running single server with its data is taken into the cluster, and what was there before is recorded.',
  fields,
  key: (desired) => desired.dataDir,
  touches: (desired) => `${desired.dataDir}/postgresql.conf`,
  describe: (desired) => `the server in ${desired.dataDir}`,
  probe: adoptProbe,
  read: (reply) => {
    const observation = readAdoptObservation(reply);
    return observation
      ? present(observation)
      : unknown(reply.stderr.trim() || 'the server could not be looked at');
  },
  diff: (desired, observed) => {
    if (observed.state === 'absent') return same('nothing to say');
    const observation = observed.value;
    if (observation.recorded !== undefined && !halfWayBack(observation)) return settled(desired, observation);
    const problem = inTheWay(desired, observation);
    if (problem) return refuse(problem);
    const before = recordOf(desired, observation, desired);
    if (!before) return refuse(unseen(desired));
    return change({
      summary: `take the server in ${desired.dataDir} into the cluster, and record what was there before`,
      reason: observation.record ? 'an interrupted run has begun it' : `it runs alone, ${startedBy(before)}`,
      notes: notesOn(desired, observation),
      observation,
      before,
    });
  },
  steps: (planned, desired) => [
    {
      title: `record the server in ${desired.dataDir}`,
      outdated: edited,
      script: recordScript(planned, desired),
    },
    {
      title: `its configuration in ${desired.dataDir}`,
      outdated: edited,
      script: filesScript(planned, desired),
    },
  ],
};

const edited = 'somebody has edited its configuration since the plan';

function settled(desired: Desired, observation: AdoptObservation) {
  if (observation.recorded === observation.systemIdentifier)
    return same(`cluster ${observation.recorded}, recorded in ${beforeFile(desired)}`);
  const { systemIdentifier } = observation;
  const control = systemIdentifier ? { control: { systemIdentifier } as const } : {};
  return refuse({
    ...anotherCluster(
      desired.id,
      desired.dataDir,
      { content: 'cluster', files: [], standbySignal: false, running: observation.running },
      observation.recorded,
    ),
    evidence: [`system identifier there: ${control.control?.systemIdentifier ?? 'unknown'}`],
  });
}

/** A teardown that did not come to its end has given the server back and taken our files away; the record is still there. */
const halfWayBack = ({ mark, record, adopted, recorded, systemIdentifier }: AdoptObservation): boolean =>
  mark && record !== undefined && adopted === undefined && recorded === systemIdentifier;

const startedBy = ({ starter }: Before): string =>
  starter.kind === 'unit' ? `started by ${starter.unit}` : 'started by hand';

const unseen = (desired: Desired) => ({
  code: 'SAF030' as const,
  what: `the server in '${desired.dataDir}' does not tell enough of itself`,
  why: 'without its settings and its system identifier the way back could not be exact',
  fix: 'Check that the programs of this version are installed (postgres.bin_dir) and that its administrator can log in through the socket.',
});

/** The record first: whatever happens later, what was there before is known. The mark before the drop-in that asks for it. */
function recordScript({ before, observation }: AdoptChange, desired: Desired): string {
  const { owner } = desired.instance;
  const put = (path: string, content: string): string => putFile({ path, mode: '0600', owner, content });
  const record = observation.record ? [] : [put(beforeFile(desired), `${JSON.stringify(before, null, 1)}\n`)];
  return [
    stillAsSeen(desired, observation.shown),
    makeDirectory({ path: desired.managementDir, owner, mode: '0700' }),
    ...record,
    put(formerMark(desired), `${startedBy(before)}\n`),
    ...dropInScript(before, desired),
  ].join('\n');
}

/** A unit that started the server until now goes on doing so as long as the mark stands, and not a moment longer. */
function dropInScript({ starter }: Before, desired: Desired): readonly string[] {
  if (starter.kind !== 'unit') return [];
  const path = formerDropIn(starter.unit);
  const content = `# Written by pgduet: while the Mirroring Controller is in charge of this server, only it starts it.
[Unit]
ConditionPathExists=${formerMark(desired)}
`;
  return [
    confirmUnit(desired, starter.unit),
    sh`mkdir -p ${path.slice(0, path.lastIndexOf('/'))}`,
    putFile({ path, mode: '0644', owner: 'root', content }),
    'systemctl daemon-reload',
  ];
}

/** The identifier at the end: it says that all of this is done. */
function filesScript({ observation, before }: AdoptChange, desired: Desired): string {
  const { owner } = desired.instance;
  const adopted = `${JSON.stringify(adoptedOf(desired, observation, desired.values), null, 1)}\n`;
  return [
    stillAsSeen(desired, observation.shown),
    ...standingAlone(desired, observation, before).map((file) => putTried(file, desired)),
    putFile({ path: adoptedFile(desired.dataDir), mode: '0600', owner, content: adopted }),
    putFile({ path: systemFile(desired), mode: '0600', owner, content: before.systemIdentifier }),
  ].join('\n');
}

/** A server must always find a postgresql.conf that it can start with; the modes are those of its data directory. */
function putTried({ path, text = '' }: FileBefore, desired: Desired): string {
  const { owner } = desired.instance;
  if (path.endsWith('/pg_ident.conf')) return putFile({ path, mode: '0600', owner, content: text });
  if (path.endsWith('/pg_hba.conf')) return rulesScript(desired.instance, text);
  const trial = `${desired.dataDir}/.postgresql.conf.trial`;
  return `${putFile({ path: trial, mode: '0600', owner, content: text })}
if ! as ${quote(owner)} "$PGBIN/postgres" -D ${quote(desired.dataDir)} -C port -c config_file=${quote(trial)} >/dev/null; then ${sh`as ${owner} rm -f ${trial}`}; exit 1; fi
${sh`as ${owner} mv -f -T ${trial} ${path}`}`;
}
