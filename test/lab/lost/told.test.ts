/** A management directory that is lost is told, with who vouches for the data and the way on; nothing else begins, and nothing is changed. */
import { afterAll, beforeAll, expect } from 'vitest';
import { describeLab, labTest } from '../harness/describe.ts';
import { type LabCluster, provisionedPair } from '../support/cluster.ts';
import { type Server, untilSwitchable } from '../support/instance.ts';
import { expectExit, findingsOf } from '../support/pgduet.ts';

describeLab('a management directory that is lost', () => {
  let pair: LabCluster;
  let a: Server;
  let b: Server;
  beforeAll(async () => {
    pair = await provisionedPair();
    [a, b] = [pair.primary, pair.standby];
  });
  afterAll(() => pair?.close());

  const lose = ({ host, managementDir }: Server) =>
    host.sh(`mv ${managementDir} ${managementDir}.aside`, { check: true });
  /** A controller that runs on does not see the directory in its own view of the file systems. */
  const bringBack = async ({ host, managementDir, unit }: Server) => {
    await host.sh(
      `systemctl stop ${unit}; mv ${managementDir}.aside ${managementDir}; systemctl start ${unit}`,
      {
        check: true,
      },
    );
    await untilSwitchable(a);
  };
  const lost = async (server: Server) =>
    findingsOf(await pair.check()).find(({ code, host }) => code === 'CTL016' && host === server.id);
  const refused = async (verb: string, ...words: string[]) => {
    const run = await pair.run(verb, ...words, '--yes');
    expectExit(run, 5);
    return run.stderr;
  };

  for (const which of ['standby', 'primary'])
    labTest(`of the ${which}, which runs: the other one vouches for it`, async () => {
      const [server, other] = which === 'standby' ? [b, a] : [a, b];
      await lose(server);
      try {
        expect(await lost(server)).toMatchObject({
          severity: 'danger',
          found: expect.stringContaining(`${other.id} vouches for it`),
          mended_by: 'provision',
        });
        const status = await pair.run('status');
        expectExit(status, 1);
        expect(status.stdout).toContain(
          `${other.id} vouches for its data, and pgduet provision brings it back`,
        );
        const verbs: readonly (readonly [string, ...string[]])[] = [
          ['switch'],
          ['stop'],
          ['rebuild', b.id],
          ['teardown'],
          ['secrets', 'renew'],
          ['recover'],
        ];
        for (const words of verbs) expect(await refused(...words)).toContain('SAF086');
      } finally {
        await bringBack(server);
      }
      expectExit(await pair.run('check'), 0);
    });

  labTest('that may only not be mounted is to be mounted', async () => {
    await lose(b);
    const unit = `$(systemd-escape -p --suffix=mount ${b.managementDir})`;
    await b.host.sh(
      `printf '[Mount]\\nWhat=/dev/nowhere\\nWhere=%s\\n' ${b.managementDir} > "/run/systemd/system/${unit}"; systemctl daemon-reload`,
      { check: true },
    );
    try {
      const told = await refused('provision');
      expect(told).toContain('SAF008');
      expect(told).toContain(`nothing is mounted on ${b.managementDir}`);
      expect((await lost(b))?.found).toBe(`nothing is mounted on ${b.managementDir}`);
    } finally {
      await b.host.sh(`rm "/run/systemd/system/${unit}"; systemctl daemon-reload`, { check: true });
      await bringBack(b);
    }
  });

  labTest('of a standby that does not run: its data is moved aside, and copied anew', async () => {
    await b.host.sh(`systemctl stop ${b.unit}`, { check: true });
    await lose(b);
    const told = await refused('provision');
    expect(told).toContain('SAF084');
    const aside = `mv -T ${b.dataDir} ${b.dataDir}.lost`;
    expect(told).toContain(aside);
    expect(told).toContain(`pgduet replace ${b.id}`);
    expect((await lost(b))?.mended_by).toBe('person');
    await b.host.sh(aside, { check: true });
    expect(await refused('provision')).toContain('SAF073');
    expectExit(await pair.run('replace', b.id, '--yes'), 0);
    expectExit(await pair.run('check'), 0);
    expect((await b.host.sh(`ls ${b.dataDir}.lost/PG_VERSION`)).status).toBe(0);
  });
});
