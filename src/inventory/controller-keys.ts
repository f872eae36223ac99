/**
 * Keys of `<host>.conf` that the inventory gives under the names of the controller, for all servers or for one. A row is all
 * that such a key needs: the schema, the Cluster and the file follow from it; its default is that of the controller. What
 * pgduet derives in place of being told stands below, with the place to say it. In: nothing. Out: tables, and values in the unit of the file.
 */
import * as z from 'zod';
import { parseDurationMs } from '../base/units.ts';
import { largest } from './defaults.ts';

const timePattern = '^\\d+(\\.\\d+)?\\s*(us|ms|s|min|h|d)$';

const time = (description: string, standard: string) =>
  z.string().meta({ description, default: standard, pattern: timePattern, examples: [standard] });

const count = (description: string, standard: number) =>
  z.int().min(0).max(largest).meta({ description, default: standard });

const command = (description: string) =>
  z.string().meta({
    description: `${description} An absolute path, and arguments behind it; docs/mc_ctl.md says what is added to them.`,
    examples: ['/usr/local/bin/hook --site east'],
  });

const follows = 'Left out: that of a heartbeat slower than normal, otherwise as here.';
const facilities = [0, 1, 2, 3, 4, 5, 6, 7].map((number) => `LOCAL${number}`);

export const controllerKeys = z
  .strictObject({
    target_db: z.enum(['postgres', 'template1']).meta({
      description: 'Database that the controller logs in to.',
      default: 'postgres',
    }),
    db_instance_check_interval: time(`Time between two questions to the own instance. ${follows}`, '800ms'),
    db_instance_check_timeout: time(`How long it may take to answer one of them. ${follows}`, '1s'),
    db_instance_check_retry: count(
      `How many of them may go unanswered before it counts as silent. ${follows}`,
      2,
    ),
    db_instance_timeout_action: z.enum(['none', 'message', 'failover', 'delayed_failover']).meta({
      description:
        'What the controller does when its instance does not answer: nothing, a message, or (on a primary) a switch as well, at once or after db_instance_failover_delay.',
      default: 'delayed_failover',
    }),
    db_instance_failover_delay: z
      .union([z.int().min(1).max(largest), z.string().meta({ pattern: timePattern })])
      .meta({
        description:
          'How long its instance may not answer before a primary with delayed_failover hands over; a number alone is seconds.',
        default: '60s',
        examples: ['60s'],
      }),
    disk_check_interval: time(`Time between two looks at the disks. ${follows}`, '800ms'),
    disk_check_timeout: time(`How long a disk may take to write and sync. ${follows}`, '10s'),
    disk_check_retry: count(`How many looks may fail before a disk counts as failed. ${follows}`, 2),
    tablespace_directory_error_action: z.enum(['message', 'failover']).meta({
      description:
        'What a failed disk of a tablespace leads to: a message, or a switch or disconnection, as with the other disks.',
      default: 'message',
    }),
    remote_call_timeout: time(
      'How long a command that was passed on to another server is waited for; 0s: without limit.',
      '70s',
    ),
    agent_alive_timeout: time(
      'A controller whose own loop hangs for so long ends itself, and systemd starts a new one; 0s: only the watchdog of systemd.',
      '0s',
    ),
    replay_lag_warning: z.int().min(0).max(largest).meta({
      description:
        'MB of WAL that a standby may have yet to replay before the controllers warn; 0: any number.',
      default: 1024,
    }),
    arbitration_command_timeout: time('How long arbitration_command may take.', '10s'),
    fencing_command: command('Command that makes sure that a server which is not heard is out.'),
    fencing_command_timeout: time('How long fencing_command may take.', '20s'),
    post_switch_command: command('Command on the new primary after a switch.'),
    pre_detach_command: command('Command on the primary before a standby is taken out.'),
    post_attach_command: command('Command on the primary once a standby is in sync again.'),
    state_transition_command_timeout: time('How long each of these three may take.', '10s'),
    syslog_facility: z.enum(facilities).meta({
      description: 'Facility of its messages in the system log.',
      default: 'LOCAL0',
    }),
    syslog_ident: z.string().meta({
      description: 'Program name of its messages in the system log: journalctl -t NAME.',
      default: 'MirroringControllerOpen',
    }),
    core_file_path: z.string().meta({
      description:
        'Directory for a report of Node.js when the controller crashes. It has to be there. Left out: no report.',
      pattern: '^/',
      examples: ['/var/crash'],
    }),
  })
  .partial();

type Given = z.infer<typeof controllerKeys>;
export type ControllerKey = keyof Given;
export const controllerKeyNames = Object.keys(controllerKeys.shape) as readonly ControllerKey[];

/** In the unit of the file. */
export type ControllerKeys = Readonly<Partial<Record<ControllerKey, string | number>>>;

/** How the file counts a time. */
interface TimeForm {
  readonly unit: 'ms' | 's';
  /** 0 has a meaning. */
  readonly off?: true;
  /** Where it is no whole number of seconds it may stand in ms. */
  readonly finer?: true;
}

export const timeForms: Readonly<Partial<Record<ControllerKey | 'unlock_command_timeout', TimeForm>>> = {
  db_instance_check_interval: { unit: 'ms' },
  db_instance_check_timeout: { unit: 's', finer: true },
  db_instance_failover_delay: { unit: 's' },
  disk_check_interval: { unit: 'ms' },
  disk_check_timeout: { unit: 's', finer: true },
  remote_call_timeout: { unit: 'ms', off: true },
  agent_alive_timeout: { unit: 's', off: true },
  arbitration_command_timeout: { unit: 's' },
  fencing_command_timeout: { unit: 's' },
  state_transition_command_timeout: { unit: 's' },
  unlock_command_timeout: { unit: 's' },
};

export const commandKeys = [
  'arbitration_command',
  'fencing_command',
  'post_switch_command',
  'pre_detach_command',
  'post_attach_command',
  'unlock_command',
] as const;

/** A value that the checks have found right, in the unit of the file. */
export function inFile(key: ControllerKey, value: string | number): string | number {
  const form = timeForms[key];
  if (!form || typeof value === 'number') return value;
  const ms = parseDurationMs(value) ?? 0;
  if (form.unit === 'ms') return ms;
  return ms % 1000 === 0 ? ms / 1000 : `${ms}ms`;
}

export interface Derived {
  readonly why: string;
  readonly fix: string;
}

const saidBy = (place: string): Derived => ({
  why: 'pgduet writes it by what another key of the inventory says, and the two could differ',
  fix: `Remove it and use ${place}.`,
});

/** Keys of the file that an inventory cannot give under multiplexing. */
export const derivedKeys: Readonly<Record<string, Derived>> = {
  db_instance: saidBy('postgres.data_dir'),
  postgres_bin_dir: saidBy('postgres.bin_dir'),
  unlock_command: saidBy('postgres.unlock_command'),
  unlock_command_timeout: saidBy('postgres.unlock_command_timeout'),
  db_instance_username: saidBy('postgres.owner; the instance administrator and the superuser have one name'),
  db_instance_password: {
    why: 'the controller logs in on the socket, where the system says who it is',
    fix: 'Remove it; no password is needed.',
  },
  heartbeat_interval: saidBy('multiplexing.heartbeat.interval'),
  heartbeat_timeout: saidBy('multiplexing.heartbeat.timeout'),
  heartbeat_retry: saidBy('multiplexing.heartbeat.retries'),
  heartbeat_error_action: saidBy('multiplexing.on_heartbeat_loss'),
  log_transfer_addresses: saidBy('hosts.NAME.log_transfer_address'),
  takeover: saidBy('hosts.NAME.failover'),
  takeover_priority: saidBy('hosts.NAME.priority'),
  replication: saidBy('hosts.NAME.replication'),
  etcd_endpoints: saidBy('arbiter.etcd'),
  etcd_user: saidBy('arbiter.user'),
  etcd_prefix: saidBy('arbiter.prefix'),
};

/** Keys of multiplexing that no single host can have otherwise. */
export const commonKeys: readonly string[] = [
  'failover',
  'heartbeat',
  'on_heartbeat_loss',
  'expected_downtime',
  'wal_per_hour',
  'unit_allows',
];
