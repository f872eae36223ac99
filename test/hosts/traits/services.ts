/** Units, drop-ins, environments, and what else runs on a host. */
import { single, starts, type Trait, works } from '../trait.ts';

const archive = `install -d -o postgres -g postgres -m 750 /archive`;

export const services: readonly Trait[] = [
  {
    name: 'environment-file',
    has: 'archive_command needs a variable of the environment file of the cluster',
    lives: ['/archive'],
    starts: ['packaged'],
    topics: ['archive'],
    shell: archive,
    elsewhere: archive,
    places: ['primary'],
    stopped: `echo "ARCHIVE_TO = '/archive'" >>{conf}/environment
printf "archive_mode = on\\narchive_command = 'test -n \\"\\$ARCHIVE_TO\\" && cp %%p \\"\\$ARCHIVE_TO\\"/%%f'\\n" >>{conf}/postgresql.conf`,
    foretold: /environment go on.*ARCHIVE_TO/,
    right: works,
  },
  {
    name: 'drop-in-with-limits',
    has: 'a drop-in of the unit has limits and a nice level',
    starts: single,
    stopped: `install -d /etc/systemd/system/{unit}.d
printf '[Service]\\nLimitNOFILE=20000\\nNice=-2\\nOOMScoreAdjust=-500\\nTasksMax=2000\\n' >/etc/systemd/system/{unit}.d/override.conf
systemctl daemon-reload`,
    topics: ['drop-in'],
    foretold: /does not take over what people wrote.*Nice=-2/,
    right: works,
  },
  {
    name: 'drop-in-waits-for-disk',
    has: 'a drop-in of the unit names what has to be there first',
    starts: single,
    stopped: `install -d /etc/systemd/system/{unit}.d
printf '[Unit]\\nRequiresMountsFor=/srv\\nAfter=ssh.service\\nAssertPathExists=/etc/passwd\\n' >/etc/systemd/system/{unit}.d/10-disk.conf
systemctl daemon-reload`,
    topics: ['drop-in'],
    foretold: /RequiresMountsFor=\/srv/,
    right: works,
  },
  {
    name: 'start-by-hand-only',
    has: 'the cluster is not started with the host',
    starts: ['packaged'],
    shell: 'echo manual >{conf}/start.conf',
    places: ['primary'],
    right: works,
  },
  {
    name: 'another-cluster-beside',
    has: 'another cluster of the packages runs on the host',
    lives: ['/var/lib/postgresql/15/beside', '/var/lib/postgresql/17/beside'],
    starts,
    shell: `pg_createcluster --createclusterconf=/etc/postgresql-common/createcluster.conf.ucf-dist -p 5499 $(ls /usr/lib/postgresql) beside >/dev/null
systemctl start postgresql@$(ls /usr/lib/postgresql)-beside`,
    places: ['primary', 'standby', 'both'],
    right: works,
  },
  {
    name: 'empty-main-in-the-way',
    has: "Debian's automatic cluster, never used, stands where the standby is to be",
    starts: ['packaged'],
    topics: ['standby place'],
    places: ['standby'],
    shell: `pg_createcluster --createclusterconf=/etc/postgresql-common/createcluster.conf.ucf-dist {version} main >/dev/null
systemctl start postgresql@{version}-main`,
    right: {
      kind: 'refused',
      by: 'plan',
      code: 'SAF001',
      names: /\/var\/lib\/postgresql\/\d+\/main[\s\S]*pg_dropcluster/,
      fix: 'commands',
    },
  },
  {
    name: 'port-is-taken',
    has: "a program of somebody listens on the controller's port",
    starts,
    places: ['primary', 'standby'],
    shell: `systemd-run --quiet --unit=squat python3 -m http.server 27540
until ss -Hltn 'sport = :27540' | grep -q .; do sleep 0.02; done`,
    right: {
      kind: 'refused',
      by: 'plan',
      code: 'HST005',
      names: /27540[\s\S]*python3/,
      fix: { shell: 'systemctl stop squat' },
    },
  },
  {
    name: 'mc-ctl-of-somebody',
    has: 'a program of another product is called mc_ctl',
    starts,
    topics: ['usr local'],
    shell: "printf '#!/bin/sh\\necho midnight\\n' >/usr/bin/mc_ctl; chmod 755 /usr/bin/mc_ctl",
    right: works,
  },
  {
    name: 'degraded-system',
    has: 'a unit of the host has failed',
    starts,
    shell: `printf '[Service]\\nType=oneshot\\nExecStart=/bin/false\\n[Install]\\nWantedBy=multi-user.target\\n' >/etc/systemd/system/broken.service
systemctl daemon-reload; systemctl enable -q broken; systemctl start broken || true`,
    right: works,
  },
  {
    name: 'own-dir-in-unit-path',
    has: 'an administrator keeps links to units below /etc/systemd/system',
    starts,
    shell: `install -d /srv/units; printf '[Service]\\nType=oneshot\\nRemainAfterExit=yes\\nExecStart=/bin/true\\n[Install]\\nWantedBy=multi-user.target\\n' >/srv/units/mine.service
systemctl link -q /srv/units/mine.service; systemctl enable -q --now mine.service`,
    right: works,
  },
  {
    name: 'cron-of-postgres',
    has: "the server's user has a crontab directory and scripts of its own",
    starts,
    shell: `home=$(getent passwd postgres | cut -d: -f6); install -d -o postgres -g postgres $home/bin
printf '#!/bin/sh\\npg_dumpall >/dev/null\\n' >$home/bin/backup.sh; chown postgres: $home/bin/backup.sh; chmod 700 $home/bin/backup.sh
printf '30 2 * * * postgres /var/lib/postgresql/bin/backup.sh\\n' >/etc/cron.d/backup 2>/dev/null || { install -d /etc/cron.d; printf '30 2 * * * postgres /var/lib/postgresql/bin/backup.sh\\n' >/etc/cron.d/backup; }`,
    right: works,
  },
];
