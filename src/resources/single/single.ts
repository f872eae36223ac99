/**
 * single: the server that stays is a plain PostgreSQL again: its controller is stopped and the instance goes on, its files are
 * as they were before it was multiplexed, and it runs under the unit that it had, or one of its own. At most one restart.
 */
import { type Advised, advised, fixOf, here } from '../../base/command.ts';
import type { Diagnostic } from '../../base/diagnostic.ts';
import { flag, optional, template, text, wordList } from '../contract/field.ts';
import { type DesiredOf, serverFields } from '../contract/fields.ts';
import {
  type Change,
  change,
  present,
  type ResourceKind,
  refuse,
  type Step,
  same,
  unknown,
} from '../contract/kind.ts';
import { unlockFields } from '../contract/unlock.ts';
import { keptNotes } from '../system/unit-files.ts';
import { recordProblem } from './record-trust.ts';
import { type FileAct, type FilePlan, filePlan } from './single-files.ts';
import { readSingle, type SeenFile, type SingleObservation, singleProbe } from './single-observation.ts';
import { needRestart } from './single-restart.ts';
import { type FutureFiles, keepsFromStarting } from './single-start.ts';
import {
  dropStep,
  type Keeper,
  markStep,
  plainEnvironment,
  releaseStep,
  reloadStep,
  removeStep,
  restartStep,
  stopStep,
  unitStep,
  writeStep,
} from './single-steps.ts';

const fields = serverFields(
  {
    unit: optional(text('the systemd unit of the controller')),
    plain_unit: optional(
      text('name of the unit for a server that had none before; without it a person starts it'),
    ),
    plain_template: template('its template; `@PGBIN@` stands for the directory of the programs'),
    hba_template: template('template of pg_hba.conf for a server that was made multiplexed'),
    staying: wordList('names of settings that stay there'),
    roles: wordList('roles that are dropped'),
    slots: wordList('slots that are dropped'),
    ...unlockFields,
    later: flag('`true` if it becomes primary first', false),
    replicates: flag('`true` if the other servers stay, too, and it goes on replicating', false),
    synchronous: optional(text('with that: `synchronous_standby_names`, which is in force afterwards')),
  },
  ({ plainTemplate, hbaTemplate, staying, synchronous, ...rest }, { server }) => ({
    ...server,
    ...rest,
    staying: {
      names: staying,
      ...(synchronous ? { given: { synchronous_standby_names: synchronous } } : {}),
    },
    plainText: plainTemplate,
    hba: hbaTemplate,
  }),
);
type Desired = DesiredOf<typeof fields>;

interface SingleChange extends Change {
  readonly acts: Acts;
  readonly seen: ReadonlyMap<string, SeenFile>;
  /** A standby that goes on as one. */
  readonly follows: boolean;
}

/** What has to be done, in this order. */
interface Acts {
  /** Roles and slots of ours. */
  readonly drop: readonly string[];
  readonly dropsRoles: readonly string[];
  readonly stop: boolean;
  readonly write: readonly FileAct[];
  readonly mark: boolean;
  readonly guarded: boolean;
  readonly restart: boolean;
  readonly reload: boolean;
  readonly remove: readonly FileAct[];
  readonly unit: boolean;
  readonly release: boolean;
  readonly keeper: Keeper;
}

export const single: ResourceKind<Desired, SingleObservation, SingleChange> = {
  kind: 'single',
  summary:
    'A server of the cluster is a plain PostgreSQL again, as it was before: files, unit, role and slots; the data stay.',
  fields,
  key: () => 'single',
  // The record is needed until a look has found nothing to do any more.
  touches: (desired) => desired.managementDir,
  describe: (desired) => `${desired.id} as a single server`,
  probe: (desired) => ({ shell: singleProbe(desired) }),
  read: (reply, desired) => {
    const seen = readSingle(reply, desired);
    if (!seen) return unknown(reply.stderr.trim() || 'the server could not be looked at');
    if (seen.server && !seen.live) return unknown(seen.problem ?? 'the server did not answer');
    return present(seen);
  },
  diff: (desired, observed) => {
    if (observed.state === 'absent') return same('nothing to say');
    const seen = observed.value;
    if (!(seen.ours || seen.mark || seen.unit || seen.controller || seen.record || seen.broken))
      return same(settled(desired, seen));
    const problem = obstacle(desired, seen);
    if (problem) return refuse(problem);
    const untrusted = recordProblem(desired, seen);
    if (untrusted) return refuse({ code: 'SAF021', ...untrusted });
    const files = filesOf(desired, seen);
    const [missing] = files.missing;
    if (missing !== undefined) return refuse(barred(desired, missing));
    const [closed] = files.unwritable;
    if (closed !== undefined) return refuse(closedFile(desired, closed));
    const never = seen.live && keepsFromStarting(seen.live, futureFiles(desired, seen, files));
    if (never) return refuse(no(desired, never.what, never.why, never.fix));
    const reasons = restartReasons(desired, seen, files);
    const acts = actsOf(desired, seen, files, reasons.length > 0);
    if (nothingToDo(acts)) return same(settled(desired, seen));
    return change(describeChange(desired, seen, { files, reasons, acts }));
  },
  steps: ({ acts, seen, follows }, desired): readonly Step[] => [
    // The controller makes the slots of standbys again, as long as it is there.
    ...(acts.stop ? [stopStep(desired)] : []),
    ...(acts.drop.length > 0 ? [dropStep(desired, acts.dropsRoles)] : []),
    ...(acts.write.length > 0 ? [writeStep(desired, acts.write, seen)] : []),
    ...(acts.mark ? [markStep(desired, acts.keeper, acts.guarded)] : []),
    ...(acts.restart ? [restartStep(desired, acts.keeper, follows)] : []),
    ...(acts.reload ? [reloadStep(desired)] : []),
    ...(acts.remove.length > 0 ? [removeStep(desired, acts.remove, seen)] : []),
    ...(acts.unit && desired.unit ? [unitStep(desired, desired.unit)] : []),
    ...(acts.release && acts.keeper.kind === 'unit' ? [releaseStep(desired, acts.keeper)] : []),
  ],
};

/** As it was recorded; without a record a unit of its own, or a person where there is no systemd. */
function keeperOf(desired: Desired, { record, programs }: SingleObservation): Keeper {
  if (record?.starter.kind === 'hand') return record.starter;
  if (record?.starter.kind === 'unit')
    return { kind: 'unit', unit: record.starter.unit, enabled: enabledWord(record.starter.enabled) };
  if (!desired.plainUnit) return { kind: 'hand', options: '' };
  const text = desired.plainText.replaceAll('@PGBIN@', programs);
  return { kind: 'unit', unit: `${desired.plainUnit}.service`, enabled: 'enabled', text };
}

/** "enabled-runtime", "static" and the like come from elsewhere: a generator, another unit. */
const enabledWord = (word: string): 'enabled' | 'disabled' | 'untouched' =>
  word === 'enabled' || word === 'disabled' ? word : 'untouched';

/** While a server reads its files again, its unit says so. */
const up: readonly string[] = ['active', 'reloading', 'refreshing'];

const runsUnder = ({ server, services }: SingleObservation, unit: string): boolean =>
  server?.cgroup.endsWith(`/${unit}`) === true && up.includes(services.get(unit)?.active ?? '');

function settled(desired: Desired, seen: SingleObservation): string {
  const unit = [...seen.services.keys()].find((name) => runsUnder(seen, name));
  const running = seen.server === undefined ? 'stopped' : `running${unit ? ` under ${unit}` : ''}`;
  const timeline = seen.live
    ? `, timeline ${seen.live.timeline}, ${seen.live.recovering ? 'in recovery' : 'takes writes'}`
    : '';
  return `${desired.id} is a ${desired.replicates ? 'plain' : 'single'} server: ${running}${timeline}`;
}

const no = (desired: Desired, what: string, why: string, fix: string | Advised): Diagnostic => ({
  code: 'SAF021',
  what: `'${desired.id}' cannot become a single server now: ${what}`,
  why,
  ...fixOf(fix),
});

const barred = (desired: Desired, path: string): Diagnostic =>
  no(
    desired,
    `'${path}' is not there any more`,
    `the record says that the server had it, and ${desired.owner} may not write there; pgduet writes nothing as root because a record says so`,
    'Put the file back, or an empty one with the owner that it had, then run the same command again.',
  );

const closedFile = (desired: Desired, path: string): Diagnostic => ({
  code: 'SAF080',
  what: `the controllers cannot go now: '${path}', which ${desired.id} reads again, has to get what replication needs`,
  why: `${desired.owner} may not write there, and pgduet writes nothing as root because a record says so`,
  fix: `Let ${desired.owner} write it (chown, also of its directory), then run the same command again.`,
});

/** Roles with the names of ours, each with the number of objects it owns; those that were there before us stay. */
function rolesOf(
  { replicates }: Desired,
  { live, record }: SingleObservation,
): readonly (readonly [string, number])[] {
  // The standbys of a pair log in by a role of their own again; a standby drops nothing.
  if (replicates && (record?.pair === undefined || live?.recovering)) return [];
  return Object.entries(live?.roles ?? {}).filter(([role]) => !record?.roles.includes(role));
}

/** What was recorded of a pair comes back as it was; of anything else what replication needs stays in it. */
const filesOf = (desired: Desired, seen: SingleObservation): FilePlan =>
  filePlan({ ...desired, replicates: desired.replicates && seen.record?.pair === undefined }, seen);

function obstacle(desired: Desired, seen: SingleObservation): Diagnostic | undefined {
  const { live } = seen;
  const { record } = seen;
  if (record?.pair && live && !desired.later && live.recovering !== (record.pair.role === 'standby'))
    return no(
      desired,
      `it was the ${record.pair.role} of its pair, and is not now`,
      'its files would say that it follows itself, or nobody',
      advised`Move the roles back first (${here`pgduet switch`}), then run the same command again.`,
    );
  if (live?.recovering && !desired.later && !desired.replicates)
    return no(
      desired,
      'it is a standby',
      'a single server that nobody may write to is of no use, and it may lack commits',
      advised`Make it primary first: ${here`pgduet switch --to ${desired.id}`}; or keep another server.`,
    );
  const owner = rolesOf(desired, seen).find(([, owned]) => owned > 0);
  return (
    owner &&
    no(
      desired,
      `role ${owner[0]} owns ${owner[1]} objects`,
      'the role was for replication; with it they would be dropped',
      `Give them to another role: REASSIGN OWNED BY ${owner[0]} TO …; then run the same command again.`,
    )
  );
}

/** postgresql.auto.conf as the server will read it. */
function autoText({ dataDir }: Desired, seen: SingleObservation, files: FilePlan): string {
  const auto = `${dataDir}/postgresql.auto.conf`;
  return files.write.find(({ path }) => path === auto)?.file?.text ?? seen.files.get(auto)?.text ?? '';
}

const futureFiles = (desired: Desired, seen: SingleObservation, files: FilePlan): FutureFiles => ({
  conf: files.conf,
  auto: autoText(desired, seen, files),
  record: seen.record,
});

/** Why the server has to be restarted, in words; none: it goes on. */
function restartReasons(desired: Desired, seen: SingleObservation, files: FilePlan): readonly string[] {
  const keeper = keeperOf(desired, seen);
  if (!seen.server) return ['it does not run'];
  if (keeper.kind === 'unit' && runsUnder(seen, keeper.unit)) return [];
  const { record, live } = seen;
  // Whoever starts it by hand names its configuration on the command line: it may be read again already.
  const outside = record !== undefined && !record.configFile.startsWith(`${desired.dataDir}/`);
  const moves = outside && live?.configFile !== record.configFile;
  const names = live && !outside ? needRestart(live, files.conf, autoText(desired, seen, files)) : [];
  return [
    ...(keeper.kind === 'unit'
      ? [
          keeper.text === undefined
            ? `it goes back under ${keeper.unit}`
            : `it gets a unit of its own, ${keeper.unit}`,
        ]
      : []),
    ...(moves ? [`it reads ${record.configFile} again`] : []),
    ...(names.length > 0 ? [`${names.join(', ')} ${names.length > 1 ? 'change' : 'changes'}`] : []),
  ];
}

function actsOf(desired: Desired, seen: SingleObservation, files: FilePlan, restart: boolean): Acts {
  const keeper = keeperOf(desired, seen);
  const { live } = seen;
  const service = keeper.kind === 'unit' ? seen.services.get(keeper.unit) : undefined;
  const unwritten = keeper.kind === 'unit' && keeper.text !== undefined && service?.text !== keeper.text;
  const enabled =
    keeper.kind === 'unit' && keeper.enabled !== 'untouched' && keeper.enabled !== service?.enabled;
  const dropsRoles = rolesOf(desired, seen).map(([role]) => role);
  const mark = desired.unit !== undefined && ((!seen.mark && seen.unit) || unwritten);
  return {
    dropsRoles,
    drop: [...dropsRoles.map((role) => `role ${role}`), ...(live?.slots ?? []).map((slot) => `slot ${slot}`)],
    stop: seen.controller,
    write: files.write,
    mark,
    guarded: seen.guarded,
    restart,
    reload: !restart && files.write.length > 0,
    remove: files.remove,
    unit: seen.unit,
    release: keeper.kind === 'unit' && (mark || service?.dropIn === true || enabled),
    keeper,
  };
}

const nothingToDo = (acts: Acts): boolean =>
  !(acts.stop || acts.mark || acts.restart || acts.reload || acts.unit || acts.release) &&
  acts.write.length + acts.remove.length + acts.drop.length === 0;

interface Found {
  readonly files: FilePlan;
  readonly reasons: readonly string[];
  readonly acts: Acts;
}

const asItWas = ({ replicates }: Desired, { record }: SingleObservation): string =>
  replicates && record?.pair === undefined ? ', with what replication needs' : record ? ', as it was' : '';

function describeChange(
  desired: Desired,
  seen: SingleObservation,
  { files, reasons, acts }: Found,
): SingleChange {
  const { server, live } = seen;
  const follows = desired.replicates && live?.recovering === true;
  const notes = [
    ...(acts.stop ? ['the Mirroring Controller is stopped; the instance goes on'] : []),
    ...(acts.drop.length > 0 ? [`dropped: ${acts.drop.join(', ')}`] : []),
    ...files.write.map(({ path }) => `written: ${path}${asItWas(desired, seen)}`),
    ...files.remove.map(({ path, file }) => (file ? `written: ${path}, as it was` : `removed: ${path}`)),
    ...files.notes,
    ...(acts.unit ? [`removed: unit ${desired.unit}.service`, ...keptNotes(seen.beside)] : []),
    ...(seen.environment && acts.keeper.kind === 'unit' && acts.keeper.text !== undefined
      ? [`the variables that it is started with move to ${plainEnvironment(acts.keeper.unit)}`]
      : []),
    ...(acts.keeper.kind === 'hand' && !seen.record
      ? [
          `nothing starts it when its host boots, and nothing stops it in order: here a person does, as ${desired.owner} (${seen.programs}/pg_ctl start -D ${desired.dataDir}), or a script of the host's own`,
        ]
      : []),
    ...(acts.restart && server
      ? [
          `one restart, behind a checkpoint, since ${reasons.join(' and ')}; ${follows ? 'commits that wait for this standby alone wait for it' : 'writes wait for it'}`,
        ]
      : acts.restart
        ? ['it is started']
        : ['no restart: the running server goes on']),
  ];
  const texts = files.write.filter(({ path }) => !path.endsWith('auto.conf'));
  const text = (side: (act: FileAct) => string): string =>
    texts.map((act) => `${texts.length > 1 ? `==> ${act.path}\n` : ''}${side(act)}`).join('');
  return {
    summary: `make ${desired.id} a ${desired.replicates ? 'plain' : 'single'} server again${acts.restart && server ? ', with one restart' : ''}`,
    reason: desired.replicates
      ? seen.record?.pair
        ? 'as it was recorded as one of a pair'
        : 'its controller goes, replication stays'
      : seen.record
        ? 'as it was recorded before it was multiplexed'
        : 'the others go',
    notes,
    acts,
    seen: seen.files,
    follows,
    ...(texts.length > 0
      ? {
          text: {
            before: text(({ path }) => seen.files.get(path)?.text ?? ''),
            after: text(({ file }) => file?.text ?? ''),
            name: texts.map(({ path }) => path).join(' and '),
          },
        }
      : {}),
  };
}
