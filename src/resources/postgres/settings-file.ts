/**
 * How kind `settings` changes postgresql.conf: line by line, tried before it takes its place, and never over an edit that
 * somebody made since it was seen. In: the text as it was seen. Out: the text as it shall be, and shell. Pure.
 */
import { createHash } from 'node:crypto';
import { quote } from '../../base/shell.ts';
import {
  confLine,
  editConf,
  effectiveConf,
  ourHeading as heading,
  releaseConf,
} from '../../postgres/conf-file.ts';
import { controlledSettings } from '../../postgres/controlled-settings.ts';
import { withoutPassword } from '../../postgres/setting-value.ts';
import { type Change, outdated } from '../contract/kind.ts';
import {
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
        return line ? [`${confLine(name, withoutPassword(line.value))}\n`] : [];
      })
      .join('');
  };
  return {
    text: { before: lines(seen.text), after: lines(after), name: confPath(desired) },
    file: { before: seen.text, after },
  };
}

/** Lines that the controller edits by itself, at any time. */
const anyControlled = controlledSettings.join('|');
const controlled = new RegExp(`^#*\\s*(${anyControlled})\\b`);
const controlledScript = `grep -Ev '^#*[[:space:]]*(${anyControlled})\\>'`;

const checksum = (text: string): string => `${createHash('sha256').update(text).digest('hex')}  -`;

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
 * person knows what it was for; after the controller's the change is planned anew.
 */
export function writeScript(desired: Desired, text: FileEdit): string {
  const { dataDir, owner } = desired.instance;
  const trial = `${dataDir}/.postgresql.conf.trial`;
  return `unchanged() {
  if [ "$(sha256sum < ${quote(confPath(desired))})" = ${quote(checksum(text.before))} ]; then return; fi
  rm -f ${quote(trial)}
  if [ "$(${controlledScript} ${quote(confPath(desired))} | sha256sum)" = ${quote(checksum(withoutControlled(text.before)))} ]; then exit ${outdated}; fi
  echo ${quote(stranger(text.before))} >&2; exit 1
}
unchanged
put ${quote(trial)} 0600 ${quote(`${owner}:`)} ${quote(text.after)}
try() { as ${quote(owner)} "$PGBIN/postgres" -D ${quote(dataDir)} -C port -c config_file="$1" >/dev/null; }
# What keeps a server from starting with the old one too is told, and for a person to repair.
if ! try ${quote(trial)} && try ${quote(confPath(desired))} 2>/dev/null; then rm -f ${quote(trial)}; exit 1; fi
sync ${quote(dataDir)}
unchanged
mv -f ${quote(trial)} ${quote(confPath(desired))}`;
}
