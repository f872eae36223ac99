/**
 * A pair of lab hosts to make trouble on: writes inventories, runs the built command as a child process, wipes hosts
 * and asks them what is there. In: a lab. Out: exit status, the JSON document, texts. It must never hide a failure:
 * what was not expected stands in the error with everything that pgduet said.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import type { DiagnosticJson } from '../../../src/report/diagnostic.ts';
import { type Host, Lab } from '../harness/lab.ts';
import { until } from '../harness/run.ts';
import { psqlPath } from '../support/instance.ts';
import { type CheckDocument, findingsOf, type Told } from '../support/pgduet.ts';

const program =
  process.env.PGDUET_PROGRAM ?? fileURLToPath(new URL('../../../dist/pgduet.js', import.meta.url));

/** The places of every inventory here. */
export const dataDir = '/database/inst1';
export const mcDir = '/mcdir/inst1';
export const pgPort = 27500;
export const mcPort = 27540;
export const bin = '/usr/lib/postgresql/15/bin';

export interface Ended {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** What `--json` prints. */
export interface Document {
  readonly schema: number;
  readonly verb: string;
  readonly exit: number;
  readonly primary: string | null;
  readonly plan: readonly unknown[];
  readonly changed: readonly { readonly host: string; readonly summary: string }[];
  readonly diagnostics: readonly DiagnosticJson[];
}

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };
type Section = { readonly [key: string]: Json };

export interface Wishes {
  readonly ssh?: Section;
  readonly postgres?: Section;
  readonly multiplexing?: Section;
  /** Added to one host of the inventory, by its name. */
  readonly hosts?: { readonly [name: string]: Section };
}

/** A run of pgduet that may still go on. */
export class Run {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  stdout = '';
  stderr = '';

  /** With `terminal` it runs on a terminal of its own, whose keyboard is `child.stdin` and whose screen is stdout. */
  constructor(args: readonly string[], env: Readonly<Record<string, string>> = {}, terminal = false) {
    const words = [process.execPath, program, ...args];
    const [command = '', ...rest] = terminal ? ['script', '-qec', words.join(' '), '/dev/null'] : words;
    const child = spawn(command, rest, {
      stdio: [terminal ? 'pipe' : 'ignore', 'pipe', 'pipe'],
      env: { ...process.env, NO_COLOR: '1', SSH_AUTH_SOCK: '', ...env },
    });
    this.child = child;
    child.stdout?.on('data', (chunk: Buffer) => {
      this.stdout += chunk.toString();
    });
    child.stderr?.on('data', (chunk: Buffer) => {
      this.stderr += chunk.toString();
    });
    this.ended = new Promise((resolve) =>
      child.on('close', (code, signal) =>
        resolve({
          status: code ?? (signal === 'SIGINT' ? 130 : 137),
          stdout: this.stdout,
          stderr: this.stderr,
        }),
      ),
    );
  }

  /** Waits until the run has said this. */
  async said(text: string): Promise<void> {
    const all = () => `${this.stdout}${this.stderr}`;
    await until(
      () => `pgduet did not say '${text}':\n${all()}`,
      30_000,
      () => {
        if (all().includes(text)) return true;
        if (this.child.exitCode !== null) throw new Error(`pgduet ended without '${text}':\n${all()}`);
        return undefined;
      },
      2,
    );
  }

  /** Waits until so many steps are done, or until the run has ended: then it is false. */
  async stepsDone(count: number): Promise<boolean> {
    const done = () =>
      this.stderr.split('\n').filter((line) => /^ +[\d.]+ s {2}\S+: .* \(.*s\)$/.test(line)).length;
    return until(
      () => `pgduet did not get to step ${count}:\n${this.stderr}`,
      60_000,
      () => {
        if (this.child.exitCode !== null || this.child.signalCode !== null) return false;
        return this.stderr.includes(' to change') && done() >= count ? true : undefined;
      },
      2,
    );
  }
}

/** Two hosts and the command lines for them. */
export class Trouble {
  readonly lab: Lab;
  readonly a: Host;
  readonly b: Host;
  readonly inventory: string;

  constructor(lab: Lab, a: Host, b: Host, wishes: Wishes = {}) {
    this.lab = lab;
    this.a = a;
    this.b = b;
    this.inventory = this.write('inventory.yml', wishes);
  }

  /** A lab with a fresh pair in it. */
  static async open(): Promise<Trouble> {
    const lab = await Lab.open();
    const [a, b] = await lab.hosts(2);
    return new Trouble(lab, a, b);
  }

  /** A fresh pair in the same lab. */
  async another(): Promise<Trouble> {
    const [a, b] = await this.lab.hosts(2);
    return new Trouble(this.lab, a, b);
  }

  /** Writes an inventory of the two hosts; returns its path. */
  write(name: string, wishes: Wishes = {}): string {
    const path = join(this.lab.dir, `${this.a.name}-${name}`);
    const own = (host: Host): Section => wishes.hosts?.[host.name] ?? {};
    const text = stringify({
      cluster: 'inst1',
      ssh: {
        user: 'root',
        identity_file: this.lab.key,
        known_hosts: this.lab.knownHosts,
        connect_timeout: '2s',
        ...wishes.ssh,
      },
      postgres: {
        version: 15,
        port: pgPort,
        data_dir: dataDir,
        settings: { shared_buffers: '16MB' },
        ...wishes.postgres,
      },
      multiplexing: { management_dir: mcDir, port: mcPort, ...wishes.multiplexing },
      hosts: {
        [this.a.name]: { address: this.a.address, role: 'primary', ...own(this.a) },
        [this.b.name]: { address: this.b.address, role: 'standby', ...own(this.b) },
      },
    });
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  }

  start(verb: string, args: readonly string[] = [], inventory = this.inventory): Run {
    return new Run([verb, '-i', inventory, ...args]);
  }

  /** Asks on a terminal, as for a person. */
  ask(inventory = this.inventory): Run {
    return new Run(['provision', '-i', inventory], {}, true);
  }

  run(verb: string, args: readonly string[] = [], inventory = this.inventory): Promise<Ended> {
    return this.start(verb, args, inventory).ended;
  }

  provision(inventory = this.inventory): Promise<Ended> {
    return this.run('provision', ['--yes'], inventory);
  }

  /** `provision --yes --json` that has to fail with this status; returns its document. */
  async fails(status: number, inventory = this.inventory): Promise<Document> {
    const ended = await this.run('provision', ['--yes', '--json'], inventory);
    const document = documentOf(ended);
    if (ended.status !== status || document.exit !== status)
      throw new Error(`exit status ${ended.status} instead of ${status}:\n${ended.stdout}\n${ended.stderr}`);
    return document;
  }

  /** What `check --json` tells; it has to end with this status. */
  async tells(status: number): Promise<readonly Told[]> {
    const ended = await this.run('check', ['--json']);
    if (ended.status !== status)
      throw new Error(
        `check ended with ${ended.status} instead of ${status}:\n${ended.stdout}\n${ended.stderr}`,
      );
    return findingsOf(JSON.parse(ended.stdout) as CheckDocument);
  }

  /** The same command again: it has to end well, and the pair has to be whole. */
  async converges(inventory = this.inventory): Promise<Ended> {
    const ended = await this.provision(inventory);
    if (ended.status !== 0) throw new Error(`provision ended with ${ended.status}:\n${ended.stderr}`);
    await this.isWhole(this.a, this.b);
    const check = await this.run('check', [], inventory);
    if (check.status !== 0)
      throw new Error(`check ended with ${check.status}:\n${check.stdout}\n${check.stderr}`);
    return ended;
  }

  /** Proves replication and controllers: sync, switchable, a row goes over, no slot is left. */
  async isWhole(primary: Host, standby: Host): Promise<void> {
    const row = await sql(
      primary,
      "select string_agg(application_name || ' ' || host(client_addr) || ' ' || state || ' ' || sync_state, ',') from pg_stat_replication",
    );
    expectText(row, `${standby.name} ${standby.address} streaming sync`);
    for (const host of [primary, standby]) expectText(await mirroringStatus(host), 'switchable');
    expectText(await sql(primary, 'select count(*) from pg_replication_slots'), '0');
    const mark = String(Math.round(performance.now() * 1000));
    await sql(primary, `create table if not exists proof (mark text); insert into proof values ('${mark}')`);
    await until(
      () => `the row ${mark} did not reach ${standby.name}`,
      10_000,
      async () =>
        (await sql(standby, `select 1 from proof where mark = '${mark}'`)) === '1' ? true : undefined,
    );
  }
}

export function documentOf(ended: Ended): Document {
  try {
    return JSON.parse(ended.stdout) as Document;
  } catch {
    throw new Error(`no JSON document on stdout (status ${ended.status}):\n${ended.stdout}\n${ended.stderr}`);
  }
}

function expectText(found: string, wanted: string): void {
  if (found !== wanted) throw new Error(`'${found}' instead of '${wanted}'`);
}

/** One value from the instance of a host. */
export async function sql(host: Host, query: string): Promise<string> {
  const answer = await host.sh(
    `cd / && runuser -u postgres -- ${psqlPath} -X -q -A -t -h /var/run/postgresql -p ${pgPort} -d postgres -v ON_ERROR_STOP=1 -f -`,
    { input: query, check: true },
  );
  return answer.stdout.trim();
}

/** The one word under the heading of `mc_ctl status`. */
export async function mirroringStatus(host: Host): Promise<string> {
  const answer = await host.sh(`mc_ctl status -M ${mcDir}`, { user: 'postgres' });
  return answer.stdout.split('\n')[2] ?? `status ${answer.status}: ${answer.stderr}`;
}

/** Makes a host bare again: what pgduet put there is gone, packages stay. */
export async function wipe(...hosts: readonly Host[]): Promise<void> {
  await Promise.all(
    hosts.map((host) =>
      host.sh(
        `systemctl kill -s KILL mcoi_inst1 2>/dev/null; systemctl disable -q --now mcoi_inst1 2>/dev/null
pkill -9 -u postgres; while pgrep -u postgres >/dev/null; do sleep 0.02; done
find ${dataDir} ${mcDir} -mindepth 1 -delete 2>/dev/null
rm -rf ${dataDir} ${mcDir} /etc/postgresql-common/createcluster.d /var/lib/postgresql/.pgpass /etc/systemd/system/mcoi_* /usr/local/lib/pgduet /usr/local/bin/mc_ctl
sed -i /mcoi_/d /etc/services
systemctl daemon-reload; systemctl reset-failed; :`,
        { check: true },
      ),
    ),
  );
}

/** Checksum of everything below some directories: names, contents and modes. Servers below have to be stopped. */
export async function fingerprint(host: Host, ...paths: readonly string[]): Promise<string> {
  const list = paths.map((path) => `'${path}'`).join(' ');
  const answer = await host.sh(
    `find ${list} -printf '%p %m %u %s %y\\n' 2>/dev/null | sort; find ${list} -type f -exec sha256sum {} + 2>/dev/null | sort`,
  );
  return answer.stdout;
}

/** What pgduet would have made on a host; empty while nothing was done there. */
export async function traces(host: Host): Promise<string> {
  const answer = await host.sh(
    `ls -d ${dataDir}/* ${mcDir} /etc/systemd/system/mcoi_* /usr/local/lib/pgduet /usr/local/bin/mc_ctl /var/lib/postgresql/.pgpass 2>/dev/null; grep mcoi /etc/services; pgrep -u postgres -a`,
  );
  return answer.stdout.trim();
}

/** Makes a cluster of somebody else, with a row in it. */
export async function strangersCluster(
  host: Host,
  dir: string,
  port: number,
  running: boolean,
): Promise<void> {
  const server = `${bin}/pg_ctl -s -w -D ${dir} -o "-p ${port}" -l /tmp/stranger.log`;
  await host.sh(`mkdir -p ${dir} && chown postgres: ${dir} && chmod 700 ${dir}`, { check: true });
  await host.sh(
    `${bin}/initdb -N -A peer -D ${dir} >/dev/null && ${server} start && psql -q -p ${port} -d postgres -c "create table precious as select 42 as answer" ${running ? '' : `&& ${server} stop`}`,
    { user: 'postgres', check: true },
  );
}

/** The lock file of the cluster on a host can be taken at this moment. */
export async function lockIsFree(host: Host, cluster = 'inst1'): Promise<boolean> {
  const f = `/run/lock/pgduet-${cluster}.${host.name}.lock`;
  const answer = await host.sh(`[ ! -e ${f} ] || ( exec 9<${f} && flock -n 9 )`);
  return answer.status === 0;
}
