/**
 * How kind `settings` changes postgresql.conf: line by line, tried before it takes its place, and never over an edit that
 * somebody made since it was seen. In: the text as it was seen. Out: the text as it shall be, and shell. Pure.
 */
import { quote, sh } from '../../base/shell.ts';
import {
  confLine,
  editConf,
  effectiveConf,
  ourHeading as heading,
  releaseConf,
  withoutLines,
} from '../../postgres/conf-file.ts';
import { controlledSettings } from '../../postgres/controlled-settings.ts';
import { openSetting } from '../../postgres/withheld.ts';
import { type Change, outdated } from '../contract/kind.ts';
import { checksum } from './configuration-file.ts';
import {
  autoPath,
  autoText,
  confPath,
  type SettingsDesired as Desired,
  type SettingsSeen as Seen,
} from './settings-observation.ts';

/** The text of the file as it was seen and as it shall be. */
export interface FileEdit {
  readonly before: string;
  readonly after: string;
}

export function fileChange(
  desired: Desired,
  seen: Seen,
  { wrong, stale }: { readonly wrong: readonly string[]; readonly stale: readonly string[] },
): Pick<Change, 'text'> & { readonly file: FileEdit } {
  const wanted = Object.fromEntries(wrong.map((name) => [name, desired.values[name]]));
  const after = releaseConf(editConf(seen.text, wanted, heading), stale, heading);
  const lines = (text: string): string => {
    const standing = effectiveConf(text);
    return [...wrong, ...stale]
      .flatMap((name) => {
        const line = standing.get(name.toLowerCase());
        return line ? [`${confLine(name, openSetting(name, line.value))}\n`] : [];
      })
      .join('');
  };
  return {
    text: { before: lines(seen.text), after: lines(after), name: confPath(desired) },
    file: { before: seen.text, after },
  };
}

/** postgresql.auto.conf without these settings, as ALTER SYSTEM RESET would leave it. */
export function heldChange({ extra }: Seen, names: readonly string[]): FileEdit {
  const before = autoText(extra);
  return { before, after: withoutLines(before, names) };
}

/** Nobody can have used ALTER SYSTEM since it was seen, unless the server was started; then it is looked at anew. */
export function holdScript(desired: Desired, { before, after }: FileEdit): string {
  const path = autoPath(desired);
  const { owner } = desired.instance;
  const script = `if [ "$(sha256sum < ${quote(path)})" != ${quote(checksum(before))} ]; then exit ${outdated}; fi
place ${quote(path)} 0600 ${quote(`${owner}:`)}`;
  return `printf '%s\\004' ${quote(after)} | ${sh`acting ${path} ${owner} received eval ${script}`}`;
}

/** Lines that the controller edits by itself, at any time. */
const anyControlled = controlledSettings.join('|');
const controlled = new RegExp(`^#*\\s*(${anyControlled})\\b`);
const controlledScript = `grep -Ev '^#*[[:space:]]*(${anyControlled})\\>'`;

const withoutControlled = (text: string): string =>
  text
    .split('\n')
    .filter((line) => !controlled.test(line))
    .join('\n');

/** What is not UTF-8 arrives here with U+FFFD in its place: the file is another one then, and is not written from that. */
const stranger = (before: string): string =>
  before.includes('\ufffd')
    ? 'postgresql.conf holds bytes that are no UTF-8: write it in UTF-8 (iconv -t UTF-8)'
    : 'postgresql.conf was changed by someone else at this moment';

/**
 * The new file is tried before it takes the old one's place: a server must always find one that it can start with.
 * Who edited the file since it was seen keeps the edit, and nothing is written: a person's is an error, since only that
 * person knows what it was for; after the controller's the change is planned anew. All of it is done as the administrator.
 */
export function writeScript(desired: Desired, text: FileEdit): string {
  const { dataDir, owner } = desired.instance;
  const trial = `${dataDir}/.postgresql.conf.trial`;
  const script = `unchanged() {
  if [ "$(timeout 20 cat ${quote(confPath(desired))} | sha256sum)" = ${quote(checksum(text.before))} ]; then return; fi
  rm -f ${quote(trial)}
  if [ "$(timeout 20 ${controlledScript} ${quote(confPath(desired))} | sha256sum)" = ${quote(checksum(withoutControlled(text.before)))} ]; then exit ${outdated}; fi
  echo ${quote(stranger(text.before))} >&2; exit 1
}
unchanged
place ${quote(trial)} 0600 ${quote(`${owner}:`)}
try() { "$PGBIN/postgres" -D ${quote(dataDir)} -C port -c config_file="$1" >/dev/null; }
# What keeps a server from starting with the old one too is in another file, and for a person to repair; it is told all the same.
broken=
if ! try ${quote(trial)}; then
  if try ${quote(confPath(desired))} 2>/dev/null; then rm -f ${quote(trial)}; exit 1; fi
  broken=yes
fi
sync ${quote(dataDir)}
unchanged
mv -fT ${quote(trial)} ${quote(confPath(desired))}
if [ -n "$broken" ]; then echo 'the server would not start with its files as they are' >&2; exit 1; fi`;
  return `printf '%s\\004' ${quote(text.after)} | ${sh`acting ${confPath(desired)} ${owner} received eval ${script}`}`;
}
