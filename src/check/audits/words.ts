/** How values of PostgreSQL and of WAL are said in a finding: "16 MB", "1 min", "5.4 s". In: values with their units. Pure. */
import { formatBytes, sizeBytes, timeMs } from '../../base/units.ts';
import { openSetting } from '../../postgres/withheld.ts';

/** 60000 → "1 min"; 5400 → "5.4 s"; 90000 → "90 s". The greatest unit in which it is a short number. */
export function durationWords(ms: number): string {
  const units = Object.entries(timeMs).reverse();
  const whole = units.find(([, factor]) => ms >= factor && ms % factor === 0);
  const [unit, factor] = whole && whole[0] !== 'ms' ? whole : ms >= 1000 ? ['s', 1000] : ['ms', 1];
  return `${Number((ms / Number(factor)).toFixed(3))} ${unit}`;
}

/** 16777216 → "16 MB". */
export const sizeWords = (bytes: number): string => formatBytes(bytes).replace(/\.0 /, ' ');

/** A value as pg_settings tells it, in the words of a person and without a secret. Zero and -1 mean something special, and stay as they are. */
export function settingWords(name: string, value: string, unit: string | null): string {
  if (value === '') return 'empty';
  const number = Number(value);
  if (unit === null || !Number.isFinite(number) || number <= 0) return openSetting(name, value);
  const match = /^(\d*)([A-Za-z]+)$/.exec(unit);
  const factor = Number(match?.[1] || 1);
  const word = match?.[2] ?? '';
  const bytes = sizeBytes[word];
  if (bytes !== undefined) return sizeWords(number * factor * bytes);
  const ms = timeMs[word];
  return ms === undefined ? `${value} ${unit}` : durationWords(number * factor * ms);
}
