/**
 * `pgduet replace` of the standby of a pair: installed anew at its address, with a host key that nobody knows, and interrupted at many moments; or
 * one that still counts, since no register says anything else.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect } from 'vitest';
import { describeLab, labTest } from '../harness/describe.ts';
import { type LabCluster, provisionedPair } from '../support/cluster.ts';
import { sql } from '../support/instance.ts';
import { expectExit } from '../support/pgduet.ts';
import { Run } from '../support/running.ts';
import { clusterKey, untilOut, withNewHost } from './replaced.ts';

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
    // That of the former host is gone; the other two stay.
    expect(known.trim().split('\n')).toHaveLength(3);
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
