/**
 * What a record says, checked field by field: it lies where the instance administrator writes. A broken one is never taken for
 * one that is not there. In: its text. Out: the record, or which field is not as pgduet writes it. Pure.
 */
import { isObject } from '../../base/json.ts';
import { fromBase64, type ReplyLines } from '../contract/replies.ts';
import type { Adopted, Before } from './record.ts';

type Form = (value: unknown) => boolean;
type Fields = Readonly<Record<string, Form>>;

const text: Form = (value) => typeof value === 'string';
const count: Form = (value) => typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
const flag: Form = (value) => typeof value === 'boolean';
const oneOf =
  (...values: readonly unknown[]): Form =>
  (value) =>
    values.includes(value);
const like =
  (form: RegExp): Form =>
  (value) =>
    typeof value === 'string' && form.test(value);
const list =
  (each: Form): Form =>
  (value) =>
    Array.isArray(value) && value.every(each);
const maybe =
  (form: Form): Form =>
  (value) =>
    value === undefined || form(value);

const oddField = (fields: Fields, value: Readonly<Record<string, unknown>>): string | undefined =>
  Object.keys(fields).find((name) => fields[name]?.(value[name]) !== true);
const object =
  (fields: Fields): Form =>
  (value) =>
    isObject(value) && oddField(fields, value) === undefined;

/** Absolute. Where it leads does not matter: only the instance administrator goes there. */
const path = like(/^\/[^\n\0]*$/);
/** As systemd takes it: no "/", and no option. */
const unit = like(/^[A-Za-z0-9:_.@\\][A-Za-z0-9:_.@\\-]*\.service$/);

/** Of a file that was not there mode and owner are empty. */
const file: Form = (value) =>
  isObject(value) && (value.text === undefined ? object({ path })(value) : object(standing)(value));
const standing: Fields = { path, mode: like(/^[0-7]{3,4}$/), owner: like(/^[^:\s]+:[^:\n]+$/), text };

const starter: Form = (value) =>
  object({ kind: oneOf('unit'), unit, enabled: text })(value) ||
  object({ kind: oneOf('hand'), options: text, log: maybe(path) })(value);

const before: Readonly<Record<keyof Before, Form>> = {
  schema: oneOf(1),
  at: count,
  systemIdentifier: like(/^\d+$/),
  version: count,
  starter,
  configFile: path,
  hbaFile: path,
  identFile: path,
  files: list(file),
  settings: list(object({ name: text, value: text, place: text, commentedOut: flag })),
  made: list(text),
  roles: list(text),
  pair: maybe(object({ role: oneOf('primary', 'standby') })),
};

const adopted: Readonly<Record<keyof Adopted, Form>> = {
  schema: oneOf(1),
  server: text,
  logging: oneOf('ours', 'theirs'),
  carried: (value) => isObject(value) && Object.values(value).every(text),
  hba: text,
  slots: maybe(list(like(/^[a-z0-9_]{1,63}$/))),
};

/** What was seen of the record, and of what confirms it. */
export interface RecordSeen {
  /** Absent: there is none, or it cannot be read. */
  readonly record?: Before;
  /** Why it cannot be read. */
  readonly broken?: string;
  /** Units that start the server by what root or systemd says: only these may the record name. */
  readonly confirmed: readonly string[];
}

/** From what `recordProbe` has printed, or behind a word in front of it. */
export function readRecord(lines: ReplyLines, confirmed: readonly string[], word = ''): RecordSeen {
  const [content] = lines.all(`${word}record`);
  const [unread] = lines.all(`${word}unread`);
  if (unread !== undefined) return { confirmed, broken: unread };
  return content === undefined ? { confirmed } : { confirmed, ...read(fromBase64(content.trim())) };
}

function read(content: string): { readonly record: Before } | { readonly broken: string } {
  const value = parsed(content);
  if (!isObject(value)) return { broken: 'it is no JSON object' };
  const odd = oddField(before, value);
  return odd === undefined
    ? { record: value as unknown as Before }
    : { broken: `its field '${odd}' is not as this version of pgduet writes it` };
}

/** Undefined where there is none, or one of a later version. */
export function parseAdopted(content: string): Adopted | undefined {
  const value = parsed(content);
  return object(adopted)(value) ? (value as Adopted) : undefined;
}

function parsed(content: string): unknown {
  try {
    return JSON.parse(content);
  } catch {
    return undefined;
  }
}
