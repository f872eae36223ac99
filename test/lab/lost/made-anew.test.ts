/**
 * A management directory that is deleted while its server runs, on a pair to which a client writes: of the standby and of the primary, with a controller
 * that runs on and with one that was killed, before and behind a switch. `check` finds it, `provision` makes it anew, all verbs work behind it, and
 * nothing that was acknowledged is lost.
 */
import { afterAll, beforeAll, expect } from 'vitest';
import { expectNothingLost, type Writing, writing } from '../faults/support/late.ts';
import type { FaultPair } from '../faults/support/pair.ts';
import { openPair } from '../faults/support/variants.ts';
import { describeLab, labTest } from '../harness/describe.ts';
import { type Server, sql } from '../support/instance.ts';
import { expectExit, findingsOf } from '../support/pgduet.ts';
import { Run } from '../support/running.ts';
import { type Fate, lose, quiet } from './losing.ts';

describeLab('a management directory that was lost', () => {
  let pair: FaultPair;
  let it: Writing;
  beforeAll(async () => {
    pair = await openPair('message');
    it = await writing(pair);
  });
  afterAll(async () => {
    it?.client.stop();
    await pair?.close();
  });

  const run = (verb: string, ...more: string[]) => pair.cluster.run(verb, ...more);
  const started = (server: Server) => sql(server, 'select pg_postmaster_start_time()');
  const whole = async (): Promise<void> => {
    await pair.untilSwitchable();
    expectExit(await run('check'), 0);
  };

  /** Found, told by nobody as a reason to promote, made anew with the instance running on, and whole. */
  async function isMadeAnew(server: Server, fate: Fate): Promise<void> {
    const before = await Promise.all(pair.servers.map(started));
    await lose(server, fate);
    const found = await pair.cluster.check();
    expect(findingsOf(found).map(({ code, host }) => `${code} ${host}`)).toContain(`CTL016 ${server.id}`);
    await quiet(pair);
    expectExit(await run('provision', '--yes'), 0);
    expect(await Promise.all(pair.servers.map(started))).toEqual(before);
    await whole();
  }

  labTest('of the standby, whose controller runs on', () => isMadeAnew(pair.servers[1], 'runs'));
  labTest('of the standby, whose controller was killed', () => isMadeAnew(pair.servers[1], 'killed'));
  labTest('of the primary, whose controller was killed', () => isMadeAnew(pair.servers[0], 'killed'));
  labTest('of the primary, whose controller runs on; provision is killed at three moments', async () => {
    const [server] = pair.servers;
    const before = await started(server);
    await lose(server, 'runs');
    const left: string[] = [];
    for (const steps of [0, 1, 2]) {
      const killed = new Run(['provision', '-i', pair.cluster.file, '--yes']);
      expect(await killed.stepsDone(steps), killed.stderr).toBe(true);
      killed.child.kill('SIGKILL');
      await killed.ended;
      left.push(
        (await server.host.sh(`cd ${server.managementDir} 2>/dev/null && ls *.torn *.system`)).stdout,
      );
    }
    // Nothing, or the mark and the record.
    const both = 'server1.state.json.torn\nserver1.system\n';
    expect(left.filter((names) => !['', both].includes(names))).toEqual([]);
    expect(left.at(-1)).toBe(both);
    await expect.poll(async () => (await run('provision', '--yes')).status, { timeout: 60_000 }).toBe(0);
    expect(await started(server)).toBe(before);
    await whole();
  });

  labTest('behind a switch, of the former primary and of the new one; then a rebuild', async () => {
    expectExit(await run('switch', '--yes'), 0);
    await pair.untilSwitchable();
    await isMadeAnew(pair.servers[0], 'runs');
    await isMadeAnew(pair.servers[1], 'killed');
    expectExit(await run('switch', '--yes'), 0);
    expectExit(await run('rebuild', pair.servers[1].id, '--copy', '--yes'), 0);
    await whole();
  });

  labTest('no acknowledged row is lost', () => expectNothingLost(pair, it));
});
