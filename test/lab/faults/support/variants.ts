/**
 * The kinds of pairs that faults need: plain, with networks of their own, with small disks, with a reference address, with somebody
 * third who decides on a silence. In: a name. Out: a pair in good order. It must never know what is done to the pair.
 */
import type { Addressed } from '../../support/inventory.ts';
import { FaultPair, type PairWish } from './pair.ts';

export type Variant =
  | 'plain'
  | 'networks'
  | 'disks'
  | 'reference'
  | 'clock'
  | 'suspended'
  | 'checkpoint'
  | 'impatient'
  | 'message'
  | 'fast'
  | 'management'
  | ThirdParty
  | 'arbiter fast'
  | `${ThirdParty} networks`;

/** Who answers when two servers do not hear each other. */
export type ThirdParty = 'arbiter' | 'majority' | 'etcd';

const last = (host: Addressed): string => host.address.split('.').at(-1) ?? '';
export const adminNet = (host: Addressed): string => `192.168.77.${last(host)}`;
export const logNet = (host: Addressed): string => `192.168.78.${last(host)}`;

/** The bridge, which every host reaches while its cable is in. */
const gateway = (host: Addressed): string => host.address.replace(/\d+$/, '1');

/** Networks of their own for the controllers and for log transfer. */
const networks: PairWish = {
  live: (host) =>
    host.sh(`ip addr add ${adminNet(host)}/24 dev host0; ip addr add ${logNet(host)}/24 dev host0`, {
      check: true,
    }),
  host: (host) => ({ admin_address: adminNet(host), log_transfer_address: logNet(host) }),
};

/** The client finds a new primary at once, so that its gap is that of the servers. */
const third: PairWish = { bound: true, connectTimeoutMs: 250 };

/** The memory of the register is on a disk that can be full. */
const withArbiter: PairWish = { ...third, arbiter: true, disks: { '/mcarb': 16 } };

const threeServers: PairWish = { ...third, three: true, multiplexing: { on_heartbeat_loss: undefined } };

/** Its members have no part in the networks of the servers. */
const withEtcd: PairWish = { ...third, etcdMembers: 3, multiplexing: { on_heartbeat_loss: undefined } };

const wishes: Readonly<Record<Variant, PairWish>> = {
  plain: {},
  // Pairs of their own, because the shifted clocks come with restarts.
  clock: {},
  suspended: {},
  // A checkpoint finds all of it in memory, and a flush to this disk takes its time.
  checkpoint: {
    storage: 'real',
    postgres: {
      settings: {
        max_connections: 40,
        shared_buffers: '1400MB',
        max_wal_size: '8GB',
        checkpoint_timeout: '30min',
      },
    },
  },
  networks,
  disks: { disks: { '/database': 400, '/wal': 400 }, postgres: { wal_dir: '/wal/inst1' } },
  // An instance that does not answer is given up within a test's time, and not only after the default of 60 s.
  impatient: { multiplexing: { db_instance_failover_delay: 8 } },
  // Silence is left to a person; the postmaster of a primary that is heard is not.
  message: { multiplexing: { on_heartbeat_loss: 'message' } },
  fast: { multiplexing: { heartbeat: 'fast' } },
  management: { disks: { '/mcdir': 16 } },
  arbiter: withArbiter,
  'arbiter fast': { ...withArbiter, multiplexing: { heartbeat: 'fast' } },
  majority: threeServers,
  'arbiter networks': {
    ...withArbiter,
    ...networks,
    host: (host) => ({
      admin_address: adminNet(host),
      ...(host.name.startsWith('server') ? { log_transfer_address: logNet(host) } : {}),
    }),
  },
  'majority networks': { ...threeServers, ...networks },
  etcd: withEtcd,
  'etcd networks': { ...withEtcd, ...networks },
  reference: { multiplexingOf: (hosts) => ({ reference_addresses: hosts.slice(0, 1).map(gateway) }) },
};

export const openPair = (variant: Variant): Promise<FaultPair> => FaultPair.open(wishes[variant]);
