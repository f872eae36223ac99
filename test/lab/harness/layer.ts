/**
 * Fills one layer of an image: debootstrap for the lowest, apt in a chroot for those above.
 * In: the layer's definition, the directories below it, an empty directory to work in.
 * Out: the directory `root` in it. It must never write to the layers below, and its mounts live
 * in a mount namespace of their own, so that a build that is killed leaves none behind.
 */
import { copyFileSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BESIDE, dpkgOptions, type Layer, LOCAL_PACKAGES } from './definition.ts';
import { archiveUri, environment } from './machine.ts';
import { cacheDir } from './places.ts';
import { run } from './run.ts';

const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

export async function buildLayer(layer: Layer, below: readonly string[], work: string): Promise<void> {
  const cache = join(cacheDir(), layer.suite);
  for (const dir of ['upper', 'overlay-work', 'empty', 'mnt']) mkdirSync(join(work, dir));
  for (const dir of ['debs', 'lists', 'debootstrap']) mkdirSync(join(cache, dir), { recursive: true });
  const scripts = join(work, 'script');
  mkdirSync(scripts);
  copyFileSync('/etc/resolv.conf', join(scripts, 'resolv.conf'));
  writeFileSync(join(scripts, 'dpkg'), dpkgOptions());
  writeFileSync(join(scripts, 'inside'), `set -e\n${insideScript(layer)}`);
  writeFileSync(join(scripts, 'outside'), `set -e\n${outsideScript(layer)}`);
  // The build ends with this process, or a second build could meet a first one that nobody waits for.
  const args = [
    '--pdeathsig',
    'KILL',
    'unshare',
    '--mount',
    '--pid',
    '--fork',
    '--kill-child',
    'sh',
    join(scripts, 'outside'),
  ];
  const env = { ...environment(), ...(await proxyOfApt()), ...variables(layer, below, work, cache) };
  const mirror = await archiveUri();
  const built = await run('setpriv', args, { env: { ...env, MIRROR: mirror }, timeoutMs: 1_200_000 });
  if (built.status !== 0) {
    const last = `${built.stdout}\n${built.stderr}`.trim().split('\n').slice(-25).join('\n');
    throw new Error(`the image ${layer.name} cannot be built from ${mirror}:\n${last}`);
  }
  renameSync(join(work, 'upper'), join(work, 'root'));
  for (const dir of ['overlay-work', 'empty', 'mnt', 'script']) rmSync(join(work, dir), { recursive: true });
}

function variables(
  layer: Layer,
  below: readonly string[],
  work: string,
  cache: string,
): Record<string, string> {
  return {
    WORK: work,
    ROOT: join(work, 'mnt'),
    CACHE: cache,
    LOWER: below.length > 0 ? below.join(':') : join(work, 'empty'),
    SUITE: layer.suite,
    KEYRING,
    LOCAL_PACKAGES,
    DEBIAN_FRONTEND: 'noninteractive',
    LC_ALL: 'C.UTF-8',
    PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
  };
}

/**
 * Runs on this machine. The overlay is `volatile`: nothing is flushed while building, which is
 * much faster, and one flush at the end makes the layer as safe as any other file.
 */
function outsideScript(layer: Layer): string {
  const bare = layer.kind === 'bare';
  return `
mount --make-rprivate /
mount -t overlay overlay -o "volatile,lowerdir=$LOWER,upperdir=$WORK/upper,workdir=$WORK/overlay-work" "$ROOT"
${layer.kind === 'base' ? DEBOOTSTRAP : ''}
mount -t proc proc "$ROOT/proc"
mkdir -p "$ROOT/var/cache/apt/archives" "$ROOT/var/lib/apt/lists"
${bare ? 'rm -rf "$CACHE/bare"; mkdir -p "$CACHE/bare"' : ''}
mount --bind "$CACHE/${bare ? 'bare' : 'debs'}" "$ROOT/var/cache/apt/archives"
mount --bind "$CACHE/lists" "$ROOT/var/lib/apt/lists"
cp "$WORK/script/resolv.conf" "$ROOT/etc/resolv.conf"
cp "$WORK/script/inside" "$ROOT/inside.sh"
echo "deb $MIRROR $SUITE main" > "$ROOT/etc/apt/sources.list"
chroot "$ROOT" sh /inside.sh
${layer.kind === 'base' ? TIME_LIBRARY : ''}rm -f "$ROOT/etc/apt/sources.list" "$ROOT/etc/resolv.conf" "$ROOT/inside.sh"
umount "$ROOT/var/lib/apt/lists" "$ROOT/var/cache/apt/archives" "$ROOT/proc"
${bare ? COLLECT_PACKAGES : ''}
rm -rf "$ROOT"/var/cache/apt/* "$ROOT"/var/cache/debconf/*-old "$ROOT"/var/log/apt "$ROOT"/var/log/*.log
umount "$ROOT"
sync -f "$WORK/upper"
`;
}

const DEBOOTSTRAP = `
mkdir -p "$ROOT/etc/dpkg/dpkg.cfg.d"
cp "$WORK/script/dpkg" "$ROOT/etc/dpkg/dpkg.cfg.d/lab"
debootstrap --variant=minbase --keyring="$KEYRING" --cache-dir="$CACHE/debootstrap" "$SUITE" "$ROOT" "$MIRROR"
`;

/** Taken from the host's own suite, so that it fits the host's C library. */
const TIME_LIBRARY = `
chroot "$ROOT" sh -c 'cd /tmp && apt-get -o APT::Sandbox::User=root download -q ${BESIDE}'
mkdir "$WORK/beside"
dpkg-deb --extract "$ROOT"/tmp/${BESIDE}_*.deb "$WORK/beside"
rm "$ROOT"/tmp/${BESIDE}_*.deb
find "$WORK/beside" -name libfaketime.so.1 -exec mv {} "$WORK/" ';'
rm -r "$WORK/beside"
`;

/** The index is written by this machine, because a bare host has no tool for it. */
const COLLECT_PACKAGES = `
mkdir -p "$ROOT$LOCAL_PACKAGES"
cp "$CACHE"/bare/*.deb "$ROOT$LOCAL_PACKAGES/"
rm -rf "$CACHE/bare"
cd "$ROOT$LOCAL_PACKAGES"
dpkg-scanpackages --multiversion . > Packages
cd /
`;

/** Runs in the new root. A bare layer only fetches its packages, a host installs them later. */
function insideScript(layer: Layer): string {
  const download = layer.kind === 'bare' ? '--download-only ' : '';
  const keep = '-o APT::Keep-Downloaded-Packages=true -o APT::Sandbox::User=root';
  return `
${layer.before}
apt-get ${keep} update -q
apt-get ${keep} install -y -q --no-install-recommends ${download}${layer.packages.join(' ')}
${layer.after}
`;
}

/** apt's own proxy, when one is configured, serves debootstrap and the chroot too. */
async function proxyOfApt(): Promise<Record<string, string>> {
  const { stdout } = await run('apt-config', ['shell', 'PROXY', 'Acquire::http::Proxy']);
  const proxy = /^PROXY='(.*)'$/m.exec(stdout)?.[1];
  return proxy ? { http_proxy: proxy } : {};
}
