/**
 * The hosts of a round with their traits: made, described by an inventory, looked at from outside. In: a draw. Out: a site, and what is on
 * it at a moment. It must never call pgduet, and never judge.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Host, Lab } from '../lab/harness/lab.ts';
import { type Server, serverOf, sql } from '../lab/support/instance.ts';
import { inventoryText, rootLogin, type Yaml, type YamlMap } from '../lab/support/inventory.ts';
import { textIfThere } from '../lab/support/naming.ts';
import type { Draw } from './draw.ts';
import type { Sight } from './judge.ts';
import { internal, type Places, restless, shared } from './own.ts';
import { begin, type Ground, groundOf, hostNames, managementDir, serverOn, untilAnswers } from './start.ts';
import type { Acts, Patch, Place } from './trait.ts';

export interface Site {
  readonly lab: Lab;
  readonly draw: Draw;
  readonly ground: Ground;
  readonly hosts: readonly [Host, Host];
  /** Path of the inventory. */
  readonly file: string;
  readonly patches: Patch[];
  readonly environment: Record<string, string>;
}

export async function makeSite(lab: Lab, draw: Draw): Promise<Site> {
  const ground = groundOf(draw.image, draw.start);
  const hosts = await begin(lab, draw.image, draw.start);
  const file = join(lab.dir, 'inventory.yml');
  const site: Site = { lab, draw, ground, hosts, file, patches: [], environment: {} };
  for (const { trait, place } of draw.traits) {
    for (const host of hostsAt(site, place))
      for (const [mountpoint, size] of Object.entries(trait.disks ?? {}))
        await host.smallDisk(mountpoint, size);
    Object.assign(site.environment, trait.environment);
  }
  await act(
    site,
    draw.traits.map(({ trait, place }) => ({ acts: trait, place })),
  );
  return site;
}

export const isSingle = ({ draw }: Site): boolean => draw.start !== 'fresh';

function hostsAt({ hosts: [one, other] }: Site, place: Place): readonly Host[] {
  return { primary: [one], standby: [other], both: [one, other] }[place];
}

interface Placed {
  readonly acts: Acts;
  readonly place: Place;
}

/** Everything of one sort for all traits, then the next sort, so that the server is restarted once. */
export async function act(site: Site, all: readonly Placed[]): Promise<void> {
  for (const { acts, place } of all) {
    const here = hostsAt(site, place);
    for (const host of site.hosts) {
      const script = here.includes(host) ? acts.shell : acts.elsewhere;
      if (script !== undefined) await shell(site, host, script);
    }
  }
  if (isSingle(site))
    await actOnServer(
      site,
      all.map(({ acts }) => acts),
    );
  for (const { acts } of all) if (acts.inventory) site.patches.push(acts.inventory);
  writeInventory(site);
}

async function actOnServer(site: Site, all: readonly Acts[]): Promise<void> {
  const [host] = site.hosts;
  const server = serverOn(host, site.ground);
  for (const { sql: texts } of all) {
    const each = typeof texts === 'string' ? { postgres: texts } : (texts ?? {});
    for (const [database, text] of Object.entries(each))
      await sql(server, filled(site, host, text), database);
  }
  if (all.some(({ stopped, restart }) => stopped !== undefined || restart)) {
    await shell(site, host, 'systemctl stop {unit}');
    for (const { stopped } of all) if (stopped !== undefined) await shell(site, host, stopped);
    await shell(
      site,
      host,
      'systemctl start {unit} || { journalctl -n 20 --no-pager -u {unit}; tail -n 8 /var/log/postgresql/*.log; exit 1; }',
    );
    await untilAnswers(server);
  }
  for (const { started } of all) if (started !== undefined) await shell(site, host, started);
}

const shell = (site: Site, host: Host, script: string) =>
  host.sh(`set -eu\n${filled(site, host, script)}`, { check: true });

/** Names in braces; what is none of them is shell. */
function filled(site: Site, host: Host, text: string): string {
  const { ground, hosts } = site;
  const other = hosts.find((one) => one !== host) ?? host;
  const words: Readonly<Record<string, string>> = {
    version: String(ground.version),
    bin: ground.bin,
    data: ground.dataDir,
    conf: ground.configDir,
    port: String(ground.port),
    unit: ground.unit ?? '',
    name: host.name,
    address: host.address,
    address6: host.address6,
    peer: other.name,
    peer_address: other.address,
    peer_address6: other.address6,
  };
  return text.replaceAll(/(?<![$\\])\{(\w+)\}/g, (whole, word: string) => words[word] ?? whole);
}

function filledMap(site: Site, host: Host, value: Yaml): Yaml {
  if (typeof value === 'string') return filled(site, host, value);
  if (Array.isArray(value)) return value.map((one) => filledMap(site, host, one));
  if (typeof value !== 'object' || value.constructor !== Object) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, inner]) =>
      inner === undefined ? [] : [[key, filledMap(site, host, inner)]],
    ),
  );
}

const appRule = {
  type: 'host',
  database: 'app',
  user: 'app',
  address: '10.0.0.0/8',
  method: 'scram-sha-256',
};

/** The names of the servers in the inventory. */
export function serverNames({ patches }: Site): readonly [string, string] {
  return patches.flatMap(({ names }) => (names ? [names] : [])).at(-1) ?? [hostNames[0], hostNames[1]];
}

function merged(site: Site, host: Host, of: (patch: Patch) => YamlMap | undefined): YamlMap {
  const all = site.patches.map((patch) => of(patch) ?? {});
  return filledMap(site, host, Object.assign({}, ...all) as YamlMap) as YamlMap;
}

function writeInventory(site: Site): void {
  const { lab, ground, hosts, patches, file, draw } = site;
  const [first] = hosts;
  // This machine knows the hosts by their names, as ssh does.
  const names = hosts.map(({ name, address }) => `Host ${name}\n  HostName ${address}\n`).join('');
  writeFileSync(join(lab.dir, 'ssh_config'), names);
  const settings = draw.start === 'fresh' ? { max_connections: 50, shared_buffers: '16MB' } : {};
  const rules = patches.flatMap(({ hba = [] }) => hba);
  const text = inventoryText(lab, hosts, {
    cluster: clusterOf(site),
    version: ground.version,
    ssh: {
      ...rootLogin(lab),
      config_file: join(lab.dir, 'ssh_config'),
      ...merged(site, first, ({ ssh }) => ssh),
    },
    postgres: {
      port: ground.port,
      data_dir: ground.dataDir,
      settings: { ...settings, ...merged(site, first, (patch) => patch.settings) },
      hba: [...(draw.start === 'fresh' ? [appRule] : []), ...rules],
      ...merged(site, first, ({ postgres }) => postgres),
    },
    multiplexing: {
      management_dir: managementDir,
      ...merged(site, first, ({ multiplexing }) => multiplexing),
    },
    secrets: merged(site, first, ({ secrets }) => secrets),
    hosts: Object.fromEntries(
      hosts.map((host, at) => [serverNames(site)[at] ?? '', entryOf(site, host, at)]),
    ),
  });
  writeFileSync(file, text);
}

const entryOf = (site: Site, host: Host, at: number): YamlMap => ({
  address: host.address,
  role: at === 0 ? 'primary' : 'standby',
  ...merged(site, host, (patch) => patch.host),
});

const clusterOf = ({ patches }: Site): string =>
  patches.flatMap(({ cluster }) => (cluster === undefined ? [] : [cluster])).at(-1) ?? 'inst1';

const lastOf = (site: Site, key: string): string | undefined => {
  const value = merged(site, site.hosts[0], ({ postgres }) => postgres)[key];
  return typeof value === 'string' ? value : undefined;
};

/** The servers as the inventory names them. */
export function serversOf(site: Site): readonly [Server, Server] {
  const about = {
    port: site.ground.port,
    dataDir: lastOf(site, 'data_dir') ?? site.ground.dataDir,
    managementDir,
    unit: `mcoi_${clusterOf(site)}.service`,
    owner: lastOf(site, 'owner') ?? 'postgres',
    socketDir: lastOf(site, 'socket_dir') ?? '/var/run/postgresql',
  };
  const [one, other] = serverNames(site);
  return [serverOf(site.hosts[0], { ...about, id: one }), serverOf(site.hosts[1], { ...about, id: other })];
}

const programs = [managementDir, '/usr/local/lib/pgduet', '/usr/local/bin/mc_ctl'];

/** Where everything is on each host, with the real paths behind links. */
export async function placesOf(site: Site): Promise<readonly [Places, Places]> {
  const [server] = serversOf(site);
  const wal = lastOf(site, 'wal_dir');
  const script = `readlink -m ${server.dataDir}; echo; readlink -m ${programs.join(' ')}; echo; readlink -m ${server.dataDir}/pg_wal; ${wal === undefined ? '' : `readlink -m ${wal};`}
for one in ${server.dataDir}/pg_tblspc/*; do [ ! -h "$one" ] || readlink "$one"; done; echo; getent passwd ${server.owner} | cut -d: -f6`;
  const parts = await Promise.all(
    site.hosts.map(async (host) => (await host.sh(script)).stdout.split('\n\n')),
  );
  const words = (text = ''): string[] => text.split('\n').filter((line) => line !== '');
  const more = [...(wal === undefined ? [] : [wal]), ...parts.flatMap(([, , text]) => words(text))];
  const [one, other] = parts.map(([data, management, , home = '']) => {
    const dataDirs = [...new Set([server.dataDir, ...words(data)])];
    return {
      cluster: clusterOf(site),
      ownPaths: [...new Set([...programs, ...words(management)])],
      dataDirs,
      moreDirs: [...new Set(more)].filter((dir) => !dataDirs.some((within) => dir.startsWith(`${within}/`))),
      passfile: `${home.trim()}/.pgpass`,
      lives: site.draw.traits.flatMap(({ trait }) => trait.lives ?? []),
      isSingle: false,
    };
  });
  if (one === undefined || other === undefined) throw new Error('a round has two hosts');
  const { unit } = site.ground;
  return [{ ...one, isSingle: isSingle(site), ...(unit === undefined ? {} : { unit }) }, other];
}

/** Their content changes all the time, or is large: segments of WAL, files of relations. */
const bulky = /\/([0-9A-F]{24}|\d+(\.\d+)?)$|\.log$/;

/** All that differs from the image of the host, what is mounted, and the text of files with several owners. */
export async function lookAt(host: Host, places: Places): Promise<Sight> {
  const deep = places.dataDirs.flatMap((dir) => internal.map((name) => `${dir}/${name}`));
  const outside = [...restless, ...deep, ...places.lives];
  const changes = host.changes({
    except: [...outside, ...places.ownPaths],
    contents: (path) => !bulky.test(path),
  });
  const kept = [...changes].filter(
    ([path]) => !outside.some((dir) => path === dir || path.startsWith(`${dir}/`)),
  );
  const texts = shared(places).flatMap((path) => {
    const text = textIfThere(host.at(path));
    return text === undefined ? [] : [[path, text] as const];
  });
  const { stdout } = await host.sh("awk '{ print $2, $1, $3 }' /proc/mounts");
  const mounts = stdout
    .split('\n')
    .filter((line) => line !== '' && !/^\/(proc|sys|dev|run|tmp)\b/.test(line));
  return { changes: new Map(kept), texts: new Map(texts), mounts };
}
