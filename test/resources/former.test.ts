/** What the former service gave a single server, as it was seen: what goes on, what is told, and that no value is. */
import { describe, expect, it } from 'vitest';
import { inTheWay, notesOn } from '../../src/resources/single/adopt-notes.ts';
import { b64, dataDir, live, observation, place, running } from './single.ts';

const intention = {
  ...place,
  version: 15,
  instance: { dataDir, socketDir: '/run/postgresql', port: 27500, owner: 'postgres' },
  values: {},
  standbys: ['server2'],
  addresses: ['10.0.0.1/32'],
  managed: true,
  unit: 'mcoi_inst1',
};
const byUnit = 'unit pg-shop.service enabled';
const environ = (variables: Readonly<Record<string, string>>): string =>
  `environ ${b64(
    Object.entries(variables)
      .map(([name, value]) => `${name}=${value}\0`)
      .join(''),
  )}`;
const manager = `manager ${b64('LANG=C.UTF-8\nPATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin\n')}`;
const home = `home ${b64('/var/lib/postgresql')}`;
const everyService = {
  LANG: 'C.UTF-8',
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin',
  HOME: '/var/lib/postgresql',
  USER: 'postgres',
  LOGNAME: 'postgres',
  SHELL: '/bin/bash',
  INVOCATION_ID: '1',
  NOTIFY_SOCKET: '/run/systemd/notify',
  SYSTEMD_EXEC_PID: '7',
  PGDATA: dataDir,
  PG_OOM_ADJUST_FILE: '/proc/self/oom_score_adj',
};

const seen = (...lines: readonly string[]) => observation([...running, manager, home, ...lines]);
const taken = (one: ReturnType<typeof seen>): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(one.environment).map(([name, value]) => [name, value.reveal()]));
const notes = (one: ReturnType<typeof seen>): string => notesOn(intention, one).join('\n');

describe('the environment of the former service', () => {
  it('is nothing where a unit gives what every unit gives', () => {
    const one = seen(byUnit, environ(everyService));
    expect(taken(one)).toEqual({});
    expect(notes(one)).not.toContain('variables');
  });

  it('goes on with its values, and only names are told, with the files that they come from', () => {
    const own = {
      ARCHIVE_TO: '/archive',
      AWS_SECRET_ACCESS_KEY: 'canary-1\nx',
      LD_PRELOAD: '/opt/j.so',
      PATH: '/opt/wal-g/bin:/usr/bin',
    };
    const one = seen(
      byUnit,
      environ({ ...everyService, ...own }),
      `variables ${b64('/etc/postgresql/15/main/environment')}`,
      `unitfiles ${b64('# /etc/systemd/system/pg-shop.service\n[Service]\nUser=postgres\n# /etc/systemd/system/pg-shop.service.d/key.conf\n[Service]\nEnvironment="K=canary-2"\n')}`,
    );
    expect(taken(one)).toEqual(own);
    expect(notes(one)).toContain(
      'these variables of its environment go on, on every server, by /mcdir/inst1/server1.environment: ARCHIVE_TO, AWS_SECRET_ACCESS_KEY, LD_PRELOAD, PATH (edits of /etc/postgresql/15/main/environment and /etc/systemd/system/pg-shop.service.d/key.conf have no effect while multiplexed)',
    );
    expect(notes(one)).not.toContain('canary');
    expect(JSON.stringify(one)).not.toContain('canary-1');
  });

  it('leaves out what the connections of the standbys would go by, and says so', () => {
    const own = { PGPASSFILE: '/etc/pg/pass', PGSSLMODE: 'verify-full', HOME: '/srv/home', PGPORT: '5433' };
    const one = seen(byUnit, environ({ ...everyService, ...own }));
    expect(taken(one)).toEqual({});
    expect(notes(one)).toContain('would go by them: HOME, PGPASSFILE, PGSSLMODE;');
  });

  it('of a login is what it does not leave in every program', () => {
    const login = {
      TERM: 'xterm',
      SSH_CONNECTION: '1',
      XDG_SESSION_ID: '2',
      SUDO_USER: 'anna',
      HOME: '/root',
      _: '/usr/bin/pg_ctl',
      PWD: '/',
      LS_COLORS: 'x',
    };
    expect(taken(seen(environ({ ...everyService, ...login, TZ: 'Europe/Berlin' })))).toEqual({
      TZ: 'Europe/Berlin',
    });
  });
});

describe('the unit of the former service', () => {
  const unitFiles = (text: string): string => `unitfiles ${b64(text)}`;

  it('is told as far as people wrote it and ours does not do it', () => {
    const one = seen(
      byUnit,
      unitFiles(
        `# /lib/systemd/system/postgresql@.service\n[Service]\nNice=3\n# /etc/systemd/system/pg-shop.service.d/a.conf\n[Unit]\nAfter=network.target\nRequiresMountsFor=${dataDir} /archive\n[Service]\nLimitNOFILE=65536\nLimitMEMLOCK=infinity\nSetCredential=k:canary\nTimeoutSec=infinity\nOOMScoreAdjust=-900\n# /etc/systemd/system/pg-shop.service.d/pgduet.conf\n[Unit]\nConditionPathExists=/x\n`,
      ),
    );
    expect(notes(one)).toContain(
      `mcoi_inst1.service does not take over what people wrote for pg-shop.service: RequiresMountsFor=${dataDir} /archive (/etc/systemd/system/pg-shop.service.d/a.conf), LimitMEMLOCK=infinity (/etc/systemd/system/pg-shop.service.d/a.conf), SetCredential (/etc/systemd/system/pg-shop.service.d/a.conf); what is needed`,
    );
    expect(notes(one)).not.toContain('canary');
  });

  it.each([
    ['more open files', 'LimitNOFILE=1048576', 'LimitNOFILE=1048576'],
    ['a line that goes on', 'CPUAffinity=0 \\\n 1', 'CPUAffinity=0   1'],
    ['another right to memory', 'OOMScoreAdjust=-500', 'OOMScoreAdjust=-500'],
  ])('is told with %s', (_, line, words) => {
    const one = seen(byUnit, unitFiles(`# /etc/systemd/system/pg-shop.service\n[Service]\n${line}\n`));
    expect(notes(one)).toContain(words);
  });
});

describe('commands that gain privileges', () => {
  const sudo = [`privileged ${b64('/usr/local/bin/archive (sudo)')}`];

  it('stand in the way, with the word of the inventory that lets them', () => {
    expect(inTheWay(intention, seen(...sudo))).toMatchObject({
      code: 'SAF030',
      what: expect.stringContaining('(NoNewPrivileges): /usr/local/bin/archive (sudo)'),
      fix: expect.stringContaining('unit_allows: [privileges] in multiplexing'),
    });
  });

  it('do not where the unit lets them, or where there is none', () => {
    expect(inTheWay({ ...intention, unitAllows: ['devices'] }, seen(...sudo))).toBeDefined();
    expect(inTheWay({ ...intention, unitAllows: ['privileges'] }, seen(...sudo))).toBeUndefined();
    const { unit: _, ...bare } = intention;
    expect(inTheWay(bare, seen(...sudo))).toBeUndefined();
    expect(inTheWay(intention, observation(running, live()))).toBeUndefined();
  });
});

describe('the places of the server', () => {
  it('it runs from has to be told', () => {
    expect(inTheWay(intention, seen(`elsewhere ${b64('/opt/pg15/bin')}`))).toMatchObject({
      what: 'the server runs from /opt/pg15/bin, and its programs are looked for elsewhere',
      fix: expect.stringContaining('postgres.bin_dir: /opt/pg15/bin'),
    });
  });

  const archived = (command: string) =>
    observation(
      running,
      live(
        {},
        { archive_command: [command, command, null, 'sighup', 'configuration file', null, null, false] },
      ),
    );
  it.each([
    ['cp %p /usr/share/arch/%f', true],
    ['cp %p /usr/local/pgsql/archive/%f', false],
    ['cp %p /srv/archive/%f', false],
  ])('that %s writes to is read-only for the unit: %s', (command, refused) => {
    const problem = inTheWay(intention, archived(command));
    expect(problem?.what).toEqual(
      refused
        ? expect.stringContaining('archive_command writes to /usr/share/arch, which is read-only')
        : undefined,
    );
    expect(
      inTheWay({ ...intention, values: { archive_command: command } }, archived(command)),
    ).toBeUndefined();
  });
});
