/**
 * What is seen of a systemd unit: its file, what systemd knows of it, and from which text a running service was started.
 * The mark of a text is a short checksum of what counts in it; systemd hands it to the service in its environment. Pure.
 */
import { createHash } from 'node:crypto';
import { quote } from '../../base/shell.ts';
import { bounds, letsGain, raises } from '../contract/drop-ins.ts';
import { type Observed, type ProbeReply, present, unknown } from '../contract/kind.ts';
import { type Ownership, readStat, type Stat } from '../contract/stat.ts';
import { unitFile } from './unit-files.ts';

export interface UnitObservation {
  readonly stat: Stat;
  readonly text: string;
  /** In the words of systemd: "enabled", "disabled", "masked" … */
  readonly enabled: string;
  /** Systemd acts by an older text, or by none. */
  readonly stale: boolean;
  /** Drop-ins but those that come with the operating system. */
  readonly dropIns: readonly string[];
  /** Those of them that let what runs in it gain privileges, and leave the rest to the unit. */
  readonly gains: readonly string[];
  /** Drop-ins that give capabilities, which systemd cannot where the unit takes these away: it would not start. */
  readonly raises: readonly string[];
  /** Of the running service: when it was started, and the mark of its text; "" without one, undefined where it may not be read. */
  readonly started?: { readonly at?: number; readonly mark?: string };
}

export const unitOwnership: Ownership = { owner: 'root', group: 'root', mode: '0644' };

const place = /^Environment=PGDUET_UNIT=$/m;

/** The text with its mark, if it has a place for one. Comments and empty lines do not count. */
export function withMark(text: string): string {
  const counts = text.split('\n').filter((line) => !/^\s*([#;]|$)/.test(line));
  const mark = createHash('sha256').update(counts.join('\n')).digest('hex').slice(0, 12);
  return text.replace(place, `Environment=PGDUET_UNIT=${mark}`);
}

export const markOf = (text: string): string | undefined =>
  /^Environment=PGDUET_UNIT=([0-9a-f]{12})$/m.exec(text)?.[1];

const properties = [
  'UnitFileState',
  'NeedDaemonReload',
  'LoadState',
  'DropInPaths',
  'MainPID',
  'ActiveEnterTimestamp',
];

/**
 * Systemd remembers what it has seen of links and drop-ins until it reads everything anew, so the disk is asked for those.
 * The environment of a process has zero bytes between its variables; `read` of a shell leaves them out.
 */
export const unitProbe = (name: string, content: string): string => `f=${quote(unitFile(name))}
if [ ! -e "$f" ] && [ ! -L "$f" ]; then observation "$f"; exit; fi
observation "$f" || exit 1
said=$(TZ=UTC systemctl show -p ${properties.join(' -p ')} ${quote(`${name}.service`)}) || exit 1
printf '%s\\n' "$said"
${askLinks(wantLinks(name, content))}
for l in "$f.d/"*.conf; do if [ -s "$l" ]; then echo "DropIn=$l"; if grep -qsiE ${quote(letsGain)} "$l"; then echo "Gains=$l"; fi; if grep -qsE ${quote(bounds)} "$l"; then echo "Bounds=$l"; elif grep -qsE ${quote(raises)} "$l"; then echo "Raises=$l"; fi; elif [ -e "$l" ]; then echo "EmptyDropIn=$l"; fi; done
pid=\${said#*MainPID=}
pid=\${pid%%[!0-9]*}
if [ "\${pid:-0}" != 0 ] && [ -r "/proc/$pid/environ" ]; then
mark=
while IFS= read -r l || [ -n "$l" ]; do
case $l in *PGDUET_UNIT=*) mark=\${l##*PGDUET_UNIT=};; esac
done < "/proc/$pid/environ"
printf 'Mark=%.12s\\n' "$mark"
fi
echo
# Empty, or a link to /dev/null: masked.
if [ -s "$f" ]; then cat "$f"; fi`;

/** The links that make a unit enabled, by its section [Install]. */
const wantLinks = (name: string, content: string): readonly string[] =>
  [...content.matchAll(/^WantedBy=(.*)$/gm)]
    .flatMap(([, targets = '']) => targets.split(/\s+/).filter((target) => target !== ''))
    .map((target) => `${unitFile(name).replace(/[^/]*$/, '')}${target}.wants/${name}.service`);

const askLinks = (links: readonly string[]): string =>
  links.length === 0
    ? ''
    : `if ${links.map((link) => `[ -L ${quote(link)} ]`).join(' && ')}; then echo Links=yes; else echo Links=no; fi`;

export function readUnit(reply: ProbeReply, { name }: { readonly name: string }): Observed<UnitObservation> {
  const problem = reply.stderr.trim() || 'systemctl failed';
  const [first = '', ...lines] = reply.stdout.split('\n');
  const stat = readStat(first, problem);
  if (stat.state !== 'present') return stat;
  const end = lines.indexOf('');
  if (reply.status !== 0 || end < 0) return unknown(problem);
  const told = lines.slice(0, end).map((line) => split(line));
  const said = new Map(told);
  const dropIns = dropInObservation(told, `${unitFile(name)}.d/`);
  const text = lines.slice(end + 1).join('\n');
  const forgotten = ['not-found', 'masked'].includes(said.get('LoadState') ?? '');
  return present({
    stat: stat.value,
    text,
    enabled: text === '' ? 'masked' : enabledState(said),
    stale: said.get('NeedDaemonReload') === 'yes' || (forgotten && text !== '') || dropIns.stale,
    dropIns: dropIns.paths.filter(isOfPeople),
    gains: said.has('Bounds') ? [] : told.flatMap(([key, path]) => (key === 'Gains' ? [path] : [])),
    raises: said.has('Bounds') ? [] : told.flatMap(([key, path]) => (key === 'Raises' ? [path] : [])),
    ...started(said),
  });
}

const split = (line: string): readonly [string, string] => {
  const at = line.indexOf('=');
  return [line.slice(0, at), line.slice(at + 1)];
};

/** What systemd says, unless the links on the disk say otherwise. */
function enabledState(said: ReadonlyMap<string, string>): string {
  const state = said.get('UnitFileState') || 'disabled';
  const links = said.get('Links');
  if (links === 'yes') return 'enabled';
  return links === 'no' && state === 'enabled' ? 'disabled' : state;
}

/** What systemd has loaded, and what is in the unit's own directory now: that it differs systemd does not always notice. */
function dropInObservation(told: readonly (readonly [string, string])[], directory: string) {
  const all = (name: string) => told.flatMap(([key, value]) => (key === name ? [value] : []));
  const loaded = all('DropInPaths').flatMap((paths) => paths.split(' '));
  const onDisk = all('DropIn');
  const standing = [...onDisk, ...all('EmptyDropIn')];
  const gone = loaded.some((path) => path.startsWith(directory) && !standing.includes(path));
  const come = onDisk.some((path) => !loaded.includes(path));
  return { paths: [...new Set([...loaded, ...onDisk])], stale: gone || come };
}

/** Systems and containers bring drop-ins for every service of theirs. */
const isOfPeople = (path: string): boolean =>
  path !== '' && !/^\/(usr\/)?lib\//.test(path) && !/^\/run\/.*\/service\.d\//.test(path);

function started(said: ReadonlyMap<string, string>): Pick<UnitObservation, 'started'> {
  if ((said.get('MainPID') ?? '0') === '0') return {};
  const at = Date.parse((said.get('ActiveEnterTimestamp') ?? '').replace(/^\w+ (\S+) (\S+) UTC$/, '$1T$2Z'));
  const mark = said.get('Mark');
  return {
    started: {
      ...(Number.isNaN(at) ? {} : { at: Math.floor(at / 1000) }),
      ...(mark === undefined ? {} : { mark }),
    },
  };
}
