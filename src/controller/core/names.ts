/**
 * What the core reads from texts of PostgreSQL: synchronous_standby_names ("Replication", "Primary Server") and WAL
 * positions. In: text. Out: values that can be compared. Pure.
 */
import type { ServerId } from './view.ts';

export interface Names {
  /** So many of `ids` must have a commit before it is acknowledged; 0 when there are none. */
  readonly needed: number;
  readonly ids: readonly ServerId[];
}

export function parseNames(text: string): Names {
  const match = /^\s*(?:(?:FIRST|ANY)\s+)?(\d+)\s*\((.*)\)\s*$/i.exec(text);
  const list = match?.[2] ?? text;
  const ids = list
    .split(',')
    .map((each) => each.trim().replace(/^"(.*)"$/, '$1'))
    .filter((each) => each !== '');
  return { needed: ids.length === 0 ? 0 : Number(match?.[1] ?? 1), ids };
}

/** A position as a number; 2^53 bytes are more WAL than a cluster writes in its life. */
export function lsnValue(lsn: string): number {
  const [high = '0', low = '0'] = lsn.split('/');
  return Number.parseInt(high, 16) * 2 ** 32 + Number.parseInt(low, 16);
}

export const sameIds = (one: readonly ServerId[], other: readonly ServerId[]): boolean =>
  one.length === other.length && one.every((id) => other.includes(id));
