/**
 * A package source with a newer version of what a host has: packed from its own installed files, so that it needs no internet, and put on each
 * host as its only source. In: hosts of one image. Out: the version that is offered. It must never leave another source in place.
 */
import { cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Host } from '../harness/lab.ts';

const place = '/srv/packages';

/** The installed package again, under a version that is higher. */
const pack = (name: string, suffix: string): string => `set -e
cd ${place}
version=$(dpkg-query -W -f '\${Version}' ${name})${suffix}
rm -rf x; mkdir -p x/DEBIAN
dpkg-query -s ${name} | sed -e '/^Status:/d' -e '/^Conffiles:/,/^[^ ]/{/^Conffiles:/d;/^ /d}' -e "s/^Version: .*/Version: $version/" > x/DEBIAN/control
for script in preinst postinst prerm postrm; do if [ -f /var/lib/dpkg/info/${name}.$script ]; then cp /var/lib/dpkg/info/${name}.$script x/DEBIAN/; fi; done
dpkg -L ${name} | while read -r path; do if [ -L "$path" ] || [ -f "$path" ]; then echo ".$path"; fi; done > list
tar -C / -c --no-recursion -T list | tar -C x -x
chmod 0755 x/DEBIAN
dpkg-deb --root-owner-group -Znone --build x ${name}.deb >/dev/null
rm -rf x
{ dpkg-deb -f ${name}.deb; echo "Filename: ./${name}.deb"; echo "Size: $(stat -c %s ${name}.deb)"; echo "SHA256: $(sha256sum ${name}.deb | cut -d' ' -f1)"; echo; } >> Packages
echo "$version"`;

const useIt = `rm -rf /etc/apt/sources.list /etc/apt/sources.list.d/* /var/lib/apt/lists/*
echo 'deb [trusted=yes] file:${place} ./' > /etc/apt/sources.list
apt-get update -q >/dev/null 2>&1`;

export async function offerNewer(hosts: readonly Host[], name: string, suffix = '+lab1'): Promise<string> {
  const [first, ...rest] = hosts;
  if (!first) throw new Error('no host is named');
  await first.sh(`rm -rf ${place}; mkdir -p ${place}`, { check: true });
  const version = (await first.sh(pack(name, suffix), { check: true })).stdout.trim();
  for (const host of rest) {
    mkdirSync(join(host.disk, place), { recursive: true });
    cpSync(join(first.disk, place), join(host.disk, place), { recursive: true });
  }
  await Promise.all(hosts.map((host) => host.sh(useIt, { check: true })));
  return version;
}

export const installedVersion = async (host: Host, name: string): Promise<string> =>
  (await host.sh(`dpkg-query -W -f '\${Version}' ${name}`, { check: true })).stdout;
