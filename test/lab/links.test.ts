/**
 * The instance administrator of a host can make any name in its directories a link to something of root's, which pgduet could
 * follow as root. Here each of them is one, while every verb is run: nothing of root's changes, and nothing that only root may read
 * comes into a file of the administrator's. The names are those that the hosts have and those that the verbs write, as they are found,
 * so that new ones are met too.
 */
import { afterAll, beforeAll, expect } from 'vitest';
import { type Before, beforeFile } from '../../src/resources/data/record.ts';
import { describeLab, labTest } from './harness/describe.ts';
import { sleep } from './harness/run.ts';
import { type LabCluster, provisionedPair } from './support/cluster.ts';
import { type Server, sql } from './support/instance.ts';
import { dataDir, managementDir } from './support/inventory.ts';
import { LinkedHost } from './support/links.ts';
import { expectExit, type Said } from './support/pgduet.ts';
import { Run } from './support/running.ts';

const home = '/var/lib/postgresql';
/** Each is the administrator's, with all that stands in it. */
const [wal, spaces, copies] = ['/wal', '/spaces', '/copies'];
const directories = [managementDir, dataDir, home, wal, spaces, copies];
const arbiterDir = '/mcarb/arbiter';
const arbiterDirs = [arbiterDir, `${arbiterDir}/clusters`, `${arbiterDir}/clusters/inst1`];

describeLab('a host of links', () => {
  let pair: LabCluster;
  let hosts: readonly LinkedHost[];
  let arbiter: LinkedHost;
  /** Seconds since 1970: what is newer was written by what runs on the hosts. */
  let booted = 0;
  /** By server: what came to be while the verbs ran without a link. */
  const written = new Map<string, readonly string[]>();

  async function fresh(): Promise<void> {
    booted = Date.now() / 1000;
    await pair.reset();
    await sql(pair.primary, 'CREATE TABLE kept AS SELECT generate_series(1, 100) AS n');
    await Promise.all([...hosts, arbiter].map((host) => host.begin()));
  }

  beforeAll(async () => {
    pair = await provisionedPair({
      arbiter: true,
      postgres: { wal_dir: `${wal}/inst1` },
      prepare: `install -d -o postgres -m 700 ${wal} ${spaces} ${spaces}/one ${copies}`,
      sql: [['postgres', `CREATE TABLESPACE one LOCATION '${spaces}/one'`]],
    });
    hosts = pair.servers.map(({ host }) => new LinkedHost(host, directories));
    if (pair.arbiter) arbiter = new LinkedHost(pair.arbiter, arbiterDirs, 'mcarb');
  });
  afterAll(() => pair?.close());

  async function isUntouched(said: Pick<Said, 'all'>, elsewhere: boolean): Promise<void> {
    for (const host of [...hosts, arbiter]) {
      expect(host.touched(elsewhere), `${host.host.name}; pgduet said:\n${said.all}`).toEqual([]);
      expect(await host.told(), `${host.host.name}; pgduet said:\n${said.all}`).toEqual([]);
    }
  }

  /**
   * The same command until it ends well. What a link stops is brought back, as a person would do it: what the message names, else the
   * first half of what there is.
   */
  async function through(verb: string, ...more: string[]): Promise<void> {
    for (;;) {
      const said = await pair.run(verb, ...more);
      await isUntouched(said, verb !== 'teardown');
      if (said.status === 0) break;
      const left = hosts.flatMap(({ linked }) => linked);
      if (left.length === 0) expectExit(said, 0);
      const named = left.filter((path) => said.all.includes(path));
      for (const host of hosts) {
        const back = host.linked.filter((path) => named.includes(path));
        await host.restore(named.length > 0 ? back : host.linked.slice(0, Math.ceil(host.linked.length / 2)));
      }
    }
    for (const host of hosts) await host.restore(host.linked);
  }

  /** The links come while a person reads the plan. Whether the steps succeed does not matter, nor what one waits for. */
  async function asked(shift: number, verb: string, ...more: string[]): Promise<void> {
    const run = new Run([verb, '-i', pair.file, ...more], {}, true);
    await run.said('[y/N]');
    await linkFiles(shift);
    run.child.stdin?.write('y\n');
    const status = await Promise.race([run.ended.then(() => 'ended'), sleep(20_000)]);
    if (status !== 'ended') run.child.kill('SIGKILL');
    const ended = await run.ended;
    await isUntouched({ all: ended.stdout }, verb !== 'teardown');
  }

  /** Files that nothing but pgduet has written, and the names that it writes and takes away again. */
  async function linkFiles(shift: number): Promise<void> {
    for (const [index, host] of hosts.entries()) {
      const found = await host.names(`${directories.join(' ')} -mindepth 1 -maxdepth 1 -type f`);
      const running = new Set(
        await host.names(`${directories.join(' ')} -mindepth 1 -maxdepth 1 -newermt @${booted}`),
      );
      const came = (written.get(host.host.name) ?? []).filter(
        (path) => !found.includes(path) && !running.has(path),
      );
      await host.link([...found.filter((path) => !running.has(path)), ...came], shift + index);
    }
  }

  labTest('each verb is watched: the names that it writes', async () => {
    await fresh();
    const watches = hosts.map((host) => host.watching());
    expectExit(await pair.run('rebuild', pair.standby.id, '--copy', '--yes'), 0);
    expectExit(await pair.run('teardown', '--keep', pair.primary.id, '--yes'), 0);
    for (const [index, host] of hosts.entries()) {
      // What a server has in its data directory is no name of pgduet's; what begins with a dot may be.
      const names = (watches[index]?.() ?? []).filter(
        (path) => !path.startsWith(`${dataDir}/`) || path.startsWith(`${dataDir}/.`),
      );
      written.set(host.host.name, names);
    }
    const [, standby] = hosts;
    expect(written.get(standby?.host.name ?? '')).toContain(`${managementDir}/${pair.standby.id}.making`);
  });

  labTest('check, status and provision meet links in place of files, and say which', async () => {
    await fresh();
    await linkFiles(0);
    for (const verb of ['check', 'status']) await isUntouched(await pair.run(verb), true);
    await through('provision', '--yes');
  });

  for (const shift of [0, 1, 2, 3])
    labTest(`links come between the plan of provision and its first step, ${shift}`, async () => {
      await fresh();
      // Each file has something to be written, or its mode to be set.
      const edits = `for f in ${managementDir}/*.conf; do echo '# edited' >> $f; done
echo 'local all all reject' >> ${dataDir}/pg_hba.conf; echo "log_statement = 'none'" >> ${dataDir}/postgresql.conf
sed -i 's/:27500:/:27501:/' ${home}/.pgpass`;
      const modes = `chmod 644 ${managementDir}/*.* ${dataDir}/*.conf ${home}/.pgpass`;
      for (const host of hosts) await host.host.sh(shift < 2 ? edits : modes, { check: true });
      await asked(shift, 'provision');
    });

  labTest('links come between the plan and the first step of switch, rebuild and teardown', async () => {
    await fresh();
    await asked(0, 'switch');
    await fresh();
    await asked(1, 'rebuild', pair.standby.id, '--copy');
    await fresh();
    await asked(2, 'teardown', '--keep', pair.primary.id);
  });

  labTest('verbs that write and delete meet links in place of directories', async () => {
    await fresh();
    const [, standby] = hosts;
    if (standby === undefined) throw new Error('the pair has no standby');
    await standby.host.sh('systemctl stop mcoi_inst1; chown postgres: /database /mcdir', { check: true });
    const inside = await standby.names(`${dataDir} -mindepth 1 -maxdepth 1 -type d`);
    const runs = [
      ['check'],
      ['rebuild', pair.standby.id, '--copy', '--yes'],
      ['teardown', '--keep', pair.primary.id, '--yes'],
    ];
    for (const [shift, paths] of [
      [1, [dataDir]],
      [2, [dataDir]],
      [2, [managementDir]],
      [1, inside],
      // The directory of the WAL, that of a tablespace with its version, and the ways to them.
      [2, [`${wal}/inst1`, `${spaces}/one`]],
      [1, await standby.names(`${spaces}/one ${wal}/inst1 -mindepth 1 -maxdepth 1 -type d`)],
    ] as const) {
      await standby.link(paths, shift);
      for (const [verb = '', ...more] of paths === inside ? runs : [...runs, ['provision', '--yes']])
        await isUntouched(await pair.run(verb, ...more), false);
      await standby.restore(standby.linked);
    }
  });

  labTest('a rebuild that keeps a copy meets links where it is to stand', async () => {
    await fresh();
    const [, standby] = hosts;
    if (standby === undefined) throw new Error('the pair has no standby');
    // What it may know alone cannot be told: it stands there as a primary on the timeline of the other one.
    await standby.host.sh(`systemctl stop mcoi_inst1; rm ${dataDir}/standby.signal`, { check: true });
    const place = `${copies}/${pair.standby.id}.before-rebuild`;
    for (const shift of [1, 2, 3]) {
      await standby.link([`${place}.unfinished`], shift);
      await isUntouched(
        await pair.run('rebuild', pair.standby.id, '--copy', '--keep-copy', copies, '--check'),
        false,
      );
      const said = await pair.run('rebuild', pair.standby.id, '--copy', '--keep-copy', copies, '--yes');
      await isUntouched(said, false);
      await standby.restore(standby.linked);
      if (said.status === 0) break;
    }
    expect(
      (await standby.host.sh(`find ${copies} -name PG_VERSION -path '*before-rebuild-*'`)).stdout,
    ).not.toBe('');
  });

  labTest('the arbiter meets links in place of its files and directories', async () => {
    for (const verb of ['provision', 'teardown'] as const) {
      await fresh();
      const files = await arbiter.names(
        `${arbiterDirs.join(' ')} -mindepth 1 -maxdepth 1 ! -type d ! -type s`,
      );
      for (const [shift, paths] of [
        [0, files],
        [1, files],
        [2, [`${arbiterDir}/clusters/inst1`]],
        [1, [arbiterDir]],
      ] as const) {
        await arbiter.link(paths, shift);
        const more = verb === 'teardown' ? ['--keep', pair.primary.id] : [];
        for (const run of [['check'], [verb, ...more, '--yes']]) {
          const [name = '', ...rest] = run;
          await isUntouched(await pair.run(name, ...rest), false);
        }
        await arbiter.restore(arbiter.linked);
      }
    }
  });

  labTest('a record that the administrator has written makes root do nothing', async () => {
    await fresh();
    const [kept] = hosts;
    if (kept === undefined) throw new Error('the pair has no primary');
    const record = await forged(pair.primary);
    for (const starter of [
      { kind: 'unit', unit: 'ssh.service', enabled: 'disabled' },
      { kind: 'unit', unit: '../../../srv/own/empty1/x.service', enabled: 'enabled' },
      { kind: 'hand', options: '' },
    ] as const) {
      const text = JSON.stringify({ ...record, starter });
      await kept.host.sh(`cat > ${beforeFile(pair.primary)}`, { user: 'postgres', input: text, check: true });
      const said = await pair.run('teardown', '--keep', pair.primary.id, '--yes');
      await isUntouched(said, true);
      expect(said.status, said.all).not.toBe(0);
      const ssh = await kept.host.sh('systemctl is-enabled ssh; ls -d /etc/systemd/system/ssh.service.d');
      expect(ssh.stdout).toBe('enabled\n');
    }
  });
});

/** A record that names what only root may write. */
async function forged(server: Server): Promise<Omit<Before, 'starter'>> {
  const entry = (path: string, mode = '666') => ({ path, mode, owner: 'root:root', text: 'all of it\n' });
  return {
    schema: 1,
    at: 1,
    systemIdentifier: await sql(server, 'SELECT system_identifier FROM pg_control_system()'),
    version: 15,
    configFile: `${dataDir}/postgresql.conf`,
    hbaFile: `${dataDir}/pg_hba.conf`,
    identFile: `${dataDir}/pg_ident.conf`,
    files: [
      entry('/srv/own/directory1/new.conf'),
      entry('/srv/own/directory1/new', '4755'),
      { path: '/etc/hosts.conf', mode: '', owner: '' },
    ],
    settings: [],
    made: [],
    roles: [],
  };
}
