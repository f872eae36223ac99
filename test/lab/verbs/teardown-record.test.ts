/**
 * `pgduet teardown` of a server that was a single one before: with a record of what was there, placed by hand. Each form of a
 * single server gets its files back byte for byte, its unit and its modes; a reboot in the middle starts it exactly once.
 */
import { afterAll, beforeAll, expect } from 'vitest';
import { editConf, ourHeading, withoutOurs } from '../../../src/postgres/conf-file.ts';
import { formerRulesMarker } from '../../../src/postgres/hba-file.ts';
import {
  type Before,
  beforeFile,
  formerDropIn,
  formerMark,
  type Starter,
} from '../../../src/resources/data/record.ts';
import { describeLab, labTest } from '../harness/describe.ts';
import type { Host } from '../harness/lab.ts';
import { until } from '../harness/run.ts';
import { bin, dataDir, lockIsFree, mcDir, sql, Trouble } from '../trouble/trouble.ts';

const conf = `${dataDir}/postgresql.conf`;
const hba = `${dataDir}/pg_hba.conf`;
const formerHba = '# mine\nlocal all all peer\nhost all all 10.0.0.0/8 scram-sha-256\n';
const formerUnit = `[Service]
Type=notify
User=postgres
ExecStart=${bin}/postgres -D ${dataDir}
[Install]
WantedBy=multi-user.target
`;
const etc = '/etc/postgresql/15/main';

describeLab('teardown of a server with a record', () => {
  let pair: Trouble;
  let a: Host;

  const text = async (path: string): Promise<string> => (await a.sh(`cat ${path}`, { check: true })).stdout;
  const write = (path: string, content: string, mode: string, owner = 'postgres:postgres') =>
    a.sh(`mkdir -p "$(dirname ${path})"; cat > ${path} && chmod ${mode} ${path} && chown ${owner} ${path}`, {
      input: content,
      check: true,
    });

  /** The record, the condition on the former unit and the marks in the files, as a migration leaves them. */
  async function adopted(starter: Starter, over: Partial<Before> = {}): Promise<void> {
    const place = { managementDir: mcDir, id: a.name };
    const before: Before = {
      schema: 1,
      at: 1,
      systemIdentifier: await sql(a, 'select system_identifier from pg_control_system()'),
      version: 15,
      starter,
      configFile: conf,
      hbaFile: hba,
      identFile: `${dataDir}/pg_ident.conf`,
      files: [
        {
          path: conf,
          mode: '640',
          owner: 'postgres:postgres',
          text: withoutOurs(await text(conf), ourHeading),
        },
        { path: hba, mode: '644', owner: 'postgres:postgres', text: formerHba },
      ],
      settings: [],
      made: [],
      roles: [],
      ...over,
    };
    await write(beforeFile(place), JSON.stringify(before), '600');
    await write(hba, `${await text(hba)}${formerRulesMarker}\n${formerHba}`, '600');
    if (starter.kind === 'unit')
      await write(
        formerDropIn(starter.unit),
        `[Unit]\nConditionPathExists=${formerMark(place)}\n[Service]\nRestart=no\n`,
        '644',
        'root:root',
      );
    await a.sh('systemctl daemon-reload', { check: true });
  }

  const teardown = (...args: readonly string[]) => pair.run('teardown', args);
  const stat = async (...paths: readonly string[]): Promise<string> =>
    (await a.sh(`stat -c '%a %U:%G' ${paths.join(' ')}`)).stdout.trim();

  async function expectGone(): Promise<void> {
    expect(
      (
        await a.sh(
          `ls -d ${mcDir} /etc/systemd/system/mcoi* /etc/systemd/system/*.d/pgduet.conf ${dataDir}/pgduet.json 2>/dev/null`,
        )
      ).stdout,
    ).toBe('');
    expect((await a.sh('grep mcoi /etc/services; ls /var/lib/postgresql/.pgpass 2>/dev/null')).stdout).toBe(
      '',
    );
    expect(await sql(a, 'select count(*) from kept')).toBe('100');
    expect(await sql(a, "select count(*) from pg_roles where rolname like 'pgduet%'")).toBe('0');
    const again = await teardown('--yes');
    expect(again.status, again.stderr).toBe(0);
    expect(again.stderr).toContain('nothing to change');
  }

  beforeAll(async () => {
    pair = await Trouble.provisioned({
      sql: [['postgres', 'create table kept as select generate_series(1, 100) as n']],
    });
    ({ a } = pair);
  });
  afterAll(() => pair?.lab.close());

  labTest('under its former unit again: files byte for byte, modes, and a reboot in the middle', async () => {
    await write('/etc/systemd/system/pg-main.service', formerUnit, '644', 'root:root');
    // What the inventory sets was there before: port, sockets and addresses stay where clients look.
    const former = `${withoutOurs(await text(conf), ourHeading)}port = 27500 # mine\n`;
    await write(conf, former, '600');
    const provisioned = await pair.provision();
    expect(provisioned.status, provisioned.stderr).toBe(0);
    expect(await text(conf)).not.toBe(former);
    await adopted({ kind: 'unit', unit: 'pg-main.service', enabled: 'enabled' });
    const check = await teardown('--check');
    expect(check.stdout).toContain('it goes back under pg-main.service');

    const run = pair.start('teardown', ['--yes']);
    await run.said(`${a.name}: restart under pg-main.service`);
    run.child.kill('SIGKILL');
    await run.ended;
    await a.powerOff();
    await a.powerOn();
    await a.untilUp();
    const units = await a.sh('sleep 1; systemctl is-active pg-main mcoi_inst1; pgrep -xc -P 1 postgres');
    expect(units.stdout.split('\n').slice(0, 2)).not.toEqual(['active', 'active']);

    const ended = await teardown('--yes');
    expect(ended.status, `${ended.stdout}\n${ended.stderr}`).toBe(0);
    expect(await text(conf)).toBe(former);
    expect(await text(hba)).toBe(formerHba);
    expect(await stat(conf, hba)).toBe('640 postgres:postgres\n644 postgres:postgres');
    expect((await a.sh('systemctl is-enabled pg-main; systemctl is-active pg-main')).stdout).toBe(
      'enabled\nactive\n',
    );
    await expectGone();
  });

  labTest('an edited file keeps the edit, and the plan shows it', async () => {
    await pair.cluster.reset();
    await write('/etc/systemd/system/pg-main.service', formerUnit, '644', 'root:root');
    const former = `${withoutOurs(await text(conf), ourHeading)}port = 27500\n`;
    await write(conf, former, '600');
    expect((await pair.provision()).status).toBe(0);
    await adopted({ kind: 'unit', unit: 'pg-main.service', enabled: 'disabled' });
    await a.sh(`echo "work_mem = '5MB'" >> ${conf}`, { check: true });
    const check = await teardown('--check');
    expect(check.stdout).toContain(
      `${conf} has been edited since it was recorded: only our lines are taken out`,
    );
    expect(check.stdout).toContain("+work_mem = '5MB'");
    const ended = await teardown('--yes');
    expect(ended.status, `${ended.stdout}\n${ended.stderr}`).toBe(0);
    expect(await text(conf)).toBe(`${former}work_mem = '5MB'\n`);
    expect((await a.sh('systemctl is-enabled pg-main; systemctl is-active pg-main')).stdout).toBe(
      'disabled\nactive\n',
    );
    await expectGone();
  });

  labTest('started by hand, and nothing needs a restart: the same process goes on', async () => {
    await pair.cluster.reset();
    const block = (await text(conf)).split('\n');
    const same = [
      'port',
      'listen_addresses',
      'wal_log_hints',
      'logging_collector',
      'shared_buffers',
      'unix_socket_directories',
      'max_connections',
      'log_statement',
    ];
    const lines = block.filter(
      (line) =>
        same.some((name) => line.startsWith(`${name} = '`)) ||
        same.some((name) => line.startsWith(`${name} = `)),
    );
    const former = `${withoutOurs(block.join('\n'), ourHeading)}${lines.join('\n')}\n`;
    const full = editConf(
      former,
      { wal_sender_timeout: '5400', log_directory: `${mcDir}/${a.name}-log` },
      ourHeading,
    );
    await write(conf, full, '600');
    expect((await pair.provision()).status).toBe(0);
    await adopted({ kind: 'hand', options: `"-D" "${dataDir}"` });
    const pid = await text(`${dataDir}/postmaster.pid`);
    const check = await teardown('--check');
    expect(check.stdout).toContain('no restart: the running server goes on');
    const ended = await teardown('--yes');
    expect(ended.status, `${ended.stdout}\n${ended.stderr}`).toBe(0);
    expect((await text(`${dataDir}/postmaster.pid`)).split('\n')[0]).toBe(pid.split('\n')[0]);
    expect(await text(conf)).toBe(former);
    await expectGone();
  });

  labTest(
    "Debian's form: it reads /etc/postgresql again, and nothing of it is left in the data directory",
    async () => {
      await pair.cluster.reset();
      const main = `data_directory = '${dataDir}'
hba_file = '${etc}/pg_hba.conf'
ident_file = '${etc}/pg_ident.conf'
external_pid_file = '/var/run/postgresql/15-main.pid'
port = 27500
unix_socket_directories = '/var/run/postgresql'
shared_buffers = 16MB
`;
      const owner = 'postgres:postgres';
      await write(`${etc}/postgresql.conf`, main, '644');
      await write(`${etc}/pg_hba.conf`, formerHba, '640');
      await write(`${etc}/pg_ident.conf`, '', '640');
      await write(`${etc}/start.conf`, 'auto\n', '644');
      await a.sh(`chown -R ${owner} /etc/postgresql`);
      await write(hba, `${await text(hba)}`, '600');
      const made = [conf, hba, `${dataDir}/pg_ident.conf`].map((path) => ({ path, mode: '600', owner }));
      const there = (
        [
          ['postgresql.conf', '644', main],
          ['pg_hba.conf', '640', formerHba],
          ['pg_ident.conf', '640', ''],
          ['start.conf', '644', 'auto\n'],
        ] as const
      ).map(([name, mode, content]) => ({ path: `${etc}/${name}`, mode, owner, text: content }));
      // Of the files in the data directory only what the migration would have made of those in /etc.
      await write(
        conf,
        editConf(
          main.replaceAll(/^(data_directory|hba_file|ident_file|external_pid_file)/gm, '#pgduet: $1'),
          {},
          ourHeading,
        ),
        '600',
      );
      expect((await pair.provision()).status).toBe(0);
      await adopted(
        { kind: 'unit', unit: 'postgresql@15-main.service', enabled: 'enabled-runtime' },
        {
          configFile: `${etc}/postgresql.conf`,
          hbaFile: `${etc}/pg_hba.conf`,
          identFile: `${etc}/pg_ident.conf`,
          files: [...there, ...made],
        },
      );
      await write(`${dataDir}/pg_ident.conf`, '', '600');
      const ended = await teardown('--yes');
      expect(ended.status, `${ended.stdout}\n${ended.stderr}`).toBe(0);
      expect(await sql(a, 'show config_file')).toBe(`${etc}/postgresql.conf`);
      expect((await a.sh(`ls ${dataDir}/*.conf`)).stdout).toBe(`${dataDir}/postgresql.auto.conf\n`);
      for (const { path, text: content } of there) expect(await text(path)).toBe(content);
      expect((await a.sh('systemctl is-active postgresql@15-main')).stdout).toBe('active\n');
      await expectGone();
      await until(
        () => 'the lock is held',
        5000,
        async () => ((await lockIsFree(a)) ? true : undefined),
      );
    },
  );
});
