/**
 * What each image is made of, as data. An image is a stack of layers: a base with what every
 * server has, and above it either the packages or only a local source of them.
 * Out: layers, each with a name that changes whenever anything in its definition changes.
 * It must never depend on this machine: the same definition has the same name everywhere.
 */
import { createHash } from 'node:crypto';

/** What `sudo` asks the user `deploy` for, and what sshd accepts as its password. */
export const DEPLOY_PASSWORD = 'deploy-Sudo-1';

export const IMAGE_NAMES = [
  'debian12',
  'debian12-bare',
  'debian12-sysv',
  'debian13',
  'debian13-bare',
] as const;
export type ImageName = (typeof IMAGE_NAMES)[number];

export type Suite = 'bookworm' | 'trixie';
export const SUITES: readonly Suite[] = ['bookworm', 'trixie'];

/** Packages whose files are kept beside a base layer for the harness's own use. */
export const BESIDE = 'libfaketime';

export interface Layer {
  kind: 'base' | 'packages' | 'bare';
  /** Name with the content key; also the directory's name. */
  name: string;
  suite: Suite;
  packages: readonly string[];
  /** Shell run inside the new root before and after the packages are installed. */
  before: string;
  after: string;
}

const BASE_PACKAGES =
  'systemd systemd-sysv dbus openssh-server iproute2 procps sudo ca-certificates locales netbase'.split(' ');

/** A server that System V init starts. Its messages go to syslog, and nothing of systemd is there but a library. */
const SYSV_PACKAGES =
  'sysvinit-core sysv-rc initscripts orphan-sysvinit-scripts rsyslog openssh-server iproute2 procps sudo ca-certificates locales netbase'.split(
    ' ',
  );

/** Units that only cost time in a host that lives for a minute. */
const MASKED = `console-getty.service getty.target getty-static.service systemd-firstboot.service
  apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service
  fstrim.timer man-db.timer logrotate.timer ldconfig.service systemd-hwdb-update.service
  systemd-journal-catalog-update.service systemd-update-done.service systemd-tmpfiles-clean.timer
  systemd-pstore.service systemd-random-seed.service systemd-update-utmp.service
  systemd-update-utmp-runlevel.service rc-local.service sshd-keygen.service`.split(/\s+/);

/** Documentation and translations are left out; a power cut while installing packages is not tested. */
const DPKG_OPTIONS = `force-unsafe-io
path-exclude=/usr/share/doc/*
path-exclude=/usr/share/man/*
path-exclude=/usr/share/info/*
path-exclude=/usr/share/locale/*
path-include=/usr/share/locale/locale.alias
`;

const BASE_BEFORE = `
printf '#!/bin/sh\\nexit 101\\n' > /usr/sbin/policy-rc.d
chmod 755 /usr/sbin/policy-rc.d
`;

const ACCOUNTS = `
useradd --create-home --shell /bin/bash --uid 1001 deploy
useradd --create-home --shell /bin/bash --uid 1002 ops
echo 'deploy:${DEPLOY_PASSWORD}' | chpasswd
echo 'deploy ALL=(ALL:ALL) ALL' > /etc/sudoers.d/deploy
echo 'ops ALL=(ALL:ALL) NOPASSWD: ALL' > /etc/sudoers.d/ops
chmod 440 /etc/sudoers.d/deploy /etc/sudoers.d/ops
for home in /root /home/deploy /home/ops; do install -d -m 700 "$home/.ssh"; done
chown deploy: /home/deploy/.ssh; chown ops: /home/ops/.ssh
printf '%s\\n' 'HostKey /etc/ssh/ssh_host_ed25519_key' 'UseDNS no' 'PermitRootLogin prohibit-password' \
  'PasswordAuthentication yes' > /etc/ssh/sshd_config.d/10-lab.conf
rm -f /etc/ssh/ssh_host_*
`;

const SYSTEMD = `install -d /etc/systemd/journald.conf.d /var/log/journal
printf '[Journal]\\nStorage=persistent\\nSystemMaxUse=64M\\n' > /etc/systemd/journald.conf.d/lab.conf
ln -sf /lib/systemd/system/multi-user.target /etc/systemd/system/default.target
for unit in ${MASKED.join(' ')}; do ln -sf /dev/null "/etc/systemd/system/$unit"; done
`;

/**
 * Terminals that a container has not; file systems and the clock are there already. A root that was remounted read-only at a shutdown
 * would stay so, and a cable that it takes down, too: both belong to this machine.
 */
const SYSV = `sed -i '/getty/d' /etc/inittab
for script in hwclock.sh mountkernfs.sh mountdevsubfs.sh checkroot.sh checkroot-bootclean.sh checkfs.sh mountall.sh \\
  mountall-bootclean.sh mountnfs.sh mountnfs-bootclean.sh mount-configfs brightness procps urandom bootlogs; do
  if [ -e "/etc/init.d/$script" ]; then update-rc.d "$script" disable >/dev/null 2>&1 || :; fi
done
rm -f /etc/rc[06].d/K*umountroot /etc/rc[06].d/K*umountfs /etc/rc[06].d/K*hwclock.sh
sed -i 's/^NETDOWN=.*/NETDOWN=no/' /etc/default/halt
grep -q '^NETDOWN=no' /etc/default/halt || echo NETDOWN=no >> /etc/default/halt
`;

const LEAN = `sed -i 's/^# *\\(en_US.UTF-8 UTF-8\\)/\\1/' /etc/locale.gen
locale-gen >/dev/null
rm -rf /usr/share/doc/* /usr/share/man/* /usr/share/info/*
rm -f /usr/sbin/policy-rc.d /etc/machine-id /var/lib/dbus/machine-id
touch /etc/machine-id
`;

const BASE_AFTER = `${ACCOUNTS}${SYSTEMD}${LEAN}`;
const SYSV_AFTER = `${ACCOUNTS}${SYSV}${LEAN}`;

/** A host with its packages present has no cluster yet, and no archive it could wait for. */
const PACKAGES_BEFORE = `${BASE_BEFORE}
install -d /etc/postgresql-common
echo 'create_main_cluster = false' > /etc/postgresql-common/createcluster.conf
`;
const PACKAGES_AFTER = 'rm -f /usr/sbin/policy-rc.d';

/** Below this directory a bare host has the packages and their index. */
export const LOCAL_PACKAGES = '/var/lib/local-packages';
const BARE_AFTER = `
echo 'deb [trusted=yes] file:${LOCAL_PACKAGES} ./' > /etc/apt/sources.list.d/local-packages.list
`;

function layer(
  kind: Layer['kind'],
  image: string,
  suite: Suite,
  parts: Partial<Layer>,
  below: string,
): Layer {
  const { packages = [], before = '', after = '' } = parts;
  const definition = JSON.stringify([kind, suite, packages, before, after, DPKG_OPTIONS, BESIDE, below]);
  const key = createHash('sha256').update(definition).digest('hex').slice(0, 10);
  return { kind, name: `${image}-${key}`, suite, packages, before, after };
}

/** The layers of an image, the lowest first. */
export function imageLayers(image: ImageName): [Layer, Layer] {
  const debian12 = image.startsWith('debian12');
  const suite = debian12 ? 'bookworm' : 'trixie';
  const postgresql = debian12 ? 'postgresql-15' : 'postgresql-17';
  const sysv = image.endsWith('-sysv');
  const baseParts = {
    packages: sysv ? SYSV_PACKAGES : BASE_PACKAGES,
    before: BASE_BEFORE,
    after: sysv ? SYSV_AFTER : BASE_AFTER,
  };
  const base = layer(
    'base',
    `${debian12 ? 'debian12' : 'debian13'}${sysv ? '-sysv' : ''}-base`,
    suite,
    baseParts,
    '',
  );
  const top = image.endsWith('-bare')
    ? {
        packages: [
          postgresql,
          'postgresql',
          'postgresql-client',
          'nodejs',
          'iputils-ping',
          'nftables',
          ...(debian12 ? ['postgresql-15-pgaudit', 'postgresql-15-set-user'] : []),
        ],
        after: BARE_AFTER,
      }
    : {
        packages: [
          postgresql,
          'nodejs',
          'python3',
          'iputils-ping',
          'nftables',
          ...(debian12 ? [] : ['sudo-rs']),
        ],
        before: PACKAGES_BEFORE,
        after: PACKAGES_AFTER,
      };
  return [base, layer(image.endsWith('-bare') ? 'bare' : 'packages', image, suite, top, base.name)];
}

export const dpkgOptions = (): string => DPKG_OPTIONS;
