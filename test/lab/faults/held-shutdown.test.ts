/**
 * Somebody's receiver on a real pair that never confirms: a shutdown of the primary waits for it, and only so long. A switch is done and
 * a stop ends, and nothing that was acknowledged is lost.
 */
import { afterAll, beforeAll, expect } from 'vitest';
import { describeLab, labTest } from '../harness/describe.ts';
import { type Server, untilSql } from '../support/instance.ts';
import { built } from '../support/pgduet.ts';
import { expectNothingLost, writing } from './support/late.ts';
import type { FaultPair } from './support/pair.ts';
import { openPair } from './support/variants.ts';

/** Nobody but pgduet ends it: its walsender has no limit of its own, and the process stands still. */
async function heldUp(primary: Server, from: Server): Promise<void> {
  const dir = '/tmp/archiver';
  const environment = `PGAPPNAME=archiver PGOPTIONS='-c wal_sender_timeout=0'`;
  await from.host.sh(
    `pkill -KILL -x pg_receivewal; rm -rf ${dir}; install -d -o postgres ${dir}
setsid runuser -u postgres -- env ${environment} /usr/lib/postgresql/*/bin/pg_receivewal \\
  -h ${primary.address} -p ${primary.port} -U pgduet_repl -D ${dir} </dev/null >/dev/null 2>&1 &`,
    { check: true },
  );
  const streams = `SELECT state FROM pg_stat_replication WHERE application_name = 'archiver'`;
  await untilSql(primary, streams, 'streaming');
  await from.host.sh('pkill -STOP -x pg_receivewal', { check: true });
}

describeLab('a receiver that never confirms', () => {
  let pair: FaultPair;
  beforeAll(async () => {
    built();
    pair = await openPair('plain');
  });
  afterAll(() => pair?.close());

  labTest('a switch names it, disconnects it and is done', async () => {
    const it = await writing(pair);
    const { primary, standby, client } = it;
    await heldUp(primary, standby);
    const planned = await pair.cluster.run('switch', '--check');
    expect(planned.all).toContain('archiver of role pgduet_repl');
    const from = Date.now();
    // A command of a host is ended after 60 s, which is what is stated.
    const { status, stdout, stderr } = await pair.mcCtl(primary, 'switch');
    expect(status, stdout + stderr).toBe(0);
    expect(await client.writesAgain(20_000), client.errors.slice(-500)).toBe(true);
    expect(await pair.roles()).toEqual({ primary: standby, standby: primary });
    const said = (await pair.said(from)).map(({ server, number }) => `${server} ${number}`);
    expect(said).toContain(`${primary.id} 01092`);
    await pair.untilSwitchable();
    await expectNothingLost(pair, it);
  });

  labTest('a stop of the controller ends, and its instance with it', async () => {
    const it = await writing(pair);
    const { primary, standby } = it;
    await heldUp(primary, standby);
    const from = Date.now();
    await primary.host.sh(`systemctl stop ${primary.unit}`, { check: true });
    const said = (await pair.said(from)).map(({ server, number }) => `${server} ${number}`);
    expect(said).toContain(`${primary.id} 01092`);
    const { stdout } = await primary.host.sh(
      `/usr/lib/postgresql/*/bin/pg_controldata ${primary.dataDir} | grep 'cluster state'`,
    );
    expect(stdout).toContain('shut down');
    await primary.host.sh(`systemctl start ${primary.unit}`, { check: true });
    await pair.untilSwitchable();
    await expectNothingLost(pair, it);
  });
});
