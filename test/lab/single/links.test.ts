/**
 * A single server whose administrator makes links to things of root's while a person reads the plan of `pgduet migrate`: nothing of
 * root's changes, and nothing that only root may read comes into a file of the administrator's.
 */
import { afterAll, beforeAll, expect } from 'vitest';
import { describeLab, labTest } from '../harness/describe.ts';
import { Lab } from '../harness/lab.ts';
import { sleep, until } from '../harness/run.ts';
import { sql } from '../support/instance.ts';
import { LinkedHost } from '../support/links.ts';
import { built } from '../support/pgduet.ts';
import { Run } from '../support/running.ts';
import { inventoryOf, managementDir, type Single } from './forms.ts';
import { preparedSingle } from './prepared.ts';

const home = '/var/lib/postgresql';

describeLab('a single server with links', () => {
  let lab: Lab;
  let single: Single;
  let linked: LinkedHost;
  let file: string;
  beforeAll(async () => {
    built();
    lab = await Lab.open();
    const [other] = await lab.hosts(1, { names: ['other'] });
    single = await preparedSingle(lab, 'needsNothingUnit', 'original');
    if (other === undefined) throw new Error('there is no second host');
    file = inventoryOf(lab, single, [other]);
    const { dataDir } = single.server;
    linked = new LinkedHost(single.host, [managementDir, dataDir, home]);
  });
  afterAll(() => lab?.close());

  for (const shift of [0, 1, 2, 3])
    labTest(`migrate, ${shift}`, async () => {
      // The way to the management directory is the administrator's.
      const way = `install -d -o postgres $(dirname ${managementDir}) ${managementDir}`;
      await single.host.sh(way, { check: true });
      await linked.begin();
      const run = new Run(['migrate', '-i', file], {}, true);
      await run.said('[y/N]');
      const { dataDir } = single.server;
      const conf = await linked.names(
        `${dataDir} ${home} -mindepth 1 -maxdepth 1 -name '*.conf' -o -name .pgpass`,
      );
      const id = single.host.name;
      const coming = ['before.json', 'former', 'system'].map((name) => `${managementDir}/${id}.${name}`);
      const tries = coming.map((path) => path.replace(/([^/]+)$/, '.$1.pgduet-tmp'));
      await linked.link([...coming, ...tries, `${dataDir}/pgduet.json`, ...conf], shift);
      run.child.stdin?.write('y\n');
      const state = await Promise.race([run.ended.then(() => 'ended'), sleep(15_000)]);
      if (state !== 'ended') run.child.kill('SIGKILL');
      const { stdout } = await run.ended;
      expect(linked.touched(false), stdout).toEqual([]);
      expect(await linked.told(), stdout).toEqual([]);
      await linked.restore(linked.linked);
      expect(await sql(single.server, 'SELECT 1')).toBe('1');
      await lab.reset();
      await until(
        () => 'the server does not answer',
        30_000,
        async () => ((await sql(single.server, 'SELECT 1').catch(() => '')) === '1' ? true : undefined),
        50,
      );
    });
});
