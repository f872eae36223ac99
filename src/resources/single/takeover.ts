/**
 * takeover: the Mirroring Controller, and nobody else, is in charge of a server that was there before. Its step takes the
 * mark away that kept the former unit in charge, and either restarts the server under the controller, once, or hands
 * the running one over without a restart. A reboot at any point finds exactly one of the two in charge.
 */
import { quote, sh } from '../../base/shell.ts';
import { isOfHost } from '../../postgres/host-settings.ts';
import { letGoDropIn } from '../contract/drop-ins.ts';
import { optional, text } from '../contract/field.ts';
import { type DesiredOf, serverFields } from '../contract/fields.ts';
import { type Change, change, present, type ResourceKind, refuse, same, unknown } from '../contract/kind.ts';
import { unbroken } from '../contract/preamble.ts';
import { stopServer } from '../contract/stop-server.ts';
import { startable } from '../contract/tried.ts';
import { mcCtlCommand } from '../controller/controller-status.ts';
import { givenUp } from '../controller/start-script.ts';
import { type Before, formerDropIn, formerMark } from '../data/record.ts';
import { judge } from '../postgres/adopted-rules.ts';
import { valueFields, wantedValues } from '../postgres/settings.ts';
import { type TriedSettings, triedProbe, triedProblem } from '../postgres/settings-tried.ts';
import { type AdoptObservation, adoptProbe, readAdoptObservation } from './adopt-observation.ts';
import { movesIn } from './adoption.ts';
import { moveUnder } from './control-group.ts';
import { confirmUnit, recordProblem } from './record-trust.ts';

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
  /** Where the inventory gives what the host of the server may lack. */
  readonly tried?: TriedSettings | undefined;
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
    const problem = recordProblem(desired, observation);
    if (problem) return refuse({ code: 'SAF030', ...problem });
    const reasons = restartReasons(desired, observation);
    const by = observation.record ? formerUnit(observation.record) : observation.unit?.name;
    return change({
      summary:
        reasons.length > 0
          ? `restart the server in ${desired.dataDir} under the Mirroring Controller`
          : `hand the running server in ${desired.dataDir} to the Mirroring Controller`,
      reason: `${by ?? 'a person'} is in charge of it${reasons.length > 0 ? `; ${reasons.join(', ')} need a restart` : ''}`,
      restart: reasons.length > 0,
      former: by,
      tried: declaredOfHost(desired, observation),
    });
  },
  tries: ({ tried }, desired) => tried && triedProbe(tried, desired),
  objection: (reply, { tried }, desired) => tried && triedProblem(reply, tried, desired),
  steps: (planned, desired) => [
    {
      title: planned.summary,
      script: `${planned.former ? confirmUnit(desired, planned.former) : ':'}
${planned.restart ? restartScript(planned, desired) : handOverScript(planned, desired)}`,
    },
  ],
};

/** What it is started with today is right on its host; the log that pgduet gives it has its place by then. */
function declaredOfHost(
  { values, ...place }: Desired,
  observation: AdoptObservation,
): TriedSettings | undefined {
  const { live } = observation;
  if (!live?.configured) return undefined;
  const names = judge(values, live.settings, undefined, movesIn(place, observation)).names;
  const declared = names.filter((name) => isOfHost(name) && !/^log/i.test(name));
  if (declared.length === 0) return undefined;
  const over = declared.map((name) => [name.toLowerCase(), values[name] ?? '']);
  return { settings: { ...live.configured, ...Object.fromEntries(over) } };
}

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
  // Within a script that is not broken off, `as` is the one function there is.
  return `tell() { ${log}; as ${quote(desired.owner)} timeout 20 tail -n 5 ${quote(`${managementDir}/${id}.startup.log`)} >&2 2>/dev/null || :; }
${givenUp(unit)}
( ${start} ) || { tell; exit 1; }`;
}

/** Whoever stopped it: the unit's own words, so that systemd knows, or a fast shutdown. */
const stopCommand = (
  { former }: TakeoverChange,
  { instance }: Desired,
): string => `${former ? sh`systemctl stop ${former}` : ':'}
if as ${quote(instance.owner)} "$PGBIN/pg_ctl" status -D ${quote(instance.dataDir)} >/dev/null; then
  ${stopServer(instance.owner, instance.dataDir, 600)}
fi`;

const readyWithinSeconds = 60;

/** Each login as the administrator asks for a second or so: such a login is written to the journal. */
const untilReady = ({ instance }: Desired): string => `began=$(date +%s)
until as ${quote(instance.owner)} sh -c ${quote(`n=0
until "$1/pg_isready" -q -h "$2" -p "$3"; do
  n=$((n + 1)); if [ $n -gt 50 ]; then exit 1; fi
  sleep 0.02
done`)} sh "$PGBIN" ${quote(instance.socketDir)} ${instance.port}; do
  if given_up; then echo 'the instance could not be started; pgduet teardown goes back' >&2; tell; exit 1; fi
  if [ $(($(date +%s) - began)) -ge ${readyWithinSeconds} ]; then echo 'the server did not answer within ${readyWithinSeconds} s; pgduet teardown goes back' >&2; tell; exit 1; fi
done`;

/** Two checkpoints: what was dirty, and the little that became so meanwhile; the shutdown then writes next to nothing. */
const restartScript = (planned: TakeoverChange, desired: Desired): string => `
${startable(desired.instance)}
echo 'CHECKPOINT; CHECKPOINT' | sql >/dev/null || :
${sh`as ${desired.owner} rm -f ${formerMark(desired)}`}
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
${sh`as ${desired.owner} rm -f ${formerMark(desired)}`}
${sh`sync ${desired.managementDir}`}
${planned.former ? letGo(planned.former, desired) : ''}
${startCommand(desired)}
${unit ? moveUnder(unit, instance) : ''}
${untilReady(desired)}`;
}

function letGo(former: string, desired: Desired): string {
  const path = formerDropIn(former).replace(/[^/]*$/, letGoDropIn);
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
