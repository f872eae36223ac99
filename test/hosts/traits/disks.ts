/** File systems, links and mount points. */
import { type Acts, single, type Trait, works } from '../trait.ts';

/** Moves a directory of the stopped single server away and leaves a link as somebody wrote it. */
const moved = (from: string, to: string, link: string): string => `
install -d -o postgres -g postgres -m 700 ${to.slice(0, to.lastIndexOf('/'))}
mv ${from} ${to}
ln -s ${link} ${from}
chown -h postgres:postgres ${from}`;

const below = (place: string): Pick<Trait, 'starts' | 'topics' | 'inventory' | 'right'> => ({
  starts: ['fresh'],
  topics: ['data place'],
  inventory: { postgres: { data_dir: `${place}/pg/data` } },
  right: works,
});

const walElsewhere: Acts = { inventory: { postgres: { wal_dir: '/wal/inst1' } } };

export const disks: readonly Trait[] = [
  {
    name: 'data-link',
    has: 'the data directory is a link to a bigger disk',
    starts: single,
    topics: ['data place'],
    stopped: moved('{data}', '/data/moved', '/data/moved'),
    right: works,
  },
  {
    name: 'wal-link',
    has: 'pg_wal is a link to a directory elsewhere',
    starts: single,
    topics: ['wal place'],
    stopped: moved('{data}/pg_wal', '/wal/inst1', '/wal/inst1'),
    ...walElsewhere,
    right: works,
  },
  {
    name: 'wal-link-slash',
    has: 'the link pg_wal ends with a slash',
    starts: single,
    topics: ['wal place'],
    stopped: moved('{data}/pg_wal', '/wal/inst1', '/wal/inst1/'),
    ...walElsewhere,
    right: works,
  },
  {
    name: 'wal-link-relative',
    has: 'the link pg_wal is relative',
    starts: ['unit'],
    topics: ['wal place', 'data place'],
    stopped: moved('{data}/pg_wal', '/wal/inst1', '../../wal/inst1'),
    ...walElsewhere,
    right: works,
  },
  {
    name: 'wal-two-links',
    has: 'the link pg_wal leads over a second link',
    starts: single,
    topics: ['wal place'],
    stopped: `${moved('{data}/pg_wal', '/wal/inst1', '/walway')}\nln -s /wal/inst1 /walway`,
    ...walElsewhere,
    right: works,
  },
  {
    name: 'database-link',
    has: '/database is a link to another directory',
    starts: ['fresh'],
    topics: ['data place', 'database'],
    shell: 'install -d /srv/database; ln -s /srv/database /database',
    right: works,
  },
  {
    name: 'mcdir-link',
    has: 'the directory above the management directory is a link',
    starts: ['fresh', 'packaged', 'unit'],
    shell: 'install -d /srv/mcdir; ln -s /srv/mcdir /mcdir',
    right: works,
  },
  {
    name: 'data-disk',
    has: 'the directory above the data directory is a disk of its own with lost+found',
    starts: ['fresh'],
    topics: ['data place', 'database'],
    disks: { '/database': 512 },
    right: works,
  },
  {
    name: 'wal-disk',
    has: 'WAL is below a disk of its own, with files of somebody else beside it',
    starts: ['fresh'],
    topics: ['wal place'],
    disks: { '/wal': 512 },
    shell: 'mkdir /wal/other; echo precious >/wal/other/f',
    ...walElsewhere,
    right: works,
  },
  {
    name: 'wal-disk-itself',
    has: 'the mount point itself is named as WAL directory, with files of somebody else',
    starts: ['fresh'],
    topics: ['wal place'],
    disks: { '/wal': 512 },
    shell: 'mkdir /wal/other; echo precious >/wal/other/f',
    inventory: { postgres: { wal_dir: '/wal' } },
    right: {
      kind: 'refused',
      by: 'plan',
      code: 'SAF002',
      names: /\/wal\b[\s\S]*other/,
      fix: { inventory: { postgres: { wal_dir: '/wal/inst1' } } },
    },
  },
  {
    name: 'thesis-in-data',
    has: 'files of somebody else lie in the data directory',
    starts: ['fresh'],
    places: ['primary', 'standby', 'both'],
    topics: ['data place', 'database'],
    shell:
      'install -d /database/inst1; echo mine >/database/inst1/thesis.txt; echo hidden >/database/inst1/.notes',
    right: {
      kind: 'refused',
      by: 'plan',
      code: 'SAF002',
      names: /thesis\.txt/,
      fix: { shell: 'mv /database/inst1 /root/notes' },
    },
  },
  {
    name: 'dumps-in-data',
    has: "somebody keeps dumps in the server's data directory",
    starts: single,
    started:
      'install -d -o postgres -g postgres {data}/dumps; echo select >{data}/dumps/a.sql; chown postgres: {data}/dumps/a.sql',
    right: works,
  },
  {
    name: 'leftover-files-in-data',
    has: 'files of former restores lie in the data directory',
    starts: single,
    stopped: `cd {data}; for one in recovery.done standby.signal.off postgresql.conf.bak server.log; do echo old >$one; chown postgres: $one; done`,
    right: works,
  },
  {
    name: 'unreadable-in-data',
    has: "a file in the data directory cannot be read by the server's user",
    starts: single,
    started: 'echo secret >{data}/root.key; chmod 600 {data}/root.key',
    right: {
      kind: 'refused',
      by: 'plan',
      code: 'SAF030',
      names: /root\.key/,
      fix: { started: 'mv {data}/root.key /root/' },
    },
  },
  { name: 'below-home', has: 'data below /home', ...below('/home') },
  { name: 'below-opt', has: 'data below /opt', ...below('/opt') },
  { name: 'below-srv', has: 'data below /srv', ...below('/srv') },
  {
    name: 'below-usr-local',
    has: 'data below /usr/local',
    ...below('/usr/local/pgsql'),
  },
  {
    name: 'wal-below-usr-local',
    has: 'WAL below /usr/local, where a source build has it',
    starts: ['fresh'],
    topics: ['wal place'],
    inventory: { postgres: { wal_dir: '/usr/local/pgsql/wal' } },
    right: works,
  },
  {
    name: 'usr-local-link',
    has: '/usr/local/bin is a link',
    starts: ['fresh', 'packaged', 'unit'],
    shell: 'cp -a /usr/local/bin /opt/bin; rm -r /usr/local/bin; ln -s /opt/bin /usr/local/bin',
    topics: ['usr local'],
    right: works,
  },
  {
    name: 'sticky-database',
    has: 'the directory above the data directory is one where everybody may write',
    starts: ['fresh'],
    topics: ['data place', 'database'],
    shell: 'install -d -m 1777 /database',
    right: works,
  },
  {
    name: 'tmp-full',
    has: '/tmp is full to its last block',
    starts: ['fresh', 'packaged', 'unit'],
    topics: ['tmp'],
    shell:
      'mount -t tmpfs -o size=1m tmpfs /tmp; chmod 1777 /tmp; dd if=/dev/zero of=/tmp/full bs=64k 2>/dev/null || :',
    right: works,
  },
  {
    name: 'tmp-noexec',
    has: '/tmp is mounted noexec',
    starts: ['fresh', 'packaged', 'unit'],
    shell: 'mount -o remount,noexec,nosuid /tmp',
    right: works,
  },
  {
    name: 'bind-mount',
    has: 'the directory above the data directory is a bind mount of fstab',
    lives: ['/srv/volume'],
    starts: ['fresh'],
    topics: ['data place', 'database'],
    shell: `install -d /srv/volume /database
echo '/srv/volume /database none bind 0 0' >>/etc/fstab
mount /database`,
    right: works,
  },
];
