/**
 * What the former service of a single server gave it and that of the controller does not: variables of its environment, what people
 * wrote into its unit, and the right of its commands to become somebody else. In: the shell functions of the probe in
 * adopt-observation.ts. Out: its part of that probe, and what the answer means. Values may be secrets: only names are ever told. Pure.
 */
import { canStand } from '../../base/environment-file.ts';
import { Secret } from '../../base/secret.ts';
import { gainingFunction } from '../contract/gaining.ts';
import { fromBase64, type ReplyLines, textsOf } from '../contract/replies.ts';

/** A line of a unit that people wrote, and the file that holds it. */
export interface Directive {
  readonly name: string;
  readonly value: string;
  readonly file: string;
}

export interface SeenFormer {
  /** What the controller gives the server in future, on whichever host it runs. */
  readonly environment: Readonly<Record<string, Secret>>;
  /** Names of variables that are not taken over: connections of the server itself would go by them. */
  readonly leftOut: readonly string[];
  /** Files that are there to give it variables. */
  readonly environmentFiles: readonly string[];
  readonly directives: readonly Directive[];
  /** Programs in its commands that gain privileges when they are started: "/usr/bin/sudo", "/usr/local/bin/archive (sudo)". */
  readonly privileged: readonly string[];
}

/**
 * Needs `$d`, `$pid`, `$unit`, `told`, `b64`, `peek` and `sql`; the server runs. The environment is read as the administrator, whose
 * process it is. Systemd tells what it gives to every service; a login gives about the same.
 */
export const formerShell = `echo "environ $(peek base64 -w 0 "/proc/$pid/environ" 2>/dev/null)"
printf 'home %s\\n' "$(printf %s "$OWNER_HOME" | b64)"
echo "manager $(systemctl show-environment 2>/dev/null | b64)"
if [ -n "$unit" ]; then echo "unitfiles $(systemctl cat --no-pager -- "$unit" 2>/dev/null | b64)"; fi
conf=$(echo "select current_setting('config_file')" | sql 2>/dev/null)
case $conf in /etc/postgresql/*) if [ -e "\${conf%/*}/environment" ]; then told variables "\${conf%/*}/environment"; fi;; esac
${gainingFunction}
# Every word of a command that is a program: one that is setuid, or a script that calls such a one.
echo "select setting from pg_settings where name like '%\\_command' and setting not in ('', '(disabled)')" | sql 2>/dev/null | tr -s ' \\t;|&()<>"\\140'"'" '\\n' | sort -u | while IFS= read -r w; do
  case $w in '' | -* | *%*) continue;; esac
  f=$(command -v -- "$w" 2>/dev/null) || continue
  case $f in /*) ;; *) continue;; esac
  if [ ! -f "$f" ]; then continue; fi
  by=$(gaining "$f")
  case $by in itself) told privileged "$f";; ?*) told privileged "$f ($by)";; esac
done`;

export function readFormer(lines: ReplyLines, ofUnit: boolean): SeenFormer {
  const given = entries(fromBase64(lines.first('environ') ?? '').split('\0'));
  const always = new Map(entries(fromBase64(lines.first('manager') ?? '').split('\n')));
  const home = fromBase64(lines.first('home') ?? '');
  const kept = given.filter(([name, value]) => isOwn(name, value, always, ofUnit) && canStand(name, value));
  const stays = (name: string): boolean => ofConnections.test(name);
  const moved = given.some(([name, value]) => name === 'HOME' && value !== home) && ofUnit;
  const unitFiles = fromBase64(lines.first('unitfiles') ?? '');
  const directives = directivesIn(unitFiles).filter(({ file }) => isOfPeople(file));
  const environments = directives.filter(({ name }) => /^Environment(File)?$/.test(name));
  return {
    environment: Object.fromEntries(
      kept.filter(([name]) => !stays(name)).map(([name, value]) => [name, new Secret(value)]),
    ),
    leftOut: [...kept.map(([name]) => name).filter(stays), ...(moved ? ['HOME'] : [])],
    environmentFiles: [...new Set([...textsOf(lines, 'variables'), ...environments.map(({ file }) => file)])],
    directives,
    privileged: textsOf(lines, 'privileged'),
  };
}

const entries = (lines: readonly string[]): readonly (readonly [string, string])[] =>
  lines.flatMap((line) => {
    const at = line.indexOf('=');
    return at > 0 ? [[line.slice(0, at), line.slice(at + 1)] as const] : [];
  });

/** What a shell on the way sets, and systemd's own, of the running service alone ("Environment Variables in Spawned Processes"). */
const ofService =
  /^(INVOCATION_ID|JOURNAL_STREAM|NOTIFY_SOCKET|WATCHDOG_(PID|USEC)|SYSTEMD_\w+|MAINPID|MANAGERPID|LISTEN_\w+|PIDFILE|MEMORY_PRESSURE_\w+|FDSTORE|(RUNTIME|STATE|CACHE|LOGS|CONFIGURATION|CREDENTIALS)_DIRECTORY|USER|LOGNAME|SHELL|PWD|OLDPWD|SHLVL|_)$/;

/** What a login or a program in front leaves behind. */
const ofLogin =
  /^(TERM|COLORTERM|MAIL|HUSHLOGIN|LINES|COLUMNS|LS_COLORS|LESS\w*|HIST\w*|PS\d|EDITOR|VISUAL|PAGER|TMUX\w*|STY|WINDOW|DISPLAY|MOTD_SHOWN|DEBUGINFOD_URLS|(SSH|SUDO|XDG|DBUS|BASH)_\w+|LC_TERMINAL\w*|DEBIAN_FRONTEND)$/;

/** PostgreSQL's and ours: they say what the command line, the unit of the controller or a setting says, too. */
const ofServer =
  /^(PGDATA|PGPORT|PGDATESTYLE|PGSYSCONFDIR|PGLOCALEDIR|PG_GRANDPARENT_PID|PG_OOM_ADJUST_\w+|PG_CLUSTER_CONF_ROOT|PGDUET_UNIT)$/;

/** Libpq goes by them wherever a connection leaves them open, that of a standby to its primary as well. */
const ofConnections = /^PG[A-Z]+$/;

const usualPath = new Set(
  ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin', '/snap/bin'].concat(
    '/usr/local/games',
    '/usr/games',
  ),
);

function isOwn(name: string, value: string, always: ReadonlyMap<string, string>, ofUnit: boolean): boolean {
  if (ofService.test(name) || ofServer.test(name) || always.get(name) === value) return false;
  if (name === 'PATH') return value.split(':').some((directory) => !usualPath.has(directory));
  // Libpq looks for the password file there; and a program that became the administrator often keeps the home of who was it before.
  if (name === 'HOME') return false;
  return ofUnit || !ofLogin.test(name);
}

/** From what `systemctl cat` prints: each file behind a comment with its path. */
function directivesIn(text: string): readonly Directive[] {
  let file = '';
  return text
    .replace(/\\\n/g, ' ')
    .split('\n')
    .flatMap((line): readonly Directive[] => {
      const path = /^# (\/\S.*)$/.exec(line)?.[1];
      if (path !== undefined) file = path;
      const [, name, value] = /^\s*([A-Z][A-Za-z]+)\s*=\s*(.*)$/.exec(line) ?? [];
      return name === undefined ? [] : [{ name, value: value ?? '', file }];
    });
}

/** Units of packages are known, and so is our own drop-in. */
const isOfPeople = (file: string): boolean =>
  !/^\/(usr\/)?lib\//.test(file) && !/^\/run\//.test(file) && !/\/pgduet[\w-]*\.conf$/.test(file);
