/**
 * Settings of a recovery or of a replication that is over ("Archive Recovery", "Recovery Target", "Standby Servers"): on a primary they
 * mean nothing, and PostgreSQL leaves them where they stand, so that a copy has them too. There they stop replay, promote the copy, or
 * keep it from following. Data and small functions. Pure.
 */

interface Leftover {
  /** What it is when nobody has set it. */
  readonly neutral: string;
  /** What it does to a standby. */
  readonly harm: string;
  /**
   * Nobody means it on a server of a pair: an inventory cannot give it. Any other one may be meant, and is in the way only while a
   * server is taken in, when it is left from an earlier life.
   */
  readonly never: boolean;
}

const target: Leftover = {
  neutral: '',
  harm: 'a standby stops following there, or promotes itself',
  never: true,
};
const elsewhere = 'a standby would run it for another cluster than its own';

export const recoverySettings: Readonly<Record<string, Leftover>> = {
  recovery_target: target,
  recovery_target_lsn: target,
  recovery_target_name: target,
  recovery_target_time: target,
  recovery_target_xid: target,
  recovery_target_action: { ...target, neutral: 'pause' },
  recovery_target_inclusive: { ...target, neutral: 'on' },
  primary_slot_name: {
    neutral: '',
    harm: 'a standby asks its primary for a slot that is not there',
    never: true,
  },
  promote_trigger_file: { neutral: '', harm: 'a file of that name promotes a standby', never: true },
  restore_command: { neutral: '', harm: elsewhere, never: false },
  archive_cleanup_command: { neutral: '', harm: elsewhere, never: false },
  recovery_end_command: { neutral: '', harm: elsewhere, never: false },
  recovery_min_apply_delay: {
    neutral: '0',
    harm: 'a takeover waits for all that was held back',
    never: false,
  },
};

export const recoveryNames: readonly string[] = Object.keys(recoverySettings);

/** Those that are never meant. */
export const neverMeant: readonly string[] = recoveryNames.filter((name) => recoverySettings[name]?.never);

const zero = /^0+(?:\.0*)?\s*[a-z]*$/i;
const truths: readonly string[] = ['on', 'true', 'yes', '1', 't', 'y'];

/** Does this value do nothing at all? An unknown name is none of these. */
export function isNeutral(name: string, value: string): boolean {
  const neutral = recoverySettings[name]?.neutral;
  if (neutral === undefined || value === neutral) return true;
  if (neutral === '0') return zero.test(value.trim());
  return neutral === 'on' ? truths.includes(value.trim().toLowerCase()) : value.toLowerCase() === neutral;
}
