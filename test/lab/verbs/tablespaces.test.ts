/**
 * What the primary's host says of tablespaces is a word, and no order: a directory that is there on the standby keeps its owner
 * and mode, whatever a link or a location on the primary leads to. On one pair of real hosts.
 */
import { afterAll, beforeAll, expect } from 'vitest';
import { describeLab, labTest } from '../harness/describe.ts';
import { type LabCluster, provisionedPair } from '../support/cluster.ts';
import { type Server, sql } from '../support/instance.ts';
import { dataDir } from '../support/inventory.ts';
import { expectExit } from '../support/pgduet.ts';

const space = '/my space';
/** Of the system, and one that the server may write to: the controllers' check of its disks goes on through such a link. */
const ofSystem = '/var/tmp';
const links = `${dataDir}/pg_tblspc`;
const facts = `stat -c '%U %a' ${ofSystem}`;

interface Ended {
  readonly plan: readonly unknown[];
  readonly diagnostics: readonly { readonly code: string; readonly host: string; readonly fix: string }[];
}

describeLab('tablespaces of the primary', () => {
  let pair: LabCluster;
  let primary: Server;
  let standby: Server;
  beforeAll(async () => {
    pair = await provisionedPair();
    [primary, standby] = [pair.primary, pair.standby];
    const made = `install -d -o postgres -m 700 '${space}'`;
    await Promise.all([primary, standby].map(({ host }) => host.sh(made, { check: true })));
    await sql(primary, `create tablespace space location '${space}'`);
  });
  afterAll(() => pair?.close());

  const onStandby = async (script: string): Promise<string> =>
    (await standby.host.sh(script, { check: true })).stdout;
  const asHim = (script: string) =>
    primary.host.sh(`runuser -u postgres -- sh -c "${script}"`, { check: true });
  const provision = async (status: number): Promise<Ended> => {
    const said = await pair.run('provision', '--yes', '--json');
    expectExit(said, status);
    return said.json<Ended>();
  };

  labTest('a link in pg_tblspc that is no tablespace means nothing', async () => {
    const before = await onStandby(facts);
    await asHim(`ln -s ${ofSystem} ${links}/99999`);
    expect(await provision(0)).toMatchObject({ plan: [] });
    expect(await onStandby(facts)).toBe(before);
    await asHim(`rm ${links}/99999`);
  });

  labTest('a tablespace that leads to a directory of the system is refused', async () => {
    const before = await onStandby(facts);
    const oid = await sql(primary, "select oid from pg_tablespace where spcname = 'space'");
    await asHim(`ln -sfn ${ofSystem} ${links}/${oid}`);
    const { diagnostics } = await provision(5);
    await asHim(`ln -sfn '${space}' ${links}/${oid}`);
    expect(diagnostics.map(({ code, host }) => [code, host])).toEqual([['SAF041', standby.id]]);
    expect(await onStandby(facts)).toBe(before);
  });

  labTest("a directory of root's at its place on the standby is refused, and keeps its owner", async () => {
    await onStandby(`chown root: '${space}'`);
    const { diagnostics } = await provision(5);
    expect(diagnostics.map(({ code, host }) => [code, host])).toEqual([['SAF040', standby.id]]);
    expect(diagnostics[0]?.fix).toContain(`chown postgres: '${space}'`);
    expect(await onStandby(`stat -c %U '${space}'`)).toBe('root\n');
    await onStandby(`chown postgres: '${space}'; chmod 0750 '${space}'`);
    expect(await provision(0)).toMatchObject({ plan: [] });
    expect(await onStandby(`stat -c %a '${space}'`)).toBe('750\n');
  });
});
