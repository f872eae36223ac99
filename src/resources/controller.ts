/**
 * controller: the Mirroring Controller and, through it, the instance run. Its step starts what does not run and waits
 * until the instance answers. A controller that runs with older files than those on the disk is told to read them.
 */
import { quote, sh } from '../base/shell.ts';
import {
  type ControllerPlace,
  type ControllerSight,
  controllerProbe,
  mcCtlCommand,
  readControllerStatus,
} from './controller-status.ts';
import { readFields } from './fields.ts';
import { type Change, change, type Instance, present, type ResourceKind, same, unknown } from './kind.ts';

interface Desired extends ControllerPlace {
  readonly instance: Instance;
  /** The systemd unit that starts it; absent: mc_ctl starts it. */
  readonly unit?: string;
  readonly bundle: string;
  readonly timeoutSeconds: number;
}

interface Seen {
  readonly sight: Exclude<ControllerSight, { state: 'unseen' }>;
  /** When its files were written last, seconds since 1970. */
  readonly configWritten: number;
  readonly bundleWritten: number;
}

type Act = 'start' | 'restart' | 'none';

interface ControllerChange extends Change {
  readonly act: Act;
}

export const controller: ResourceKind<Desired, Seen, ControllerChange> = {
  kind: 'controller',
  summary: 'The Mirroring Controller and the instance run, with the files as they are now.',
  parse: (node, context) =>
    readFields(node, context, 'controller', (f) => {
      const unit = f.optionalText('unit');
      return {
        id: context.host,
        managementDir: f.text('management_dir'),
        owner: context.instance.owner,
        mcCtl: f.text('mc_ctl'),
        bundle: f.text('bundle'),
        instance: context.instance,
        timeoutSeconds: f.integer('timeout', 60),
        ...(unit ? { unit } : {}),
      };
    }),
  key: () => 'running',
  describe: (desired) => `Mirroring Controller and instance of ${desired.id}`,
  probe: (desired) => ({
    shell: `stat -c %.3Y ${quote(`${desired.managementDir}/network.conf`)} ${quote(`${desired.managementDir}/${desired.id}.conf`)} 2>/dev/null | sort -n | tail -n 1 | grep . || echo 0
stat -c %.3Y ${quote(desired.bundle)} 2>/dev/null || echo 0
${controllerProbe(desired)}`,
  }),
  read: (reply, desired) => {
    const [configWritten = '', bundleWritten = '', ...rest] = reply.stdout.split('\n');
    const sight = readControllerStatus({ ...reply, stdout: rest.join('\n') }, desired.id);
    if (sight.state === 'unseen') return unknown(sight.reason);
    return present({ sight, configWritten: Number(configWritten), bundleWritten: Number(bundleWritten) });
  },
  diff: (desired, observed) => {
    const seen = observed.state === 'present' ? observed.value : undefined;
    const start = (reason: string) =>
      change({
        summary: `start the Mirroring Controller and the instance of ${desired.id}`,
        reason,
        act: 'start' as const,
      });
    if (seen?.sight.state !== 'running') return start('the controller does not run');
    if (!['running', 'silent'].includes(seen.sight.instance))
      return change({
        summary: `start the instance of ${desired.id}`,
        reason: `it is ${seen.sight.instance}`,
        act: 'restart',
      });
    const { report } = seen.sight;
    if (seen.bundleWritten > report.started)
      return change({
        summary: 'restart the Mirroring Controller',
        reason: 'its program is newer than what runs',
        act: 'none',
        effects: [{ action: 'restart', target: 'controller' }],
      });
    if (seen.configWritten > report.config_loaded)
      return change({
        summary: 'make the Mirroring Controller read its files',
        reason: 'they are newer than what it has read',
        act: 'none',
        effects: [{ action: 'reload', target: 'controller' }],
      });
    return same('the controller and the instance run');
  },
  steps: (planned, desired) =>
    planned.act === 'none' ? [] : [{ title: planned.summary, script: startScript(planned.act, desired) }],
};

function startScript(act: 'start' | 'restart', desired: Desired): string {
  const { unit, instance, timeoutSeconds } = desired;
  const begin = unit
    ? sh`systemctl ${act} ${unit}`
    : `${act === 'restart' ? `${mcCtlCommand(desired, 'stop --mc-only')}\n` : ''}${mcCtlCommand(desired, 'start -w')} >&2`;
  const log = unit
    ? sh`journalctl -u ${unit} -n 15 --no-pager -o cat`
    : sh`tail -n 15 ${`${desired.managementDir}/${desired.id}.log`}`;
  return `tell() { ${log} >&2 || :; tail -n 5 ${quote(`${desired.managementDir}/${desired.id}.startup.log`)} >&2 2>/dev/null || :; }
( ${begin} ) || { tell; exit 1; }
n=0
until "$PGBIN/pg_isready" -q -h ${quote(instance.socketDir)} -p ${instance.port}; do
  n=$((n + 1))
  if [ $n -gt ${timeoutSeconds * 20} ]; then echo 'the instance did not answer within ${timeoutSeconds} s' >&2; tell; exit 1; fi
  sleep 0.05
done`;
}
