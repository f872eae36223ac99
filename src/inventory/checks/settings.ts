/**
 * Settings that belong to pgduet or the controller, and values with which multiplexing would not work.
 * Whether a setting exists in this version of PostgreSQL is looked at by another stage. Pure.
 */
import type { Diagnostic } from '../../base/diagnostic.ts';
import { giveUpMs } from '../../base/heartbeat.ts';
import { formatDuration, parseDurationMs } from '../../base/units.ts';
import { isOn } from '../../postgres/setting-value.ts';
import { canonicalAddress, isIP, isWildcard } from '../addresses.ts';
import type { SettingValue } from '../cluster.ts';
import { type Draft, serversOf } from '../draft.ts';
import { ownedSettings } from '../owned-settings.ts';
import { besideClients } from '../reckoned.ts';

interface Objection {
  readonly what: string;
  readonly why: string;
  readonly fix: string;
}

type Rule = (value: string, draft: Draft) => Objection | undefined;

export function checkSettings(draft: Draft): Diagnostic[] {
  const seen = new Map<string, string>();
  return Object.entries(draft.settings).flatMap(([written, value]): Diagnostic[] => {
    const at = draft.keyAt('postgres', 'settings', written);
    const name = written.toLowerCase();
    const first = seen.get(name);
    seen.set(name, written);
    if (!/^[a-z_][a-z0-9_$]*(\.[a-z_][a-z0-9_$]*)*$/.test(name)) return [{ ...tellName(written), at }];
    if (first !== undefined) return [{ ...tellTwice(first, written), at }];
    if (/[\u0000-\u0008\u000a-\u001f\u007f]/.test(String(value))) return [{ ...tellLines(written), at }];
    const owned = ownedSettings[name];
    if (owned !== undefined && Object.hasOwn(ownedSettings, name)) {
      return [{ code: 'INV013', what: `the setting '${written}' is not for the inventory`, ...owned, at }];
    }
    const objection =
      tellReckoned(name, draft) ??
      (Object.hasOwn(rules, name) ? rules[name]?.(text(value), draft) : undefined);
    const valueAt = draft.valueAt('postgres', 'settings', written);
    return objection === undefined ? [] : [{ code: 'INV013', ...objection, at: valueAt }];
  });
}

/** Settings that another key of the inventory says already. */
function tellReckoned(name: string, { data }: Draft): Objection | undefined {
  const by =
    name === 'max_connections' && data.postgres?.client_connections !== undefined
      ? 'postgres.client_connections'
      : ['wal_keep_size', 'wal_keep_segments'].includes(name) &&
          data.multiplexing?.expected_downtime !== undefined
        ? 'multiplexing.expected_downtime'
        : undefined;
  return by === undefined
    ? undefined
    : {
        what: `'${name}' is reckoned from ${by}, and stands here, too`,
        why: 'there would be two answers to one question',
        fix: `Remove one of the two.`,
      };
}

const text = (value: SettingValue): string => String(value).trim().toLowerCase();

const tellName = (name: string): Diagnostic => ({
  code: 'INV009',
  what: `'${name}' cannot be the name of a setting`,
  why: 'a setting has letters, digits and underscores, and one dot if it belongs to an extension',
  fix: 'Correct the name, for example shared_buffers.',
});

const tellTwice = (first: string, second: string): Diagnostic => ({
  code: 'INV018',
  what: `'${second}' is the same setting as '${first}'`,
  why: 'PostgreSQL does not regard upper and lower case, and only one of the two values would count',
  fix: 'Remove one of the two.',
});

const tellLines = (name: string): Diagnostic => ({
  code: 'INV005',
  what: `the value of '${name}' holds a line break or another control character`,
  why: 'postgresql.conf has one line for a setting; the rest would be read as other settings',
  fix: 'Write the value on one line.',
});

/** PostgreSQL takes any beginning of false, no and off that is not also one of another word. */
const isOff = (value: string): boolean => value === '0' || /^(f|fa|fal|fals|false|n|no|of|off)$/.test(value);

const mustBeOn =
  (name: string, why: string): Rule =>
  (value) =>
    isOff(value)
      ? { what: `'${name}' cannot be off`, why, fix: 'Remove it; it is on by itself.' }
      : undefined;

const atLeast =
  (
    name: string,
    lowest: (draft: Draft) => number,
    why: (draft: Draft) => string,
    instead = ': pgduet writes a value with headroom',
  ): Rule =>
  (value, draft) => {
    const number = Number(value);
    if (value === '' || Number.isNaN(number) || number >= lowest(draft)) return undefined;
    return {
      what: `'${name}' is ${value}, and this cluster needs ${lowest(draft)} at least`,
      why: why(draft),
      fix: `Write ${lowest(draft)} or more, or remove it${instead}.`,
    };
  };

const noEnd =
  (name: string): Rule =>
  (value) =>
    /^-?0+(\.0+)?\s*[a-z]*$/.test(value) || value === '-1'
      ? {
          what: `'${name}' cannot be switched off`,
          why: 'a replication connection that is dead would never be noticed',
          fix: 'Remove it; it follows the heartbeat, so that all layers notice at the same time.',
        }
      : undefined;

const standbys = (draft: Draft): number => Math.max(1, serversOf(draft).length - 1);

const rules: Readonly<Record<string, Rule>> = {
  wal_level: (value) =>
    ['replica', 'logical', 'hot_standby', 'archive'].includes(value)
      ? undefined
      : {
          what: `'wal_level' cannot be ${value}`,
          why: 'WAL would not hold what a standby needs',
          fix: 'Write replica or logical, or remove it for replica.',
        },
  max_wal_senders: atLeast(
    'max_wal_senders',
    (draft) => standbys(draft) + 1,
    (draft) => `${standbys(draft)} for the standbys, and one more for the base backup of a rebuild`,
  ),
  max_replication_slots: atLeast(
    'max_replication_slots',
    standbys,
    () => 'a slot keeps the WAL that a standby needs while it is copied',
  ),
  max_connections: atLeast(
    'max_connections',
    besideClients,
    () => 'the controller and the administrator must get in beside the clients',
    ' and use postgres.client_connections, from which it is reckoned',
  ),
  wal_receiver_status_interval: checkStatusInterval,
  wal_sender_timeout: noEnd('wal_sender_timeout'),
  wal_receiver_timeout: noEnd('wal_receiver_timeout'),
  sync_replication_slots: checkSlots,
  fsync: mustBeOn('fsync', 'a crash of the host would lose commits that were acknowledged'),
  full_page_writes: mustBeOn('full_page_writes', 'a crash could leave torn pages, and pg_rewind needs it'),
  wal_log_hints: mustBeOn('wal_log_hints', 'pg_rewind needs it to bring an old primary back'),
  synchronous_commit: (value) =>
    isOff(value) || value === 'local'
      ? {
          what: `'synchronous_commit' cannot be ${value} for the whole instance`,
          why: 'a commit would be acknowledged before the standby has it, and a switch would lose it',
          fix: 'Remove it; a session that can afford the loss may set it for itself.',
        }
      : undefined,
  password_encryption: (value) =>
    value === 'scram-sha-256'
      ? undefined
      : {
          what: `'password_encryption' cannot be ${value}`,
          why: 'the replication logs in with scram-sha-256, which needs passwords stored for it',
          fix: 'Remove it.',
        },
  listen_addresses: checkListen,
};

/** Seconds where it has no unit. A primary that hears nothing for the time to give up ends the stream. */
function checkStatusInterval(value: string, { heartbeat }: Draft): Objection | undefined {
  const ms = /^\d+(\.\d+)?$/.test(value) ? Number(value) * 1000 : parseDurationMs(value);
  const limitMs = giveUpMs(heartbeat);
  if (ms === undefined || (ms > 0 && ms < limitMs)) return undefined;
  return {
    what: `'wal_receiver_status_interval' is ${value}${ms === 0 ? ', so that no standby would tell how far it is' : ''}`,
    why: `a standby has to tell it more often than it is given up: after ${formatDuration(limitMs)} (wal_sender_timeout)`,
    fix: 'Remove it: pgduet writes less than half of that time.',
  };
}

/** What pgduet writes for it by itself, other settings of the inventory may take away. */
function checkSlots(value: string, draft: Draft): Objection | undefined {
  if (!isOn(value)) return undefined;
  const standing = Object.entries(draft.settings).map(
    ([name, each]) => [name.toLowerCase(), text(each)] as const,
  );
  const against = standing.find(
    ([name, each]) =>
      (name === 'hot_standby_feedback' && isOff(each)) || (name === 'wal_level' && each !== 'logical'),
  );
  return against === undefined
    ? undefined
    : {
        what: `'sync_replication_slots' does not go with '${against[0]}: ${against[1]}'`,
        why: 'no standby could follow the slots of its primary, and a consumer would lose them with a switch',
        fix: `Remove ${against[0]}; pgduet writes what is needed.`,
      };
}

/** Every server has to be reached by the others, whichever is primary. */
function checkListen(value: string, draft: Draft): Objection | undefined {
  const list = value
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
  const heard = (address: string) =>
    list.some(
      (one) =>
        one === '*' ||
        canonicalAddress(one) === canonicalAddress(address) ||
        (isWildcard(one) && isIP(one) === (isIP(address) || 4)),
    );
  const deaf = draft.hosts.find(
    ({ logTransferAddress }) => logTransferAddress !== undefined && !heard(logTransferAddress),
  );
  if (deaf === undefined) return undefined;
  return {
    what: `'listen_addresses' leaves out ${deaf.logTransferAddress}, the replication address of '${deaf.name}'`,
    why: 'as primary it could not be reached by its standbys',
    fix: "Add the address, write '*', or remove it.",
  };
}
