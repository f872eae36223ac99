/** Slots, the archiver, streaming, and the files that say what a server is. */
import { danger, degraded, drift, note, person, provision, type Round, unknown } from './mutation.ts';

const copySlot = 'pgduet_copy_server2';
const signal = (name: string) => `install -o postgres -g postgres -m 600 /dev/null $D/${name}`;
const receiver = '/tmp/receiver';
const upstream = (change: string) => `sed -i '/^primary_conninfo/${change}' $D/postgresql.conf`;
/** What the cluster as a whole looks like while its standby is away. */
export const alone = [
  degraded('CTL007', /./, { host: 'primary' }),
  degraded('CTL007', /./, { host: 'standby' }),
  degraded('HST013', /./, { host: 'primary' }),
  degraded('HST013', /./, { host: 'standby' }),
  degraded('HST013', /./, { host: 'cluster' }),
  danger('REP003', /./, { host: 'primary' }),
  degraded('REP001', /./, { host: 'primary' }),
  degraded('REP002', /./, { host: 'primary' }),
  drift('RES001', /./, { host: 'primary' }),
  drift('RES001', /./, { host: 'standby' }),
] as const;

export const replicationRounds: readonly Round[] = [
  {
    title: 'slots and the archiver',
    mutations: [
      {
        title: 'has left the slot of a base backup behind',
        on: 'primary',
        break: `sql "SELECT pg_create_physical_replication_slot('${copySlot}', true)"`,
        expect: [drift('SLT001', copySlot)],
        mended: provision('nothing'),
      },
      {
        title: 'has left a physical slot behind that keeps WAL',
        on: 'primary',
        break: `sql "SELECT pg_create_physical_replication_slot('forgotten', true)"`,
        expect: [degraded('SLT002', 'forgotten')],
        mended: person(`sql "select pg_drop_replication_slot('forgotten')"`),
      },
      {
        title: 'has left a logical slot behind',
        on: 'primary',
        break: `sql "SELECT pg_create_logical_replication_slot('subscriber', 'pgoutput')"`,
        expect: [degraded('SLT002', 'subscriber')],
        mended: person(`sql "select pg_drop_replication_slot('subscriber')"`),
      },
      {
        title: 'has filled the disk of the archive',
        on: 'primary',
        break: `touch /var/lib/postgresql/full; sql "SELECT pg_logical_emit_message(false, 'x', 'x'); SELECT pg_switch_wal()" >/dev/null
wait_until '[ "$(sql "select coalesce(last_failed_time > last_archived_time, failed_count > 0) from pg_stat_archiver")" = t ]'`,
        expect: [degraded('ARC001', 'archiver', { found: /failure/ })],
        mended:
          person(`rm /var/lib/postgresql/full; sql "SELECT pg_logical_emit_message(false, 'x', 'x'); SELECT pg_switch_wal()" >/dev/null
wait_until '[ "$(sql "select last_archived_time > last_failed_time from pg_stat_archiver")" = t ]'`),
      },
    ],
  },
  {
    title: 'replay',
    mutations: [
      {
        title: 'has paused replay on the standby',
        on: 'standby',
        break: 'sql "SELECT pg_wal_replay_pause()"',
        expect: [degraded('REP009', /./)],
        mended: person('sql "select pg_wal_replay_resume()"'),
      },
      {
        title: 'lets the standby apply with a delay',
        on: 'standby',
        break: `sql "ALTER SYSTEM SET recovery_min_apply_delay = '1h'"; reload; in_force recovery_min_apply_delay 1h`,
        expect: [degraded('REP013', /./, { found: /1 ?h|3600/ })],
        also: [
          note('SET014', 'recovery_min_apply_delay'),
          drift('PEE002', 'recovery_min_apply_delay', { host: 'cluster' }),
        ],
        mended: person(
          'sql "ALTER SYSTEM RESET recovery_min_apply_delay"; reload; in_force recovery_min_apply_delay 0',
        ),
      },
      {
        title: 'receives WAL besides the standbys',
        on: 'standby',
        break: `mkdir ${receiver}; chown postgres: ${receiver}
setsid runuser -u postgres -- env PGAPPNAME=other $BIN/pg_receivewal -h $PEER_ADDRESS -p $PORT -U pgduet_repl -D ${receiver} </dev/null >/dev/null 2>&1 &
echo $! > ${receiver}.pid; wait_until '[ -n "$(ls ${receiver})" ]'`,
        expect: [note('REP004', /other/, { host: 'primary' })],
        mended: person(
          `kill -s TERM -- -$(cat ${receiver}.pid); rm -r ${receiver} ${receiver}.pid; sleep 0.5`,
        ),
      },
    ],
  },
  {
    title: 'the address of the standby',
    mutations: [
      {
        title: 'has given the standby another way to its primary',
        on: 'standby',
        break: `dev=$(ip -o route get $PEER_ADDRESS | sed 's/.* dev \\([^ ]*\\) .*/\\1/'); other=\${ADDRESS%.*}.77
ip addr add $other/24 dev $dev; ip route add $PEER_ADDRESS/32 dev $dev src $other
kill $(pgrep -f 'postgres: [w]alreceiver' | head -n 1)`,
        expect: [drift('REP005', /./, { host: 'primary', found: /\.77/, mendedBy: 'person' })],
        also: [danger('SAF044', 'names and addresses of the hosts', { mendedBy: 'person' })],
        mended:
          person(`ip route del $PEER_ADDRESS/32; ip addr del \${ADDRESS%.*}.77/24 dev $(ip -o route get $PEER_ADDRESS | sed 's/.* dev \\([^ ]*\\) .*/\\1/')
kill $(pgrep -f 'postgres: [w]alreceiver' | head -n 1); switchable; sleep 7`),
      },
    ],
  },
  {
    title: 'the connection of the standby',
    mutations: [
      {
        title: 'has changed application_name in primary_conninfo, without a reload',
        on: 'standby',
        break: upstream('s/application_name=[a-z0-9]*/application_name=mine/'),
        expect: [drift('SET001', 'primary_conninfo', { declared: /server2/, found: /mine/ })],
        also: [drift('SET006', /./)],
        mended: provision('reload'),
      },
      {
        title: 'has added recovery.signal on the primary',
        on: 'primary',
        break: signal('recovery.signal'),
        expect: [danger('REP012', /recovery\.signal/)],
        mended: person('rm $D/recovery.signal'),
      },
    ],
  },
  {
    title: 'a standby that comes by another name',
    mutations: [
      {
        title: 'has changed application_name in primary_conninfo, and reloaded',
        on: 'standby',
        break: `${upstream('s/application_name=[a-z0-9]*/application_name=mine/')}; reload; sleep 2`,
        expect: [drift('SET001', 'primary_conninfo', { declared: /server2/, found: /mine/ })],
        also: [...alone, note('REP004', /mine/, { host: 'primary' }), degraded('CTL008', /./)],
        mended: provision('reload'),
        peer: 'reload',
      },
    ],
  },
  {
    title: 'files that say what a server is',
    mutations: [
      {
        title: 'has removed standby.signal while the standby runs',
        on: 'standby',
        break: 'rm $D/standby.signal',
        expect: [danger('REP012', /standby\.signal/)],
        also: [danger('SAF003', 'roles', { host: 'cluster' })],
        mended: person(signal('standby.signal')),
      },
    ],
  },
  {
    title: 'standby.signal on a primary',
    mutations: [
      {
        title: 'has made standby.signal on the running primary',
        on: 'primary',
        break: signal('standby.signal'),
        expect: [danger('REP012', /standby\.signal/)],
        also: [danger('SAF004', 'roles', { host: 'cluster' })],
        mended: person('rm $D/standby.signal'),
      },
    ],
  },
  {
    title: 'a standby whose instance has stopped',
    mutations: [
      {
        title: 'has stopped the instance of the standby',
        on: 'standby',
        break: 'pgctl stop -w -m fast >/dev/null; sleep 2',
        expect: [degraded('CTL008', /./), degraded('REP001', '$ID', { host: 'primary', mendedBy: 'person' })],
        also: [...alone, unknown('LOK001', /./)],
        mended: provision('restart'),
      },
    ],
  },
  {
    title: 'a standby that is out',
    mutations: [
      {
        title: 'has taken the standby out with mc_ctl detach',
        on: 'standby',
        break: 'mc detach >/dev/null; sleep 1',
        expect: [
          degraded('HST013', /server2/, {
            host: 'primary',
            what: /server2 is out/,
            found: /mirroring status/,
          }),
        ],
        also: [...alone],
        mended: person('systemctl restart $UNIT; switchable'),
      },
    ],
  },
];
