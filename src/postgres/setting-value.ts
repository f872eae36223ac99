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

/** A text such as "1GB", "5s" or "10" as a number of the unit that pg_settings counts in. */
export function numberIn(text: string, unit: string | null | undefined): number | undefined {
  if (/^-?\d+(\.\d+)?$/.test(text.trim())) return Number(text);
  if (unit === undefined || unit === null) return undefined;
  const bytes = [parseSizeBytes(text), parseSizeBytes(/^\d/.test(unit) ? unit : `1${unit}`)];
  if (bytes[0] !== undefined && bytes[1]) return bytes[0] / bytes[1];
  const times = [parseDurationMs(text), parseDurationMs(`1${unit}`)];
  return times[0] !== undefined && times[1] ? times[0] / times[1] : undefined;
}
