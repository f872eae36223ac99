/**
 * Which files of the server that stays become what, by what stands in them and what was recorded. Byte for byte what was there
 * before, unless somebody has edited it meanwhile; then only our lines go. In: the observation. Out: files to write and to remove,
 * with the words for a plan. Pure.
 */
import {
  confLine,
  effectiveWithoutOurs,
  ourHeading,
  parseConf,
  withoutOurs,
} from '../../postgres/conf-file.ts';
import { withoutOurRules } from '../../postgres/hba-file.ts';
import { singleConf } from '../../postgres/single-conf.ts';
import { adoptedFile, type Before, type FileBefore } from '../data/record.ts';
import type { SeenFile, SingleObservation } from './single-observation.ts';

export interface FileAct {
  readonly path: string;
  /** Absent: the file is removed. */
  readonly file?: SeenFile;
  /** An edited file that is removed is kept under this name. */
  readonly keepAs?: string;
}

export interface FilePlan {
  /** Written before the server changes hands, and removed once nobody reads them any more. */
  readonly write: readonly FileAct[];
  readonly remove: readonly FileAct[];
  readonly notes: readonly string[];
  /** postgresql.conf as the server will read it, with what it includes. */
  readonly conf: string;
}

export interface FileOptions {
  readonly dataDir: string;
  readonly owner: string;
  /** Names of settings that stay where there was no single server before. */
  readonly staying: readonly string[];
  /** pg_hba.conf of a server that has no record. */
  readonly hba: string;
}

/** The first line of pg_hba.conf as we write it. */
const ourRules = '# Written by pgduet from the inventory';

export function filePlan(options: FileOptions, seen: SingleObservation): FilePlan {
  return seen.record ? recorded(options, seen, seen.record) : unrecorded(options, seen);
}

function unrecorded(options: FileOptions, { files, leftovers }: SingleObservation): FilePlan {
  const at = (name: string): string => `${options.dataDir}/${name}`;
  const conf = files.get(at('postgresql.conf'));
  const hba = files.get(at('pg_hba.conf'));
  const text = conf?.text.includes(ourHeading) ? singleConf(conf.text, options.staying) : conf?.text;
  const rules =
    hba?.text.startsWith(ourRules) === true ? `${options.hba}${withoutOurRules(hba.text) ?? ''}` : hba?.text;
  return {
    write: [
      ...(conf && text !== undefined && text !== conf.text
        ? [{ path: at('postgresql.conf'), file: { ...conf, text } }]
        : []),
      ...(hba && rules !== undefined && rules !== hba.text
        ? [{ path: at('pg_hba.conf'), file: { ...hba, text: rules } }]
        : []),
    ],
    remove: leftovers.map((path) => ({ path })),
    notes: [],
    conf: text ?? '',
  };
}

function recorded(options: FileOptions, seen: SingleObservation, record: Before): FilePlan {
  const plans = record.files.map((before) => oneFile(options, seen, record, before));
  const known = new Set(record.files.map(({ path }) => path));
  const made = seen.leftovers
    .filter(
      (path) => path === adoptedFile(options.dataDir) || path.endsWith('disk_check') || !known.has(path),
    )
    .map((path) => ({ path }));
  const acts = plans.flatMap(({ act }) => act ?? []);
  const conf = seen.files.get(`${options.dataDir}/postgresql.conf`);
  return {
    write: acts.filter(({ file }) => file !== undefined),
    remove: [...acts.filter(({ file }) => file === undefined), ...made],
    notes: plans.flatMap(({ notes }) => notes),
    conf: effectiveWithoutOurs(conf?.text ?? '', ourHeading),
  };
}

interface OneFile {
  readonly act?: FileAct;
  readonly notes: readonly string[];
}

function oneFile(options: FileOptions, seen: SingleObservation, record: Before, before: FileBefore): OneFile {
  const now = seen.files.get(before.path);
  if (before.text === undefined) return now ? removal(seen, record, before.path, now) : { notes: [] };
  if (!now) return { act: { path: before.path, file: asFile(before, before.text) }, notes: [] };
  const text = wanted(options, record, before.path, before.text, now.text);
  const file = asFile(before, text);
  const edited = text === before.text ? [] : editedNotes(before.path, before.text, text);
  const right = now.text === text && sameMode(now, file);
  return { notes: edited, ...(right ? {} : { act: { path: before.path, file } }) };
}

const asFile = ({ mode, owner }: FileBefore, text: string): SeenFile => ({ mode, owner, text });
const sameMode = (one: SeenFile, other: SeenFile): boolean =>
  one.mode.replace(/^0+/, '') === other.mode.replace(/^0+/, '') && one.owner === other.owner;

/** The text of a file that was there before, as it is to be. */
function wanted(options: FileOptions, record: Before, path: string, before: string, now: string): string {
  if (path === `${options.dataDir}/postgresql.auto.conf`) return autoConf(record, before, now);
  const name = path.slice(path.lastIndexOf('/') + 1);
  if (name === 'pg_hba.conf') return withoutOurRules(now) ?? now;
  if (!path.endsWith('.conf') || name === 'start.conf') return now;
  const text = withoutOurs(now, ourHeading);
  // Our block needs a line end in front of it, also where there was none.
  return text === `${before}\n` ? before : text;
}

/** What ALTER SYSTEM held of the settings that were ours comes back; what somebody has set since stays. */
export function autoConf(record: Before, before: string, now: string): string {
  const values = (text: string) => new Map(parseConf(text).map(({ name, value }) => [name, value]));
  const [old, standing] = [values(before), values(now)];
  const reset = record.settings
    .filter(({ place, name }) => place === 'ALTER SYSTEM' && old.has(name.toLowerCase()))
    .map(({ name }) => name.toLowerCase());
  const back = reset.filter((name) => !standing.has(name));
  const result = new Map([...standing, ...back.map((name) => [name, old.get(name) ?? ''] as const)]);
  const asBefore = result.size === old.size && [...old].every(([name, value]) => result.get(name) === value);
  if (asBefore) return before;
  const text = now === '' || now.endsWith('\n') ? now : `${now}\n`;
  return text + back.map((name) => `${confLine(name, old.get(name) ?? '')}\n`).join('');
}

/** A file that the migration has made: it goes, and if somebody has edited it, a copy of it stays. */
function removal(seen: SingleObservation, record: Before, path: string, now: SeenFile): OneFile {
  const sources: Readonly<Record<string, string>> = {
    'postgresql.conf': record.configFile,
    'pg_hba.conf': record.hbaFile,
    'pg_ident.conf': record.identFile,
  };
  const name = path.slice(path.lastIndexOf('/') + 1);
  const source = sources[name];
  const original = source === undefined ? undefined : seen.files.get(source)?.text;
  const left =
    name === 'pg_hba.conf' ? (withoutOurRules(now.text) ?? now.text) : withoutOurs(now.text, ourHeading);
  if (original === undefined || left === original) return { act: { path }, notes: [] };
  const keepAs = `${path}.edited`;
  return {
    act: { path, keepAs },
    notes: [
      `${path} was edited while it was in use, and the server reads ${source} again; the edited file is kept as ${keepAs}`,
      ...difference(original, left),
    ],
  };
}

const editedNotes = (path: string, before: string, after: string): readonly string[] => [
  `${path} has been edited since it was recorded: only our lines are taken out`,
  ...difference(before, after),
];

const shownLines = 10;

function difference(before: string, after: string): readonly string[] {
  const [old, now] = [before.split('\n'), after.split('\n')];
  const lines = [
    ...old.filter((line) => !now.includes(line)).map((line) => `  -${line}`),
    ...now.filter((line) => !old.includes(line)).map((line) => `  +${line}`),
  ];
  const more = lines.length - shownLines;
  return more > 0 ? [...lines.slice(0, shownLines), `  … and ${more} lines more`] : lines;
}
