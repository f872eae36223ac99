/**
 * copy_target: a host can take a copy of the primary: the same kind of machine, the libraries and extensions that the data
 * needs, what its configuration names, room, and empty places for tablespaces. It only looks; what does not fit is refused, all of it at once.
 */

import { quote } from '../../base/shell.ts';
import { formatBytes } from '../../base/units.ts';
import { makerOf } from '../../postgres/bindirs.ts';
import { integer, map, text, wordList } from '../contract/field.ts';
import { type DesiredOf, mapsOf, serverFields } from '../contract/fields.ts';
import { absent, present, type ResourceKind, refuse, same, unknown } from '../contract/kind.ts';
import { libraryDirectory } from '../contract/library-directory.ts';
import { replyLines } from '../contract/replies.ts';
import { trialScript } from '../contract/scratch.ts';
import { readTrial } from '../contract/trial.ts';
import { makingFile, systemFile } from './data-directory.ts';
import { noCopy } from './refusals.ts';

const fields = serverFields({
  rooms: mapsOf(
    { path: text('where a part of the copy is written'), bytes: integer('how much of it') },
    'how many bytes of the copy are written where',
  ),
  architecture: text("the primary's, as `uname -m` says"),
  libc: text("the primary's, as `getconf GNU_LIBC_VERSION` says"),
  build: text("what the primary's program says with `--version`", ''),
  libraries: wordList('libraries that the server loads when it starts'),
  extensions: wordList('extensions of the databases of the primary'),
  configuration: map('settings as the copy will start with them'),
  locales: wordList('locales of the operating system that its databases use'),
  tablespaces: wordList('directories of its tablespaces, which have to be empty', 'path'),
});
type Desired = DesiredOf<typeof fields>;

interface Seen {
  readonly architecture: string;
  readonly libc: string;
  readonly build: string;
  readonly free: readonly { path: string; device: string; bytes: number }[];
  readonly missing: readonly string[];
  readonly filled: readonly string[];
  /** Why a server would not start there with the configuration, a sentence each. */
  readonly trial: readonly string[];
}

export const copyTarget: ResourceKind<Desired, Seen> = {
  kind: 'copy_target',
  summary:
    'The host can take a copy of the primary: machine, libraries, extensions, configuration, room. It is never changed.',
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
    const build = lines.all('build')[0] ?? '';
    return present({
      architecture,
      libc,
      build,
      free,
      missing: lines.all('missing'),
      filled: lines.all('filled'),
      trial: readTrial(reply.stdout, desired.configuration, desired.owner),
    });
  },
  diff: (desired, observed) => {
    if (observed.state === 'absent') return same('the copy is there');
    const problems = [...misfits(desired, observed.value)];
    if (problems.length === 0) return same('it can take the copy');
    return refuse(noCopy(problems));
  },
  // Nothing to do: what does not fit, a person has to repair.
  steps: () => [],
};

function* misfits(desired: Desired, seen: Seen): Generator<string> {
  if (seen.architecture !== desired.architecture)
    yield `its architecture is ${seen.architecture}, the primary's is ${desired.architecture}: a copy of the data cannot be used`;
  if (seen.libc !== desired.libc)
    yield `its C library is ${seen.libc || 'not known'}, the primary's is ${desired.libc}: texts may sort differently, and indexes on them would be wrong after a switch; give both hosts the same release of the operating system`;
  if (desired.build !== '' && seen.build !== '' && makerOf(seen.build) !== makerOf(desired.build))
    yield `its PostgreSQL is another build, ${seen.build}, the primary's is ${desired.build}: what one was built with the other may lack; install both from the same source, or name the directory of the right one (postgres.bin_dir)`;
  for (const name of seen.missing) yield `${name} is not installed (the primary uses it)`;
  // A library that has been missed by its file is missed by its loading, too.
  for (const sentence of seen.trial)
    if (!sentence.includes('preload_libraries') || !seen.missing.some((name) => name.startsWith('library')))
      yield sentence;
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

const needs = (what: string, ...paths: readonly string[]): string =>
  `${paths.map((path) => `[ -e ${path} ] || `).join('')}echo ${quote(`missing the ${what}`)}`;

const needsLibrary = (name: string): string =>
  name.startsWith('/')
    ? needs(`library ${name}`, quote(name), quote(`${name}.so`))
    : needs(`library ${name}`, `"$lib"/${quote(`${name}.so`)}`);

/** A path that is not there yet will be on the file system of its nearest parent. */
const probeScript = (desired: Desired): string => {
  const checks = [
    ...desired.extensions.map((name) =>
      needs(`extension ${name}`, `"$share"/extension/${quote(`${name}.control`)}`),
    ),
    ...desired.libraries.map(needsLibrary),
  ];
  return `if [ -e ${quote(systemFile(desired))} ] && [ ! -e ${quote(makingFile(desired))} ]; then echo copied; exit; fi
echo "architecture $(uname -m)"
echo "libc $(getconf GNU_LIBC_VERSION 2>/dev/null)"
for path in ${desired.rooms.map(({ path }) => quote(path)).join(' ')}; do
  p=$path; while [ ! -e "$p" ]; do p=\${p%/*}; p=\${p:-/}; done
  echo "free $(df -P -B1 "$p" | awk 'NR == 2 { print $4, $1 ":" $6 }') $path"
done
if [ ! -e ${quote(makingFile(desired))} ]; then
for path in ${desired.tablespaces.map(quote).join(' ')}; do if [ -e "$path" ]; then names=$(ls -A "$path") || exit 1; if [ -n "$names" ]; then echo "filled $path"; fi; fi; done
fi
known=$(locale -a 2>/dev/null | tr 'A-Z' 'a-z' | tr -d -)
for name in ${desired.locales.map(quote).join(' ')}; do
  printf '%s\\n' "$known" | grep -qxF "$(printf %s "$name" | tr 'A-Z' 'a-z' | tr -d -)" || echo "missing the locale $name"
done
if [ -z "$PGBIN" ]; then echo 'no programs'; exit; fi
printf 'build %s\\n' "$(peek "$PGBIN/postgres" --version 2>/dev/null | head -n 1)"
${libraryDirectory}
share=$(peek "$PGBIN/pg_config" --sharedir 2>/dev/null || echo "\${PGBIN%/bin}/share")
# Debian's packages keep what does not depend on the machine elsewhere.
case $share in /usr/lib/*) share=/usr/share/\${share#/usr/lib/}; share=\${share%/share};; esac
${checks.join('\n')}
${Object.keys(desired.configuration).length > 0 ? trialScript(desired.configuration, desired) : ''}
:`;
};
