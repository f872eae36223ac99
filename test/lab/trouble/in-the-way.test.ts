/**
 * What stands in the way on a host before anything is done: strangers on a port, strangers' data, wrong versions, wrong
 * clocks. Each stops the run before its first change, and costs nobody a byte. In: a pair of hosts, wiped in between.
 */
import { afterAll, beforeAll, expect } from 'vitest';
import { describeLab, labTest } from '../harness/describe.ts';
import {
  dataDir,
  fingerprint,
  mcDir,
  mcPort,
  pgPort,
  strangersCluster,
  Trouble,
  traces,
  wipe,
} from './trouble.ts';

describeLab('something stands in the way', () => {
  let pair: Trouble;
  beforeAll(async () => {
    pair = await Trouble.open();
  });
  afterAll(() => pair?.lab.close());

  labTest(
    'strangers on both ports: exit 1 names ports, hosts and programs; without them it goes on',
    async () => {
      const { a, b } = pair;
      const squat = (port: number) =>
        `systemd-run --quiet --unit=squat python3 -m http.server ${port}; until ss -Hltn "sport = :${port}" | grep -q .; do sleep 0.02; done`;
      await Promise.all([a.sh(squat(mcPort), { check: true }), b.sh(squat(pgPort), { check: true })]);
      const document = await pair.fails(1);
      expect(document.diagnostics.map(({ code, host }) => [code, host])).toEqual([
        ['HST005', a.name],
        ['HST005', b.name],
      ]);
      const [controllers, servers] = document.diagnostics;
      expect(controllers?.what).toContain(`port ${mcPort}, meant for the Mirroring Controller`);
      expect(servers?.what).toContain(`port ${pgPort}, meant for PostgreSQL`);
      for (const each of document.diagnostics) expect(each.evidence?.join()).toContain('python3');
      expect([await traces(a), await traces(b)]).toEqual(['', '']);
      await Promise.all([a, b].map((host) => host.sh('systemctl stop squat', { check: true })));
      await pair.converges();
      await wipe(a, b);
    },
  );

  for (const place of ['primary', 'standby'] as const) {
    for (const running of [true, false]) {
      const words = `${running ? 'a running' : 'a stopped'} cluster of somebody else at the ${place}'s place`;
      labTest(`${words}: exit 5, not a byte is touched`, async () => {
        const host = place === 'primary' ? pair.a : pair.b;
        await strangersCluster(host, dataDir, running ? 5444 : pgPort, running);
        const before = running ? '' : await fingerprint(host, dataDir);
        const document = await pair.fails(5);
        expect(document.diagnostics).toHaveLength(1);
        expect(document.diagnostics[0]).toMatchObject({ code: 'SAF001', host: host.name });
        expect(document.diagnostics[0]?.what).toContain(dataDir);
        expect(document.diagnostics[0]?.evidence).toContain(`running: ${running ? 'yes' : 'no'}`);
        expect(document.diagnostics[0]?.fix).toContain('postgres.data_dir');
        if (running) {
          const row = await host.sh('psql -AtX -p 5444 -d postgres -c "select answer from precious"', {
            user: 'postgres',
          });
          expect(row.stdout).toBe('42\n');
        } else expect(await fingerprint(host, dataDir)).toBe(before);
        expect(await traces(host === pair.a ? pair.b : pair.a)).toBe('');
        await wipe(host);
      });
    }
  }

  labTest(
    "a cluster of somebody else at a later standby's place: exit 5, the pair goes on, then converges",
    async () => {
      const { a, b } = pair;
      await pair.converges();
      await b.sh(`systemctl stop mcoi_inst1; rm -rf ${dataDir}`, { check: true });
      await strangersCluster(b, dataDir, pgPort, false);
      const before = await fingerprint(b, dataDir);
      const document = await pair.fails(5);
      expect(document.diagnostics.map(({ code, host }) => [code, host])).toEqual([['SAF001', b.name]]);
      expect(await fingerprint(b, dataDir)).toBe(before);
      await b.sh(`rm -rf ${dataDir} ${mcDir}/${b.name}.system`);
      await pair.converges();
      await wipe(a, b);
    },
  );

  labTest("somebody's files in both data directories: exit 5 lists some of them, and they stay", async () => {
    const { a, b } = pair;
    for (const host of [a, b])
      await host.sh(`mkdir -p ${dataDir}; cd ${dataDir}; echo 'my thesis' >thesis.txt; echo hidden >.notes`);
    const document = await pair.fails(5);
    expect(document.diagnostics.map(({ code, host }) => [code, host])).toEqual([
      ['SAF002', a.name],
      ['SAF002', b.name],
    ]);
    expect(document.diagnostics[0]?.evidence).toEqual(['found: .notes', 'found: thesis.txt']);
    for (const host of [a, b])
      expect((await host.sh(`cat ${dataDir}/thesis.txt ${dataDir}/.notes`)).stdout).toBe(
        'my thesis\nhidden\n',
      );
    expect((await a.sh(`ls -d ${mcDir}`)).stdout).toBe('');
    await wipe(a, b);
  });

  labTest('a data directory of another major version: exit 5 names both versions', async () => {
    const { a, b } = pair;
    await a.sh(`mkdir -p ${dataDir}/base; echo 13 >${dataDir}/PG_VERSION; chown -R postgres: ${dataDir}`);
    const before = await fingerprint(a, dataDir);
    const document = await pair.fails(5);
    expect(document.diagnostics.map(({ code, host }) => [code, host])).toEqual([['SAF006', a.name]]);
    expect(document.diagnostics[0]?.what).toMatch(/PostgreSQL 13.* says 15/);
    expect(await fingerprint(a, dataDir)).toBe(before);
    expect(await traces(b)).toBe('');
    await wipe(a, b);
  });

  labTest(
    'a PostgreSQL version that the host cannot install: exit 1 names package, step and the way out',
    async () => {
      const { a, b } = pair;
      const document = await pair.fails(1, pair.write('sixteen.yml', { postgres: { version: 16 } }));
      expect(document.diagnostics.map(({ code, host }) => [code, host])).toEqual([
        ['HST004', a.name],
        ['HST004', b.name],
      ]);
      const [diagnostic] = document.diagnostics;
      expect(diagnostic?.what).toContain("'package postgresql-16'");
      expect(diagnostic?.fix).toContain('package source');
      const evidence = diagnostic?.evidence?.join('\n');
      expect(evidence).toContain('Unable to locate package postgresql-16');
      expect(evidence).toMatch(/already changed: .*createcluster/);
      expect(evidence).toMatch(/not done: .*Mirroring Controller/);
      expect([await traces(a), await traces(b)]).toEqual(['', '']);
    },
  );

  labTest('no PostgreSQL and no package manager: exit 1 before anything is changed', async () => {
    const { a } = pair;
    await a.sh('mv /usr/lib/postgresql /usr/lib/hidden; mv /usr/bin/dpkg-query /usr/bin/hidden', {
      check: true,
    });
    const document = await pair.fails(1);
    await a.sh('mv /usr/lib/hidden /usr/lib/postgresql; mv /usr/bin/hidden /usr/bin/dpkg-query', {
      check: true,
    });
    expect(document.diagnostics.map(({ code, host }) => [code, host])).toEqual([['HST004', a.name]]);
    expect(document.diagnostics[0]?.what).toContain('postgresql-15');
    expect(document.diagnostics[0]?.fix).toContain('postgres.bin_dir');
    expect(await traces(a)).toBe('');
  });

  labTest(
    'clocks three seconds apart: exit 1 before anything is changed; with right clocks it goes on',
    async () => {
      const { a, b } = pair;
      await b.setClockOffset(3);
      const document = await pair.fails(1);
      expect(document.diagnostics.map(({ code, host }) => [code, host])).toEqual([['HST007', b.name]]);
      expect(document.diagnostics[0]?.what).toMatch(
        new RegExp(`'${a.name}' and '${b.name}' are [23]\\.\\d s apart`),
      );
      expect(document.diagnostics[0]?.fix).toContain('chrony');
      expect([await traces(a), await traces(b)]).toEqual(['', '']);
      // A reboot of a lab host makes its clock right.
      await b.reboot();
      await pair.converges();
    },
  );

  labTest('a pair that another inventory made is not taken over: exit 5 says what runs where', async () => {
    // The pair of the test before runs; this inventory names its data, and a management directory of its own.
    const other = pair.write('other.yml', {
      multiplexing: { management_dir: '/mcdir/other', port: mcPort + 1 },
    });
    const document = await pair.fails(5, other);
    expect(document.diagnostics.map(({ code }) => code)).toEqual(['SAF004']);
    expect(document.diagnostics[0]?.evidence?.[0]).toContain(`${pair.a.name}: running, not made by pgduet`);
    expect(await pair.a.sh('ls -d /mcdir/other')).toMatchObject({ stdout: '' });
    await pair.isWhole(pair.a, pair.b);
  });

  labTest('a server that does not start: exit 1 at once, with the line of its own log', async () => {
    await wipe(pair.a, pair.b);
    const bad = pair.write('bad.yml', {
      postgres: { settings: { logging_collector: 'on', shared_preload_libraries: 'nothere' } },
    });
    const document = await pair.fails(1, bad);
    const said = document.diagnostics.map(({ evidence }) => evidence?.join('\n')).join('\n');
    expect(said).toContain('FATAL:  could not access file "nothere"');
    // The controller has said that it tries no more, so nobody has waited for it.
    expect(said).toContain('the instance could not be started');
    expect(said).not.toContain('did not answer within');
  });
});
