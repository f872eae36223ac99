/**
 * What a controller has written down of its promise, as its state file says: it is there before anybody is told, so nobody relies on more. In: the text
 * of the file. Out: who counts on whom, or nothing where it is not understood. Pure.
 */

/** Names of servers. */
export interface ControllerRecord {
  /** Whose promise it is; null where it knows none. */
  readonly primary: string | null;
  /** Those that belong into the names of the primary, in or out. */
  readonly members: readonly string[];
  /** By whose word a commit may be acknowledged. */
  readonly voters: readonly string[];
  /** Those that may take over, and those that may still believe so. */
  readonly believers: readonly string[];
  /** A register of the promise answers who may act on a silence. */
  readonly bound: boolean;
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const names = (value: unknown): readonly string[] | undefined =>
  Array.isArray(value) && value.every((one) => typeof one === 'string') ? value : undefined;

export function parseRecord(text: string): ControllerRecord | undefined {
  let file: unknown;
  try {
    file = JSON.parse(text);
  } catch {
    return undefined;
  }
  const state = isObject(file) ? file.state : undefined;
  if (!isObject(state)) return undefined;
  const { sync, withdrawn = {} } = state;
  const nobody = { primary: null, members: [], voters: [], believers: [], bound: false };
  if (sync === null) return nobody;
  if (!isObject(sync) || !isObject(withdrawn) || typeof sync.primary !== 'string') return undefined;
  const [members, voters, eligible] = [sync.members, sync.voters, sync.eligible].map(names);
  if (!members || !voters || !eligible) return undefined;
  const believers = [...new Set([...eligible, ...Object.keys(withdrawn)])];
  const bound = Array.isArray(sync.cells) && sync.cells.length > 0;
  return { primary: sync.primary, members, voters, believers, bound };
}
