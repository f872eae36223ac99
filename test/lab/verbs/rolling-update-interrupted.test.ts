/**
 * Rolling updates of three servers that something breaks into, while a client writes: pgduet killed, its connections lost, the host in work
 * switched off or rebooted, another one or that of the primary switched off, the primary's instance ended. Then `--continue`, or `--abort`, and what
 * a person would do about a server that is out: the cluster is whole, and every acknowledged row is there. The moments are drawn; the night draws others.
 */
import { afterAll, beforeAll, expect } from 'vitest';
import { describeLab, labTest } from '../harness/describe.ts';
import { sleep, until } from '../harness/run.ts';
import { startWriter, writerSetup } from '../provision/writer.ts';
import { type LabCluster, provisionedTrio } from '../support/cluster.ts';
import { type Server, sql } from '../support/instance.ts';
import { type Pgduet, pgduet, type Said, type StatusDocument } from '../support/pgduet.ts';
import { interruptions, seeded, seedOf } from '../support/random.ts';
import { Run } from '../support/running.ts';

const kinds = [
  'kill',
  'work host off',
  'other host off',
  'primary ends',
  'connection lost',
  'work host reboots',
  'primary host off',
] as const;

describeLab('rolling updates that are broken into', () => {
  let trio: LabCluster;
  let patient: Pgduet;
  beforeAll(async () => {
    trio = await provisionedTrio({
      sql: [
        ['postgres', writerSetup],
        ['postgres', 'CREATE DATABASE app OWNER app'],
        ['app', 'CREATE TABLE written (n int PRIMARY KEY)'],
        ['app', 'GRANT ALL ON written TO app'],
      ],
    });
    patient = pgduet(trio.lab, 300_000);
  });
  afterAll(() => trio?.close());

  const told: string[] = [];
  const tell = (line: string): void => {
    told.push(line);
    if (process.env.PGDUET_TELL) process.stderr.write(`${line}\n`);
  };
  const update = (...words: string[]): Promise<Said> =>
    patient(['rolling-update', '-i', trio.file, ...words]);
  const status = async (): Promise<StatusDocument> =>
    (await trio.run('status', '--json')).json<StatusDocument>();

  /** Power, and what a person does about a server that is out; not about the update. */
  const heal = async (): Promise<void> => {
    await Promise.all(trio.hosts.map((host) => host.powerOn()));
    await until(
      async () => `nobody is primary:\n${(await trio.run('status')).all}`,
      90_000,
      async () => ((await status().catch(() => undefined))?.primary ? true : undefined),
      500,
    );
    await until(
      async () => `a server stays out:\n${(await trio.run('status')).all}`,
      // A rebuild of several servers is in it.
      400_000,
      async () => {
        const { servers, primary } = await status();
        const lost = servers.filter(
          // What the update itself has stopped, it starts again.
          ({ server, sync_state: sync, maintenance, state }) =>
            server !== primary && !sync && !maintenance && !state.startsWith('stopped with'),
        );
        if (lost.length === 0) return true;
        for (const { server } of lost)
          tell(`rebuild ${server}: ${(await patient(['rebuild', server, '-i', trio.file, '--yes'])).status}`);
        return undefined;
      },
      1000,
    );
  };

  /** The server whose turn it is, as the run has said it last. */
  const inWork = (run: Run): string =>
    /(?:take|stop|reboot|command on|bring|prove that) (server\d)/.exec(
      run.stderr.split('\n').slice(-4).join('\n'),
    )?.[1] ?? 'server2';

  /** From the first step on there is something to break into. */
  const begun = (run: Run): Promise<unknown> =>
    until(
      () => `it does not begin:\n${run.stderr}`,
      120_000,
      () => (/^ *1\//m.test(run.stderr) || run.child.exitCode !== null ? true : undefined),
      50,
    );

  const breakInto = async (kind: (typeof kinds)[number], run: Run): Promise<void> => {
    const { primary } = await status().catch(() => ({ primary: null }));
    const work = trio.servers.find(({ id }) => id === inWork(run)) as Server;
    const leader = trio.servers.find(({ id }) => id === primary) ?? trio.primary;
    const other = trio.servers.find((server) => server !== work && server !== leader) ?? trio.standby;
    switch (kind) {
      case 'kill':
        run.child.kill('SIGKILL');
        return;
      case 'work host off':
        await work.host.powerOff();
        run.child.kill('SIGINT');
        return;
      case 'other host off':
        await other.host.powerOff();
        return;
      case 'work host reboots':
        // One that is on its way up or down may refuse it.
        await work.host.sh('systemctl --no-block reboot || true');
        await sleep(1000);
        await work.host.untilUp();
        return;
      case 'primary host off':
        await leader.host.powerOff();
        return;
      case 'primary ends':
        await leader.host.sh('pkill -9 -o -x postgres');
        return;
      case 'connection lost':
        await Promise.all(
          trio.hosts.map((host) =>
            host.sh('pkill -9 -f "^sshd: .*@notty" || pkill -9 -f "sshd-session: " || true'),
          ),
        );
        return;
    }
  };

  labTest(
    'end whole, with every acknowledged row',
    async () => {
      const random = seeded(seedOf(16_000));
      const offset = Math.floor(random() * kinds.length);
      for (let round = 0; round < interruptions; round += 1) {
        const kind = kinds[(round + offset) % kinds.length] ?? 'kill';
        const delayMs = random() * 25_000;
        const ends = random() < 0.25;
        await sql(trio.servers.find(({ id }) => id === 'server1') ?? trio.primary, 'select 1');
        const first = (await status()).primary ?? 'server1';
        const writer = startWriter(trio.servers, undefined, 10);
        await writer.more(20);
        const run = new Run([
          'rolling-update',
          '-i',
          trio.file,
          '--command',
          'sleep 1',
          '--reboot',
          '--yes',
          '--despite',
          'check',
        ]);
        await begun(run);
        await sleep(delayMs);
        await breakInto(kind, run);
        const broken = await run.ended;
        tell(`${round}: ${kind} after ${Math.round(delayMs)} ms, exit ${broken.status}`);
        await heal();
        for (let tries = 0; tries < 4; tries += 1) {
          const words = ends ? ['--abort', '--yes'] : ['--continue', '--again', '--yes'];
          const said = await update(...words);
          tell(`  ${words[0]}: ${said.status} ${/SAF\d+|HST\d+|CON\d+/.exec(said.all)?.[0] ?? ''}`);
          if (said.status === 0 || said.all.includes('no rolling update is open')) break;
          if (tries === 3)
            throw new Error(`${told.join('\n')}\nfirst:\n${broken.stderr}\nlast:\n${said.all}`);
          await heal();
        }
        await writer.more(20);
        const acknowledged = await writer.end();
        await heal();
        const { primary, servers } = await status();
        expect(
          servers.filter(
            ({ server, maintenance, sync_state: sync }) => maintenance || (server !== primary && !sync),
          ),
          told.join('\n'),
        ).toEqual([]);
        const leader = trio.servers.find(({ id }) => id === primary) as Server;
        const rows = new Set((await sql(leader, 'select n from written', 'app')).split('\n').map(Number));
        expect(
          acknowledged.filter((row) => !rows.has(row)),
          told.join('\n'),
        ).toEqual([]);
        await sql(leader, 'truncate written', 'app');
        if (primary !== first && primary !== 'server1')
          await patient(['switch', '--to', 'server1', '-i', trio.file, '--yes']);
      }
    },
    1_800_000,
  );
});
