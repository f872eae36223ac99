/** `pgduet rolling-update` of a pair that stops for a person: refused, failed, paused; and one of a playbook. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { describeLab, labTest } from '../harness/describe.ts';
import { sql } from '../support/instance.ts';
import { expectExit, pgduet } from '../support/pgduet.ts';
import { append, rollingPair, type Sheet } from './rolling-pair.ts';

describeLab('a rolling update of a pair', () => {
  const { pair, update, ran, maintained } = rollingPair();

  labTest(
    'begins only where all is well: a pair has no second copy meanwhile, and a check shows that',
    async () => {
      const refused = await update('--command', append, '--check');
      expectExit(refused, 5);
      expect(refused.json<Sheet>().points.map(({ name }) => name)).toEqual(['alone']);
      expectExit(await update('--command', append, '--yes'), 5);
      expectExit(await update('--check', '--alone'), 3);
      expectExit(await update('--continue', '--yes'), 5);
      expect(await ran(1)).toBe(0);
    },
  );

  labTest(
    'a command that fails stops it with that host out; another update is refused; it goes on',
    async () => {
      await pair().hosts[1]?.sh(': > /root/broken', { check: true });
      const failed = await update('--command', 'test ! -e /root/broken', '--alone', '--yes');
      expectExit(failed, 1);
      expect(failed.json<Sheet>().state).toBe('failed');
      expect(await maintained()).toEqual(['server2 rolling-update']);
      const second = await update('--command', append, '--alone', '--yes');
      expectExit(second, 5);
      expect(second.all).toContain('SAF067');
      const again = await update('--continue', '--yes');
      expectExit(again, 1);
      await pair().hosts[1]?.sh('rm /root/broken', { check: true });
      const done = await update('--continue', '--yes');
      expectExit(done, 0);
      expect(done.json<Sheet>()).toMatchObject({ state: 'done', primary: 'server1', left_out: [] });
      expect(await maintained()).toEqual([]);
      expectExit(await pair().run('check'), 0);
    },
  );

  labTest('a pause waits for a person on each host, from any workstation', async () => {
    const first = await update('--pause', '--alone', '--stay', '--yes');
    expectExit(first, 2);
    expect(first.json<Sheet>().state).toBe('paused');
    expect(await maintained()).toEqual(['server2 rolling-update']);
    const other = pgduet(pair().lab, 300_000);
    const second = await other(['rolling-update', '-i', pair().file, '--continue', '--yes', '--json']);
    expectExit(second, 2);
    expect(second.json<Sheet>()).toMatchObject({ state: 'paused', primary: 'server2' });
    expect(await maintained()).toEqual(['server1 rolling-update']);
    const third = await update('--continue', '--yes');
    expectExit(third, 0);
    expect(third.json<Sheet>()).toMatchObject({ state: 'done', primary: 'server2' });
    expectExit(await pair().run('switch', '--to', 'server1', '--yes'), 0);
  });

  labTest('a playbook changes the host whose turn it is, and no other', async () => {
    const file = join(pair().lab.dir, 'motd.yml');
    const play = (on: string) =>
      `title: A note\nplays:\n  - title: It is there\n    on: ${on}\n    resources:\n      - file: { path: /etc/note, content: "{{host.name}}\\n", owner: root, mode: '0644' }\n`;
    writeFileSync(file, play('primary'));
    expectExit(await update('--run', file, '--alone', '--yes'), 3);
    writeFileSync(file, play('all'));
    expectExit(await update('--run', file, '--skip', 'server1', '--alone', '--yes'), 0);
    expect((await pair().hosts[1]?.sh('cat /etc/note'))?.stdout).toBe('server2\n');
    expect((await pair().hosts[0]?.sh('test -e /etc/note'))?.status).toBe(1);
    await sql(pair().primary, 'select 1');
  });
});
