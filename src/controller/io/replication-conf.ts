/**
 * The settings of replication that the controller changes, in postgresql.conf itself: synchronous_standby_names and
 * synchronized_standby_slots out and in,
 * primary_conninfo out and to another server. In: the texts of the files. Out: the texts as they are to be, or why not.
 * What is taken out stays as a comment, so that it can be put back as it was; every other byte stays. Pure.
 */
import {
  commentedLines,
  confLine,
  includesIn,
  controllerMark as mark,
  ourHeading,
  parseConf,
  placeForOurs,
  standingValue,
} from '../../postgres/conf-file.ts';
import { lineEnd, plainLine } from '../../postgres/conf-lines.ts';
import { conninfo } from '../../postgres/conninfo.ts';
import { namesSetting, slotsSetting, upstreamSetting } from '../../postgres/controlled-settings.ts';
import { isStandbySlot, slotName, standbySlotName } from '../../postgres/replication-names.ts';
import { isAny, nameInList, parseNames, sameName } from '../../postgres/standby-names.ts';

interface Standing {
  readonly index: number;
  readonly value: string;
  readonly active: boolean;
}

/** The line as it stood before it was taken out. */
const uncommented = (line: string): string => line.replace(/^\s*#+\s?/, '');

/** Every line for a setting, also those that were commented out, unless they are empty. */
function standing(lines: readonly string[], name: string): Standing[] {
  const text = lines.join('\n');
  const active = parseConf(text)
    .filter((line) => line.name === name)
    .map((line) => ({ ...line, active: true }));
  const commented = commentedLines(text, name).map((line) => ({ ...line, active: false }));
  return [...active, ...commented].sort((a, b) => a.index - b.index);
}

/** Which other file would override the setting; undefined when none does. `include` names what the file includes. */
export function overriding(
  name: string,
  files: { readonly auto: string; readonly included: readonly { path: string; text: string }[] },
): string | undefined {
  const sets = (text: string): boolean => parseConf(text).some((line) => line.name === name);
  if (sets(files.auto)) return 'postgresql.auto.conf';
  return files.included.find((file) => sets(file.text))?.path;
}

/** The paths behind include directives, as they stand in the file. */
export const includes = (text: string): string[] => includesIn(text).map(({ value }) => value);

/** The line with the most names; of several the last. */
const fullest = (all: readonly Standing[]): Standing | undefined =>
  all.reduce<Standing | undefined>(
    (best, it) => (!best || parseNames(it.value).ids.length >= parseNames(best.value).ids.length ? it : best),
    undefined,
  );

/** Every name that stands in synchronous_standby_names or stood there before it was commented out. */
export function everyName(text: string): readonly string[] {
  const full = fullest(standing(text.split('\n'), namesSetting));
  return full ? parseNames(full.value).ids : [];
}

/** The text with every name that ever stood in synchronous_standby_names, as it is on a standby. */
export function withEveryName(text: string): string {
  const names = everyName(text);
  return names.length > 0 ? withNames(text, names).text : text;
}

/** The text with exactly these standbys in synchronous_standby_names, and the value that stands there then. */
export const withNames = (text: string, ids: readonly string[]): Changed =>
  withList(text, namesSetting, (full) => namesValue(full, ids));

/**
 * The text with the slots for which logical walsenders wait: none without a standby that is in, and none of one that is out.
 * A slot of ours comes in by `withListed` alone, once its standby uses it. Any other one is a standby's when it has its name, in the
 * letters that slots have; what is neither goes and comes with the whole list.
 */
export function withSlots(text: string, ids: readonly string[]): string {
  const ours = ids.map(standbySlotName);
  return withList(text, slotsSetting, (full, active) =>
    ids.length === 0
      ? ''
      : sameList(full, [
          ...othersIn(text, full, ids),
          ...parseNames(active).ids.filter((slot) => ours.includes(slot)),
        ]),
  ).text;
}

/** The text with the slots of exactly these standbys, beside those that are not ours. */
export const withListed = (text: string, ids: readonly string[]): Changed =>
  withList(text, slotsSetting, (_full, active) =>
    sameList(active, [
      ...parseNames(active).ids.filter((slot) => !isStandbySlot(slot)),
      ...ids.map(standbySlotName),
    ]),
  );

function othersIn(text: string, full: string, ids: readonly string[]): readonly string[] {
  const out = everyName(text).filter((name) => !ids.some((id) => sameName(id, name)));
  const gone = out.map((name) => slotName(name));
  return parseNames(full).ids.filter((slot) => !isStandbySlot(slot) && !gone.includes(slot));
}

/** What stands there says the same: it stays byte for byte. */
const sameList = (standing: string, slots: readonly string[]): string =>
  parseNames(standing).ids.join() === slots.join() ? standing : slots.join(', ');

interface Changed {
  readonly text: string;
  readonly value: string;
}

/** The text with a list that is made from the longest one that stands there or stood there. */
function withList(text: string, name: string, change: (full: string, active: string) => string): Changed {
  const lines = text.split('\n');
  const all = standing(lines, name);
  const full = fullest(all);
  const active = all.findLast((it) => it.active)?.value ?? '';
  for (const it of all) if (it.active) lines[it.index] = `#${lines[it.index] ?? ''}`;
  const value = change(full?.value ?? '', active);
  if (value !== '') {
    if (full && full.value === value) lines[full.index] = uncommented(lines[full.index] ?? '');
    else {
      const at = full ? full.index + 1 : placeForOurs(lines, ourHeading);
      lines.splice(at, 0, `${confLine(name, value)} ${mark}${lineEnd(lines[at - 1] ?? '')}`);
    }
  }
  const isOld = (line: string): boolean =>
    line.startsWith('#') && plainLine(line).endsWith(mark) && standing([line], name).length > 0;
  return { text: lines.filter((line) => !isOld(line)).join('\n'), value };
}

/** The value for some of the standbys: the method of the whole list, with no more of them needed than there are. */
function namesValue(full: string, ids: readonly string[]): string {
  if (ids.length === 0) return '';
  const whole = parseNames(full);
  if (ids.length === whole.ids.length && ids.every((id) => whole.ids.includes(id))) return full;
  const ordered = [
    ...whole.ids.filter((id) => ids.includes(id)),
    ...ids.filter((id) => !whole.ids.includes(id)),
  ];
  const method = isAny(full) ? 'ANY' : 'FIRST';
  const quoted = ordered.map(nameInList);
  if (quoted.length === 1) return quoted[0] ?? '';
  return `${method} ${Math.max(1, Math.min(whole.needed, ids.length))} (${quoted.join(', ')})`;
}

/** Comments a setting out wherever it counts. */
export function withoutSetting(text: string, name: string): string {
  const lines = text.split('\n');
  for (const it of standing(lines, name)) if (it.active) lines[it.index] = `#${lines[it.index] ?? ''}`;
  return lines.join('\n');
}

const keywords = /([a-z_]+)\s*=\s*(?:'((?:[^'\\]|\\.)*)'|(\S*))/g;

/** primary_conninfo for another server: user, password file and TLS stay as they were. */
export function withPrimary(
  text: string,
  auto: string,
  to: { readonly host: string; readonly port: number; readonly standby: string },
): string {
  const name = upstreamSetting;
  const lines = text.split('\n');
  const all = standing(lines, name);
  const base = parseConf(auto).findLast((line) => line.name === name)?.value ?? standingValue(text, name);
  const parts: Record<string, string | number> = { host: to.host, port: to.port };
  for (const [, key = '', quoted, plain] of (base ?? '').matchAll(keywords)) {
    if (!['host', 'hostaddr', 'port', 'application_name'].includes(key))
      parts[key] = (quoted ?? plain ?? '').replace(/\\(.)/g, '$1');
  }
  const line = confLine(name, conninfo({ ...parts, application_name: to.standby }));
  for (const it of all) if (it.active) lines[it.index] = `#${lines[it.index] ?? ''}`;
  const at = all.at(-1)?.index;
  if (at === undefined) return [...lines.slice(0, -1), line, ...lines.slice(-1)].join('\n');
  lines[at] = line + lineEnd(lines[at] ?? '');
  return lines.join('\n');
}
