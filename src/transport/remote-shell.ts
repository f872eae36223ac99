/**
 * The shell text of the session protocol: what runs on a host before any script does.
 * In: a nonce. Out: text for dash, bash and busybox. Pure. None of it is secret; the scripts themselves never
 * become part of it: they come through standard input, after it.
 *
 * The processes on the host, all in one process group whose leader is the first shell:
 *
 *   relay   copies standard input to the loop. When the client is gone the input ends, whatever the loop is busy
 *           with; then the relay ends the group: first TERM, so that scripts can clean up, then KILL.
 *   loop    reads "run BYTES" and the script, runs it in a subshell, writes a boundary on stdout and stderr.
 *           It alone holds the lock (descriptor 9), so the lock is free when the loop is gone.
 *   keeper  ends the group when the loop died for any other reason, so that the client never waits for ever.
 */
import { quote } from '../base/shell.ts';
import type { LockRequest } from './port.ts';

/** What sshd, sudo or the local system is asked to start: a shell that takes its program from the first line of input. */
export const entryCommand = `sh -c 'IFS= read -r b; eval "$b"'`;

/** As `entryCommand`, but it says when it is there: until then sudo may still be reading the input. */
export const announcingCommand = (ready: string): string =>
  `sh -c 'echo ${ready}; echo ${ready} >&2; IFS= read -r b; eval "$b"'`;

/** Two ends that watch each other: how often the client speaks, and after which silence the host takes it for dead. */
export interface Pulse {
  readonly heartbeatMs: number;
  /** The host looks this often whether anything came since it last looked, so a dead client is found within twice that. */
  readonly silenceSeconds: number;
}

export const defaultPulse: Pulse = { heartbeatMs: 10_000, silenceSeconds: 45 };

export const markerOf = (nonce: string): Buffer => Buffer.from(`\x1e${nonce} `, 'latin1');

const environment = [
  'umask 077',
  'cd /',
  'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:$PATH',
  'LC_ALL=C',
  'export PATH LC_ALL',
  'unset ENV BASH_ENV CDPATH LANGUAGE',
];

/**
 * `dd` takes exactly the bytes of the script and no more; a shell that reads its program from a pipe takes one byte
 * at a time. The client wraps a script in braces, so it is parsed as a whole before any of it runs, and one that
 * was cut off on its way is a syntax error that runs nothing.
 */
const loop = [
  'while IFS=" " read -r k n',
  'do case $k in run|own) ;; *) continue ;; esac',
  's=$(dd bs="$n" count=1 iflag=fullblock 2>/dev/null 9>&-)',
  'case $k in run) ( N=; exec </dev/null 9>&-; trap - TERM; eval "$s" ) ;; own) eval "$s" ;; esac',
  'm $?',
  'done',
].join('; ');

/** A host that lost the network never sees the end of the input; the relay's byte counter tells it. */
const silence = (seconds: number) =>
  [
    'o=',
    `while sleep ${seconds}`,
    'do IFS= read -r a <"/proc/$c/io" || exit 0',
    'if [ "$a" = "$o" ]; then kill -9 "$c"; exit 0; fi',
    'o=$a',
    'done',
  ].join('; ');

const relay = (silenceSeconds: number) =>
  [
    'trap "" TERM',
    'exec 3<&0',
    'dd bs=65536 <&3 2>/dev/null & c=$!',
    `( exec >/dev/null 2>&1 3<&-; ${silence(silenceSeconds)} ) & wait "$c"`,
    'kill -15 0',
    'sleep 0.5',
    'kill -9 0',
  ].join('; ');

/**
 * The first two lines of input. The first one sees to a group of its own, whose leader reads the second one; that one starts
 * the loop, whose first boundary says that it is there. The nonce comes in the second line alone, which becomes no argument
 * of any program: who sees the processes of the host must not be able to write a boundary.
 */
export function bootLines(nonce: string, silenceSeconds: number): string {
  const group = [
    ...environment,
    // Leader of its own group already (sshd and the local adapter see to that), or made so here (under sudo).
    `kill -0 -$$ 2>/dev/null || exec setsid ${entryCommand}`,
    'IFS= read -r b',
    'eval "$b"',
  ].join('; ');
  const text = [
    // A login may export such names; nothing that is started here gets them.
    'unset b N',
    `N=${nonce}`,
    `m() { printf '\\036%s %s\\n' "$N" "$1"; printf '\\036%s %s\\n' "$N" "$1" >&2; }`,
    'trap : TERM',
    `{ ${relay(silenceSeconds)}; } | { trap : TERM; ( trap "exit 143" TERM; m 0; ${loop} ); kill -9 0; }`,
  ].join('; ');
  return `${group}\n${text}\n`;
}

/** A script as it is sent: `run` in a subshell of its own, `own` in the loop itself. */
export function requestOf(kind: 'run' | 'own', script: string): Buffer {
  const body = Buffer.from(`{ :; ${script}\n}`, 'utf8');
  return Buffer.concat([Buffer.from(`${kind} ${body.length}\n`, 'latin1'), body]);
}

/** What the lock script says by its exit status. */
export const lockStatus = { held: 0, refused: 11, noDirectory: 12, foreign: 13, noFlock: 14 } as const;

/**
 * Opens the lock file as descriptor 9 of the loop and locks it. Standard output: the owner when refused, else the
 * path that is to blame. The loop takes the file away when it ends, as long as it holds the lock; so who gets the lock
 * makes sure that the name still means this file, since two runs could otherwise lock two files.
 */
export function lockScript(request: LockRequest): string {
  const name = `pgduet-${request.cluster.replaceAll(/[^A-Za-z0-9._-]/g, '_')}.lock`;
  const owner = request.owner.replaceAll(/[\r\n]+/g, ' ');
  const tries = Math.max(1, Math.ceil(request.waitMs / 200) + (request.waitMs > 0 ? 1 : 0));
  return `lock() {
d=/run/lock; [ -d "$d" ] && [ -w "$d" ] || d=/tmp; [ -w "$d" ] || { echo "$d"; return ${lockStatus.noDirectory}; }
f=$d/${quote(name)}
command -v flock >/dev/null || return ${lockStatus.noFlock}
i=1
while :; do
  [ -L "$f" ] || [ -e "$f" ] || ( set -C; : >"$f" ) 2>/dev/null
  # A name that somebody else laid down, in a directory open to all, is not trusted and not followed.
  if [ -L "$f" ] || [ -e "$f" ] && { [ ! -f "$f" ] || [ ! -O "$f" ]; }; then echo "$f"; return ${lockStatus.foreign}; fi
  # Its last holder may take it away at any moment.
  if command exec 9<"$f" && flock -n 9; then
    if [ /dev/fd/9 -ef "$f" ]; then break; fi
    continue
  fi 2>/dev/null
  if [ "$i" -ge ${tries} ]; then
    command exec 9<&-
    IFS= read -r o <"$f" || { sleep 0.2; IFS= read -r o <"$f"; }
    printf '%s' "$o"
    return ${lockStatus.refused}
  fi 2>/dev/null
  i=$((i + 1)); sleep 0.2
done
printf '%s\\n' ${quote(owner)} >"$f"
trap 'rm -f "$f"' EXIT
}
lock </dev/null`;
}
