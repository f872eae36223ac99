/**
 * What stands over postgresql.conf: ALTER SYSTEM, and in a running server included files and lines with errors ("Setting
 * Parameters"). In: what was seen. Out: which line counts for a setting, and which errors there are. Pure.
 */
import { parseConf } from '../../postgres/conf-file.ts';
import { notApplied } from '../../postgres/setting-row.ts';
import {
  autoPath,
  autoText,
  type FileLine,
  type Live,
  type SettingsDesired,
  type SettingsSeen,
} from './settings-observation.ts';

export interface Over {
  /** Lines of ALTER SYSTEM, by setting. */
  readonly auto: ReadonlyMap<string, FileLine>;
  /** Lines of included files that count in place of the one in postgresql.conf, by setting. */
  readonly included: ReadonlyMap<string, FileLine>;
  readonly errors: readonly FileLine[];
}

const nothing: Over = { auto: new Map(), included: new Map(), errors: [] };

/** Until the controller is in charge the former configuration counts, wherever that is. */
export const isTaking = ({ adopted }: SettingsDesired): boolean => adopted?.taken === false;

/** The server has its configuration in another file than the one in its data directory. */
export const isElsewhere = ({ places }: Live): boolean =>
  places.config_file !== `${places.data_directory}/postgresql.conf`;

const isAuto = ({ file }: FileLine): boolean => file.endsWith('/postgresql.auto.conf');

/** The last line for a setting counts; ALTER SYSTEM is read last. */
export function standsOver(desired: SettingsDesired, seen: SettingsSeen): Over {
  const { live } = seen;
  if (!live) return { ...nothing, auto: heldByFile(desired, seen) };
  const auto = new Map<string, FileLine>();
  const last = new Map<string, FileLine>();
  for (const line of live.lines) if (line.name !== null) (isAuto(line) ? auto : last).set(line.name, line);
  if (isTaking(desired) || isElsewhere(live)) return { ...nothing, auto };
  const included = new Map([...last].filter(([, { file }]) => file !== live.places.config_file));
  const errors = live.lines.filter((line) => isError(line, seen.written > live.loaded));
  return { auto, included, errors };
}

/** What ALTER SYSTEM holds on a server that does not run: it counts from the first moment of its start. */
function heldByFile(desired: SettingsDesired, { extra }: SettingsSeen): ReadonlyMap<string, FileLine> {
  const common = { file: autoPath(desired), error: null, context: null, pending: null };
  const lines = parseConf(autoText(extra)).map(
    ({ name, value, index }): FileLine => ({ ...common, name, value, line: index + 1 }),
  );
  return new Map(lines.map((line) => [line.name ?? '', line]));
}

const isError = ({ error, context, pending }: FileLine, unread: boolean): boolean =>
  error !== null && !(error === notApplied && context === 'postmaster' && (pending === true || unread));

/** Such an error keeps the server from taking over anything at all; others only keep it from starting. */
export const isHard = ({ error }: FileLine): boolean => error !== notApplied;

interface Repairing extends Record<'wrong' | 'stale' | 'reset', readonly string[]> {
  readonly access: boolean;
}

/** Does the error go when these settings are written, and those reset, and the file belongs to its owner again? */
export const isRepaired = (
  line: FileLine,
  live: Live,
  { wrong, stale, reset, access }: Repairing,
): boolean => {
  if (line.line === 0) return access;
  const among = (names: readonly string[]): boolean => names.some((name) => name.toLowerCase() === line.name);
  if (isAuto(line)) return among(reset);
  return line.file === live.places.config_file && (among(wrong) || among(stale));
};
