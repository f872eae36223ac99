/**
 * `pgduet replace`: the host of a standby is a new one, at another address or at the same one. The former host comes back, and is nobody; what was
 * interrupted goes on.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect } from 'vitest';
import { describeLab, labTest } from '../harness/describe.ts';
import type { Host } from '../harness/lab.ts';
import { until } from '../harness/run.ts';
import { LabCluster, provisionedPair, provisionedTrio } from '../support/cluster.ts';
import {
  fileText,
  mcCtlStatus,
  mirroringStatus,
  type Server,
  sql,
  untilMirroring,
  untilSql,
} from '../support/instance.ts';
import { expectMultiplexed } from '../support/multiplexed.ts';
import { expectExit, type RunDocument } from '../support/pgduet.ts';
import { Run } from '../support/running.ts';

type Document = RunDocument & {
  readonly replace: { readonly host: string; readonly locked_out_of: readonly string[] | null };
};

/** `fallback` where nothing is said; a register of three where that is left out. */
const majority = { multiplexing: { on_heartbeat_loss: undefined } } as const;

/** The same cluster with another host in the place of one. */
async function withNewHost(
  old: LabCluster,
  options: ConstructorParameters<typeof LabCluster>[2],
  name: string,
): Promise<LabCluster> {
  const [fresh] = await old.lab.hosts(1, { names: [name] });
  const hosts = old.hosts.map((host) => (host.name === name ? (fresh as Host) : host));
  return new LabCluster(old.lab, hosts, { ...options, name: `with-${fresh.address}.yml` });
}

const passfile = (host: Host): string => fileText(host, '/var/lib/postgresql/.pgpass');
const clusterKey = (host: Host): string => fileText(host, '/mcdir/inst1/cluster.key');

/** Until the primary has left the server out. */
const untilOut = (primary: Server, id: string): Promise<unknown> =>
  until(
    async () => `${id} is not out:\n${await mcCtlStatus(primary)}`,
    30_000,
    async () => ((await sql(primary, 'show synchronous_standby_names')).includes(id) ? undefined : true),
    200,
  );

describeLab('a standby of three whose host is another one', () => {
  let trio: LabCluster;
  let now: LabCluster;
  let lost: Server;
  beforeAll(async () => {
    trio = await provisionedTrio(majority);
    lost = trio.servers[2] as Server;
    await sql(trio.primary, 'create table t (n int); insert into t select generate_series(1, 100)');
  });
  afterAll(() => trio?.close());

  labTest('is refused for the primary, and does nothing for a standby that streams', async () => {
    const primary = await trio.run('replace', trio.primary.id, '--yes');
    expectExit(primary, 5);
    expect(primary.stderr).toContain('SAF070');
    const nothing = await trio.run('replace', lost.id, '--yes', '--json');
    expectExit(nothing, 0);
    expect(nothing.json<Document>()).toMatchObject({ changed: [], replace: { locked_out_of: null } });
  });

  labTest('provision refuses the new host, and names the command', async () => {
    await lost.host.powerOff();
    await untilOut(trio.primary, lost.id);
    now = await withNewHost(trio, majority, lost.id);
    const refused = await now.provision();
    expectExit(refused, 5);
    expect(refused.stderr).toContain('SAF073');
    expect(refused.stderr).toContain(`pgduet replace ${lost.id}`);
  });

  labTest('is shown first, then done, and proven', async () => {
    const before = [passfile(trio.primary.host), clusterKey(trio.primary.host)];
    const shown = await now.run('replace', lost.id, '--check', '--json');
    expectExit(shown, 2);
    expect(shown.json<Document>().replace).toEqual({
      host: lost.id,
      locked_out_of: [trio.primary.id, trio.standby.id],
    });
    expect([passfile(trio.primary.host), clusterKey(trio.primary.host)]).toEqual(before);
    const done = await now.run('replace', lost.id, '--yes');
    expectExit(done, 0);
    expect(done.stderr).toContain('First the former host');
    await now.untilSwitchable();
    await expectMultiplexed(now);
    expect(await sql(now.servers[2] as Server, 'select count(*) from t')).toBe('100');
    expect(clusterKey(now.primary.host)).not.toBe(before[1]);
    expectExit(await now.run('check'), 0);
    const again = await now.run('replace', lost.id, '--yes', '--json');
    expectExit(again, 0);
    expect(again.json<Document>().changed).toEqual([]);
  });

  labTest('the former address is forgotten on the others', async () => {
    for (const { host } of now.servers.slice(0, 2)) {
      const { stdout } = await host.sh(
        `grep -rlF '${lost.address}' /mcdir/inst1 /database/inst1/*.conf /var/lib/postgresql/.pgpass /etc/services /etc/systemd/system --include='*.conf' --include=.pgpass --include=services --include='*.service'`,
      );
      expect(stdout.trim()).toBe('');
    }
    expect(await sql(now.primary, 'select count(*) from pg_replication_slots')).toBe('0');
  });

  labTest('the former host comes back, and nobody hears it', async () => {
    await now.primary.host.sh('journalctl --rotate; journalctl --vacuum-time=1s');
    await lost.host.powerOn();
    await sleep(12_000);
    expect(await mirroringStatus(now.primary)).toBe('switchable');
    const said = await now.primary.host.journal('mcoi*');
    expect(said).not.toContain('mirroring status');
    expect(await mirroringStatus(lost)).not.toBe('switchable');
    expect(await sql(now.primary, 'select count(*) from pg_stat_replication')).toBe('2');
  });

  labTest('the primary dies beside it: one of the others takes over, and it does not', async () => {
    await now.primary.host.powerOff();
    const [, b, c] = now.servers as [Server, Server, Server];
    const leads = await until(
      async () => `nobody takes over:\n${await mcCtlStatus(b)}`,
      60_000,
      async () => {
        for (const server of [b, c])
          if ((await sql(server, 'select pg_is_in_recovery()').catch(String)) === 'f') return server;
        return undefined;
      },
      200,
    );
    await sleep(8000);
    const states = await Promise.all(
      [b, c, lost].map((server) => sql(server, 'select pg_is_in_recovery()').catch(() => 'down')),
    );
    expect(states.filter((state) => state === 'f')).toHaveLength(1);
    expect(states[2]).not.toBe('f');
    await untilSql(leads, "select count(*) from pg_stat_replication where sync_state <> 'async'", '1');
    await sql(leads, 'insert into t values (0)');
  });
});

describeLab('a standby with an arbiter whose host is installed anew', () => {
  let pair: LabCluster;
  let key: string;
  const fingerprint = (line: string): string =>
    `SHA256:${createHash('sha256')
      .update(Buffer.from(line.split(' ')[1] ?? '', 'base64'))
      .digest('base64')
      .replace(/=+$/, '')}`;
  beforeAll(async () => {
    pair = await provisionedPair({ arbiter: true });
    key = await pair.lab.reinstall(pair.standby.host);
    await untilOut(pair.primary, pair.standby.id);
  });
  afterAll(() => pair?.close());

  labTest('its host key is refused but for the one that a person names', async () => {
    const known = readFileSync(pair.lab.knownHosts, 'utf8');
    const unnamed = await pair.run('replace', pair.standby.id, '--yes', '--accept-new-host-keys');
    expectExit(unnamed, 4);
    expect(unnamed.stderr).toContain('CON003');
    const other = await pair.run(
      'replace',
      pair.standby.id,
      '--yes',
      '--host-key',
      `SHA256:${'a'.repeat(43)}`,
    );
    expectExit(other, 4);
    expect(other.stderr).toContain('CON003');
    expectExit(await pair.run('replace', pair.standby.id, '--host-key', 'MD5:00'), 3);
    expect(readFileSync(pair.lab.knownHosts, 'utf8')).toBe(known);
  });

  const words = (): string[] => [
    'replace',
    '-i',
    pair.file,
    pair.standby.id,
    '--yes',
    '--host-key',
    fingerprint(key),
  ];

  labTest('interrupted at many moments, the same command goes on', async () => {
    for (const [step, signal] of [
      [1, 'SIGKILL'],
      [4, 'SIGINT'],
      [12, 'SIGKILL'],
      [25, 'SIGKILL'],
      [33, 'SIGINT'],
    ] as const) {
      const run = new Run(words());
      if (!(await run.stepsDone(step))) break;
      run.child.kill(signal);
      await run.ended;
      await sleep(3000);
    }
    const done = await pair.run(words()[0] ?? '', ...words().slice(3));
    expectExit(done, 0);
    await pair.untilSwitchable();
    const known = readFileSync(pair.lab.knownHosts, 'utf8');
    expect(known).toContain(key);
    expect(known.split('\n').filter((line) => line.includes(pair.standby.address))).toHaveLength(1);
    expectExit(await pair.run('check'), 0);
    await sql(pair.primary, 'create table u (n int)');
    expectExit(await pair.run('switch', '--yes'), 0);
  });
});

describeLab('a standby that still counts', () => {
  let pair: LabCluster;
  const message = { multiplexing: { on_heartbeat_loss: 'message' } } as const;
  beforeAll(async () => {
    pair = await provisionedPair(message);
  });
  afterAll(() => pair?.close());

  labTest('is replaced by nobody before a person has said that it is gone', async () => {
    await pair.standby.host.powerOff();
    const now = await withNewHost(pair, message, pair.standby.id);
    const before = clusterKey(pair.primary.host);
    const refused = await now.run('replace', pair.standby.id, '--yes');
    expectExit(refused, 5);
    expect(refused.stderr).toContain('SAF071');
    expect(clusterKey(pair.primary.host)).toBe(before);
    expectExit(await now.run('detach', pair.standby.id, '--alone', '--yes'), 0);
    const done = await now.run('replace', pair.standby.id, '--yes');
    expectExit(done, 0);
    expect(done.stderr).toContain('Your yes says that it is off or lost');
    await now.untilSwitchable();
  });
});

describeLab('a server in maintenance whose host is another one', () => {
  let trio: LabCluster;
  beforeAll(async () => {
    trio = await provisionedTrio(majority);
  });
  afterAll(() => trio?.close());

  labTest('is replaced, and is in no maintenance any more', async () => {
    const lost = trio.servers[2] as Server;
    expectExit(await trio.run('maintenance', 'begin', lost.id, '--by', 'alice', '--yes'), 0);
    await lost.host.powerOff();
    const now = await withNewHost(trio, majority, lost.id);
    expectExit(await now.provision(), 0);
    const refused = await now.run('replace', lost.id, '--yes');
    expectExit(refused, 5);
    expect(refused.stderr).toContain('SAF016');
    const done = await now.run('replace', lost.id, '--of', 'alice', '--yes');
    expectExit(done, 0);
    await now.untilSwitchable();
    await expectMultiplexed(now);
    expect(await mcCtlStatus(now.primary)).not.toContain('maintenance');
    await untilMirroring(now.servers[2] as Server, 'switchable');
    expectExit(await now.run('check'), 0);
  });
});
