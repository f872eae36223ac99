/**
 * renewal.json, the file of a renewal that is under way: of each secret the value that goes and the one that comes (ADR 16). It
 * stands in the management directory of a server, and in that of the cluster on the host of an arbiter. Pure.
 */
import { isObject, jsonOf } from './json.ts';
import { Secret } from './secret.ts';

export const renewalFile = 'renewal.json';

/** Both are accepted until the renewal is over. */
export interface Turn {
  readonly from: Secret;
  readonly to: Secret;
}

/** Whether a value is one of the two. */
export const isOf = ({ from, to }: Turn, value: Secret): boolean => from.equals(value) || to.equals(value);

/** What is missing is not renewed. */
export interface Renewal {
  /** Of cluster.key, or of arbiter.key where the file stands beside that; in the form of that file, without its line break. */
  readonly key?: Turn;
  /** Of the role that the standbys replicate with. */
  readonly password?: Turn;
}

const format = 1;
const turnText = ({ from, to }: Turn): object => ({ from: from.reveal(), to: to.reveal() });

export function renewalText({ key, password }: Renewal): string {
  const turns = {
    ...(key ? { key: turnText(key) } : {}),
    ...(password ? { password: turnText(password) } : {}),
  };
  return `${JSON.stringify({ format, ...turns })}\n`;
}

/** Undefined of what is no such text. */
export function parseRenewal(text: string): Renewal | undefined {
  const value = jsonOf(text);
  if (!isObject(value) || value.format !== format) return undefined;
  const key = turnOf(value.key);
  const password = turnOf(value.password);
  if (key === 'wrong' || password === 'wrong') return undefined;
  return { ...(key ? { key } : {}), ...(password ? { password } : {}) };
}

function turnOf(value: unknown): Turn | undefined | 'wrong' {
  if (value === undefined) return undefined;
  if (!isObject(value) || typeof value.from !== 'string' || typeof value.to !== 'string') return 'wrong';
  return { from: new Secret(value.from), to: new Secret(value.to) };
}
