/**
 * `pgduet teardown` of a pair with a dead server, and of a whole cluster with all its data.
 */
import { afterAll, beforeAll, expect } from 'vitest';
import { describeLab, labTest } from '../harness/describe.ts';
import type { Host } from '../harness/lab.ts';
import { dataDir } from '../trouble/trouble.ts';
import { expectSingle, kept, TeardownPair, untilStatus } from './teardown-pair.ts';

describeLab('teardown of a dead server, and of everything', () => {
  let torn: TeardownPair;
  let a: Host;
  let b: Host;
  beforeAll(async () => {
    torn = await TeardownPair.open();
    ({ a, b } = torn);
  });
  afterAll(() => torn?.close());

  labTest(
    'a dead server: said how to go on, left out with --force, and cleaned once it is back',
    async () => {
      await torn.again();
      await b.powerOff();
      const unreachable = await torn.runs(4, '--yes');
      expect(unreachable.text).toContain('pgduet teardown --force leaves it out');
      const kept1 = await torn.runs(5, '--force', '--keep', b.name, '--yes');
      expect(kept1.diagnostics.map(({ code }) => code)).toEqual(['SAF021']);
      const document = await torn.runs(0, '--force', '--yes');
      expect(document.kept).toBe(a.name);
      expect(document.left_behind.join(' ')).toContain(`${b.name} is not reached and left out`);
      await expectSingle(a);
      await torn.expectNothingLeft(a, ...kept);
      await b.powerOn();
      await b.untilUp();
      const later = await torn.runs(0, '--yes');
      expect(later.changed.map(({ host }) => host)).not.toContain(a.name);
      await torn.expectNothingLeft(b);
    },
  );

  labTest('a dead primary: no standby is kept that may lack commits', async () => {
    await torn.again();
    await a.sh('mc_ctl disable-failover -M /mcdir/inst1', { user: 'postgres', check: true });
    await a.powerOff();
    const refused = await torn.runs(5, '--force', '--yes');
    expect(refused.diagnostics.map(({ code }) => code)).toEqual(['SAF021']);
    expect(refused.text).toContain('promote a standby');
    await a.powerOn();
    await a.untilUp();
    await untilStatus(a, 'failover-disabled');
  });

  labTest('--all-data wants the name, and leaves nothing', async () => {
    const unnamed = await torn.runs(3, '--all-data', '--yes');
    expect(unnamed.diagnostics.map(({ code }) => code)).toEqual(['CLI002']);
    expect((await torn.runs(3, '--all-data', '--confirm', 'other')).diagnostics[0]?.code).toBe('CLI002');
    const check = await torn.start('--all-data', '--check').ended;
    expect(check.status).toBe(2);
    for (const host of [a, b])
      expect(check.stdout).toContain(`delete the data of ${host.name} in ${dataDir}`);
    expect(await torn.runs(0, '--all-data', '--confirm', 'inst1')).toMatchObject({ kept: null });
    await torn.expectNothingLeft(a);
    await torn.expectNothingLeft(b);
    expect(await torn.runs(0, '--all-data', '--confirm', 'inst1')).toMatchObject({ plan: [] });
  });
});
