/**
 * `pgduet recover` behind a power cut of all servers in the middle of a switch, at moments that are held still: the role was given away and nobody had taken it; a
 * promotion was asked for; it was made and not written down; the former primary did not know of it. Whoever leads then holds all that a client was told of.
 */
import { afterAll, beforeAll, expect } from 'vitest';
import type { FaultPair } from '../faults/support/pair.ts';
import { replay } from '../faults/support/processes.ts';
import { openPair } from '../faults/support/variants.ts';
import { describeLab, labTest } from '../harness/describe.ts';
import { until } from '../harness/run.ts';
import { type Server, sql } from '../support/instance.ts';
import { expectExit, type RunDocument } from '../support/pgduet.ts';

interface Recovered extends RunDocument {
  readonly heirs: readonly string[];
  readonly alone: readonly { readonly server: string; readonly holds: string }[];
}

describeLab('recover in the middle of a switch', () => {
  let pair: FaultPair;
  beforeAll(async () => {
    pair = await openPair('plain');
  });
  afterAll(() => pair?.close());

  const atBoot = (word: 'enable' | 'disable') =>
    Promise.all(
      pair.servers.map(({ host, unit }) => host.sh(`systemctl -q ${word} ${unit}`, { check: true })),
    );
  const recordOf = ({ managementDir, id }: Server) => `${managementDir}/${id}.state.json`;
  const untilSo = ({ id, host }: Server, what: string, test: string) =>
    until(
      () => `${id}: ${what}`,
      30_000,
      async () => ((await host.sh(test)).status === 0 ? true : undefined),
      20,
    );
  const controller = ({ host, managementDir, id }: Server, signal: 'STOP' | 'CONT') =>
    host.sh(`kill -${signal} $(head -n 1 ${managementDir}/${id}.pid)`, { check: true });
  const receiver = ({ host }: Server, signal: 'STOP' | 'CONT') =>
    host.sh(`pkill -${signal} -f 'wal[ ]?receiver'`, { check: true });

  const given = (from: Server) =>
    untilSo(from, 'it gives its role to nobody', `grep -q '"handover":{' ${recordOf(from)}`);
  const asked = async (to: Server): Promise<void> => {
    await untilSo(to, 'it takes nothing over', `grep -q '"stage":"promote"' ${recordOf(to)}`);
    await untilSo(to, 'its promotion is not asked for', `test -e ${to.dataDir}/promote`);
  };
  // The file of a standby goes some milliseconds before, and what is between the two is refused.
  const promoted = (to: Server) =>
    untilSo(
      to,
      'it is not promoted',
      `/usr/lib/postgresql/*/bin/pg_controldata -D ${to.dataDir} | grep -q 'in production'`,
    );

  interface Moment {
    readonly name: string;
    /** While the former primary shuts down, and waits for its standby. */
    readonly hold: (from: Server, to: Server) => Promise<unknown>;
    /** Until then it goes on. */
    readonly come: (from: Server, to: Server) => Promise<unknown>;
    /** Whoever may become primary; nobody where that is decided. */
    readonly isOpen: boolean;
    /** The command was ended once the receiver ran, and is given again. */
    readonly again?: true;
  }
  const moments: readonly Moment[] = [
    {
      name: 'given away, and nobody had taken it',
      hold: (_, to) => controller(to, 'STOP'),
      come: (from) => given(from),
      isOpen: true,
    },
    {
      name: 'a promotion was asked for',
      hold: (_, to) => replay(to, 'STOP'),
      come: (_, to) => asked(to),
      isOpen: true,
    },
    {
      name: 'promoted, and not written down',
      hold: (_, to) => replay(to, 'STOP'),
      come: async (_, to) => {
        await asked(to);
        await controller(to, 'STOP');
        await replay(to, 'CONT');
        await promoted(to);
      },
      isOpen: false,
    },
    {
      name: 'written down, and the former primary did not know of it',
      hold: (from) =>
        from.host.sh(
          `( until grep -q '"handover":{' ${recordOf(from)}; do :; done; kill -STOP $(head -n 1 ${from.managementDir}/${from.id}.pid) ) >/dev/null 2>&1 &`,
        ),
      come: (_, to) =>
        untilSo(to, 'it has written nothing down', `grep -q '"sync":{"primary":"${to.id}"' ${recordOf(to)}`),
      isOpen: false,
      again: true,
    },
  ];

  for (const { name, hold, come, isOpen, again } of moments)
    labTest(`${name}: whole, and no acknowledged row is lost`, async () => {
      const { primary: from, standby: to } = await pair.roles();
      const client = pair.client();
      expect(await client.writesAgain(30_000)).toBe(true);
      await atBoot('disable');
      await receiver(to, 'STOP');
      // Its answer goes with the power.
      void pair.mcCtl(from, 'switch', '--force').catch(() => undefined);
      await untilSo(
        from,
        'it does not shut down',
        `sed -n 8p ${from.dataDir}/postmaster.pid | grep -q stopping`,
      );
      await hold(from, to);
      await receiver(to, 'CONT');
      await come(from, to);
      await Promise.all(pair.servers.map(({ host }) => host.powerOff()));
      client.stop();
      const { rows } = client;
      await Promise.all(pair.servers.map(({ host }) => host.powerOn()));
      await atBoot('enable');
      if (again) {
        await to.host.sh(`systemctl start ${to.unit}`, { check: true });
        await until(
          () => `${to.id} takes no writes`,
          60_000,
          async () => ((await pair.takesWrites(to)) ? true : undefined),
        );
      }

      const shown = await pair.cluster.run('recover', '--check', '--json');
      expectExit(shown, 2);
      const before = shown.json<Recovered>();
      expect([...before.heirs].sort()).toEqual(isOpen ? [from.id, to.id].sort() : []);
      if (!isOpen) expect(before).toMatchObject({ primary: to.id, alone: [{ server: from.id }] });
      const told = await pair.cluster.run('recover', '--check');
      expect(told.stdout).toContain(
        isOpen ? 'becomes primary, as the controllers decide' : `${from.id} had given the role away`,
      );
      const done = await pair.cluster.run('recover', '--yes', '--json');
      expectExit(done, 0);
      const after = done.json<Recovered>();
      expect([from.id, to.id]).toContain(after.primary);
      if (!isOpen) expect(after.primary).toBe(to.id);
      expect(after.heirs).toEqual(before.heirs);
      expect(after.alone).toEqual([]);

      const { primary } = await pair.roles();
      expect(primary.id).toBe(after.primary);
      const held = (await sql(primary, `SELECT id FROM written WHERE who = '${client.who}'`, 'app')).split(
        '\n',
      );
      const known = new Set(held.map(Number));
      expect(rows.length).toBeGreaterThan(0);
      expect(rows.filter(({ id }) => !known.has(id))).toEqual([]);
      await pair.untilSwitchable();
      expectExit(await pair.cluster.run('recover', '--check'), 0);
    });
});
