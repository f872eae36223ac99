/**
 * PostgreSQL settings that an inventory cannot give, because pgduet or the controller writes them, and what to
 * do in place of it. Keys are lower case, as PostgreSQL compares them. Data only.
 */
import { namesSetting, slotsSetting, upstreamSetting } from '../postgres/controlled-settings.ts';

export interface Owned {
  readonly why: string;
  readonly fix: string;
}

const byController: Owned = {
  why: 'the controller comments it in and out by itself while it runs',
  fix: 'Remove it; every host of the inventory is a synchronous standby when it is not the primary.',
};
const byRole: Owned = {
  why: 'it depends on which server is primary now, and pgduet writes it for each',
  fix: 'Remove it.',
};
const elsewhere = (key: string): Owned => ({
  why: 'the inventory has a key for it, and the two could differ',
  fix: `Remove it and use ${key}.`,
});
const renderedFile: Owned = {
  why: 'pgduet writes the file itself and has to know where it is',
  fix: 'Remove it; the file is in data_dir.',
};
const include: Owned = {
  why: 'a setting in another file could override what the controller does',
  fix: 'Remove it and write the settings of that file here.',
};
const recoveryTarget: Owned = {
  why: 'a standby with a recovery target stops following the primary there',
  fix: 'Remove it.',
};

export const ownedSettings: Readonly<Record<string, Owned>> = {
  [namesSetting]: byController,
  [slotsSetting]: {
    why: 'the controller of the primary keeps it, by who is there: a name of a standby that is out would make logical replication wait for ever',
    fix: 'Remove it; sync_replication_slots: on is all that failover slots need here.',
  },
  [upstreamSetting]: byRole,
  primary_slot_name: {
    why: 'pgduet writes it where it is needed: a slot for each standby, with sync_replication_slots: on',
    fix: 'Remove it.',
  },
  hot_standby: { why: 'it is always on: the controller asks the standby for its state', fix: 'Remove it.' },
  port: elsewhere('postgres.port'),
  data_directory: elsewhere('postgres.data_dir'),
  unix_socket_directories: elsewhere('postgres.socket_dir'),
  config_file: renderedFile,
  hba_file: { ...renderedFile, fix: 'Remove it and write client rules under postgres.hba.' },
  ident_file: renderedFile,
  external_pid_file: { why: 'the unit looks for the one in data_dir', fix: 'Remove it.' },
  include,
  include_dir: include,
  include_if_exists: include,
  standby_mode: byRole,
  trigger_file: { why: 'only the controller promotes a standby', fix: 'Remove it.' },
  promote_trigger_file: { why: 'only the controller promotes a standby', fix: 'Remove it.' },
  recovery_target: recoveryTarget,
  recovery_target_action: recoveryTarget,
  recovery_target_inclusive: recoveryTarget,
  recovery_target_lsn: recoveryTarget,
  recovery_target_name: recoveryTarget,
  recovery_target_time: recoveryTarget,
  recovery_target_xid: recoveryTarget,
  recovery_target_timeline: {
    why: 'it is always latest: a standby has to follow through a switch',
    fix: 'Remove it.',
  },
};
