/** A standby in maintenance, as mc_ctl begins it: what check, status and a run make of it, also while its host is off, and when it is over. */
import { afterAll, beforeAll, expect } from 'vitest';
import { describeLab, labTest } from '../harness/describe.ts';
import { type LabCluster, provisionedPair } from '../support/cluster.ts';
import { fileText, type Server } from '../support/instance.ts';
import {
  type CheckDocument,
  expectExit,
  findingsOf,
  type RunDocument,
  type Said,
  type StatusDocument,
} from '../support/pgduet.ts';

/** pgduet in two hours. */
const later = {
  NODE_OPTIONS:
    '--import=data:text/javascript,const{now}=Date;Date.now=function(){return(now.call(Date)+7200000)}',
};
const told = (said: Said): readonly string[] =>
  findingsOf(said.json<CheckDocument>()).map(({ code, host, object }) => `${code} ${host} ${object}`);

describeLab('a standby in maintenance', () => {
  let pair: LabCluster;
  let one: Server;
  let two: Server;
  beforeAll(async () => {
    pair = await provisionedPair();
    [one, two] = [pair.primary, pair.standby];
  });
  afterAll(() => pair?.close());

  const maintenance = (words: string) =>
    one.host.sh(`mc_ctl maintenance ${words} --server ${two.id} -M ${one.managementDir} --by alice`, {
      user: one.owner,
      check: true,
    });
  const conf = (server: Server): string => `${server.managementDir}/network.conf`;
  const spoil = (server: Server) =>
    server.host.sh(`echo '# by hand' >> ${conf(server)}`, { user: server.owner, check: true });

  labTest('is told as such, and is no fault of the primary', async () => {
    await maintenance('begin --alone --for 1h --reason disks');
    const [check, status] = await Promise.all([pair.run('check', '--json'), pair.run('status', '--json')]);
    expectExit(check, 0);
    expect(told(check)).toEqual([`MNT001 ${two.id} ${two.id}`]);
    expect(findingsOf(check.json<CheckDocument>())[0]).toMatchObject({
      severity: 'note',
      found: expect.stringMatching(/^in maintenance by alice since .* UTC, expected until .* UTC: disks$/),
      commands: [{ run: `pgduet maintenance end ${two.id}`, only_if: expect.stringContaining('done') }],
    });
    expectExit(status, 0);
    expect(status.json<StatusDocument>().servers.map((row) => row.maintenance)).toEqual([
      null,
      expect.objectContaining({ by: 'alice', overdue: false, reason: 'disks' }),
    ]);
  });

  labTest(
    'is left alone with its host off, while the primary is repaired, and is a danger when it is late',
    async () => {
      await two.host.sh(`systemctl stop ${two.unit}`, { check: true });
      await spoil(two);
      await two.host.powerOff();
      await spoil(one);
      const [check, status, late] = await Promise.all([
        pair.run('check', '--json'),
        pair.run('status'),
        pair.command(['check', '-i', pair.file, '--json'], later),
      ]);
      expectExit(check, 2);
      const drift = [`FIL002 ${one.id} ${conf(one)}`, `CTL003 ${one.id} ${one.id}`];
      const isDrift = (line: string): boolean => drift.includes(line);
      expect(told(check).filter((line) => !isDrift(line))).toEqual([`MNT001 ${two.id} ${two.id}`]);
      expect(told(late).filter((line) => !isDrift(line))).toEqual([
        `MNT002 ${two.id} ${two.id}`,
        `MNT001 ${two.id} ${two.id}`,
      ]);
      expectExit(status, 0);
      expect(status.stdout).toMatch(/host not reached, in maintenance/);
      expect(status.stdout).not.toContain('mc_ctl start');

      const made = await pair.provision();
      expectExit(made, 0);
      expect(made.stderr).toMatch(
        new RegExp(`^${two.id} is left alone: in maintenance by alice .*: disks$`, 'm'),
      );
      expect(made.stderr).toContain('the last look at 1 of 2 servers found nothing to do');
      const again = await pair.provision('--json');
      expectExit(again, 0);
      expect(again.json<RunDocument>()).toMatchObject({
        changed: [],
        left_alone: [{ server: two.id, by: 'alice', reason: 'disks' }],
      });
      expect(fileText(one.host, conf(one))).not.toContain('by hand');
    },
  );

  labTest('is one of the servers again when it is over', async () => {
    await two.host.powerOn();
    await two.host.sh(`systemctl start ${two.unit}`);
    expect(fileText(two.host, conf(two))).toContain('by hand');
    await maintenance('end');
    await pair.untilSwitchable();
    expect(told(await pair.run('check', '--json'))).toContain(`FIL002 ${two.id} ${conf(two)}`);
    expectExit(await pair.provision(), 0);
    const check = await pair.run('check');
    expectExit(check, 0);
    expect(check.stdout).toContain('2 servers are as declared');
  });
});
