/** One check of two clusters, whose servers share two machines, and a look again and again until somebody ends it. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, expect } from 'vitest';
import { describeLab, labTest } from '../harness/describe.ts';
import type { Host } from '../harness/lab.ts';
import { until } from '../harness/run.ts';
import { type LabCluster, provisionedPair } from '../support/cluster.ts';
import { type CheckDocument, expectExit, findingsOf, type Pgduet } from '../support/pgduet.ts';

const program = join(import.meta.dirname, '../../../dist/pgduet.js');

describeLab('several clusters', () => {
  let pair: LabCluster;
  let hosts: [Host, Host];
  let command: Pgduet;
  let one: string;
  let two: string;
  beforeAll(async () => {
    pair = await provisionedPair();
    hosts = [pair.primary.host, pair.standby.host];
    ({ command, file: one } = pair);
    two = pair.inventory('second.yml', {
      cluster: 'second',
      postgres: { port: 27600, data_dir: '/database/second' },
      multiplexing: { management_dir: '/mcdir/second', port: 27640 },
    });
    expectExit(await command(['provision', '-i', two, '--yes']), 0);
  });
  afterAll(() => pair?.close());

  const check = (...more: string[]) => command(['check', '-i', one, '-i', two, ...more]);
  const spoil = () => hosts[1].sh('chmod 0755 /mcdir/second', { check: true });
  const mend = () => hosts[1].sh('chmod 0700 /mcdir/second', { check: true });

  labTest('are checked by one command, each with one look at each host', async () => {
    const said = await check('--json');
    expectExit(said, 0);
    const { clusters } = said.json<CheckDocument>();
    expect(clusters.map(({ cluster, findings }) => [cluster, findings])).toEqual([
      ['inst1', []],
      ['second', []],
    ]);
    for (const { hosts: seen } of clusters)
      expect(seen.map(({ round_trips }) => round_trips)).toEqual([1, 1]);
    const text = await check();
    expect(text.stdout).toMatch(/^inst1: 2 servers are as declared/m);
    expect(text.stdout).toMatch(/^second: 2 servers are as declared/m);
  });

  labTest('what differs is told of its own cluster, and decides the exit status', async () => {
    await spoil();
    const said = await check('--json');
    expectExit(said, 2);
    const document = said.json<CheckDocument>();
    expect(document.clusters.map(({ findings }) => findings.map(({ code, host }) => [code, host]))).toEqual([
      [],
      [['DIR004', 'server2']],
    ]);
    expect(findingsOf(document)[0]?.mend).toContain(two);
    expectExit(await command(['provision', '-i', two, '--yes']), 0);
    expectExit(await check(), 0);
  });

  labTest('--watch tells what appears and what goes, and ends with Ctrl-C', async () => {
    const child = spawn(process.execPath, [program, 'check', '-i', one, '-i', two, '--watch', '1s'], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env.PATH ?? '', HOME: pair.lab.dir },
    });
    let text = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => {
        text += chunk.toString();
      });
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
    const says = (pattern: RegExp, from = 0) =>
      until(
        () => `${pattern} was not said:\n${text}`,
        60_000,
        () => (pattern.test(text.slice(from)) ? true : undefined),
        50,
      );
    try {
      await says(/second: 2 servers are as declared/);
      const quiet = text.length;
      await spoil();
      await says(/DIR004/, quiet);
      const told = text.length;
      await mend();
      await says(/DIR004|\/mcdir\/second/, told);
    } finally {
      child.kill('SIGINT');
    }
    expect([0, 130]).toContain(await ended);
    expect(text).not.toContain('BUG');
  });
});
