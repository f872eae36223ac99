/** A standby whose host is a new one, as lab tests need it. In: a cluster. Out: the same cluster with another host, and what stands on one. */
import type { Host } from '../harness/lab.ts';
import { until } from '../harness/run.ts';
import { LabCluster } from '../support/cluster.ts';
import { fileText, mcCtlStatus, type Server, sql } from '../support/instance.ts';

/** The same cluster with another host in the place of one. */
export async function withNewHost(
  old: LabCluster,
  options: ConstructorParameters<typeof LabCluster>[2],
  name: string,
): Promise<LabCluster> {
  const [fresh] = await old.lab.hosts(1, { names: [name] });
  const hosts = old.hosts.map((host) => (host.name === name ? (fresh as Host) : host));
  return new LabCluster(old.lab, hosts, { ...options, name: `with-${fresh.address}.yml` });
}

export const passfile = (host: Host): string => fileText(host, '/var/lib/postgresql/.pgpass');
export const clusterKey = (host: Host): string => fileText(host, '/mcdir/inst1/cluster.key');

/** Until the primary has left the server out. */
export const untilOut = (primary: Server, id: string): Promise<unknown> =>
  until(
    async () => `${id} is not out:\n${await mcCtlStatus(primary)}`,
    30_000,
    async () => ((await sql(primary, 'show synchronous_standby_names')).includes(id) ? undefined : true),
    200,
  );
