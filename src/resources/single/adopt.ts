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
import { dropSeconds, putSecond } from '../data/second-record.ts';
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
    streaming: wordList('those of them that stream already, and are not copied', 'name'),
    follows: flag('`true`: a standby that streams from the primary already, and stays one', false),
    sender: optional(
      text("with that: how the primary's sender for it does, and how many bytes it is behind"),
    ),
    slots: wordList(
      'slots through which standbys stream; they are dropped meanwhile, and made again on the way back',
    ),
    pair: flag('`true`: it is one of a pair that was there before', false),
    addresses: wordList('where they come from, for the plan'),
    roles: wordList('roles that pgduet makes; existing ones are recorded'),
    unit: optional(text('the unit of the controller; without it there is none')),
    unit_allows: wordList('words of `multiplexing.unit_allows`: what it allows besides'),
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
    const before = recordOf(desired, observation, wantedOf(desired));
    if (!before) return refuse(unseen(desired));
    return change({
      summary: `take the server in ${desired.dataDir} into the cluster, and record what was there before`,
      reason: observation.record
        ? 'an interrupted run has begun it'
        : `${company(desired)}, ${startedBy(before)}`,
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

const wantedOf = ({ values, roles, pair, follows }: Desired) => ({
  values,
  roles,
  ...(pair ? { pair: { role: follows ? ('standby' as const) : ('primary' as const) } } : {}),
});

/** A standby says itself by which slot it streams. */
function slotsOf({ follows, slots }: Desired, { live }: AdoptObservation): readonly string[] {
  const own = follows ? live?.settings.get('primary_slot_name')?.value : undefined;
  return [...new Set([...slots, ...(own ? [own] : [])])];
}

const company = ({ pair, follows }: Desired): string =>
  follows ? 'it streams from the primary' : pair ? 'it is the primary of a pair' : 'it runs alone';

/** A record of an earlier trial says that the server is ours, and its former unit runs it: nobody knows any more what it was. */
const leftOver = (desired: Desired, unit: string) => ({
  code: 'SAF083' as const,
  what: `${systemFile(desired)} says that the server in '${desired.dataDir}' is pgduet's already, and ${unit} runs it`,
  why: 'the file is left over from an earlier cluster, or the record of what was before is lost',
  fix: `If no controller of pgduet is in charge of it: rm ${systemFile(desired)} on its host, then run the same command again.`,
});

function settled(desired: Desired, observation: AdoptObservation) {
  const { unit, record } = observation;
  if (unit && !record && observation.recorded === observation.systemIdentifier)
    return refuse(leftOver(desired, unit.name));
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

/**
 * The record first, and beside the data once more: whatever happens later, what was there before is known. What an earlier cluster has left
 * there goes. The mark before the drop-in that asks for it.
 */
function recordScript({ before, observation }: AdoptChange, desired: Desired): string {
  const { owner } = desired.instance;
  const put = (path: string, content: string): string => putFile({ path, mode: '0600', owner, content });
  const text = `${JSON.stringify(before, null, 1)}\n`;
  const record = observation.record ? [] : [put(beforeFile(desired), text)];
  return [
    stillAsSeen(desired, observation.shown),
    makeDirectory({ path: desired.managementDir, owner, mode: '0700' }),
    ...record,
    dropSeconds(desired, owner),
    putSecond(desired, owner, text),
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
  const adopted = `${JSON.stringify(adoptedOf(desired, observation, desired.values, slotsOf(desired, observation)), null, 1)}\n`;
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
