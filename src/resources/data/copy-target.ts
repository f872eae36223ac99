/**
 * copy_target: a host can take a copy of the primary: the same kind of machine, the libraries and extensions that the data
 * needs, room, and empty places for tablespaces. It only looks; what does not fit is refused, all of it at once.
 */

import { quote } from '../../base/shell.ts';
import { formatBytes } from '../../base/units.ts';
import { integer, text, wordList } from '../contract/field.ts';
import { type DesiredOf, mapsOf, serverFields } from '../contract/fields.ts';
import { absent, present, type ResourceKind, refuse, same, unknown } from '../contract/kind.ts';
import { replyLines } from '../contract/replies.ts';
import { makingFile, systemFile } from './data-directory.ts';

const fields = serverFields({
  rooms: mapsOf(
    { path: text('where a part of the copy is written'), bytes: integer('how much of it') },
    'how many bytes of the copy are written where',
  ),
  architecture: text("the primary's, as `uname -m` says"),
  libc: text("the primary's, as `getconf GNU_LIBC_VERSION` says"),
  libraries: wordList('libraries that the server loads when it starts'),
  extensions: wordList('extensions of the databases of the primary'),
  locales: wordList('locales of the operating system that its databases use'),
  tablespaces: wordList('directories of its tablespaces, which have to be empty', 'path'),
});
type Desired = DesiredOf<typeof fields>;

interface Seen {
  readonly architecture: string;
  readonly libc: string;
  readonly free: readonly { path: string; device: string; bytes: number }[];
  readonly missing: readonly string[];
  readonly filled: readonly string[];
}

export const copyTarget: ResourceKind<Desired, Seen> = {
  kind: 'copy_target',
  summary:
    'The host can take a copy of the primary: machine, libraries, extensions, room. It is never changed.',
  fields,
  key: () => 'fits',
  describe: () => 'a host that can take a copy of the primary',
  probe: (desired) => ({ shell: probeScript(desired) }),
  read: (reply, desired) => {
    const lines = replyLines(reply.stdout);
    if (lines.has('copied')) return absent;
    const architecture = lines.first('architecture');
    if (reply.status !== 0 || !architecture)
      return unknown(reply.stderr.trim() || 'the host could not be looked at');
    if (lines.has('no programs') && desired.libraries.length + desired.extensions.length > 0)
      return unknown('PostgreSQL is not installed yet, so its extensions cannot be looked for');
    const free = lines.all('free').flatMap((text) => {
      const [bytes, device = '', ...path] = text.split(' ');
      return [{ bytes: Number(bytes), device, path: path.join(' ') }];
    });
    const libc = lines.all('libc')[0] ?? '';
    return present({ architecture, libc, free, missing: lines.all('missing'), filled: lines.all('filled') });
  },
  diff: (desired, observed) => {
    if (observed.state === 'absent') return same('the copy is there');
    const problems = [...misfits(desired, observed.value)];
    if (problems.length === 0) return same('it can take the copy');
    return refuse({
      code: 'SAF031',
      what: `the host cannot take a copy of the primary: ${problems[0]}${problems.length > 1 ? `, and ${problems.length - 1} more` : ''}`,
      why: 'the standby would not start, or not be the same as its primary; nothing has been changed',
      fix: 'Repair what is listed below, then run the same command again.',
      evidence: problems,
    });
  },
  // Nothing to do: what does not fit, a person has to repair.
  steps: () => [],
};

function* misfits(desired: Desired, seen: Seen): Generator<string> {
  if (seen.architecture !== desired.architecture)
    yield `its architecture is ${seen.architecture}, the primary's is ${desired.architecture}: a copy of the data cannot be used`;
  if (seen.libc !== desired.libc)
    yield `its C library is ${seen.libc || 'not known'}, the primary's is ${desired.libc}: texts may sort differently, and indexes on them would be wrong after a switch; give both hosts the same release of the operating system`;
  for (const name of seen.missing) yield `${name} is not installed (the primary uses it)`;
  for (const path of seen.filled) yield `the tablespace directory ${path} is not empty`;
  yield* roomProblems(desired, seen);
}

/** Places on one file system share its room. A twentieth and a segment of WAL more than the data. */
function* roomProblems(desired: Desired, seen: Seen): Generator<string> {
  const byDevice = new Map<string, { wanted: number; bytes: number; paths: string[] }>();
  for (const { path, device, bytes } of seen.free) {
    const wanted = desired.rooms.find((room) => room.path === path)?.bytes ?? 0;
    const known = byDevice.get(device) ?? { wanted: 0, bytes, paths: [] };
    byDevice.set(device, { bytes, wanted: known.wanted + wanted, paths: [...known.paths, path] });
  }
  for (const { wanted, bytes, paths } of byDevice.values()) {
    const least = wanted * 1.05 + 16 * 1024 ** 2;
    if (bytes < least)
      yield `${formatBytes(bytes)} are free for ${paths.join(' and ')}, and ${formatBytes(least)} are needed`;
  }
}

const needs = (what: string, path: string): string =>
  `[ -e ${path} ] || echo ${quote(`missing the ${what}`)}`;

/** A path that is not there yet will be on the file system of its nearest parent. */
const probeScript = (desired: Desired): string => {
  const checks = [
    ...desired.extensions.map((name) =>
      needs(`extension ${name}`, `"$share"/extension/${quote(`${name}.control`)}`),
    ),
    ...desired.libraries.map((name) => needs(`library ${name}`, `"$lib"/${quote(`${name}.so`)}`)),
  ];
  return `if [ -e ${quote(systemFile(desired))} ] && [ ! -e ${quote(makingFile(desired))} ]; then echo copied; exit; fi
echo "architecture $(uname -m)"
echo "libc $(getconf GNU_LIBC_VERSION 2>/dev/null)"
for path in ${desired.rooms.map(({ path }) => quote(path)).join(' ')}; do
  p=$path; while [ ! -e "$p" ]; do p=\${p%/*}; p=\${p:-/}; done
  echo "free $(df -P -B1 "$p" | awk 'NR == 2 { print $4, $1 ":" $6 }') $path"
done
if [ ! -e ${quote(makingFile(desired))} ]; then
for path in ${desired.tablespaces.map(quote).join(' ')}; do if [ -n "$(ls -A "$path" 2>/dev/null)" ]; then echo "filled $path"; fi; done
fi
known=$(locale -a 2>/dev/null | tr 'A-Z' 'a-z' | tr -d -)
for name in ${desired.locales.map(quote).join(' ')}; do
  printf '%s\\n' "$known" | grep -qxF "$(printf %s "$name" | tr 'A-Z' 'a-z' | tr -d -)" || echo "missing the locale $name"
done
if [ -z "$PGBIN" ]; then echo 'no programs'; exit; fi
lib=$("$PGBIN/pg_config" --pkglibdir 2>/dev/null || echo "\${PGBIN%/bin}/lib")
share=$("$PGBIN/pg_config" --sharedir 2>/dev/null || echo "\${PGBIN%/bin}/share")
# Debian's packages keep what does not depend on the machine elsewhere.
case $share in /usr/lib/*) share=/usr/share/\${share#/usr/lib/}; share=\${share%/share};; esac
${checks.join('\n')}
:`;
};
