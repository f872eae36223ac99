/** port: a TCP port that only its own program may use. It changes nothing; a stranger on the port stops the run before it begins. */
import type { Diagnostic } from '../../base/diagnostic.ts';
import { quote } from '../../base/shell.ts';
import { integer, text } from '../contract/field.ts';
import { type DesiredOf, fieldsOf } from '../contract/fields.ts';
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
  /** The controller that uses it, whose file is gone. */
  readonly orphan?: string | undefined;
  /** What stands in the directory tells a new controller whose data there is, and what it has promised, or that it has forgotten it. */
  readonly kept?: boolean;
}

/**
 * Shell: the process of the controller whose file this would be, by its words. Of a unit it is the main process, which the step that starts
 * the controller ends where something in the directory tells the next one what it may believe.
 */
function orphanScript({ pidFile, unit, owner }: Desired): string {
  if (owner === undefined) return ':';
  const [, managementDir = '', id = ''] = /^(.*)\/([^/]+)\.pid$/.exec(pidFile) ?? [];
  const place = { managementDir, id, owner };
  const systemd = hostService(unit)?.unit;
  return `${strayController(place)}
if [ -n "$stray" ]; then
  if ${tellsNext(place)}; then kept=kept; else kept=; fi
  main=
  ${systemd === undefined ? ':' : `if [ -n "$kept" ]; then ${mainProcess(systemd)}; fi`}
  if [ "$stray" = "$main" ]; then echo rightful; else echo "orphan $stray $kept"; fi
  exit
fi`;
}

const outOfReach = ({ port, pidFile }: Desired, orphan: string, kept: boolean): Diagnostic => ({
  code: 'HST005',
  what: `port ${port} is used by the controller of this server (process ${orphan}), and ${pidFile} is gone`,
  ...(kept
    ? {
        why: 'nothing reaches that controller any more, and no systemd unit runs it that could start another one in its place',
        fix: `End it alone, as the instance administrator: kill -KILL ${orphan}. The instance goes on. Then run the same command again, which starts another one.`,
      }
    : {
        why: 'its management directory is lost; what this controller has promised stands nowhere else',
        fix: 'Bring the directory back under its name: mount its file system, or move it back. Do not end the controller.',
      }),
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
if [ ! -e "$f" ]; then
${orphanScript(desired)}
fi
echo taken
if command -v ss >/dev/null; then ss -Hltnp "sport = :${desired.port}" | sed -n 's/.*users:((\\(.*\\)))/\\1/p' | head -n 1; fi`,
  }),
  read: (reply) => {
    const [word, listener = ''] = reply.stdout.split('\n');
    if (word === 'free') return absent;
    if (word === 'rightful' || word === 'taken') return present({ rightful: word === 'rightful', listener });
    const [, orphan, kept] = /^orphan (\d+) ?(kept)?$/.exec(word ?? '') ?? [];
    if (orphan !== undefined)
      return present({ rightful: false, listener: '', orphan, kept: kept !== undefined });
    const hidden = readStat(word ?? '', reply.stderr || 'the list of ports could not be read');
    return hidden.state === 'unknown' ? hidden : unknown('the list of ports could not be read');
  },
  diff: (desired, observed) => {
    if (observed.state === 'absent') return same('it is free');
    if (observed.value.rightful) return same(`${desired.purpose} uses it`);
    const { orphan, kept } = observed.value;
    if (orphan !== undefined) return refuse(outOfReach(desired, orphan, kept === true));
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
