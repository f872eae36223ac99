/** Hosts of a rolling update that answer from directories of this machine, and what is seen of them. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { updateOwner } from '../../src/base/maintenance-words.ts';
import type { Cluster } from '../../src/inventory/cluster.ts';
import { type Order, orderText } from '../../src/rolling/order.ts';
import { emptyRow, type Row, rowText, type Step } from '../../src/rolling/row.ts';
import type { Fleet, FleetSeen } from '../../src/verbs/rolling/fleet.ts';
import type { Update } from '../../src/verbs/rolling/update.ts';
import { clusterOf } from '../observe/cluster.ts';

export const done = (...steps: readonly Step[]): Pick<Row, 'done'> => ({
  done: steps.map((step, at) => ({ step, at, began: 't', ms: 1, states: {} })),
});

export interface FakeHosts {
  readonly update: Update;
  readonly said: readonly string[];
  /** By server: who has it in maintenance. */
  readonly maintained: Map<string, string>;
  readonly abort: AbortController;
  primary: string;
  looks: number;
  /** The disk with the data is not mounted. */
  losesData(): void;
  /** What systemd says of every unit from now on. */
  units(state: string): void;
  file(server: string, name: string): string;
  write(server: string, name: string, text: string): void;
  /** What the next scripts on it end with. */
  refuse: (server: string, script: string) => number;
}

const inventory = `
cluster: shop
ssh: { user: root }
postgres: { version: 15, data_dir: /nowhere }
multiplexing: { management_dir: /nowhere2, on_heartbeat_loss: fallback }
hosts:
  server1: { address: 192.0.2.100, role: primary }
  server2: { address: 192.0.2.110, role: standby }
  server3: { address: 192.0.2.120, role: standby }
`;

export async function fakeHosts(order: Order): Promise<FakeHosts> {
  const root = mkdtempSync(join(tmpdir(), 'rolling-'));
  const cluster: Cluster = await clusterOf(inventory);
  const at = (server: string, name: string): string => join(root, `shop.${server}`, name);
  const programs = {
    systemctl: `cat ${root}/state 2>/dev/null || echo inactive`,
    // "sh FILE" are the last words; without a unit its end is that of the call.
    sshd: 'exit 0',
    dpkg: 'exit 0',
    'dpkg-query': 'exit 0',
    'systemd-run': 'while [ $# -gt 2 ]; do shift; done; "$@"',
  };
  for (const [name, text] of Object.entries(programs))
    writeFileSync(join(root, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  mkdirSync(join(root, 'data'));
  for (const name of ['PG_VERSION', 'standby.signal']) writeFileSync(join(root, 'data', name), '');
  for (const { name } of order.servers) {
    mkdirSync(join(root, `shop.${name}`));
    writeFileSync(at(name, 'order'), orderText(order));
  }
  const read = (server: string, name: string): string =>
    existsSync(at(server, name)) ? readFileSync(at(server, name), 'utf8').trim() : '';
  const said: string[] = [];
  const abort = new AbortController();
  const fleet: Fleet = {
    cluster,
    look: async () => {
      hosts.looks += 1;
      if (hosts.looks > 30) throw new Error('it goes on without an end');
      const entry = (by: string) => ({ number: 1, by, since: '', until: null, reason: '' });
      const maintained = new Map([...hosts.maintained].map(([name, by]) => [name, entry(by)]));
      const view = { hosts: new Map(), primary: hosts.primary, maintained } satisfies FleetSeen['view'];
      const seen = new Map(
        order.servers.map(({ name }) => [
          name,
          {
            ...{ isRoot: true, systemd: 'running', machineId: 'm', boot: 'b', mounts: '', units: [] },
            order: read(name, 'order'),
            row: read(name, 'row'),
            ended: read(name, 'ended'),
            skipped: read(name, 'skipped').split('\n'),
          },
        ]),
      );
      return { view, hosts: seen, away: new Map() };
    },
    run: async (server, script) => {
      const status = hosts.refuse(server, script);
      if (status !== 0) return { status, stdout: '', stderr: 'No space left on device' };
      const reply = spawnSync(
        'sh',
        ['-c', script.replaceAll('/var/lib/pgduet', root).replaceAll('/nowhere/', `${root}/data/`)],
        {
          encoding: 'utf8',
          env: { ...process.env, PATH: `${root}:${process.env.PATH}` },
        },
      );
      return { status: reply.status ?? 1, stdout: reply.stdout, stderr: reply.stderr };
    },
    state: () => {
      throw new Error('nobody is asked');
    },
    drop: async () => undefined,
    close: async () => undefined,
  };
  let clock = 0;
  const world = {
    options: { json: false, yes: true, check: false, verbose: false },
    interrupted: abort.signal,
    say: (text: string) => said.push(text),
    print: (text: string) => said.push(text),
    operator: 'alice@desk',
  };
  const ports = { now: () => ++clock, interrupted: abort.signal };
  const hosts: FakeHosts = {
    update: { world, cluster, ports, fleet, order } as unknown as Update,
    said,
    maintained: new Map(),
    abort,
    primary: order.primary,
    looks: 0,
    losesData: () => rmSync(join(root, 'data', 'PG_VERSION')),
    units: (state) => writeFileSync(join(root, 'state'), `${state}\n`),
    file: read,
    write: (server, name, text) => writeFileSync(at(server, name), text),
    refuse: () => 0,
  };
  return hosts;
}

/** Its turn has come as far as these steps, and it is out. */
export function begun(hosts: FakeHosts, server: string, ...steps: readonly Step[]): void {
  const { order } = hosts.update;
  hosts.write(server, 'row', rowText({ ...emptyRow(order.id), ...done(...steps) }));
  hosts.maintained.set(server, updateOwner(order.id));
}
