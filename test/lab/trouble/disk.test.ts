/**
 * Disks that are full at the wrong moment: under the data directory of the standby during its base backup, under the
 * management directory, and under a primary whose postgresql.conf has to change. The primary's data stays as it is, and with
 * more room the same command goes on.
 */
import { afterAll, beforeAll, expect } from 'vitest';
import { describeLab, labTest } from '../harness/describe.ts';
import { mcDir, sql, Trouble, wipe } from './trouble.ts';

describeLab('a disk that is full', () => {
  let pair: Trouble;
  beforeAll(async () => {
    pair = await Trouble.open();
  });
  afterAll(() => pair?.lab.close());

  labTest(
    'during the base backup: exit 1 says so, the primary goes on; with more room it converges',
    async () => {
      const { a, b } = pair;
      await b.smallDisk('/small', 120);
      await b.sh('dd if=/dev/zero of=/small/room bs=1M count=84 2>/dev/null', { check: true });
      const inventory = pair.write('small.yml', {
        hosts: { [b.name]: { postgres: { data_dir: '/small/inst1' } } },
      });
      const document = await pair.fails(1, inventory);
      expect(document.diagnostics.map(({ code, host }) => [code, host])).toEqual([['HST006', b.name]]);
      const [diagnostic] = document.diagnostics;
      expect(diagnostic?.what).toContain("'base backup to /small/inst1'");
      const evidence = diagnostic?.evidence?.join('\n');
      expect(evidence).toContain('No space left on device');
      expect(evidence).toContain('not done: ');
      expect((await b.sh('pgrep -x postgres')).stdout).toBe('');
      // Nobody waits for a standby that never came.
      await sql(a, 'create table kept as select 7 as n');
      const check = await pair.run('check', [], inventory);
      expect(check.stdout).toContain('an interrupted copy left an unfinished one');
      await b.sh('rm /small/room', { check: true });
      await pair.converges(inventory);
      expect(await sql(b, 'select n from kept')).toBe('7');
      await b.sh('systemctl stop mcoi_inst1; rm -rf /small/inst1');
      await wipe(a, b);
    },
  );

  labTest(
    'under the management directory: exit 1 names the step, no file is left half written; then it converges',
    async () => {
      const { a } = pair;
      await a.smallDisk('/tiny', 16);
      await a.fillDisk('/tiny');
      const inventory = pair.write('tiny.yml', {
        hosts: { [a.name]: { multiplexing: { management_dir: '/tiny/inst1' } } },
      });
      const document = await pair.fails(1, inventory);
      expect(document.diagnostics.map(({ code, host }) => [code, host])).toContainEqual(['HST006', a.name]);
      expect(document.diagnostics[0]?.fix).toContain('Make room');
      expect((await a.sh('find /tiny/inst1 -type f')).stdout).toBe('');
      expect((await a.sh('pgrep -x postgres')).stdout).toBe('');
      await a.freeDisk('/tiny');
      const ended = await pair.provision(inventory);
      expect(ended, ended.stderr).toMatchObject({ status: 0 });
      expect((await a.sh('mc_ctl status -M /tiny/inst1', { user: 'postgres' })).stdout).toContain(
        '\nswitchable\n',
      );
      expect((await pair.b.sh(`mc_ctl status -M ${mcDir}`, { user: 'postgres' })).stdout).toContain(
        '\nswitchable\n',
      );
    },
  );
});

describeLab('a primary whose data disk is full', () => {
  let pair: Trouble;
  beforeAll(async () => {
    pair = await Trouble.open();
  });
  afterAll(() => pair?.lab.close());

  labTest('keeps postgresql.conf whole and says why a standby cannot go; with room it goes', async () => {
    const { a, b } = pair;
    // In memory, since a write(2) takes a part there: ext4 takes all of it or nothing.
    await a.sh('mkdir /small && mount -t tmpfs -o size=200m,mode=755 tmpfs /small', { check: true });
    const inventory = pair.write('small.yml', {
      hosts: { [a.name]: { postgres: { data_dir: '/small/inst1' } } },
    });
    await pair.converges(inventory);
    // Not UTF-8, and longer than the room that will be left.
    const comment = `for n in $(seq 400); do printf '# gr\\366\\337ere Werte %s\\n' "$n"; done`;
    await a.sh(`( ${comment} ) >> /small/inst1/postgresql.conf`, { check: true });
    const file = async (): Promise<string> =>
      (
        await a.sh(
          'sha256sum < /small/inst1/postgresql.conf; stat -c "%a %U:%G" /small/inst1/postgresql.conf',
        )
      ).stdout;
    const before = await file();
    const detach = () => a.sh(`mc_ctl detach -M ${mcDir}`, { user: 'postgres' });
    await a.sh('dd if=/dev/zero of=/small/.filler bs=1M; truncate -s -16K /small/.filler');
    const refused = await detach();
    expect([refused.status, refused.stderr]).toEqual([1, expect.stringContaining('ENOSPC')]);
    expect(await file()).toBe(before);
    expect((await a.sh('find /small/inst1 -maxdepth 1 -name ".*.pgduet-tmp"')).stdout).toBe('');
    await a.sh('rm /small/.filler', { check: true });
    await expect.poll(async () => (await detach()).stderr, { timeout: 60_000 }).toBe('');
    expect(await sql(a, 'show synchronous_standby_names')).toBe('');
    await sql(a, 'create table goes_on as select 1 as n');
    const others = await a.sh("LC_ALL=C tr -cd '\\366\\337' < /small/inst1/postgresql.conf | wc -c");
    expect(others.stdout.trim()).toBe('800');
    expect((await b.sh('pgrep -x postgres')).stdout).not.toBe('');
  });
});
