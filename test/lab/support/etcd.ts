/**
 * An etcd on hosts of a lab: the program of Debian's package that this machine has, TLS, a user for pgduet. In: hosts. Out: what an
 * inventory says of it. It must never be set up by pgduet.
 */
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Authority, EtcdAdmin, hasEtcd, password } from '../../controller/support/etcd.ts';
import type { Host, Lab } from '../harness/lab.ts';
import { Tagged, type YamlMap } from './inventory.ts';

const directory = '/etc/etcd';

const unit = (name: string, address: string, cluster: string): string => `[Service]
Type=notify
ExecStart=/usr/local/bin/etcd --name ${name} --data-dir /var/lib/etcd \\
  --listen-client-urls https://${address}:2379 --advertise-client-urls https://${address}:2379 \\
  --listen-peer-urls http://${address}:2380 --initial-advertise-peer-urls http://${address}:2380 \\
  --initial-cluster ${cluster} --cert-file ${directory}/member.pem --key-file ${directory}/member.key
Restart=always
[Install]
WantedBy=multi-user.target
`;

export class LabEtcd {
  readonly hosts: readonly Host[];
  readonly admin: EtcdAdmin;
  /** For the inventory. */
  readonly declared: YamlMap;

  private constructor(lab: Lab, hosts: readonly Host[], ca: string) {
    const endpoints = hosts.map(({ address }) => `https://${address}:2379`);
    this.hosts = hosts;
    this.admin = new EtcdAdmin(endpoints[0] ?? '', ca);
    const [caFile, passwordFile] = [join(lab.dir, 'etcd-ca.pem'), join(lab.dir, 'etcd.password')];
    writeFileSync(caFile, ca);
    writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 });
    const login = { user: 'pgduet', password: new Tagged(`!file ${passwordFile}`) };
    this.declared = { etcd: endpoints, ca: caFile, ...login };
  }

  /** One member on each host; it comes again when its host does. */
  static async started(lab: Lab, hosts: readonly Host[]): Promise<LabEtcd> {
    if (!hasEtcd) throw new Error('this machine has no etcd: apt-get install etcd-server');
    const authority = new Authority();
    const cluster = hosts.map(({ name, address }) => `${name}=http://${address}:2380`).join(',');
    await Promise.all(hosts.map((host) => install(host, authority, cluster)));
    // The first one is ready when a majority is there.
    await Promise.all(hosts.map((host) => host.sh('systemctl enable -q --now etcd', { check: true })));
    const etcd = new LabEtcd(lab, hosts, authority.ca);
    authority.remove();
    await etcd.admin.addUsers('/pgduet/inst1/');
    return etcd;
  }
}

async function install(host: Host, authority: Authority, cluster: string): Promise<void> {
  const { name, address } = host;
  authority.sign(name, `IP:${address}`);
  cpSync('/usr/bin/etcd', join(host.disk, 'usr/local/bin/etcd'));
  const files: readonly (readonly [string, string])[] = [
    [`${directory}/member.pem`, authority.read(`${name}.pem`).toString()],
    [`${directory}/member.key`, authority.read(`${name}.key`).toString()],
    ['/etc/systemd/system/etcd.service', unit(name, address, cluster)],
  ];
  for (const [path, input] of files)
    await host.sh(`install -d -m 0700 ${directory}; cat > ${path}`, { input, check: true });
}

/** What a file of this machine says, for comparisons. */
export const certificatesOf = (lab: Lab): string => readFileSync(join(lab.dir, 'etcd-ca.pem'), 'utf8');
