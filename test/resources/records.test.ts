/**
 * Records lie where the instance administrator writes. What a probe reads there, and what a step does by it, is tried with a real shell
 * and two users: nothing that only root may read comes out, and no process that is not the administrator's is moved. Needs root.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { outdated } from '../../src/resources/contract/kind.ts';
import { preamble } from '../../src/resources/contract/preamble.ts';
import { replyLines } from '../../src/resources/contract/replies.ts';
import { recordProbe } from '../../src/resources/data/record.ts';
import { readRecord } from '../../src/resources/data/record-form.ts';
import { stillAsSeen } from '../../src/resources/single/adopt-look-files.ts';
import { adoptProbe, readAdoptObservation } from '../../src/resources/single/adopt-observation.ts';
import { moveInto } from '../../src/resources/single/control-group.ts';
import { readSingle, singleProbe } from '../../src/resources/single/single-observation.ts';
import {
  markStep,
  releaseStep,
  removeStep,
  restartStep,
  writeStep,
} from '../../src/resources/single/single-steps.ts';
import { takeover } from '../../src/resources/single/takeover.ts';
import { gone } from '../child-end.ts';
import { desiredOf, sampleContext, samplePlace } from './cases.ts';

const isRoot = process.getuid?.() === 0;
const owner = 'nobody';
const uid = 65534;
const secret = 'what only root may read';

let root = '';
let data = '';
let management = '';
let secretFile = '';
const started: ChildProcess[] = [];

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'pgduet-records-'));
  chmodSync(root, 0o755);
  data = join(root, 'data');
  management = join(root, 'mc');
  secretFile = join(root, 'secret');
  writeFileSync(secretFile, `{"schema": 1, "${secret}": 1}\n`, { mode: 0o600 });
  for (const dir of [data, management]) {
    mkdirSync(dir, { mode: 0o700 });
    chownSync(dir, uid, uid);
  }
});
afterEach(async () => {
  for (const process of started.splice(0)) {
    process.kill();
    await gone(process);
  }
  rmSync(root, { recursive: true });
});

function his(path: string, text: string): string {
  writeFileSync(path, text, { mode: 0o600 });
  chownSync(path, uid, uid);
  return path;
}

async function runs(user: number): Promise<number> {
  const process = spawn('sleep', ['60'], { cwd: data, uid: user });
  started.push(process);
  await once(process, 'spawn');
  return process.pid ?? 0;
}

function sh(script: string, socketDir = '/tmp') {
  const functions = preamble({ postgresVersion: 15, owner, socketDir, port: 1001 });
  const { status, stdout, stderr } = spawnSync('sh', [], {
    input: `${functions}\n(\n${script}\n)`,
    encoding: 'utf8',
    cwd: root,
  });
  return { status: status ?? 255, stdout, stderr };
}

const place = () => ({ id: 'server1', managementDir: management, dataDir: data });
const recordFile = () => join(management, 'server1.before.json');
const seen = () => readRecord(replyLines(sh(recordProbe(place())).stdout), []);

describe.runIf(isRoot)('a record', () => {
  it('is none where nothing stands', () => {
    expect(seen()).toEqual({ confirmed: [] });
  });

  it.each([
    ["a link to something of root's", () => symlinkSync(secretFile, recordFile()), 'it is no plain file'],
    ['a link to nothing', () => symlinkSync(join(root, 'nothing'), recordFile()), 'it is no plain file'],
    ['a directory', () => mkdirSync(recordFile()), 'it is no plain file'],
    [
      'a file that only root may read',
      () => writeFileSync(recordFile(), 'x', { mode: 0o600 }),
      'its owner may not read it',
    ],
    ['text of another form', () => his(recordFile(), '[]'), 'it is no JSON object'],
    ['empty', () => his(recordFile(), ''), 'it is no JSON object'],
  ])('that is %s cannot be read', (_, make, broken) => {
    make();
    expect(seen()).toEqual({ confirmed: [], broken });
  });

  it('that names what only root may read shows nothing of it', () => {
    his(recordFile(), JSON.stringify({ files: [{ path: secretFile }] }));
    const single = { ...place(), owner, mcCtl: '/nowhere', roles: [], slots: [] };
    const reply = sh(singleProbe(single));
    expect(reply.stdout).not.toContain(Buffer.from(secret).toString('base64').slice(0, 20));
    expect(reply.stderr).toContain('Permission denied');
    expect(readSingle(reply, single)).toBeUndefined();
  });
});

describe.runIf(isRoot)('files that a record names', () => {
  const single = () => ({ ...place(), owner, mcCtl: '/nowhere', roles: [], slots: [] });
  const file = (owned: string, text = 'all of it') => ({ mode: '640', owner: owned, text });

  it('are written as the administrator, with the mode that they had', () => {
    const path = join(data, 'pg_hba.conf');
    const step = writeStep(single(), [{ path, file: file(`${owner}:`) }], new Map());
    expect(sh(`set -e\n${step.script}`)).toMatchObject({ status: 0, stderr: '' });
    expect(readFileSync(path, 'utf8')).toBe('all of it');
    const { uid: user, mode } = statSync(path);
    expect([user, mode & 0o777]).toEqual([uid, 0o640]);
  });

  it('are neither written nor removed where the administrator may not write', () => {
    const write = (path: string, owned: string) =>
      writeStep(single(), [{ path, file: file(owned) }], new Map()).script;
    for (const script of [
      write(secretFile, 'root:root'),
      write(join(root, 'new'), `${owner}:`),
      removeStep(single(), [{ path: secretFile }], new Map()).script,
      removeStep(single(), [{ path: secretFile, keepAs: join(root, 'kept') }], new Map()).script,
    ])
      expect(sh(`set -e\n${script}`).status).not.toBe(0);
    expect(readFileSync(secretFile, 'utf8')).toContain(secret);
    expect(readdirSync(root).sort()).toEqual(['data', 'mc', 'secret']);
  });

  it('are left to whoever has edited them, or made one, since they were looked at', () => {
    const path = his(join(data, 'postgresql.conf'), "work_mem = '8MB' # mine\n");
    const seen = new Map([[path, file(`${owner}:`, "work_mem = '4MB'\n")]]);
    for (const { script } of [
      removeStep(single(), [{ path }], seen),
      removeStep(single(), [{ path, keepAs: join(data, 'kept') }], seen),
      removeStep(single(), [{ path, file: file(`${owner}:`), late: true }], seen),
      writeStep(single(), [{ path, file: file(`${owner}:`) }], seen),
      writeStep(single(), [{ path, file: file(`${owner}:`) }], new Map()),
    ])
      expect(sh(`set -e\n${script}`)).toMatchObject({ status: outdated, stderr: '' });
    expect(readFileSync(path, 'utf8')).toContain('# mine');
    expect(readdirSync(data)).toEqual(['postgresql.conf']);
    expect(sh(`set -e\n${removeStep(single(), [{ path }], new Map()).script}`).status).toBe(0);
    expect(readdirSync(data)).toEqual([]);
  });

  it('are no way to be given away: a link in their place stays what it is', () => {
    const path = join(data, 'postgresql.auto.conf');
    symlinkSync(secretFile, path);
    const step = writeStep(single(), [{ path, file: file(`${owner}:`) }], new Map());
    expect(sh(`set -e\n${step.script}`).status).toBe(0);
    expect(readFileSync(path, 'utf8')).toBe('all of it');
    expect(readFileSync(secretFile, 'utf8')).toContain(secret);
    expect(statSync(secretFile).uid).toBe(0);
  });
});

describe.runIf(isRoot)('the configuration of a server that is taken in', () => {
  it('is read as the administrator: an include of what only root may read is told, and not followed', async () => {
    his(join(data, 'PG_VERSION'), '15\n');
    his(join(data, 'postmaster.pid'), `${await runs(uid)}\n${data}\n0\n27500\n/tmp\n`);
    his(join(data, 'postmaster.opts'), 'postgres\n');
    const conf = his(join(data, 'postgresql.conf'), `port = 27500\ninclude '${secretFile}'\n`);
    // What pg_basebackup leaves out may be closed; a directory is told once, whatever is in it.
    for (const name of ['lost+found', 'pg_replslot/x', 'base'])
      mkdirSync(join(data, name), { recursive: true });
    for (const name of [
      'root.key',
      'base/5',
      'postmaster.log',
      'backup_label',
      'pg_replslot/x/state',
      'lost+found/1',
    ])
      writeFileSync(join(data, name), '', { mode: 0o600 });
    chmodSync(join(data, 'lost+found'), 0o700);
    const fakes = join(root, 'bin');
    mkdirSync(fakes);
    writeFileSync(join(fakes, 'psql'), `#!/bin/sh\necho ${conf}\n`, { mode: 0o755 });
    const reply = sh(`PGBIN=${fakes}\n${adoptProbe(place()).shell}`);
    const observation = readAdoptObservation(reply);
    expect(observation?.closed).toEqual([secretFile]);
    expect([...(observation?.uncopied ?? [])].sort()).toEqual(
      ['base/5', 'lost+found', 'postmaster.log', 'root.key'].map((name) => join(data, name)),
    );
    expect([...(observation?.files.keys() ?? [])]).toEqual([conf]);
  });

  it('is gathered as it was seen: of an edit, and of a file that came since, nothing is lost', async () => {
    his(join(data, 'PG_VERSION'), '15\n');
    his(join(data, 'postmaster.pid'), `${await runs(uid)}\n${data}\n0\n27500\n/tmp\n`);
    his(join(data, 'postmaster.opts'), 'postgres\n');
    const more = join(data, 'conf.d');
    mkdirSync(more);
    const conf = his(join(data, 'postgresql.conf'), `include_dir 'conf.d'\n`);
    const hba = his(join(root, 'pg_hba.conf'), 'local all all peer map=m\n');
    const ident = his(join(root, 'pg_ident.conf'), 'm root postgres\n');
    const fakes = join(root, 'bin');
    mkdirSync(fakes);
    const psql = `#!/bin/sh\nprintf '%s\\n' '${conf}' '${hba}' '${ident}'\n`;
    writeFileSync(join(fakes, 'psql'), psql, { mode: 0o755 });
    const observation = readAdoptObservation(sh(`PGBIN=${fakes}\n${adoptProbe(place()).shell}`));
    const now = () => sh(`set -e\nPGBIN=${fakes}\n${stillAsSeen(place(), observation?.shown ?? '')}`).status;
    expect(now()).toBe(0);
    for (const [path, text] of [
      [conf, "include_dir 'conf.d'\nwork_mem = '8MB'\n"],
      [hba, 'local all all peer map=m\n# mine\n'],
      [ident, 'm root postgres\nm anna postgres\n'],
      [join(more, 'new.conf'), "work_mem = '8MB'\n"],
    ] as const) {
      const before = existsSync(path) ? readFileSync(path) : undefined;
      his(path, text);
      expect([path, now()]).toEqual([path, outdated]);
      if (before) writeFileSync(path, before);
      else rmSync(path);
      expect([path, now()]).toEqual([path, 0]);
    }
  });
});

/** A server that runs, for all that a probe can see. */
async function server(pidFile = `0\n27500\n/tmp\n`): Promise<number> {
  const pid = await runs(uid);
  his(join(data, 'PG_VERSION'), '15\n');
  his(join(data, 'postmaster.pid'), `${pid}\n${data}\n${pidFile}`);
  his(join(data, 'postmaster.opts'), 'postgres\n');
  return pid;
}

/** In front of the real ones on the way to programs. */
function program(name: string, script: string): string {
  const fakes = join(root, 'bin');
  mkdirSync(fakes, { recursive: true });
  writeFileSync(join(fakes, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return `PATH=${fakes}:$PATH PGBIN=${fakes}\n`;
}

describe.runIf(isRoot)('what a probe reads of a server', () => {
  it.each(['postmaster.opts', 'PG_VERSION', 'postmaster.pid'])(
    'is read as the administrator: %s as a link shows nothing of root',
    async (name) => {
      const pid = await server();
      writeFileSync(secretFile, `${pid}\n${data}\n0\n${secret}\n${secret}\n`, { mode: 0o600 });
      if (name !== 'postmaster.pid') writeFileSync(secretFile, `postgres ${secret}\n`);
      rmSync(join(data, name));
      symlinkSync(secretFile, join(data, name));
      const { stdout } = sh(adoptProbe(place()).shell ?? '');
      expect(readAdoptObservation({ status: 0, stdout, stderr: '' })).toBeDefined();
      const decoded = stdout.split(/\s/).map((word) => Buffer.from(word, 'base64').toString());
      expect(`${stdout}${decoded.join('\n')}`).not.toContain(secret);
    },
  );

  const unit = 'dropin /etc/systemd/system/ssh.service.d/pgduet.conf';
  const forged: Readonly<Record<string, (line: string) => unknown>> = {
    'the recorded identifier': (line) => his(join(management, 'server1.system'), `7${line}\n`),
    'the version': (line) => his(join(data, 'PG_VERSION'), `15${line}\n`),
    'the target of pg_wal': (line) => symlinkSync(`/nowhere${line}\n`, join(data, 'pg_wal')),
    'the socket directory': (line) =>
      his(
        join(data, 'postmaster.pid'),
        `${readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n')[0]}\n\n\n1\n/${line}\n`,
      ),
    'the name of an included file': (line) => {
      mkdirSync(join(data, 'conf.d'));
      const directory = join(data, 'conf.d', ...line.split('/').slice(0, -1));
      mkdirSync(directory, { recursive: true });
      his(join(data, 'postgresql.conf'), `include_dir '${directory}'\ninclude_dir 'conf.d'\n`);
      writeFileSync(join(data, 'conf.d', line.replaceAll('/', '_').concat('\n.conf')), '', { mode: 0o600 });
    },
    'an extension': (line) =>
      program('psql', `printf '%s\\n' '${data}/postgresql.conf' 'extension x${line}'`),
  };
  it.each(
    Object.keys(forged).flatMap((name) => [
      [name, 'a line break', '\n'],
      [name, 'what echo takes for one', '\\n'],
    ]),
  )('confirms no unit: %s with %s', async (name, _, lineBreak) => {
    await server();
    const path = program('psql', `printf '%s\\n' '${data}/postgresql.conf'`);
    forged[name]?.(`${lineBreak}${unit}${lineBreak}`);
    const reply = sh(`${path}${adoptProbe(place()).shell}`);
    expect(readAdoptObservation(reply)?.confirmed).toEqual([]);
    expect(reply.stdout).not.toMatch(/^dropin/m);
  });

  const single = () => ({ ...place(), owner, mcCtl: '/nowhere', roles: [], slots: [] });
  const forgedSingle: Readonly<Record<string, (line: string) => unknown>> = {
    'the name of a leftover': (line) => his(join(data, `.x${line}.pgduet-tmp`), ''),
    'a path of the record': (line) =>
      his(join(management, 'server1.before.json'), `{"path": "/root/x${line}"}`),
    'the state of the server': (line) =>
      his(
        join(data, 'postmaster.pid'),
        `${readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n')[0]}\n\n\n1\n/tmp\n\n\n${line}\n`,
      ),
  };
  it.each(
    Object.keys(forgedSingle).flatMap((name) => [
      [name, 'a line break', '\n'],
      [name, 'what echo takes for one', '\\n'],
    ]),
  )('on the way back confirms no unit: %s with %s', async (name, _, lineBreak) => {
    await server();
    forgedSingle[name]?.(`${lineBreak}main ssh.service${lineBreak}`);
    const reply = sh(`${program('psql', 'echo {}')}${singleProbe(single())}`);
    expect(readSingle(reply, single())?.confirmed).toEqual([]);
    expect(reply.stdout).not.toMatch(/^main/m);
  });

  it('names leftovers as they are', async () => {
    await server();
    const path = his(join(data, '.a\nb.pgduet-tmp'), '');
    expect(
      readSingle(sh(`${program('psql', 'echo {}')}${singleProbe(single())}`), single())?.leftovers,
    ).toEqual([path]);
  });
});

const programs = '/usr/lib/postgresql/15/bin';
describe.runIf(isRoot && existsSync(programs))('databases with odd names', () => {
  const odd = [
    'a b',
    "it's",
    'dbname=x host=y',
    'back\\slash',
    'end\\',
    'q"`id`:x',
    'postgres://y/x',
    '-x=$(id)',
  ];
  const as = (script: string, input = '') =>
    spawnSync('runuser', ['-u', owner, '--', 'sh', '-ec', `cd ${data}; ${script}`], {
      input,
      encoding: 'utf8',
      stdio: ['pipe', 'pipe', 'ignore'],
    });
  beforeEach(() => {
    as(
      `${programs}/initdb -D ${data} -N -A trust; ${programs}/pg_ctl -D ${data} -w -l log -o "-p 1001 -k ${data} -c listen_addresses=" start`,
    );
  });
  afterEach(() => {
    as(`${programs}/pg_ctl -D ${data} -m immediate stop`);
  });

  it('are each asked with the names of PostgreSQL alone, and what would be a command is told', () => {
    const broken = `a\n\\! touch ${data}/owned #`;
    const made = [...odd, broken]
      .map((name) => `create database "${name.replaceAll('"', '""')}";\n`)
      .join('');
    as(`${programs}/psql -X -q -h ${data} -p 1001 -d postgres`, made);
    as(
      `${programs}/psql -X -q -h ${data} -p 1001 -d postgres`,
      "alter system set log_statement = 'all'; alter system set log_line_prefix = '%d|'; select pg_reload_conf();",
    );
    const reply = sh(adoptProbe(place()).shell ?? '', data);
    expect(readAdoptObservation(reply)?.unasked).toEqual([JSON.stringify(broken)]);
    const log = readFileSync(join(data, 'log'), 'utf8');
    for (const name of odd) expect(log).toContain(`${name}|LOG:  statement: select 'extension '`);
    expect(existsSync(join(data, 'owned'))).toBe(false);
  });

  it('that let nobody in are told, and hide nothing of those behind them', () => {
    const made = ['aa', 'closed "one"', "it's", 'zz'].map(
      (name) => `create database "${name.replaceAll('"', '""')}";`,
    );
    as(`${programs}/psql -X -q -h ${data} -p 1001 -d postgres`, made.join('\n'));
    as(`${programs}/psql -X -q -h ${data} -p 1001 -d zz`, 'create unlogged table u();');
    // As an interrupted DROP DATABASE leaves it, and one for others alone.
    as(
      `${programs}/psql -X -q -h ${data} -p 1001 -d postgres`,
      `update pg_database set datconnlimit = -2 where datname in ('aa', 'closed "one"', 'it''s')`,
    );
    as(
      `${programs}/psql -X -q -h ${data} -p 1001 -d postgres`,
      `create database "shut ""é"" \\"; alter database "shut ""é"" \\" allow_connections false;`,
    );
    const seen = readAdoptObservation(sh(adoptProbe(place()).shell ?? '', data));
    const barred = seen?.unlooked.filter(({ why }) => /invalid|too many|limit/.test(why)) ?? [];
    expect(barred.map(({ database }) => database).sort()).toEqual(['aa', 'closed "one"', "it's"]);
    expect(seen?.unlooked).toContainEqual({
      database: 'shut "é" \\',
      why: expect.stringContaining('takes no connections'),
    });
    expect(seen?.unlooked).toHaveLength(4);
    expect(seen?.unloggedTables).toBe(1);
    expect(seen?.extensions).toEqual(['plpgsql']);
    expect(seen?.bytes).toBeGreaterThan(1_000_000);
  });
});

describe.runIf(isRoot)('a unit that a plan names', () => {
  const unit = 'pgduet-test-of-records.service';
  const keeper = { kind: 'unit', unit, enabled: 'disabled' } as const;
  const single = () => ({ ...place(), owner, mcCtl: '/nowhere', roles: [], slots: [] });
  const taken = (restart: boolean): string => {
    const context = sampleContext({
      server: { ...samplePlace, owner, dataDir: data, managementDir: management },
    });
    const desired = desiredOf('takeover', '{ unit: mcoi_inst1, template: conf.hbs }', context);
    return (
      takeover.steps({ summary: '', reason: '', restart, former: unit }, desired as never)[0]?.script ?? ''
    );
  };
  const steps: Readonly<Record<string, () => string>> = {
    'the mark': () => markStep(single(), keeper, true).script,
    'the restart': () => restartStep(single(), keeper, false).script,
    'the release': () => releaseStep(single(), keeper).script,
    'the takeover with a restart': () => taken(true),
    'the takeover without one': () => taken(false),
  };
  const systemctl = (mainPid: number | string): string => {
    const log = join(root, 'asked');
    writeFileSync(log, '');
    program('systemd-run', `echo "systemd-run $*" >> ${log}`);
    return program('systemctl', `case $1 in show) echo ${mainPid};; *) echo "$*" >> ${log};; esac`);
  };

  it.each(Object.keys(steps))('and that nothing of root confirms is left alone by %s', async (name) => {
    await server();
    his(join(management, 'server1.former'), '');
    const { status, stderr } = sh(`${systemctl(1)}set -e\n${steps[name]?.()}`);
    expect([status, stderr]).toEqual([1, expect.stringContaining(`says that ${unit} starts 'server1'`)]);
    expect(readFileSync(join(root, 'asked'), 'utf8')).toBe('');
    expect(readdirSync('/etc/systemd/system').filter((entry) => entry.startsWith(unit))).toEqual([]);
    expect(readdirSync(management)).toEqual(['server1.former']);
  });

  it('is given back where systemd says that the server is its main process', async () => {
    const pid = await server();
    expect(sh(`${systemctl(pid)}set -e\n${steps['the release']?.()}`)).toMatchObject({
      status: 0,
      stderr: '',
    });
    expect(readFileSync(join(root, 'asked'), 'utf8')).toContain(`disable ${unit}`);
  });
});

describe.runIf(isRoot)('a server that moves to another control group', () => {
  const moved = async (user: number): Promise<string> => {
    const pid = await runs(user);
    his(join(data, 'postmaster.pid'), `${pid}\n${data}\n`);
    const list = join(root, 'cgroup.procs');
    writeFileSync(list, '');
    const said = sh(`group=/../../..${root}\n${moveInto({ dataDir: data, owner })}`);
    expect(said).toMatchObject({ status: 0, stderr: '' });
    return readFileSync(list, 'utf8').trim() === String(pid) ? 'moved' : readFileSync(list, 'utf8').trim();
  };

  it("is moved where it is the administrator's", async () => {
    expect(await moved(uid)).toBe('moved');
  });

  it("stays where the file names a process of root's", async () => {
    expect(await moved(0)).toBe('');
  });
});
