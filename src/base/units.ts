/** Units of time and size as PostgreSQL writes them ("800ms", "256MB"), and how people read them. Pure. */
import { ownValue } from './own-value.ts';

/** Milliseconds of each unit. */
export const timeMs: Readonly<Record<string, number>> = {
  us: 0.001,
  ms: 1,
  s: 1000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};
/** Bytes of each unit. */
export const sizeBytes: Readonly<Record<string, number>> = {
  B: 1,
  kB: 1024,
  MB: 1024 ** 2,
  GB: 1024 ** 3,
  TB: 1024 ** 4,
};

function parseUnit(text: string, units: Readonly<Record<string, number>>): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*([A-Za-z]+)$/.exec(text.trim());
  const factor = match?.[2] === undefined ? undefined : ownValue(units, match[2]);
  return match && factor !== undefined ? Number(match[1]) * factor : undefined;
}

/** "800ms" → 800. Undefined when the text is no time with a unit. */
export const parseDurationMs = (text: string): number | undefined => parseUnit(text, timeMs);

/** "256MB" → 268435456. Undefined when the text is no size with a unit. */
export const parseSizeBytes = (text: string): number | undefined => parseUnit(text, sizeBytes);

/** 1536 → "1.5 kB"; 0 → "0 B". */
export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

/** 940 → "0.9 s"; 75000 → "1 min 15 s". */
export function formatDuration(ms: number): string {
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/** Seconds since 1970 as "2026-11-20 12:00:03 UTC". */
export const moment = (seconds: number): string =>
  new Date(seconds * 1000)
    .toISOString()
    .replace('T', ' ')
    .replace(/\.\d+Z$/, ' UTC');
