/** port: a TCP port that only its own program may use. It changes nothing; a stranger on the port stops the run before it begins. */
import type { Diagnostic } from '../../base/diagnostic.ts';
import { quote } from '../../base/shell.ts';
import { integer, text } from '../contract/field.ts';
import { type DesiredOf, fieldsOf } from '../contract/fields.ts';
import { foreignRecord, foreignWay, recordFile, runsSince } from '../contract/foreign-record.ts';
import { hostService, service } from '../contract/host-service.ts';
import { absent, present, type ResourceKind, refuse, same, unknown } from '../contract/kind.ts';
import { mainProcess, strayController, tellsNext } from '../contract/preamble.ts';
import { readStat } from '../contract/stat.ts';

const fields = fieldsOf(
  {
    port: integer('number of the TCP port'),
    for: text('its purpose, for messages'),
    pid_file: text('a file whose first line is the process id of the program that may use it'),
    unit: service(
      'what starts that program, if it is a controller: the main process of a systemd unit may use the port without its file, too',
    ),
  },
  ({ for: purpose, ...rest }, { server }) => ({
    purpose,
    ...rest,
    ...(server ? { owner: server.owner } : {}),
  }),
);
type Desired = DesiredOf<typeof fields>;

interface Seen {
  readonly rightful: boolean;
  readonly listener: string;
  /** The controller that uses it, which the file does not name. */
  readonly orphan?: string | undefined;
  /**
   * `kept`: what stands in the directory tells a new controller whose data there is, and what it has promised, or that it has forgotten it.
   * `foreign`: that is not what this one has promised.
   */
  readonly left?: string | undefined;
}

/** Where the controller is whose file this would be. */
function placeOf({ pidFile }: Desired) {
  const [, managementDir = '', id = ''] = /^(.*)\/([^/]+)\.pid$/.exec(pidFile) ?? [];
  return { managementDir, id };
}

/**
 * Shell: the process of the controller whose file this would be, by its words. Of a unit it is the main process, which the step that starts
 * the controller ends where something in the directory tells the next one what it may believe.
 */
function orphanScript(desired: Desired): string {
  const { owner } = desired;
  if (owner === undefined) return ':';
  const place = { ...placeOf(desired), owner };
  const unit = hostService(desired.unit)?.unit;
  const since = unit
    ? `if [ "$stray" = "$main" ]; then ${runsSince(unit)}; else ${runsSince(undefined)}; fi`
    : runsSince(undefined);
  return `${strayController(place)}
if [ -n "$stray" ]; then
  ${unit ? mainProcess(unit) : 'main='}
  ${since}
  if ${foreignRecord(place)}; then echo "orphan $stray foreign"
  elif ! ${tellsNext(place)}; then echo "orphan $stray"
  elif [ "$stray" = "$main" ]; then echo rightful
  else echo "orphan $stray kept"; fi
  exit
fi`;
}

function outOfReach(desired: Desired, orphan: string, left: string | undefined): Diagnostic {
  const { port, pidFile } = desired;
  return {
    code: 'HST005',
    what: `port ${port} is used by the controller of this server (process ${orphan}), and ${pidFile} is gone or names another one`,
    ...waysOf(desired, orphan)[left === 'kept' || left === 'foreign' ? left : 'lost'],
  };
}

const waysOf = (desired: Desired, orphan: string) => ({
  kept: {
    why: 'nothing reaches that controller any more, and no systemd unit runs it that could start another one in its place',
    fix: `End it alone, as the instance administrator: kill -KILL ${orphan}. The instance goes on. Then run the same command again, which starts another one.`,
  },
  foreign: {
    why: `${recordFile(placeOf(desired))} is not known to be its record: it is older, as from a backup, or on another file system that was mounted over the directory; what this controller has promised stands nowhere else there`,
    fix: `Do not end the controller. ${foreignWay(placeOf(desired))}`,
  },
  lost: {
    why: 'its management directory is lost; what this controller has promised stands nowhere else',
    fix: 'Bring the directory back under its name: mount its file system, or move it back. Do not end the controller.',
  },
});

export const port: ResourceKind<Desired, Seen> = {
  kind: 'port',
  summary: 'A TCP port that is free or used by its rightful program.',
  fields,
  key: (desired) => String(desired.port),
  inside: (desired) => desired.pidFile,
  describe: (desired) => `port ${desired.port} for ${desired.purpose}`,
  probe: (desired) => ({
    shell: `f=${quote(desired.pidFile)}
lines "$f" pid || :
case $pid in '' | *[!0-9]*) ;; *) if [ -d "/proc/$pid" ]; then echo rightful; exit; fi;; esac
if [ ! -r /proc/net/tcp ]; then echo 'no right to read /proc/net/tcp' >&2; exit 1; fi
if ! listening ${desired.port}; then echo free; exit; fi
# Whose file cannot be seen may be in its rights.
case $(observation "$f") in closed*) observation "$f"; exit;; esac
if [ -e "$f" ] && [ ! -r "$f" ]; then echo "no right to read $f" >&2; exit 1; fi
${orphanScript(desired)}
echo taken
if command -v ss >/dev/null; then ss -Hltnp "sport = :${desired.port}" | sed -n 's/.*users:((\\(.*\\)))/\\1/p' | head -n 1; fi`,
  }),
  read: (reply) => {
    const [word, listener = ''] = reply.stdout.split('\n');
    if (word === 'free') return absent;
    if (word === 'rightful' || word === 'taken') return present({ rightful: word === 'rightful', listener });
    const [, orphan, left] = /^orphan (\d+) ?(kept|foreign)?$/.exec(word ?? '') ?? [];
    if (orphan !== undefined) return present({ rightful: false, listener: '', orphan, left });
    const hidden = readStat(word ?? '', reply.stderr || 'the list of ports could not be read');
    return hidden.state === 'unknown' ? hidden : unknown('the list of ports could not be read');
  },
  diff: (desired, observed) => {
    if (observed.state === 'absent') return same('it is free');
    if (observed.value.rightful) return same(`${desired.purpose} uses it`);
    const { orphan, left } = observed.value;
    if (orphan !== undefined) return refuse(outOfReach(desired, orphan, left));
    return refuse({
      code: 'HST005',
      what: `port ${desired.port}, meant for ${desired.purpose}, is already in use`,
      why: 'the server could not start',
      fix: 'Stop the program that uses the port, or name another port in the inventory.',
      ...(observed.value.listener ? { evidence: [`listening: ${observed.value.listener}`] } : {}),
    });
  },
  // Nothing to do: a free port becomes used by what is started later.
  steps: () => [],
};
