/**
 * Writes inventories for lab hosts, as a user would. In: the lab, its hosts and what differs from a plain pair.
 * Out: the path of a YAML file in the lab's directory. The first host is the preferred primary.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Host, Lab } from '../harness/lab.ts';

/** A value with a YAML tag, for secrets: `env('NAME')` is written as `!env NAME`. */
export class Tagged {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}
export const env = (name: string): Tagged => new Tagged(`!env ${name}`);

export type Yaml = string | number | boolean | Tagged | readonly Yaml[] | YamlMap;
export interface YamlMap {
  readonly [key: string]: Yaml | undefined;
}

export const dataDir = '/database/inst1';
export const managementDir = '/mcdir/inst1';

/** What an inventory says of a host. */
export type Addressed = Pick<Host, 'name' | 'address' | 'address6'>;
/** Who logs in there. */
export type Operator = Pick<Lab, 'key' | 'knownHosts'>;

/** Of every inventory that says nothing else. */
export const plainSettings: YamlMap = { max_connections: 50, shared_buffers: '16MB', log_statement: 'all' };

export interface InventoryWish {
  /** File name without directory; a second inventory of one lab needs a name of its own. */
  readonly name?: string;
  readonly cluster?: string;
  readonly version?: number;
  /** In place of the key, the known hosts and root. */
  readonly ssh?: YamlMap;
  /** Added to the section, key by key. */
  readonly postgres?: YamlMap;
  readonly multiplexing?: YamlMap;
  readonly secrets?: YamlMap;
  /** An etcd in place of an arbiter host. */
  readonly etcd?: YamlMap;
  /** Who reaches the ports. */
  readonly firewall?: Yaml;
  /** Added to the entry of each host. */
  readonly host?: (host: Addressed, index: number) => YamlMap;
  /** In place of the entries that follow from the hosts. */
  readonly hosts?: YamlMap;
}

/** Root with the lab's key and its known hosts. */
export const rootLogin = (lab: Operator): YamlMap => ({
  user: 'root',
  identity_file: lab.key,
  known_hosts: lab.knownHosts,
});

export function inventory(lab: Lab, hosts: readonly Addressed[], wish: InventoryWish = {}): string {
  const path = join(lab.dir, wish.name ?? 'inventory.yml');
  writeFileSync(path, inventoryText(lab, hosts, wish));
  return path;
}

export function inventoryText(lab: Operator, hosts: readonly Addressed[], wish: InventoryWish = {}): string {
  const entries = hosts.map((host, index) => {
    const role = index === 0 ? 'primary' : 'standby';
    return [host.name, { address: host.address, role, ...wish.host?.(host, index) }] as const;
  });
  const document: YamlMap = {
    cluster: wish.cluster ?? 'inst1',
    ssh: wish.ssh ?? rootLogin(lab),
    postgres: {
      version: wish.version ?? 15,
      port: 27500,
      data_dir: dataDir,
      settings: plainSettings,
      hba: [{ type: 'host', database: 'app', user: 'app', address: '10.0.0.0/8', method: 'scram-sha-256' }],
      ...wish.postgres,
    },
    multiplexing: {
      management_dir: managementDir,
      port: 27540,
      on_heartbeat_loss: 'fallback',
      ...wish.multiplexing,
    },
    arbiter: wish.etcd,
    firewall: wish.firewall,
    secrets: wish.secrets,
    hosts: wish.hosts ?? Object.fromEntries(entries),
  };
  return `${block(document, '')}\n`;
}

const isMap = (value: Yaml): value is YamlMap =>
  typeof value === 'object' && !(value instanceof Tagged) && !Array.isArray(value);

function block(map: YamlMap, indent: string): string {
  const lines = Object.entries(map).flatMap(([key, value]) => {
    if (value === undefined) return [];
    const below = isMap(value) && Object.keys(value).length > 0;
    return below ? [`${indent}${key}:`, block(value, `${indent}  `)] : [`${indent}${key}: ${flow(value)}`];
  });
  return lines.join('\n');
}

function flow(value: Yaml): string {
  if (value instanceof Tagged) return value.text;
  if (Array.isArray(value)) return `[${value.map(flow).join(', ')}]`;
  if (!isMap(value)) return JSON.stringify(value);
  const fields = Object.entries(value).flatMap(([key, inner]) =>
    inner === undefined ? [] : [`${key}: ${flow(inner)}`],
  );
  return `{ ${fields.join(', ')} }`;
}
