/** The command line itself, against real hosts: what is printed on which stream, and that nothing happens by mistake. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect } from 'vitest';
import { describeLab, labTest } from '../harness/describe.ts';
import { Run } from '../support/running.ts';
import { documentOf, lockIsFree, Trouble, traces } from './trouble.ts';

describeLab('the command line', () => {
  let pair: Trouble;
  beforeAll(async () => {
    pair = await Trouble.open();
  });
  afterAll(() => pair?.lab.close());

  labTest('check and --check on bare hosts say 2, and leave nothing behind', async () => {
    const checked = await pair.run('check');
    expect([checked.status, /PRV001/.test(checked.stdout)]).toEqual([2, true]);
    const planned = await pair.run('provision', ['--check']);
    expect([planned.status, /make instance/.test(planned.stdout)]).toEqual([2, true]);
    expect([await traces(pair.a), await traces(pair.b)]).toEqual(['', '']);
    expect((await pair.a.sh('ls /run/lock/pgduet* 2>/dev/null; ls -A /tmp')).stdout).not.toContain('pgduet');
  });

  labTest('without a terminal and without --yes nothing is changed: exit 3 says how to agree', async () => {
    const ended = await pair.run('provision');
    expect(ended).toMatchObject({ status: 3, stdout: '' });
    expect(ended.stderr).toContain('CLI002');
    expect(ended.stderr).toContain('--yes');
    const json = await pair.run('provision', ['--json']);
    expect(json.status).toBe(3);
    expect(documentOf(json).diagnostics.map(({ code }) => code)).toEqual(['CLI002']);
    expect([await traces(pair.a), await traces(pair.b)]).toEqual(['', '']);
    expect(await lockIsFree(pair.a)).toBe(true);
  });

  labTest('on a terminal a no, and Ctrl-C at the question, change nothing', async () => {
    const no = pair.ask();
    await no.said('[y/N]');
    no.child.stdin?.write('n\n');
    const refused = await no.ended;
    expect(refused.stdout).toContain('Nothing was changed');
    expect(refused.status).toBe(2);
    const cancelled = pair.ask();
    await cancelled.said('[y/N]');
    cancelled.child.stdin?.write('\u0003');
    const ended = await cancelled.ended;
    expect(ended.stdout).toContain('RUN002');
    expect(ended.status).toBe(130);
    expect([await traces(pair.a), await traces(pair.b)]).toEqual(['', '']);
    expect(await lockIsFree(pair.a)).toBe(true);
  });

  labTest('an option that does not exist is exit 3 and contacts nobody', async () => {
    const ended = await pair.run('provision', ['--yes', '--forse']);
    expect(ended).toMatchObject({ status: 3, stdout: '' });
    expect(ended.stderr).toContain('--forse');
    expect((await new Run(['provide']).ended).status).toBe(3);
    expect(await traces(pair.a)).toBe('');
  });

  labTest('--json prints one document for a mistake in the inventory too', async () => {
    const path = join(pair.lab.dir, 'wrong.yml');
    writeFileSync(path, 'cluster: inst1\nhosts: {}\n');
    for (const verb of ['provision', 'check', 'status', 'validate']) {
      const ended = await new Run([verb, '-i', path, '--json']).ended;
      expect(ended.status).toBe(3);
      const document = documentOf(ended);
      expect(document).toMatchObject({ schema: 1, verb, exit: 3 });
      expect(document.diagnostics.length).toBeGreaterThan(0);
    }
  });
});
