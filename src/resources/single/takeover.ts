/**
 * takeover: the Mirroring Controller, and nobody else, is in charge of a server that was there before. Its step takes the
 * mark away that kept the former unit in charge, and either restarts the server under the controller, once, or hands
 * the running one over without a restart. A reboot at any point finds exactly one of the two in charge.
 */
import { quote, sh } from '../../base/shell.ts';
import { optional, text } from '../contract/field.ts';
import { type DesiredOf, serverFields } from '../contract/fields.ts';
import { type Change, change, present, type ResourceKind, same, unknown } from '../contract/kind.ts';
import { unbroken } from '../contract/preamble.ts';
import { mcCtlCommand } from '../controller/controller-status.ts';
import { type Before, formerDropIn, formerMark } from '../data/record.ts';
import { judge } from '../postgres/adopted-rules.ts';
import { valueFields, wantedValues } from '../postgres/settings.ts';
import { type AdoptObservation, adoptProbe, readAdoptObservation } from './adopt-observation.ts';
import { movesIn } from './adoption.ts';

const fields = serverFields(
  {
    unit: optional(text('the unit of the controller; without it `mc_ctl` starts it')),
    ...valueFields,
  },
  ({ template, values, ...rest }, { server }, problem) => ({
    ...server,
    ...rest,
    instance: server,
    values: wantedValues({ template, values }, problem),
  }),
);
type Desired = DesiredOf<typeof fields>;

interface TakeoverChange extends Change {
  readonly restart: boolean;
  /** The unit that was in charge until now. */
  readonly former: string | undefined;
}

export const takeover: ResourceKind<Desired, AdoptObservation, TakeoverChange> = {
  kind: 'takeover',
  summary:
    'The Mirroring Controller alone is in charge of a server that was there before; one restart at most.',
  fields,
  key: (desired) => desired.dataDir,
  describe: (desired) => `control over the server in ${desired.dataDir}`,
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
    const settled = observation.recorded !== undefined && !observation.mark;
    // A run that was killed in between may have taken the mark away and no more.
    if (settled && !observation.unit && !movesIn(desired, observation))
      return same('the Mirroring Controller is in charge of it');
    const reasons = restartReasons(desired, observation);
    const by = observation.before ? formerUnit(observation.before) : observation.unit?.name;
    return change({
      summary:
        reasons.length > 0
          ? `restart the server in ${desired.dataDir} under the Mirroring Controller`
          : `hand the running server in ${desired.dataDir} to the Mirroring Controller`,
      reason: `${by ?? 'a person'} is in charge of it${reasons.length > 0 ? `; ${reasons.join(', ')} need a restart` : ''}`,
      restart: reasons.length > 0,
      former: by,
    });
  },
  steps: (planned, desired) => [
    {
      title: planned.summary,
      script: planned.restart ? restartScript(planned, desired) : handOverScript(planned, desired),
    },
  ],
};

const formerUnit = ({ starter }: Before): string | undefined =>
  starter.kind === 'unit' ? starter.unit : undefined;

/** A server that an interrupted run has stopped needs no restart, only a start; the script makes no difference. */
function restartReasons({ values, ...place }: Desired, observation: AdoptObservation): readonly string[] {
  if (!observation.live) return ['its start'];
  const { settings } = observation.live;
  const moves = movesIn(place, observation);
  const pending = Object.keys(values).filter((name) => settings.get(name.toLowerCase())?.pending);
  const judged = judge(values, settings, undefined, moves).restart;
  return [...new Set([...(moves ? ['config_file'] : []), ...judged, ...pending])];
}

/** What the controller and the server say of a start that failed stands behind the message. */
function startCommand(desired: Desired): string {
  const { unit, managementDir, id } = desired;
  const start = unit ? sh`systemctl start ${unit}` : `${mcCtlCommand(desired, 'start -w')} >&2`;
  const log = unit ? sh`journalctl -u ${unit} -n 10 --no-pager -o cat >&2` : ':';
  return `tell() { ${log}; tail -n 5 ${quote(`${managementDir}/${id}.startup.log`)} >&2 2>/dev/null || :; }
( ${start} ) || { tell; exit 1; }`;
}

/** Whoever stopped it: the unit's own words, so that systemd knows, or a fast shutdown. */
const stopCommand = (
  { former }: TakeoverChange,
  { instance }: Desired,
): string => `${former ? sh`systemctl stop ${former}` : ':'}
if as ${quote(instance.owner)} "$PGBIN/pg_ctl" status -D ${quote(instance.dataDir)} >/dev/null; then
  as ${quote(instance.owner)} "$PGBIN/pg_ctl" stop -m fast -w -t 600 -D ${quote(instance.dataDir)} >&2
fi`;

const untilReady = ({ instance }: Desired): string => `n=0
until "$PGBIN/pg_isready" -q -h ${quote(instance.socketDir)} -p ${instance.port}; do
  n=$((n + 1)); if [ $n -gt 3000 ]; then echo 'the server did not answer within 60 s; pgduet teardown goes back' >&2; tell; exit 1; fi
  sleep 0.02
done`;

/** Two checkpoints: what was dirty, and the little that became so meanwhile; the shutdown then writes next to nothing. */
const restartScript = (planned: TakeoverChange, desired: Desired): string => `
echo 'CHECKPOINT; CHECKPOINT' | sql >/dev/null || :
${sh`rm -f ${formerMark(desired)}`}
${sh`sync ${desired.managementDir}`}
${unbroken(`${stopCommand(planned, desired)}
${startCommand(desired)}
${untilReady(desired)}`)}`;

/**
 * systemd lets go of the former unit without touching its processes, and they move to where they would be had the
 * controller started them: a unit of the former name that stops, or a login that ends, must not take the server along.
 */
function handOverScript(planned: TakeoverChange, desired: Desired): string {
  const { instance, unit } = desired;
  return `
${sh`rm -f ${formerMark(desired)}`}
${sh`sync ${desired.managementDir}`}
${planned.former ? letGo(planned.former, desired) : ''}
${startCommand(desired)}
pid=$(head -n 1 ${quote(`${instance.dataDir}/postmaster.pid`)})
group=$(${unit ? sh`systemctl show -p ControlGroup --value ${unit}` : 'echo'})
if [ -n "$group" ] && [ -w "/sys/fs/cgroup$group/cgroup.procs" ]; then
  for p in "$pid" $(pgrep -P "$pid"); do echo "$p" > "/sys/fs/cgroup$group/cgroup.procs" 2>/dev/null || :; done
  for p in $(pgrep -P "$pid"); do echo "$p" > "/sys/fs/cgroup$group/cgroup.procs" 2>/dev/null || :; done
fi
${untilReady(desired)}`;
}

function letGo(former: string, desired: Desired): string {
  const path = formerDropIn(former).replace(/pgduet\.conf$/, 'pgduet-let-go.conf');
  const content = `[Service]
ExecStop=
ExecStopPost=
KillMode=none
SendSIGKILL=no
Restart=no
`;
  return `put ${quote(path)} 0644 root:root ${quote(content)}
systemctl daemon-reload
${sh`systemctl stop ${former}`}
${sh`rm -f ${path}`}
systemctl daemon-reload
if ! postmaster ${quote(desired.instance.dataDir)}; then echo 'the server ended with its former unit' >&2; fi`;
}
