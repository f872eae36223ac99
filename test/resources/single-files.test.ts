/** The way back of the files of a single server, and whether it takes a restart: pure functions on texts. */
import { describe, expect, it } from 'vitest';
import { editConf, flattenConf, ourHeading } from '../../src/postgres/conf-file.ts';
import { formerRulesMarker } from '../../src/postgres/hba-file.ts';
import type { SettingRow } from '../../src/postgres/setting-row.ts';
import { singleConf, stayingHeading } from '../../src/postgres/single-conf.ts';
import type { Before } from '../../src/resources/data/record.ts';
import { autoConf, filePlan } from '../../src/resources/single/single-files.ts';
import type { SeenFile, SingleObservation } from '../../src/resources/single/single-observation.ts';
import { needRestart } from '../../src/resources/single/single-restart.ts';
import { withoutDataDir } from '../../src/resources/single/single-steps.ts';

const dir = '/data';
const at = (name: string): string => `${dir}/${name}`;
const original = "# mine\nport = 5433 # here\nshared_buffers = '16MB'\n";
const seenFile = (text: string, mode = '600'): SeenFile => ({ mode, owner: 'postgres:postgres', text });

function observation(
  files: Readonly<Record<string, SeenFile>>,
  record?: Before,
  leftovers: string[] = [],
): SingleObservation {
  return {
    programs: '/pg',
    ours: true,
    mark: false,
    controller: false,
    unit: false,
    guarded: false,
    beside: [],
    environment: false,
    confirmed: [],
    barred: [],
    files: new Map(Object.entries(files)),
    services: new Map(),
    leftovers,
    ...(record ? { record } : {}),
  };
}

const record = (over: Partial<Before> = {}): Before => ({
  schema: 1,
  at: 0,
  systemIdentifier: '7',
  version: 15,
  starter: { kind: 'hand', options: '' },
  configFile: at('postgresql.conf'),
  hbaFile: at('pg_hba.conf'),
  identFile: at('pg_ident.conf'),
  files: [{ path: at('postgresql.conf'), mode: '644', owner: 'postgres:postgres', text: original }],
  settings: [],
  made: [],
  roles: [],
  ...over,
});
const wish = {
  dataDir: dir,
  owner: 'postgres',
  staying: { names: ['port'] },
  replicates: false,
  hba: 'local all all peer\n',
};

describe('a server that was multiplexed from the beginning', () => {
  it('keeps what clients rely on, and nothing of replication', () => {
    const made = editConf(
      original,
      { port: '27500', wal_sender_timeout: '5400', work_mem: '4MB' },
      ourHeading,
    );
    expect(singleConf(made, { names: ['port', 'work_mem', 'unset'] })).toBe(
      `${original}\n${stayingHeading}\nport = 27500\nwork_mem = '4MB'\n`,
    );
    expect(singleConf(made, { names: [] })).toBe(original);
  });

  it('is the same when done twice, and knows nothing of what the controller has commented out', () => {
    const made = editConf('a = 1\n', { port: '1', synchronous_standby_names: 's' }, ourHeading).replace(
      'synchronous',
      '#synchronous',
    );
    const once = singleConf(made, { names: ['port'] });
    expect(once).not.toContain('synchronous');
    expect(singleConf(once, { names: ['port'] })).toBe(once);
  });

  it("does not bring back another server's includes and places", () => {
    const flat = flattenConf({ path: '/etc/x', text: "include_dir = 'conf.d'\nport = 5432\n" }, () => [
      { path: '/etc/x/a.conf', text: "work_mem = '7MB'\n" },
    ]);
    const made = editConf(`#pgduet: data_directory = '/var/x'\n${flat}`, { port: '27500' }, ourHeading);
    expect(singleConf(made, { names: [] })).toBe("work_mem = '7MB'\nport = 5432\n");
  });

  it('has the rules of its own and of the server that it was copied from, not ours', () => {
    const hba = `# Written by pgduet from the inventory; x\nhost replication r 10.0.0.1/32 scram-sha-256\n${formerRulesMarker}\nhost all all 10.0.0.0/8 md5\n`;
    const plan = filePlan(wish, observation({ [at('pg_hba.conf')]: seenFile(hba) }));
    expect(plan.write.map(({ file }) => file?.text)).toEqual([
      'local all all peer\nhost all all 10.0.0.0/8 md5\n',
    ]);
    const again = filePlan(wish, observation({ [at('pg_hba.conf')]: seenFile('local all all peer\n') }));
    expect(again.write).toEqual([]);
  });
});

describe('a server with a record', () => {
  const made = editConf(original, { port: '27500', wal_log_hints: 'on' }, ourHeading);

  it('gets back a file of the data directory that nobody read, once the gathered one is not read any more', () => {
    const rules = 'host all all 10.0.0.0/8 md5\n';
    const elsewhere = record({
      hbaFile: '/etc/rules.conf',
      files: [
        { path: at('pg_hba.conf'), mode: '640', owner: 'postgres:postgres', text: '# nobody reads this\n' },
        { path: '/etc/rules.conf', mode: '640', owner: 'postgres:postgres', text: rules },
      ],
    });
    const files = (hba: string) => ({
      [at('pg_hba.conf')]: seenFile(hba),
      '/etc/rules.conf': seenFile(rules, '640'),
    });
    const gathered = filePlan(wish, observation(files(rules), elsewhere));
    const back = { path: at('pg_hba.conf'), file: seenFile('# nobody reads this\n', '640'), late: true };
    expect(gathered).toMatchObject({ write: [], remove: [back], notes: [] });
    const edited = filePlan(wish, observation(files(`${rules}local all all peer\n`), elsewhere));
    expect(edited.remove).toEqual([{ ...back, keepAs: `${at('pg_hba.conf')}.edited` }]);
    expect(edited.notes.join('\n')).toContain('+local all all peer');
    const before = { ...files(rules), [at('pg_hba.conf')]: back.file };
    expect(filePlan(wish, observation(before, elsewhere))).toMatchObject({ write: [], remove: [] });
  });

  it('gets its file back with its mode, byte for byte', () => {
    const plan = filePlan(wish, observation({ [at('postgresql.conf')]: seenFile(made) }, record()));
    expect(plan.write).toEqual([{ path: at('postgresql.conf'), file: seenFile(original, '644') }]);
    expect(plan.notes).toEqual([]);
    const done = filePlan(
      wish,
      observation({ [at('postgresql.conf')]: seenFile(original, '644') }, record()),
    );
    expect(done.write).toEqual([]);
  });

  it('keeps what somebody has written since, and says so', () => {
    const edited = `${made}work_mem = '5MB'\n`;
    const plan = filePlan(wish, observation({ [at('postgresql.conf')]: seenFile(edited) }, record()));
    expect(plan.write[0]?.file?.text).toBe(`${original}work_mem = '5MB'\n`);
    expect(plan.notes.join('\n')).toContain("only our lines are taken out\n  +work_mem = '5MB'");
  });

  it('gets a file back that is gone', () => {
    expect(filePlan(wish, observation({}, record())).write).toEqual([
      { path: at('postgresql.conf'), file: seenFile(original, '644') },
    ]);
  });

  it('loses what the migration has put into the data directory; an edited file is kept aside', () => {
    const etc = '/etc/postgresql/15/main/postgresql.conf';
    const debian = record({
      configFile: etc,
      files: [{ path: at('postgresql.conf'), mode: '600', owner: 'postgres:postgres' }],
    });
    const files = { [etc]: seenFile(original), [at('postgresql.conf')]: seenFile(made) };
    const plan = filePlan(wish, observation(files, debian, [at('pgduet.json')]));
    expect(plan.remove).toEqual([{ path: at('postgresql.conf') }, { path: at('pgduet.json') }]);
    const edited = { ...files, [at('postgresql.conf')]: seenFile(`${made}work_mem = '5MB'\n`) };
    expect(filePlan(wish, observation(edited, debian)).remove).toEqual([
      { path: at('postgresql.conf'), keepAs: at('postgresql.conf.edited') },
    ]);
  });

  it('gets back what ALTER SYSTEM held, and keeps what it holds now', () => {
    const before = "# head\nport = '1'\nwork_mem = '3MB'\n";
    const reset = record({
      settings: [{ name: 'port', value: '1', place: 'ALTER SYSTEM', commentedOut: false }],
    });
    expect(autoConf(reset, before, "# head\nwork_mem = '3MB'\n")).toBe(before);
    expect(autoConf(reset, before, "# head\nwork_mem = '9MB'\n")).toBe(
      "# head\nwork_mem = '9MB'\nport = 1\n",
    );
    expect(autoConf(reset, before, "port = '2'\n")).toBe("port = '2'\n");
  });
});

describe('a restart', () => {
  const setting = (
    value: string,
    boot: string,
    source = 'configuration file',
    unit: string | null = null,
  ): SettingRow => ({
    ...{ value, boot, source, unit, raw: value },
    type: 'string',
    context: 'postmaster',
    file: null,
    line: null,
    pending: false,
  });
  const live = (restart: Record<string, ReturnType<typeof setting>>) => ({
    timeline: 1,
    recovering: false,
    configFile: `${dir}/postgresql.conf`,
    roles: {},
    slots: [],
    restart,
  });

  it.each([
    ['a value that goes', { wal_log_hints: setting('on', 'off') }, '', ['wal_log_hints']],
    ['a value that is the default', { wal_level: setting('replica', 'replica') }, '', []],
    [
      'a value that stays, written in other units',
      { shared_buffers: setting('2048', '16384', 'configuration file', '8kB') },
      'shared_buffers = 16MB',
      [],
    ],
    ['another value', { port: setting('27500', '5432') }, 'port = 5433', ['port']],
    ['a word for the same', { wal_log_hints: setting('on', 'off') }, 'wal_log_hints = true', []],
    [
      'a default that the server shows in another way',
      { unix_socket_permissions: setting('0777', '511', 'default') },
      '',
      [],
    ],
    ['a value of the command line, which stays', { port: setting('5433', '5432', 'command line') }, '', []],
  ])('is judged by %s', (_, restart, conf, names) => {
    expect(needRestart(live(restart), conf, '')).toEqual(names);
  });

  it('follows ALTER SYSTEM before the file', () => {
    expect(needRestart(live({ port: setting('1', '2') }), 'port = 2', 'port = 1')).toEqual([]);
  });

  it('by hand takes the options as they were, but for the data directory', () => {
    expect(withoutDataDir('"-D" "/data" "-p" "5433"\n')).toBe('"-p" "5433"');
    expect(withoutDataDir('"-D" "/data"')).toBe('');
  });
});

describe('a server that goes on replicating', () => {
  const given = { synchronous_standby_names: 'server2' };
  const goesOn = {
    ...wish,
    hba: '# ours\nhost replication r 10.0.0.1/32 scram-sha-256\n',
    staying: { names: ['port', 'wal_level', 'primary_conninfo'], given },
    replicates: true,
  };
  const made = editConf(
    original,
    {
      port: '27500',
      wal_level: 'logical',
      log_directory: '/mcdir/log',
      synchronous_standby_names: 'server2',
    },
    ourHeading,
  ).replace('\nsynchronous', '\n#synchronous');
  const standing = `${original}\n${stayingHeading}\nport = 27500\nwal_level = logical\nsynchronous_standby_names = 'server2'\n`;
  const ourHba = `# Written by pgduet from the inventory; x\nlocal all all peer\n${formerRulesMarker}\nhost all all 10.0.0.0/8 md5\n`;

  it('keeps what replication needs, with the names in force that its controller had taken out, and no log in a directory that goes', () => {
    const plan = filePlan(goesOn, observation({ [at('postgresql.conf')]: seenFile(made) }));
    expect(plan.write.map(({ file }) => file?.text)).toEqual([standing]);
    const again = filePlan(goesOn, observation({ [at('postgresql.conf')]: seenFile(standing) }));
    expect(again.write).toEqual([]);
  });

  it('has its own lines and rules behind that where it was a single server before', () => {
    const files = [
      ...record().files,
      { path: at('pg_hba.conf'), mode: '600', owner: 'postgres:postgres', text: 'x' },
    ];
    const seen = observation(
      { [at('postgresql.conf')]: seenFile(made, '644'), [at('pg_hba.conf')]: seenFile(ourHba) },
      record({ files }),
    );
    const plan = filePlan(goesOn, seen);
    expect(plan.write.map(({ file }) => file?.text)).toEqual([
      standing,
      `${goesOn.hba}host all all 10.0.0.0/8 md5\n`,
    ]);
    const done = Object.fromEntries(plan.write.map(({ path, file }) => [path, file as SeenFile]));
    expect(filePlan(goesOn, observation(done, record({ files }))).write).toEqual([]);
  });

  it('reads its former files again, and they get it, once', () => {
    const rules = 'host all all 10.0.0.0/8 md5\n';
    const outside = record({
      configFile: '/etc/pg/postgresql.conf',
      hbaFile: '/etc/pg/pg_hba.conf',
      files: [
        { path: '/etc/pg/postgresql.conf', mode: '644', owner: 'postgres:postgres', text: original },
        {
          path: '/etc/pg/pg_hba.conf',
          mode: '640',
          owner: 'postgres:postgres',
          text: 'local all all peer\n',
        },
        { path: at('postgresql.conf'), mode: '', owner: '' },
        { path: at('pg_hba.conf'), mode: '', owner: '' },
      ],
    });
    const gathered = { [at('postgresql.conf')]: seenFile(made), [at('pg_hba.conf')]: seenFile(ourHba) };
    const former = {
      '/etc/pg/postgresql.conf': seenFile(original, '644'),
      '/etc/pg/pg_hba.conf': seenFile(rules, '640'),
    };
    const plan = filePlan(goesOn, observation({ ...gathered, ...former }, outside));
    expect(plan.write.map(({ path, file }) => [path, file?.text])).toEqual([
      ['/etc/pg/postgresql.conf', standing],
      ['/etc/pg/pg_hba.conf', `${goesOn.hba}${rules}`],
    ]);
    expect(plan.remove.map(({ path }) => path)).toEqual([at('postgresql.conf'), at('pg_hba.conf')]);
    expect(plan.notes).toEqual([]);
    const written = Object.fromEntries(plan.write.map(({ path, file }) => [path, file as SeenFile]));
    const continued = filePlan(goesOn, observation({ ...gathered, ...written }, outside));
    expect(continued).toMatchObject({ write: [], notes: [] });
    expect(continued.remove.some(({ keepAs }) => keepAs !== undefined)).toBe(false);
    expect(filePlan(goesOn, observation(written, outside))).toMatchObject({ write: [], remove: [] });
    const closed = observation({ ...gathered, ...former }, outside);
    expect(filePlan(goesOn, { ...closed, barred: ['/etc/pg/pg_hba.conf'] }).unwritable).toEqual([
      '/etc/pg/pg_hba.conf',
    ]);
  });

  it('does not get back what ALTER SYSTEM held of a setting that stays', () => {
    const before = "wal_level = 'replica'\nwork_mem = '4MB'\n";
    const auto = record({
      files: [{ path: at('postgresql.auto.conf'), mode: '600', owner: 'postgres:postgres', text: before }],
      settings: ['wal_level', 'work_mem'].map((name) => ({
        name,
        value: '',
        place: 'ALTER SYSTEM',
        commentedOut: false,
      })),
    });
    const plan = filePlan(goesOn, observation({ [at('postgresql.auto.conf')]: seenFile('') }, auto));
    expect(plan.write.map(({ file }) => file?.text)).toEqual(["work_mem = '4MB'\n"]);
  });
});
