/**
 * controller: the Mirroring Controller and, through it, the instance run. Its step starts what does not run and waits
 * until the instance answers. A controller that runs with older files than those on the disk is told to read them.
 */
import { advised, here } from '../../base/command.ts';
import type { Diagnostic } from '../../base/diagnostic.ts';
import { identitiesFile, identityFile } from '../../base/identities.ts';
import { quote } from '../../base/shell.ts';
import { moment } from '../../base/units.ts';
import { integer, optional, text } from '../contract/field.ts';
import { type DesiredOf, serverFields } from '../contract/fields.ts';
import { hostService, service } from '../contract/host-service.ts';
import {
  type Change,
  change,
  type Difference,
  degraded,
  present,
  type ResourceKind,
  refuse,
  same,
  unknown,
  type Verdict,
} from '../contract/kind.ts';
import { closed } from '../contract/stat.ts';
import {
  type ControllerReport,
  controllerProbe,
  readControllerStatus,
  sinceOf,
} from './controller-status.ts';
import { isFormerPrimary, outage } from './outage.ts';
import { runningScript, startScript } from './start-script.ts';

const fields = serverFields(
  {
    bundle: text('path of the controller program; a running one that is older is restarted'),
    unit: service('the systemd unit or the init script that starts it; without it `mc_ctl start` does'),
    timeout: integer('seconds until the instance has to answer', 60),
    stopped: optional(text('who has stopped it, and when: then it is not started')),
  },
  ({ timeout, ...rest }, { server }) => ({ ...server, ...rest, instance: server, timeoutSeconds: timeout }),
);
export type Desired = DesiredOf<typeof fields>;

/** The controller does not run; its last file tells when it was there last. */
interface Stopped {
  readonly instance: 'stopped with its controller';
  readonly since?: number;
}

interface Running {
  /** What the controller says of the instance, where the instance itself does not answer; else "running". */
  readonly instance: string;
  /** All that the controller says; absent where the instance answers. */
  readonly report?: ControllerReport;
  /** Seconds since 1970: when the controller began, when it read its files, when they and its program were written. */
  readonly started: number;
  readonly configRead: number;
  readonly configWritten: number;
  readonly bundleWritten: number;
  /** The unit that should run it does not: a person has started it by hand. */
  readonly beside?: true;
}

export type Seen = Stopped | Running;

type Act = 'start' | 'restart' | 'wait' | 'none';

interface ControllerChange extends Change {
  readonly act: Act;
}

export const controller: ResourceKind<Desired, Seen, ControllerChange> = {
  kind: 'controller',
  summary: 'The Mirroring Controller and the instance run, with the files as they are now.',
  fields,
  key: () => 'running',
  runsFrom: (desired) => desired.instance.dataDir,
  describe: (desired) => `Mirroring Controller and instance of ${desired.id}`,
  probe: (desired) => ({ shell: probeScript(desired) }),
  read: (reply, desired) => {
    const [times = '', ...rest] = reply.stdout.split('\n');
    const hidden = closed(times);
    if (hidden) return unknown(hidden);
    if (times.startsWith('stopped')) {
      const since = Number(times.split(' ')[1]);
      return present({ instance: 'stopped with its controller', ...(since > 0 ? { since } : {}) });
    }
    const beside = times.startsWith('beside ');
    const [started, bundleWritten, configRead, ...written] = times
      .replace('beside ', '')
      .split(' ')
      .map(Number);
    const configWritten = written.length === 0 ? undefined : Math.max(...written);
    if (
      started === undefined ||
      configRead === undefined ||
      configWritten === undefined ||
      bundleWritten === undefined ||
      Number.isNaN(started + configRead + configWritten + bundleWritten)
    )
      return unknown(reply.stderr.trim() || 'the controller could not be looked at');
    const observation =
      rest[0] === 'ready'
        ? undefined
        : readControllerStatus({ ...reply, stdout: rest.join('\n') }, desired.id);
    if (observation?.state === 'unseen') return unknown(observation.reason);
    const instance =
      observation === undefined
        ? 'running'
        : observation.state === 'running'
          ? observation.instance
          : observation.state;
    const report = observation?.state === 'running' ? { report: observation.report } : {};
    return present({
      instance,
      started,
      configRead,
      configWritten,
      bundleWritten,
      ...report,
      ...(beside ? { beside } : {}),
    });
  },
  diff: (desired, observed) => {
    const value = observed.state === 'present' ? observed.value : undefined;
    if ((!value || !('started' in value)) && desired.stopped !== undefined)
      return degraded(staysDown(desired, desired.stopped));
    if (!value || !('started' in value))
      return change({
        summary: `start the Mirroring Controller and the instance of ${desired.id}`,
        reason: 'the controller does not run',
        act: 'start',
        differences: [notRunning(desired, value?.since)],
      });
    const { instance, report } = value;
    const away = !['running', 'silent'].includes(instance);
    const settled = away ? heldBack(desired, report) : undefined;
    if (settled) return settled;
    if (away) {
      const act = onItsWay.includes(instance) ? 'wait' : 'restart';
      const summary = `${act === 'wait' ? 'wait for' : 'start'} the instance of ${desired.id}`;
      const differences = [instanceAway(desired, value), ...outdatedOnes(desired, value)];
      return change({ summary, reason: `it is ${instance}`, act, differences });
    }
    return readsItsFiles(desired, value);
  },
  steps: (planned, desired) =>
    planned.act === 'none' ? [] : [{ title: planned.summary, script: startScript(planned.act, desired) }],
};

/** Nobody but a person ends what a person has begun. */
const staysDown = ({ id }: Desired, stopped: string): Diagnostic => ({
  code: 'HST020',
  what: `${id} is down, as a person has asked: ${stopped}`,
  why: 'it stays down, also across a reboot of its host, until a person starts it',
  ...advised`When it may run again: ${here`pgduet start ${id}`}.`,
});

const runsAllTheSame = ({ id, stopped }: Desired): readonly Difference[] =>
  stopped === undefined
    ? []
    : [{ code: 'CTL013', object: id, declared: `down: ${stopped}`, found: 'it runs' }];

function readsItsFiles(desired: Desired, seen: Running): Verdict<ControllerChange> {
  const differences = [
    ...outdatedOnes(desired, seen),
    ...besideUnit(desired, seen),
    ...runsAllTheSame(desired),
  ];
  if (seen.bundleWritten > seen.started)
    return change({
      summary: 'restart the Mirroring Controller',
      reason: 'its program is newer than what runs',
      act: 'none',
      effects: [{ action: 'restart', target: 'controller', inTurn: true }],
      differences,
    });
  if (seen.beside)
    return change({
      summary: 'restart the Mirroring Controller under its unit; the instance goes on',
      reason: `${hostService(desired.unit)?.title ?? 'its unit'} does not run it`,
      act: 'none',
      effects: [{ action: 'restart', target: 'controller', inTurn: true }],
      differences,
    });
  if (seen.configWritten > seen.configRead)
    return change({
      summary: 'make the Mirroring Controller read its files',
      reason: 'they are newer than what it has read',
      act: 'none',
      effects: [{ action: 'reload', target: 'controller' }],
      differences,
    });
  return same('the controller and the instance run, with the files as they are', runsAllTheSame(desired));
}

const notRunning = ({ id }: Desired, since: number | undefined): Difference => ({
  code: 'CTL001',
  object: id,
  declared: 'running',
  found: 'not running',
  ...(since === undefined ? {} : { since }),
});

const instanceAway = ({ id }: Desired, { instance, report }: Running): Difference => ({
  code: 'CTL008',
  object: id,
  declared: 'running',
  found: instance,
  ...sinceOf(report?.servers.find((row) => row.server_id === id)?.since),
});

const besideUnit = ({ id, unit }: Desired, { beside, started }: Running): readonly Difference[] =>
  beside
    ? [
        {
          code: 'CTL015',
          object: id,
          declared: `run by ${hostService(unit)?.title ?? 'its unit'}`,
          found: 'started by hand',
          since: started,
        },
      ]
    : [];

/** What runs is older than what stands on the disk. */
function outdatedOnes({ id, bundle }: Desired, seen: Running): readonly Difference[] {
  const { started, bundleWritten, configRead, configWritten } = seen;
  const program: Difference = {
    code: 'CTL002',
    object: bundle,
    declared: `the program of ${moment(bundleWritten)}`,
    found: `the one that was started ${moment(started)}`,
    since: bundleWritten,
  };
  const files: Difference = {
    code: 'CTL003',
    object: id,
    declared: `its files of ${moment(configWritten)} (network.conf, ${id}.conf, its keys)`,
    found: `those that it read ${moment(configRead)}`,
    since: configWritten,
  };
  return [...(bundleWritten > started ? [program] : []), ...(configWritten > configRead ? [files] : [])];
}

/** The controller is about to start it, or waits for its primary: a restart would only begin that anew. */
const onItsWay: readonly string[] = ['starting', 'waiting', 'unknown'];

/** An instance that must not be started from here: its role is just changing, or another server has taken it. */
function heldBack(
  { id }: Desired,
  report: ControllerReport | undefined,
): Verdict<ControllerChange> | undefined {
  if (report?.mirroring_status === 'switching')
    return refuse({
      code: 'HST014',
      what: `a switch is under way: ${report.reason ?? 'the roles change'}`,
      why: 'what is right for a server depends on its role, and that changes at this moment',
      fix: `Run the same command again when 'pgduet status' shows who is primary. If it stays so: ${report.advice ?? ''}.`,
    });
  const open = report?.undecided ?? [];
  // A start by a person takes the role back. The controllers of the others go on, so that theirs can tell how it ended.
  if (report && open.length > 0)
    return degraded({
      code: 'HST014',
      what: `the instance of ${id} is not started: ${open.join(', ')} may still become primary, or has`,
      why: report.reason ?? 'nobody knows yet who is primary',
      fix: `To do: ${report.advice ?? 'wait'}. Then run the same command again.`,
    });
  const out = report && isFormerPrimary(report, id) ? outage(report) : undefined;
  return out && degraded(out);
}

/**
 * Cheap where all is well: the file that the controller keeps says when it began and when it read its files. Only an
 * instance that does not answer is worth a question to the controller.
 */
const probeScript = (desired: Desired): string => {
  const file = (name: string): string => quote(`${desired.managementDir}/${name}`);
  return `unseen ${file(`${desired.id}.pid`)}
case $unseen in closed*) echo "$unseen"; exit;; esac
if ! ${runningScript(desired)}; then echo "stopped $(stat -c %Y ${file(`${desired.id}.status.json`)} 2>/dev/null)"; exit; fi
program=$(stat -c %.3Y ${quote(desired.bundle)} || echo 0)
${besideScript(desired)}
echo $beside "$began" "$program" $(stat -c %.3Y "$pidfile" ${file('network.conf')} ${file(`${desired.id}.conf`)} ${file('cluster.key')}) $(stat -c %.3Y ${file(identityFile)} ${file(identitiesFile)} 2>/dev/null)
d=${quote(desired.instance.dataDir)}
if serving "$d"; then echo ready; exit; fi
${controllerProbe(desired)}`;
};

/** Shell: beside is set where systemd runs, and not its unit runs the controller; a server in charge of its former unit is not meant. */
const besideScript = (desired: Desired): string => {
  const unit = hostService(desired.unit)?.unit;
  if (unit === undefined) return 'beside=';
  return `beside=beside
while IFS= read -r group; do case $group in */${quote(unit)}.service | */${quote(unit)}.service/*) beside=;; esac; done 2>/dev/null < "/proc/$pid/cgroup" || beside=`;
};
