/** The script that starts a controller, and through it the instance, and waits until that answers or its controller gives up. */
import { quote, sh } from '../../base/shell.ts';
import type { Instance, ServerPlace } from '../contract/context.ts';
import { foreignRecord, foreignWay, recordFile, runsSince } from '../contract/foreign-record.ts';
import { hostService } from '../contract/host-service.ts';
import {
  controllerPidFile,
  mainProcess,
  strayController,
  tellsNext,
  untilAnswers,
} from '../contract/preamble.ts';
import { mcCtlCommand } from './controller-status.ts';

type Place = Pick<ServerPlace, 'managementDir' | 'id'>;

/** A server, what starts it, and how long that may take. */
interface Starting extends ServerPlace {
  readonly instance: Instance;
  /** The systemd unit or the init script; absent where `mc_ctl start` starts it. */
  readonly unit?: string;
  readonly timeoutSeconds: number;
}

/** Shell: whether the controller's process runs; sets pidfile, pid and began. */
export const runningScript = ({
  managementDir,
  id,
}: Place): string => `{ pidfile=${quote(`${managementDir}/${id}.pid`)}
controller "$pidfile" && lines "$pidfile" pid ticks boot began; }`;

/**
 * Shell: `given_up` says whether the controller that was just started tries no more, by its own message in the journal. What starts
 * without a journal has its log; `before_start` is behind what stood there. Started by hand, `mc_ctl start -w` has said so itself.
 */
export const givenUp = (unit: string | undefined): string =>
  unit
    ? sh`given_up() { journalctl -u ${unit} "_SYSTEMD_INVOCATION_ID=$(systemctl show -p InvocationID --value ${unit})" -n 30 --no-pager -o cat | grep -qF '(MCA01008)'; }`
    : 'given_up() { false; }';

const givenUpInLog = (log: string): string =>
  `given_up() { peek tail -c "+$((before_start + 1))" ${log} 2>/dev/null | grep -qF '(MCA01008)'; }`;

/** Shell: `waits_for` says, by its own words, why the controller that runs has not started its instance, and what to do. */
const waitsForFunction = ({ managementDir, id }: Place): string => {
  const shown = quote(`${managementDir}/${id}.status.json`);
  const words = (field: string, title: string) =>
    `peek sed -n 's/.*"${field}":"\\([^"\\]*\\).*/${title}: \\1/p' ${shown} | head -n 1`;
  return `waits_for() { if controller ${quote(controllerPidFile({ managementDir, id }))}; then { ${words('reason', 'its controller says')}; ${words('advice', 'to do')}; } >&2 2>/dev/null || :; fi; }`;
};

/**
 * Shell, for a start: a controller that no pid file names has lost its directory, and cannot be reached. A start would find its unit up and do
 * nothing, or begin a second one beside it. Told to stop, it would stop the instance; killed alone, it is started anew by systemd beside the instance. Only where the next one
 * finds its configuration, and what it may believe; else it would not start, or take itself for a new server. Where its unit does not run it, a
 * person ends it.
 */
function backInReach(desired: Starting): string {
  const unit = hostService(desired.unit)?.unit;
  if (unit === undefined)
    return `if ! ${runningScript(desired)}; then
  main=
  ${refuseStray(desired)}
fi
`;
  const { managementDir, id } = desired;
  const pidFile = quote(`${managementDir}/${id}.pid`);
  const files = ['network.conf', `${id}.conf`].map((name) => `[ -f ${quote(`${managementDir}/${name}`)} ]`);
  return `${mainProcess(unit)}
if ${runningScript(desired)}; then :
elif [ -n "$main" ]; then
  if ! ${[tellsNext(desired), ...files].join(' || ! ')}; then
    echo "the controller runs (process $main), and "${pidFile}", by which it is reached, is gone; it is not ended: without its record or the mark that this is lost, and without its configuration, no other one could take its place. pgduet check tells what is missing" >&2
    exit 1
  fi
  ${runsSince(unit)}
  if ${foreignRecord(desired)}; then echo "the controller runs (process $main), and is not ended: "${quote(notItsOwn(desired))} >&2; exit 1; fi
  ${sh`systemctl kill --kill-who=main -s KILL ${`${unit}.service`}`}
  n=0
  while [ "$(${sh`systemctl show -p MainPID --value ${`${unit}.service`}`})" = "$main" ]; do
    n=$((n + 1)); if [ $n -gt 200 ]; then echo "the controller (process $main) does not end" >&2; exit 1; fi
    sleep 0.05
  done
else
  # Of a unit that is starting, or stopping.
  main=$(${sh`systemctl show -p MainPID --value ${`${unit}.service`}`})
  ${refuseStray(desired)}
fi
`;
}

/** Shell: a controller that its unit does not run, whose process is in main, is ended by a person. One that has just begun is about to write its file. */
function refuseStray(desired: Starting): string {
  const pidFile = quote(`${desired.managementDir}/${desired.id}.pid`);
  return `${strayController(desired)}
  if [ -n "$stray" ] && [ "$stray" != "$main" ]; then sleep 1; fi
  if [ -n "$stray" ] && [ "$stray" != "$main" ] && [ -d "/proc/$stray" ] && ! ${runningScript(desired)}; then
    ${runsSince(undefined)}
    if ${foreignRecord(desired)}; then way=${quote(notItsOwn(desired))}
    elif ${tellsNext(desired)}; then way="as the instance administrator, end it alone, then run the same command again; the instance goes on: kill -KILL $stray"
    else way='bring its management directory back under its name, and do not end it: what it has promised stands nowhere else'; fi
    echo "the controller runs (process $stray), and "${pidFile}", by which it is reached, is gone or names another one; $way" >&2
    exit 1
  fi`;
}

/** What the controller has promised since stands nowhere else, and the next one would believe an older promise. */
const notItsOwn = (place: Place): string =>
  `${recordFile(place)} is not known to be its record: it is older, as from a backup, or on another file system that was mounted over the directory. ${foreignWay(place)}`;

/** `over`: shell that succeeds where there is nothing more to wait for, although the instance does not answer. */
export function startScript(act: 'start' | 'restart' | 'wait', desired: Starting, over?: string): string {
  const { instance, timeoutSeconds } = desired;
  const starter = hostService(desired.unit);
  const unit = starter?.unit;
  const command =
    starter === undefined
      ? `${act === 'restart' ? `${mcCtlCommand(desired, 'stop --mc-only')}\n` : ''}${mcCtlCommand(desired, over === undefined ? 'start -w' : 'start')} >&2`
      : act === 'restart'
        ? starter.restart
        : starter.start;
  // Kind `takeover` may have started it in the same batch; mc_ctl would call that an error.
  const unlessRunning = act === 'start' && !starter;
  const reach = act === 'start' ? backInReach(desired) : '';
  const begin = act === 'wait' ? ':' : unlessRunning ? `${runningScript(desired)} || ${command}` : command;
  const ownLog = quote(`${desired.managementDir}/${desired.id}.log`);
  const log = unit ? sh`journalctl -u ${unit} -n 15 --no-pager -o cat` : `peek tail -n 15 ${ownLog}`;
  const byScript = starter && !unit && act !== 'wait';
  return `${byScript ? `before_start=$(peek stat -c %s ${ownLog} 2>/dev/null) || before_start=0\n` : ''}tell() { ${log} >&2 || :; ${sh`peek tail -n 5 ${`${desired.managementDir}/${desired.id}.startup.log`}`} >&2 2>/dev/null || :; }
${waitsForFunction(desired)}
${reach}( ${begin} ) || { tell; exit 1; }
${byScript ? givenUpInLog(ownLog) : givenUp(act === 'wait' ? undefined : unit)}
began=$(date +%s)
${untilAnswers(
  instance,
  `${over === undefined ? '' : `    if ${over}; then break; fi\n`}    if given_up; then echo 'the instance could not be started' >&2; tell; exit 1; fi
    if [ $(($(date +%s) - began)) -ge ${timeoutSeconds} ]; then echo 'the instance did not answer within ${timeoutSeconds} s' >&2; tell; waits_for; exit 1; fi`,
)}`;
}
