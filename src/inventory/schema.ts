/**
 * The format of an inventory as zod definitions: which keys there are, of which type, and what each means.
 * `schema/inventory.json` and the tables of `docs/inventory.md` are generated from here.
 * The definitions check form only and change nothing: defaults are filled in by `draft.ts`, and what needs
 * more than one value to judge stands in `checks/`.
 */
import * as z from 'zod';
import { commonKeys, controllerKeys } from './controller-keys.ts';
import {
  defaults,
  heartbeatProfiles,
  largest,
  mostConnections,
  ports,
  priorities,
  versions,
} from './defaults.ts';
import { firewallKey, listenKey } from './firewall-key.ts';
import { hardeningKey } from './hardening-key.ts';
import { hbaRule } from './hba-keys.ts';
import { caKey, secret } from './secret-key.ts';
import { tls, tlsClients, tlsOfHost } from './tls-keys.ts';
import { unitAllows } from './unit-allows.ts';
import { unlockKeys } from './unlock-keys.ts';

// A process reads an inventory or a few: to write a function for each map and compile it takes longer than what it saves.
z.config({ jitless: true });

const text = (description: string, more: Record<string, unknown> = {}) =>
  z.string().meta({ description, ...more });

const port = (description: string, standard?: number) =>
  z
    .int()
    .min(ports.lowest)
    .max(ports.highest)
    .meta({ description, ...(standard === undefined ? {} : { default: standard }) });

const duration = (description: string, standard: string) =>
  z.string().meta({
    description,
    default: standard,
    pattern: '^\\d+(\\.\\d+)?\\s*(us|ms|s|min|h|d)$',
    examples: [standard],
  });

const remotePath = (description: string, more: Record<string, unknown> = {}) =>
  z.string().meta({ description, pattern: '^/', ...more });

const become = z.enum(['none', 'sudo']).meta({
  description:
    'How the login user becomes root: not at all (it is root already, or need not be), or with sudo.',
  default: defaults.become,
});

const sshKeys = {
  user: text('Login user. Left out: as ~/.ssh/config says, otherwise the user that runs pgduet.').optional(),
  port: z
    .int()
    .min(1)
    .max(ports.highest)
    .meta({ description: 'Port of the SSH server. Left out: as ~/.ssh/config says, otherwise 22.' })
    .optional(),
  identity_file: text('Private key on this machine; ~ and paths relative to the inventory are understood.', {
    examples: ['~/.ssh/id_ed25519'],
  }).optional(),
  passphrase: secret('Passphrase of identity_file.').optional(),
  password: secret('Password of the login user, for servers that take no key.').optional(),
  known_hosts: text('File of known host keys. Left out: as ssh itself would do.', {
    examples: ['~/.ssh/known_hosts'],
  }).optional(),
  config_file: text('SSH client configuration to read in place of ~/.ssh/config.').optional(),
  become: become.optional(),
  become_password: secret('Password that sudo asks for. Only with become: sudo.').optional(),
  connect_timeout: duration('How long to wait for a host to answer.', defaults.connectTimeout).optional(),
};

const ssh = z
  .strictObject(sshKeys)
  .meta({ description: 'How to log in. What is left out comes from ~/.ssh/config, as ssh itself would do.' });

const settingValue = z.union([z.string(), z.number(), z.boolean()]).meta({
  description: 'Value of the setting, as postgresql.conf takes it.',
});

const placeKeys = {
  data_dir: remotePath('Data directory of the instance.', { examples: ['/database/inst1'] }),
  wal_dir: remotePath(
    'Directory for WAL on a disk of its own (pg_wal becomes a link to it). Left out: in data_dir.',
  ).optional(),
  bin_dir: remotePath('Directory of initdb, pg_ctl and so on. Left out: found by looking.').optional(),
  socket_dir: remotePath(
    `Directory of the Unix socket. Left out: ${defaults.socketDir} where scripts run as root, otherwise management_dir.`,
  ).optional(),
  passfile: remotePath('Password file of the owner. Left out: .pgpass in its home.').optional(),
  ...unlockKeys,
};

const placeOfHost = { ...placeKeys, data_dir: placeKeys.data_dir.optional(), tls: tlsOfHost.optional() };

const postgresPort = port('Port of the instance.', defaults.postgresPort).optional();

const postgres = z
  .strictObject({
    version: z
      .int()
      .min(versions.oldest)
      .max(versions.newest)
      .meta({ description: 'Major version of PostgreSQL, the same on all hosts.', examples: [15] }),
    port: postgresPort,
    ...placeKeys,
    owner: text(
      'The instance administrator: OS user that owns the instance, and database superuser of the same name.',
      {
        default: defaults.owner,
      },
    ).optional(),
    client_connections: z
      .int()
      .min(1)
      .max(mostConnections)
      .meta({
        description:
          'How many connections clients may have at once; max_connections follows: standbys, the controller and the administrator besides. Left out: max_connections of PostgreSQL, or of settings.',
        examples: [200],
      })
      .optional(),
    settings: z
      .record(z.string(), settingValue)
      .meta({
        description: 'Settings for postgresql.conf, beyond those that pgduet and the controller own.',
        default: {},
      })
      .optional(),
    tls: tls.optional(),
    tls_clients: tlsClients.optional(),
    hardening: hardeningKey.optional(),
    listen: listenKey.optional(),
    hba: z
      .array(hbaRule)
      .meta({
        description: 'Client rules for pg_hba.conf, in their order. Identical on all hosts.',
        default: [],
      })
      .optional(),
  })
  .meta({ description: 'The PostgreSQL instance of every host.' });

const controllerPort = port(
  'Port of the controller, on the admin network.',
  defaults.controllerPort,
).optional();
const managementDir = remotePath(
  'Directory of the controller: network.conf, <host>.conf and its state. Never inside data_dir.',
  { examples: ['/mcdir/inst1'] },
);

const profiles = Object.keys(heartbeatProfiles) as (keyof typeof heartbeatProfiles)[];

const heartbeatTimes = z.strictObject({
  interval: duration('Time between two heartbeats.', defaults.interval).optional(),
  timeout: duration('How long to wait for the answer to one heartbeat.', defaults.timeout).optional(),
  retries: z
    .int()
    .min(0)
    .max(largest)
    .meta({
      description: 'How many heartbeats may be missed before the other host counts as lost.',
      default: defaults.retries,
    })
    .optional(),
});

const heartbeat = z.union([z.enum(profiles), heartbeatTimes]).meta({
  description:
    'How soon a silent host is given up: a word for a set of times (normal: 5.4 s, fast: 2.1 s), or the times themselves. Give-up time = (timeout + interval) × (retries + 1).',
  default: defaults.heartbeat,
});

/** What a host may have of its own. */
const perHost = {
  arbitration_command: text(
    'Command that decides for on_heartbeat_loss: command; exit status 0 means that the other host has failed. An absolute path, and arguments behind it.',
  ).optional(),
  reference_addresses: z
    .array(text('Address that answers ping as long as the network is up, for example a router.'))
    .meta({
      description:
        'Addresses outside the cluster. A host that reaches none of them knows that it is cut off itself.',
      default: [],
    })
    .optional(),
  ...controllerKeys.shape,
};

const multiplexing = z
  .strictObject({
    management_dir: managementDir,
    port: controllerPort,
    failover: z
      .enum(['automatic', 'manual'])
      .meta({
        description: 'Whether the controllers switch and disconnect by themselves.',
        default: defaults.failover,
      })
      .optional(),
    heartbeat: heartbeat.optional(),
    on_heartbeat_loss: z
      .enum(['arbitration', 'command', 'message', 'fallback'])
      .meta({
        description: `Who decides when the heartbeat is lost: an arbiter or the majority of three servers or more that vote (arbitration), a person (message), your own command (command), or each host for itself (fallback). Left out: arbitration where that is possible, ${defaults.onHeartbeatLoss} for a pair on one machine; any other pair has to choose.`,
      })
      .optional(),
    expected_downtime: z
      .string()
      .meta({
        description:
          'For how long a standby may be away and still find the WAL that it needs; wal_keep_size follows from it and wal_per_hour. Left out: 1 GB of WAL.',
        pattern: '^\\d+(\\.\\d+)?\\s*(us|ms|s|min|h|d)$',
        examples: ['4h'],
      })
      .optional(),
    wal_per_hour: z
      .string()
      .meta({
        description:
          'How much WAL the primary writes in an hour, for expected_downtime; pgduet check says what it measures.',
        default: defaults.walPerHour,
        pattern: '^\\d+(\\.\\d+)?\\s*(kB|MB|GB|TB)$',
        examples: ['4GB'],
      })
      .optional(),
    unit_allows: unitAllows.optional(),
    ...perHost,
  })
  .meta({ description: 'The Mirroring Controller of every host.' });

const arbiter = z
  .strictObject({
    etcd: z.array(text('https://HOST:PORT of a member.')).meta({
      description: 'The members of the etcd, each as https://HOST:PORT; all of one cluster of etcd.',
      examples: [['https://192.0.2.121:2379']],
    }),
    ca: text(
      'File on this machine with the certificates (PEM) that sign those of the members; ~ and paths relative to the inventory are understood.',
      { examples: ['etcd-ca.pem'] },
    ),
    user: text('User of etcd that reads and writes the keys of this cluster, and nothing else.', {
      examples: ['pgduet'],
    }),
    password: secret('Password of that user.'),
    prefix: text('Where the keys of this cluster are: PREFIX/CLUSTER/.', {
      default: defaults.etcdPrefix,
    }).optional(),
  })
  .meta({
    description:
      'An etcd (3.4.21 or newer, of 3.5 3.5.6 or newer) that decides in place of an arbiter host when two servers do not hear each other.',
  });

const host = z
  .strictObject({
    address: text(
      `Where SSH goes, and the job network. With connection: local it may be left out: ${defaults.localAddress}.`,
      {
        examples: ['192.0.2.100', 'db1.example.com'],
      },
    ).optional(),
    role: z.enum(['primary', 'standby', 'arbiter']).meta({
      description:
        'The role that is preferred: after a switch the other host is primary, and that is no error. arbiter: a host without PostgreSQL that decides when two servers do not hear each other; one at most.',
    }),
    failover: z
      .enum(['automatic', 'never'])
      .meta({
        description:
          'Whether this standby may become primary by itself. never: it streams, and commits wait for it where no other one may take over; only a person makes it primary.',
        default: defaults.serverFailover,
      })
      .optional(),
    priority: z
      .int()
      .min(0)
      .max(priorities.highest)
      .meta({
        description:
          'Which of several standbys with the same data is preferred on a failover or a switch: the highest number.',
        default: defaults.priority,
      })
      .optional(),
    replication: z
      .enum(['synchronous', 'asynchronous'])
      .meta({
        description:
          'Whether commits may wait for this standby. asynchronous: a distant copy, for which they never do; it does not vote, and only a person makes it primary.',
        default: defaults.replication,
      })
      .optional(),
    admin_address: text('Address for the controllers among themselves. Left out: address.').optional(),
    log_transfer_address: text('Address for replication. Left out: address.').optional(),
    connection: z
      .enum(['ssh', 'local'])
      .meta({ description: 'local: no SSH, this machine.', default: defaults.connection })
      .optional(),
    service_manager: z
      .enum(['systemd', 'none'])
      .meta({
        description:
          'systemd; or none: nothing is to start with the machine. Left out: found by looking. Leave it out on a host with System V init or OpenRC.',
      })
      .optional(),
    ssh: ssh.meta({ description: 'Overrides of ssh for this host, key by key.' }).optional(),
    postgres: z
      .strictObject({ port: postgresPort, ...placeOfHost })
      .meta({ description: 'Overrides of postgres for this host, key by key.' })
      .optional(),
    multiplexing: z
      .strictObject({ port: controllerPort, management_dir: managementDir.optional(), ...perHost })
      .meta({
        description: `Overrides of multiplexing for this host, key by key; not ${commonKeys.join(', ')}. Of an arbiter: port (left out: ${defaults.arbiterPort}) and management_dir (left out: ${defaults.arbiterDir}) of its own.`,
      })
      .optional(),
  })
  .meta({
    description: 'A host: its name is the server identifier, and the application_name of its replication.',
  });

export const inventorySchema = z
  .strictObject({
    cluster: text('Name of the cluster: a letter first, then letters and digits, 16 bytes at most.', {
      pattern: '^[A-Za-z][A-Za-z0-9]{0,15}$',
      examples: ['inst1'],
    }),
    ssh: ssh.optional(),
    postgres,
    multiplexing,
    arbiter: arbiter.optional(),
    firewall: firewallKey.optional(),
    replication_user: text('Database user of the replication connections.', {
      default: defaults.replicationUser,
    }).optional(),
    secrets: z
      .strictObject({
        replication_password: secret(
          'Password of replication_user. Left out: generated, and kept on the hosts alone.',
        ).optional(),
        ca_key: caKey.optional(),
      })
      .meta({ description: 'Secrets of the cluster.' })
      .optional(),
    hosts: z.record(z.string(), host).meta({
      description: 'The hosts by name: one primary, one or more standbys, and an arbiter if you like.',
    }),
  })
  .meta({ title: 'pgduet inventory', description: 'A PostgreSQL primary and its synchronous standbys.' });

export type Inventory = z.infer<typeof inventorySchema>;

/** A JSON schema, as far as this project reads one. */
export interface JsonSchema {
  readonly description?: string;
  readonly type?: string | readonly string[];
  readonly enum?: readonly string[];
  readonly default?: unknown;
  readonly examples?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly pattern?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: JsonSchema | boolean;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
}

/** A key that takes a word or a map has the words of the one and the keys of the other. */
export const asOne = (schema: JsonSchema): JsonSchema =>
  schema.anyOf ? Object.assign({}, ...schema.anyOf, schema) : schema;

/** The JSON schema for editors. Draft 7, because that is what yaml-language-server knows best. */
export function inventoryJsonSchema(): JsonSchema {
  return z.toJSONSchema(inventorySchema, { io: 'input', target: 'draft-7' }) as JsonSchema;
}
