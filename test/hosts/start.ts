/**
 * Two hosts as a round begins, before any trait: nothing but packages, or a running single server with data on the first one. In: a lab,
 * an image, a start. Out: the hosts and where the server is. Nothing here calls pgduet.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Host, Lab } from '../lab/harness/lab.ts';
import { prepared, type Recipe } from '../lab/harness/prepared.ts';
import { until } from '../lab/harness/run.ts';
import { unitText } from '../lab/single/files.ts';
import { roles, shop, stock } from '../lab/single/shop.ts';
import { type Server, serverOf, sql } from '../lab/support/instance.ts';
import type { Image, Start } from './trait.ts';

export const managementDir = '/mcdir/inst1';
export const hostNames = ['server1', 'server2'] as const;

/** What a start says of its server, whether it is there already or not. */
export interface Ground {
  readonly version: number;
  readonly bin: string;
  readonly port: number;
  readonly dataDir: string;
  /** Where postgresql.conf and pg_hba.conf are. */
  readonly configDir: string;
  /** Of a server that is there already. */
  readonly unit?: string;
}

export function groundOf(image: Image, start: Start): Ground {
  const version = image === 'debian12' ? 15 : 17;
  const bin = `/usr/lib/postgresql/${version}/bin`;
  if (start === 'packaged')
    return {
      version,
      bin,
      port: 5432,
      dataDir: `/var/lib/postgresql/${version}/main`,
      configDir: `/etc/postgresql/${version}/main`,
      unit: `postgresql@${version}-main.service`,
    };
  const dataDir = '/database/inst1';
  const own = { version, bin, port: 27500, dataDir, configDir: dataDir };
  return start === 'unit' ? { ...own, unit: 'postgresql-inst1.service' } : own;
}

/** The single server by itself, under its own unit. */
export const serverOn = (host: Host, { port, dataDir, unit }: Ground): Server =>
  serverOf(host, { port, dataDir, ...(unit === undefined ? {} : { unit }) });

export async function begin(lab: Lab, image: Image, start: Start): Promise<readonly [Host, Host]> {
  if (start === 'fresh') {
    const [one, other] = await lab.hosts(2, { image, names: hostNames });
    return [one, other];
  }
  const [{ hosts }, [other]] = await Promise.all([
    prepared(lab, recipe(image, start), { names: [hostNames[0]] }),
    lab.hosts(1, { image, names: [hostNames[1]] }),
  ]);
  const [one] = hosts;
  if (one === undefined) throw new Error('a single server needs a host');
  await untilAnswers(serverOn(one, groundOf(image, start)));
  return [one, other];
}

/** It answers, and has come to the end of any recovery. */
export async function untilAnswers(server: Server): Promise<void> {
  let last = '';
  await until(
    () => `the server of ${server.id} does not answer: ${last}`,
    30_000,
    async () => {
      last = await sql(server, 'SELECT pg_catalog.pg_is_in_recovery()').catch(String);
      return last === 'f' ? true : undefined;
    },
    50,
  );
}

function recipe(image: Image, start: Start): Recipe {
  const sources = ['../lab/single/shop.ts', '../lab/single/files.ts', 'start.ts'];
  return {
    name: `hosts-${start}-${image}`,
    image,
    hosts: ['single'],
    ingredients: sources.map((name) => readFileSync(join(import.meta.dirname, name), 'utf8')),
    async make(_lab, [host]) {
      if (host === undefined) throw new Error('a single server needs a host');
      const ground = groundOf(image, start);
      await host.sh(start === 'packaged' ? packagedScript(ground) : unitScript(ground), {
        check: true,
        input: unitText(`${ground.bin}/postgres`, ground.dataDir),
      });
      await fill(serverOn(host, ground));
    },
  };
}

/** The application's own rule, and every network. */
const opened = (dir: string): string => `
echo "host app app 10.0.0.0/8 scram-sha-256" >> ${dir}/pg_hba.conf
echo "listen_addresses = '*'" >> ${dir}/postgresql.conf
echo "shared_buffers = 16MB" >> ${dir}/postgresql.conf
`;

// The image keeps the packages from making a cluster; its own file of defaults stands beside.
const packagedScript = ({ version, configDir, unit }: Ground): string => `set -e
pg_createcluster --createclusterconf=/etc/postgresql-common/createcluster.conf.ucf-dist ${version} main
${opened(configDir)}
systemctl start ${unit}`;

const unitScript = ({ bin, dataDir, port, unit }: Ground): string => `set -e
cat > /etc/systemd/system/${unit}
install -d -o postgres -g postgres -m 700 ${dataDir}
cd / && runuser -u postgres -- ${bin}/initdb -D ${dataDir} -A peer --auth-host=scram-sha-256 -E UTF8 --no-instructions >/dev/null
${opened(dataDir)}
echo "port = ${port}" >> ${dataDir}/postgresql.conf
systemctl daemon-reload && systemctl enable -q --now ${unit}`;

async function fill(server: Server): Promise<void> {
  await untilAnswers(server);
  await sql(server, roles({}));
  await sql(server, shop({}), 'app');
  await sql(server, stock, 'stock');
  await sql(server, 'CHECKPOINT');
}
