/** port: a TCP port that only its own program may use. It changes nothing; a stranger on the port stops the run before it begins. */
import { quote } from '../../base/shell.ts';
import { integer, text } from '../contract/field.ts';
import { type DesiredOf, fieldsOf } from '../contract/fields.ts';
import { absent, present, type ResourceKind, refuse, same, unknown } from '../contract/kind.ts';
import { daemonWords } from '../contract/preamble.ts';
import { readStat } from '../contract/stat.ts';

const fields = fieldsOf(
  {
    port: integer('number of the TCP port'),
    for: text('its purpose, for messages'),
    pid_file: text('a file whose first line is the process id of the program that may use it'),
  },
  ({ for: purpose, ...rest }) => ({ purpose, ...rest }),
);
type Desired = DesiredOf<typeof fields>;

interface Seen {
  readonly rightful: boolean;
  readonly listener: string;
  /** The controller that uses it, whose file is gone with its directory. */
  readonly orphan?: string | undefined;
}

/** Shell: the process of the controller whose file this would be, by its words. */
function orphanScript(pidFile: string): string {
  const [, managementDir = '', id = ''] = /^(.*)\/([^/]+)\.pid$/.exec(pidFile) ?? [];
  const words = quote(`${daemonWords({ managementDir, id })} `);
  return `for c in /proc/[0-9]*/cmdline; do
case "$(tr '\\0' ' ' <"$c" 2>/dev/null)" in *${words}) p=\${c#/proc/}; echo "orphan \${p%/*}"; exit;; esac
done`;
}

export const port: ResourceKind<Desired, Seen> = {
  kind: 'port',
  summary: 'A TCP port that is free or used by its rightful program.',
  fields,
  key: (desired) => String(desired.port),
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
${orphanScript(desired.pidFile)}
fi
echo taken
if command -v ss >/dev/null; then ss -Hltnp "sport = :${desired.port}" | sed -n 's/.*users:((\\(.*\\)))/\\1/p' | head -n 1; fi`,
  }),
  read: (reply) => {
    const [word, listener = ''] = reply.stdout.split('\n');
    if (word === 'free') return absent;
    if (word === 'rightful' || word === 'taken') return present({ rightful: word === 'rightful', listener });
    const [, orphan] = /^orphan (\d+)$/.exec(word ?? '') ?? [];
    if (orphan !== undefined) return present({ rightful: false, listener: '', orphan });
    const hidden = readStat(word ?? '', reply.stderr || 'the list of ports could not be read');
    return hidden.state === 'unknown' ? hidden : unknown('the list of ports could not be read');
  },
  diff: (desired, observed) => {
    if (observed.state === 'absent') return same('it is free');
    if (observed.value.rightful) return same(`${desired.purpose} uses it`);
    const { orphan } = observed.value;
    if (orphan !== undefined)
      return refuse({
        code: 'HST005',
        what: `port ${desired.port} is used by the controller of this server (process ${orphan}), and ${desired.pidFile} is gone`,
        why: 'its management directory is lost; what this controller has promised stands nowhere else',
        fix: 'Bring the directory back under its name: mount its file system, or move it back. Do not end the controller.',
      });
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
