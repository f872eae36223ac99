/**
 * A server in which other things have the names of PostgreSQL's own and come first: no statement of pgduet or of a controller
 * means one of them, from migrate to teardown.
 */
import { afterAll, beforeAll, expect } from 'vitest';
import { describeLab, labTest } from '../harness/describe.ts';
import { Lab } from '../harness/lab.ts';
import { type Server, sql, untilMirroring, untilSwitchable } from '../support/instance.ts';
import { plantEverything, safely } from './planted.ts';
import { Trip } from './trip.ts';

describeLab('a server with names of PostgreSQL that are not PostgreSQL’s', () => {
  let lab: Lab;
  let trip: Trip;
  beforeAll(async () => {
    lab = await Lab.open();
    trip = await Trip.begin(lab, 'packaged', 'planted');
    const planted = await plantEverything(trip.original);
    for (const [kind, least] of Object.entries({ function: 2000, operator: 600, relation: 100, type: 40 }))
      expect(planted.get(kind), kind).toBeGreaterThan(least);
  });
  afterAll(() => lab?.close());

  /** What the servers have logged of it, from whatever session. */
  async function met(): Promise<readonly string[]> {
    const logs =
      'cat /var/log/postgresql/*.log; find / -xdev -path "*/log/*" -name "*.log" -user postgres -exec cat {} +; journalctl -q -o cat';
    const said = await Promise.all([trip.original, trip.second].map(({ host }) => host.sh(logs)));
    return [...new Set(said.flatMap(({ stdout }) => stdout.match(/^.*PLANTED .*$/gm) ?? []))];
  }

  const both = (): readonly Server[] => [trip.original, trip.second];

  labTest('are met by whoever does not say what it means', async () => {
    await expect(sql(trip.original, 'SELECT pg_is_in_recovery()')).rejects.toThrow('PLANTED');
    expect((await met()).length).toBeGreaterThan(0);
    await trip.original.host.sh('truncate -s 0 /var/log/postgresql/*.log', { check: true });
    expect(await met()).toEqual([]);
  });

  labTest('are met by no verb and no controller', async () => {
    await trip.run(0, 'migrate', '--yes');
    await Promise.all(both().map(untilSwitchable));
    expect(new Set((await trip.checks(0)).map(({ code }) => code))).toEqual(new Set(['SUM002']));
    await trip.run(0, 'status');
    await trip.run(0, 'switch', '--to', trip.second.id, '--yes');
    await trip.run(0, 'switch', '--to', trip.original.id, '--yes');
    // A crash, for which the controllers ask and act alone.
    await trip.original.host.sh('pkill -9 -o -u postgres postgres', { check: true });
    await untilMirroring(trip.second, 'switched');
    await trip.run(0, 'rebuild', trip.original.id, '--yes');
    await trip.run(0, 'switch', '--to', trip.original.id, '--yes');
    await Promise.all(both().map(untilSwitchable));
    expect(await met()).toEqual([]);
    expect(await sql(trip.original, 'SELECT count(*) FROM pg_roles WHERE rolsuper', safely)).toBe('1');
  });

  labTest('are met by no teardown', async () => {
    await trip.run(0, 'teardown', '--yes');
    expect(await met()).toEqual([]);
  });
});
