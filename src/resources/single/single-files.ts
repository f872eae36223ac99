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
  withoutBlock,
  withoutOurs,
} from '../../postgres/conf-file.ts';
import { withoutOurRules } from '../../postgres/hba-file.ts';
import { replicatingConf, type Staying, singleConf, stayingHeading } from '../../postgres/single-conf.ts';
import { adoptedFile, type Before, type FileBefore } from '../data/record.ts';
import { parseAdopted } from '../data/record-form.ts';
import type { SeenFile, SingleObservation } from './single-observation.ts';

export interface FileAct {
  readonly path: string;
  /** Absent: the file is removed. */
  readonly file?: SeenFile;
  /** An edited file that is removed is kept under this name. */
  readonly keepAs?: string;
  /** It comes back only once nobody reads what stands there now. */
  readonly late?: true;
}

export interface FilePlan {
  /** Written before the server changes hands, and removed once nobody reads them any more. */
  readonly write: readonly FileAct[];
  readonly remove: readonly FileAct[];
  readonly notes: readonly string[];
  /** Files that are to be there, and that only somebody else than the instance administrator can bring back. */
  readonly missing: readonly string[];
  /** Files that the server needs another text in, and that the instance administrator may not write. */
  readonly unwritable: readonly string[];
  /** postgresql.conf as the server will read it, with what it includes. */
  readonly conf: string;
}

export interface FileOptions {
  readonly dataDir: string;
  readonly owner: string;
  /** Of the server. */
  readonly id?: string;
  /** Settings that stay where there was no single server before; and of a server that goes on replicating. */
  readonly staying: Staying;
  /** The other servers stay, too: what was recorded comes back with what replication needs. */
  readonly replicates: boolean;
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
    missing: [],
    unwritable: [],
    conf: text ?? '',
  };
}

function recorded(options: FileOptions, seen: SingleObservation, record: Before): FilePlan {
  const plans = record.files.map((before) => oneFile(options, seen, record, before));
  const read = options.replicates ? readAgain(options, seen, record) : undefined;
  const known = new Set(record.files.map(({ path }) => path));
  const made = seen.leftovers
    .filter(
      (path) => path === adoptedFile(options.dataDir) || path.endsWith('disk_check') || !known.has(path),
    )
    // A standby that was made by hand has what its own base backup has left.
    .filter((path) => record.pair === undefined || !/\/(backup_manifest|[a-z_]+\.old)$/.test(path))
    .map((path) => ({ path }));
  const acts = plans.flatMap(({ act }) => act ?? []);
  const conf = seen.files.get(`${options.dataDir}/postgresql.conf`);
  return {
    write: [...acts.filter(({ file, late }) => file !== undefined && !late), ...(read?.acts ?? [])],
    remove: [...acts.filter(({ file, late }) => file === undefined || late), ...made],
    notes: plans.flatMap(({ notes }) => notes),
    missing: plans.flatMap(({ missing }) => missing ?? []),
    unwritable: read?.unwritable ?? [],
    conf: future(options, conf?.text ?? ''),
  };
}

const future = ({ staying, replicates }: FileOptions, text: string): string => {
  const without = effectiveWithoutOurs(text, ourHeading);
  return replicates && text.includes(ourHeading) ? replicatingConf(without, text, staying) : without;
};

/** The files outside of the data directory that the server reads again: they get what replication needs, as long as the gathered ones tell it. */
function readAgain(options: FileOptions, { files, barred }: SingleObservation, record: Before) {
  const texts = [
    { gathered: 'postgresql.conf', path: record.configFile, text: confAgain },
    { gathered: 'pg_hba.conf', path: record.hbaFile, text: rulesAgain },
  ] as const;
  const wanted = texts.flatMap(({ gathered, path, text }): readonly FileAct[] => {
    const source = files.get(`${options.dataDir}/${gathered}`);
    const now = files.get(path);
    if (path === `${options.dataDir}/${gathered}` || !source || !now) return [];
    const next = text(options, source.text, now.text);
    return next === now.text ? [] : [{ path, file: { ...now, text: next } }];
  });
  return {
    acts: wanted.filter(({ path }) => !barred.includes(path)),
    unwritable: wanted.map(({ path }) => path).filter((path) => barred.includes(path)),
  };
}

const confAgain = ({ staying }: FileOptions, source: string, now: string): string =>
  source.includes(ourHeading) ? replicatingConf(now, source, staying) : now;

const firstLine = (text: string): string => text.slice(0, text.indexOf('\n') + 1);

const rulesAgain = ({ hba }: FileOptions, source: string, now: string): string =>
  source.startsWith(ourRules) && !now.startsWith(firstLine(hba)) ? `${hba}${now}` : now;

interface OneFile {
  readonly act?: FileAct;
  readonly missing?: string;
  readonly notes: readonly string[];
}

function oneFile(options: FileOptions, seen: SingleObservation, record: Before, before: FileBefore): OneFile {
  const now = seen.files.get(before.path);
  const barred = seen.barred.includes(before.path);
  // What it reads again is settled by `readAgain`.
  const outside = !before.path.startsWith(`${options.dataDir}/`);
  if (options.replicates && outside && now && [record.configFile, record.hbaFile].includes(before.path))
    return { notes: [] };
  if (before.text === undefined) {
    if (!now) return { notes: [] };
    return barred ? { notes: [stays(before.path)] } : removal(options, seen, record, before.path, now);
  }
  const source = sourceOf(record, before.path);
  const isUnread = before.path === `${options.dataDir}/${nameOf(before.path)}` && source !== before.path;
  if (source !== undefined && isUnread && !barred)
    return unread(options, seen, record, before, before.text, source);
  // What came with the data of another server is no edit of this one's file.
  const foreign = record.pair !== undefined && cameFromAnother(options, seen) && !outside;
  const text = now && !foreign ? wanted(options, record, before.path, before.text, now.text) : before.text;
  const file = { mode: before.mode, owner: ownerOf(options, before, now), text };
  if (now && now.text === text && sameMode(now, file)) return { notes: editedNotes(before, text) };
  if (barred) return now ? { notes: [stays(before.path)] } : { notes: [], missing: before.path };
  return {
    notes: [...(now ? editedNotes(before, text) : []), ...ownerNotes(before, file)],
    act: { path: before.path, file },
  };
}

const userOf = (owner: string): string => owner.slice(0, owner.indexOf(':'));

/** The instance administrator writes the file, and can make it nobody else's. */
function ownerOf({ owner }: FileOptions, before: FileBefore, now: SeenFile | undefined): string {
  if (userOf(before.owner) === owner || before.owner === now?.owner) return before.owner;
  return now && userOf(now.owner) === owner ? now.owner : `${owner}:`;
}

const stays = (path: string): string =>
  `${path} is not as it was before, and stays so: it lies where the instance administrator may not write`;

const ownerNotes = ({ path, owner }: FileBefore, file: SeenFile): readonly string[] =>
  file.owner === owner
    ? []
    : [`${path} belonged to ${owner} and is the instance administrator's now: chown ${owner} ${path}`];

const sameMode = (one: SeenFile, other: SeenFile): boolean =>
  one.mode.replace(/^0+/, '') === other.mode.replace(/^0+/, '') && one.owner === other.owner;

/** The text of a file that was there before, as it is to be. */
function wanted(options: FileOptions, record: Before, path: string, before: string, now: string): string {
  if (path === `${options.dataDir}/postgresql.auto.conf`)
    return autoConf(options.replicates ? withoutStaying(record, options.staying) : record, before, now);
  const name = nameOf(path);
  const rules = withoutOurRules(now);
  if (name === 'pg_hba.conf' && options.replicates)
    return now.startsWith(ourRules) ? `${options.hba}${rules ?? ''}` : now;
  if (name === 'pg_hba.conf') return rules ?? now;
  if (!path.endsWith('.conf') || name === 'start.conf') return now;
  const text = withoutOurs(now, ourHeading);
  if (options.replicates && now.includes(ourHeading)) return replicatingConf(text, now, options.staying);
  // Our block needs a line end in front of it, also where there was none.
  return text === `${before}\n` ? before : text;
}

/** What ALTER SYSTEM held of a setting that stays would count over it. */
const withoutStaying = (record: Before, { names, given = {} }: Staying): Before => {
  const stay = [...names, ...Object.keys(given)].map((name) => name.toLowerCase());
  return { ...record, settings: record.settings.filter(({ name }) => !stay.includes(name.toLowerCase())) };
};

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

const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

/** Where the server read the file of that name before it was gathered. */
function sourceOf(record: Before, path: string): string | undefined {
  const sources: Readonly<Record<string, string>> = {
    'postgresql.conf': record.configFile,
    'pg_hba.conf': record.hbaFile,
    'pg_ident.conf': record.identFile,
  };
  return sources[nameOf(path)];
}

/** The text of a source that has what replication needs by now, without that. */
function unreplicated({ hba, replicates }: FileOptions, path: string, text: string): string {
  if (!replicates) return text;
  if (nameOf(path) === 'pg_hba.conf') return text.startsWith(hba) ? text.slice(hba.length) : text;
  return withoutBlock(text.split('\n'), stayingHeading).join('\n');
}

/** The data directory was copied or rewound from another server of the pair, and its files with it. */
const cameFromAnother = ({ dataDir, id }: FileOptions, { files }: SingleObservation): boolean => {
  const adopted = parseAdopted(files.get(adoptedFile(dataDir))?.text ?? '');
  return adopted !== undefined && id !== undefined && adopted.server !== id;
};

/** What somebody has made of a gathered file, without what is ours; undefined where that is its source. */
function editedIn(
  options: FileOptions,
  seen: SingleObservation,
  record: Before,
  path: string,
  now: SeenFile,
  source: string | undefined,
): Edit | undefined {
  if (record.pair && cameFromAnother(options, seen)) return undefined;
  const original = source === undefined ? undefined : seen.files.get(source)?.text;
  const left =
    nameOf(path) === 'pg_hba.conf'
      ? (withoutOurRules(now.text) ?? now.text)
      : withoutOurs(now.text, ourHeading);
  if (original === undefined || left === original) return undefined;
  if (options.replicates && left.trimEnd() === unreplicated(options, path, original).trimEnd())
    return undefined;
  const keepAs = `${path}.edited`;
  return {
    keepAs,
    notes: [
      `${path} was edited while it was in use, and the server reads ${source} again; the edited file is kept as ${keepAs}`,
      ...difference(original, left),
    ],
  };
}

interface Edit {
  readonly keepAs: string;
  readonly notes: readonly string[];
}

/** A file that the migration has made: it goes, and if somebody has edited it, a copy of it stays. */
function removal(
  options: FileOptions,
  seen: SingleObservation,
  record: Before,
  path: string,
  now: SeenFile,
): OneFile {
  const edit = editedIn(options, seen, record, path, now, sourceOf(record, path));
  return edit ? { act: { path, keepAs: edit.keepAs }, notes: edit.notes } : { act: { path }, notes: [] };
}

/** A file of the data directory that nobody read, since the server's own stood elsewhere: it comes back as it was. */
function unread(
  options: FileOptions,
  seen: SingleObservation,
  record: Before,
  before: FileBefore,
  text: string,
  source: string,
): OneFile {
  const { path, mode } = before;
  const now = seen.files.get(path);
  const file = { mode, owner: ownerOf(options, before, now), text };
  if (now && now.text === text && sameMode(now, file)) return { notes: [] };
  const edit = now && editedIn(options, seen, record, path, now, source);
  const act: FileAct = { path, file, late: true, ...(edit ? { keepAs: edit.keepAs } : {}) };
  return { act, notes: [...(edit?.notes ?? []), ...ownerNotes(before, file)] };
}

const editedNotes = ({ path, text = '' }: FileBefore, after: string): readonly string[] =>
  text === after
    ? []
    : [
        `${path} has been edited since it was recorded: only our lines are taken out`,
        ...difference(text, after),
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
