/**
 * Running single servers with data on fresh lab hosts, in the forms in which a database administrator has them.
 * In: a lab and a host with the packages of PostgreSQL 15. Out: where everything is, and what an inventory has to say of it.
 * Nothing here knows pgduet's playbooks or calls it.
 */
import type { Host, Lab } from '../harness/lab.ts';
import { run } from '../harness/run.ts';
import { type Server, serverOf, sql } from '../support/instance.ts';
import { type InventoryWish, inventory } from '../support/inventory.ts';
import { byHandFiles, needsNothingFiles, ownUnitFiles, packagedFiles, unitText } from './files.ts';
import { roles, type ShopWish, shop, stock } from './shop.ts';

export type FormName = 'byHand' | 'ownUnit' | 'packaged' | 'needsNothing' | 'needsNothingUnit';

/** How often the server has to be restarted; see `restarts` below. */
export interface Restarts {
  readonly migrate: 0 | 1;
  readonly teardown: 0 | 1;
}

/** A single server as it was found. */
export interface Single {
  readonly form: FormName;
  readonly host: Host;
  readonly server: Server;
  /** The unit that starts it, with its suffix; absent where a person does. */
  readonly unit?: string;
  /** Where postgresql.conf, pg_hba.conf and pg_ident.conf are. */
  readonly configDir: string;
  readonly walDir?: string;
  readonly tablespaces: readonly string[];
  /** Clients of other machines reach it. */
  readonly listens: boolean;
  readonly restarts: Restarts;
  /** What its inventory says of PostgreSQL. */
  readonly postgres: NonNullable<InventoryWish['postgres']>;
}

/** No host has this name anywhere before pgduet brings it. */
export const clusterName = 'duo77';
export const managementDir = `/mcdir/${clusterName}`;
export const controllerPort = 27741;

const bin = '/usr/lib/postgresql/15/bin';
const instanceDir = '/database/inst1';
/** Where every one of these servers writes its archive, if it has one. */
export const archiveDir = '/archive';

/** What the administrator's rules let in; the inventory says the same for the time of multiplexing. */
const appRule = {
  type: 'host',
  database: 'app',
  user: 'app',
  address: '10.0.0.0/8',
  method: 'scram-sha-256',
};

export const forms: Readonly<Record<FormName, (lab: Lab, host: Host) => Promise<Single>>> = {
  byHand,
  ownUnit,
  packaged,
  needsNothing,
  needsNothingUnit,
};

const one: Restarts = { migrate: 1, teardown: 1 };

/** What the person who starts it says to pg_ctl. */
const byHandOptions = " -o '-c work_mem=7MB'";

/** Made by initdb and started by a person in a login, with an option on the command line. */
export async function byHand(lab: Lab, host: Host): Promise<Single> {
  const single = described('byHand', host, { port: 5432, listens: false, restarts: one });
  await initdb(host, '--data-checksums');
  await writeFiles(host, byHandFiles(instanceDir));
  await startByHand(lab, host, byHandOptions);
  await fill(single, {});
  return single;
}

/** Everything that an administrator can have done in ten years, with a unit of its own. */
export async function ownUnit(_lab: Lab, host: Host): Promise<Single> {
  const walDir = '/wal/inst1';
  const single = {
    ...described('ownUnit', host, { port: 27500, listens: true, restarts: one, walDir }),
    unit: 'postgresql-inst1.service',
    tablespaces: ['/space1'],
  };
  await host.smallDisk('/wal', 1024);
  await host.sh(
    `install -d -o postgres -g postgres -m 700 ${walDir} /space1
install -d -o postgres -g postgres -m 750 ${archiveDir}`,
    { check: true },
  );
  await initdb(host, `--waldir=${walDir}`);
  await writeFiles(host, ownUnitFiles(instanceDir, archiveDir));
  await startUnit(host, single.unit);
  await fill(single, { tablespace: '/space1', statements: true, slots: true });
  await sql(
    single.server,
    `ALTER SYSTEM SET wal_keep_size = '96MB';
ALTER SYSTEM SET max_wal_senders = 6;
ALTER SYSTEM SET log_min_duration_statement = '500ms';
ALTER SYSTEM SET random_page_cost = 1.1;`,
  );
  await host.sh(`systemctl restart ${single.unit}`, { check: true });
  return single;
}

/** Debian's cluster, with a file of its own in conf.d. */
export async function packaged(_lab: Lab, host: Host): Promise<Single> {
  const dataDir = '/var/lib/postgresql/15/main';
  const configDir = '/etc/postgresql/15/main';
  const port = 5432;
  const single = {
    ...described('packaged', host, { port, listens: true, restarts: one, dataDir }),
    configDir,
    unit: 'postgresql@15-main.service',
  };
  // The image keeps the packages from making a cluster; its own file of defaults stands beside.
  const defaults = '/etc/postgresql-common/createcluster.conf.ucf-dist';
  await host.sh(`pg_createcluster --createclusterconf=${defaults} 15 main`, { check: true });
  await writeFiles(host, packagedFiles(configDir));
  await host.sh(`systemctl start ${single.unit}`, { check: true });
  await fill(single, {});
  return single;
}

/** Set up from its beginning as multiplexing wants it, and started by a person: it never has to stop. */
export async function needsNothing(lab: Lab, host: Host): Promise<Single> {
  const restarts: Restarts = { migrate: 0, teardown: 0 };
  const single = described('needsNothing', host, { port: 27500, listens: true, restarts });
  await initdb(host, '--data-checksums');
  await writeFiles(host, needsNothingFiles(instanceDir));
  await startByHand(lab, host);
  await fill(single, {});
  return single;
}

/** The same with a unit: that has to start it again when the way back is over. */
export async function needsNothingUnit(_lab: Lab, host: Host): Promise<Single> {
  const restarts: Restarts = { migrate: 0, teardown: 1 };
  const single = {
    ...described('needsNothingUnit', host, { port: 27500, listens: true, restarts }),
    unit: 'postgresql-inst1.service',
  };
  await initdb(host, '--data-checksums');
  await writeFiles(host, needsNothingFiles(instanceDir));
  await startUnit(host, single.unit);
  await fill(single, {});
  return single;
}

/** What the administrator has to bring to the other server, as pgduet cannot know it. */
export async function prepareOther(single: Single, other: Host): Promise<void> {
  if (single.form !== 'ownUnit') return;
  await other.sh(`install -d -o postgres -g postgres -m 750 ${archiveDir}`, { check: true });
}

/** Writes the inventory of the server and the hosts that are to stand by it; returns its path. */
export function inventoryOf(lab: Lab, single: Single, others: readonly Host[]): string {
  return inventory(lab, [single.host, ...others], {
    name: `${single.host.name}.yml`,
    cluster: clusterName,
    postgres: single.postgres,
    multiplexing: { management_dir: managementDir, port: controllerPort },
  });
}

/** The same server on another host of the pair. */
export const counterpart = (single: Single, host: Host): Server =>
  serverOf(host, {
    port: single.server.port,
    dataDir: single.server.dataDir,
    managementDir,
    unit: `mcoi_${clusterName}.service`,
  });

interface Described {
  readonly port: number;
  readonly listens: boolean;
  readonly restarts: Restarts;
  readonly dataDir?: string;
  readonly walDir?: string;
}

function described(form: FormName, host: Host, about: Described): Single {
  const { port, listens, restarts, dataDir = instanceDir, walDir } = about;
  const wal = walDir === undefined ? {} : { wal_dir: walDir };
  return {
    form,
    host,
    server: serverOf(host, { port, dataDir, managementDir, unit: `mcoi_${clusterName}.service` }),
    configDir: dataDir,
    tablespaces: [],
    listens,
    restarts,
    postgres: { port, data_dir: dataDir, ...wal, settings: {}, hba: [appRule] },
    ...(walDir === undefined ? {} : { walDir }),
  };
}

async function initdb(host: Host, options: string): Promise<void> {
  await host.sh(
    `install -d -o postgres -g postgres -m 700 ${instanceDir}
cd / && runuser -u postgres -- ${bin}/initdb -D ${instanceDir} -A peer --auth-host=scram-sha-256 -E UTF8 --no-instructions ${options} >/dev/null`,
    { check: true },
  );
}

/** Files with modes; a text that begins with '+' is put behind what stands there. */
async function writeFiles(host: Host, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    const [into, body] = text.startsWith('+') ? ['>>', text.slice(1)] : ['>', text];
    const dir = path.slice(0, path.lastIndexOf('/'));
    const make = `[ -d ${dir} ] || install -d -o postgres -g postgres -m 750 ${dir}`;
    const own = path.startsWith('/etc/systemd')
      ? ''
      : `chown postgres:postgres ${path} && chmod ${path.endsWith('/.pgpass') ? 600 : 640} ${path}`;
    await host.sh(
      `set -e\n${make}\nnew=; [ -e ${path} ] || new=1\ncat ${into} ${path}\n[ -z "$new" ] || { :; ${own}\n}`,
      {
        input: body,
        check: true,
      },
    );
  }
}

async function startUnit(host: Host, unit: string): Promise<void> {
  await writeFiles(host, { [`/etc/systemd/system/${unit}`]: unitText(`${bin}/postgres`, instanceDir) });
  await host.sh(`systemctl daemon-reload && systemctl enable -q --now ${unit}`, { check: true });
}

/** In a login, so that it lives where a person's servers live, and not in the harness's own group. */
export async function startByHand(lab: Lab, host: Host, options = ''): Promise<void> {
  const start = `cd / && runuser -u postgres -- ${bin}/pg_ctl -s -w -D ${instanceDir} -l /var/lib/postgresql/inst1.log${options} start`;
  const login = ['-F', '/dev/null', '-o', 'BatchMode=yes', '-o', `UserKnownHostsFile=${lab.knownHosts}`];
  await run('ssh', [...login, '-i', lab.key, `root@${host.address}`, start], { check: true });
}

/** After a start of the host, a person starts what no unit does. */
export const startAgain = (lab: Lab, { form, host }: Single): Promise<void> =>
  startByHand(lab, host, form === 'byHand' ? byHandOptions : '');

async function fill({ server }: Single, wish: ShopWish): Promise<void> {
  await sql(server, roles(wish));
  await sql(server, shop(wish), 'app');
  await sql(server, stock, 'stock');
  await sql(server, 'CHECKPOINT');
}
