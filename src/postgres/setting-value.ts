/**
 * Values of settings as people write them and as pg_settings shows them ("Parameter Names and Values"): the same number
 * in another unit, the same truth in another word. Pure.
 */
import { parseDurationMs, parseSizeBytes } from '../base/units.ts';

const truths: Readonly<Record<string, string>> = {
  true: 'on',
  yes: 'on',
  '1': 'on',
  false: 'off',
  no: 'off',
  '0': 'off',
};
const plain = (text: string): string => {
  const lower = text.trim().toLowerCase();
  return truths[lower] ?? lower;
};

/** "Setting Parameters / Parameter Names and Values": any beginning of true and yes as well. */
export const isOn = (text: string): boolean =>
  /^(on|1|t|tr|tru|true|y|ye|yes)$/.test(text.trim().toLowerCase());

/** A value in force, as pg_settings tells it: for reading, as a number of its unit, and that unit. */
export interface ShownValue {
  readonly value: string;
  readonly raw: string;
  readonly unit?: string | null | undefined;
}

/** Does a text of a configuration file mean the value that is in force? */
export function sameValue(wanted: string, seen: ShownValue): boolean {
  if (plain(wanted) === plain(seen.value)) return true;
  const number = numberIn(wanted, seen.unit);
  return number !== undefined && number === Number(seen.raw);
}

/** Do two texts of configuration files mean the same? */
export function sameWords(one: string, other: string, unit: string | null | undefined): boolean {
  if (plain(one) === plain(other)) return true;
  const number = numberIn(one, unit);
  return number !== undefined && number === numberIn(other, unit);
}

/** A text such as "1GB", "5s" or "10" as a number of the unit that pg_settings counts in. */
export function numberIn(text: string, unit: string | null | undefined): number | undefined {
  if (/^-?\d+(\.\d+)?$/.test(text.trim())) return Number(text);
  if (unit === undefined || unit === null) return undefined;
  const bytes = [parseSizeBytes(text), parseSizeBytes(/^\d/.test(unit) ? unit : `1${unit}`)];
  if (bytes[0] !== undefined && bytes[1]) return bytes[0] / bytes[1];
  const times = [parseDurationMs(text), parseDurationMs(`1${unit}`)];
  return times[0] !== undefined && times[1] ? times[0] / times[1] : undefined;
}

/**
 * Is the value in force certainly another one? Numbers and truths are read as the server reads them, which rounds to whole
 * units; of what only the server can read (words, lists, "0x10") nothing is certain.
 */
export function certainlyDiffers(wanted: string, seen: ShownValue & { readonly type?: string }): boolean {
  if (sameValue(wanted, seen)) return false;
  if (seen.type === 'bool') return [wanted, seen.value].every((text) => ['on', 'off'].includes(plain(text)));
  const number = numberIn(wanted, seen.unit);
  if (number === undefined) return false;
  const distance = Math.abs(number - Number(seen.raw));
  if (seen.type === 'integer') return distance >= 1;
  return seen.type === 'real' && distance > Math.abs(number) * 1e-6;
}

/** Shown in another form than written, whatever the case, or for a reason of their own ("archive_command"). */
const shownOtherwise: readonly string[] = [
  'archive_command',
  'client_encoding',
  'datestyle',
  'default_text_search_config',
  'log_timezone',
  'timezone',
];

/** Do the words in force differ? `asWritten`: the server says that they come from the line that was compared. */
export function wordsDiffer(
  name: string,
  wanted: string,
  seen: ShownValue & { readonly type?: string },
  asWritten: boolean,
): boolean {
  if (seen.type === 'enum' && asWritten) return false;
  if ((seen.type !== 'string' && seen.type !== 'enum') || shownOtherwise.includes(name)) return false;
  const form = (text: string): string => plain(text.replace(/\s*,\s*/g, ',').replace(/\/+$/, ''));
  return form(wanted) !== form(seen.value);
}
