/**
 * Whether a server or a controller runs, asked with a real shell: a pid file that a power cut has left names a process of
 * somebody else, and nobody may take that one for ours.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { quote } from '../../src/base/shell.ts';
import type { Instance } from '../../src/resources/contract/context.ts';
import { effectScript } from '../../src/resources/contract/effects.ts';
import { preamble, untilGone } from '../../src/resources/contract/preamble.ts';
import { stopServer } from '../../src/resources/contract/stop-server.ts';
import { beginMaking } from '../../src/resources/data/making.ts';
import { type RebuildDesired, rewindStep } from '../../src/resources/data/rebuild-steps.ts';
import { rulesScript } from '../../src/resources/postgres/hba.ts';
import { kinds } from '../../src/resources/registry.ts';
import { readSingle, singleProbe } from '../../src/resources/single/single-observation.ts';
import { gone } from '../child-end.ts';

const { username: me } = userInfo();
let root = '';
let data = '';
let management = '';
let sleeper: ChildProcess;

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'pgduet-running-'));
  data = join(root, "the 'data'");
  management = join(root, 'mc $dir');
  mkdirSync(data);
  mkdirSync(management);
});
afterEach(async () => {
  sleeper.kill();
  await gone(sleeper);
  rmSync(root, { recursive: true });
});

/** A process that works in this directory. */
async function start(cwd: string): Promise<number> {
  sleeper = spawn('sleep', ['60'], { cwd });
  await once(sleeper, 'spawn');
  return sleeper.pid ?? 0;
}

function sh(script: string) {
  const functions = preamble({ postgresVersion: 15, owner: me, socketDir: '/tmp', port: 1 });
  const { status, stdout, stderr } = spawnSync('sh', [], {
    input: `set -e\n${functions}\n${script}`,
    encoding: 'utf8',
  });
  return { status, stdout: stdout.trim(), stderr };
}

const pidFile = () => join(data, 'postmaster.pid');
const runs = () => sh(`if postmaster "${data}"; then echo "runs $pid"; else echo "not \${pid:-}"; fi`).stdout;

it('the environment of a login leads no session of ours elsewhere', async () => {
  await start(root);
  const functions = preamble({ postgresVersion: 15, owner: me, socketDir: '/tmp', port: 1 });
  const { stdout } = spawnSync('sh', [], {
    input: `set -e\n${functions}\nenv | grep '^PG' | grep -v '^PGDUET_' || echo none`,
    encoding: 'utf8',
    env: {
      ...process.env,
      PGUSER: 'nobody',
      PGCONNECT_TIMEOUT: '1',
      NOTE: "a\nexport PATH='x'\n*",
      PGHOST: '192.0.2.9',
      PGSERVICEFILE: '/nowhere',
      PGOPTIONS: '-c x=1',
    },
  });
  expect(stdout).toBe('none\n');
});

describe('client rules that are to be written', () => {
  const write = (before?: string) => {
    const server = { dataDir: data, owner: me } as Instance;
    return sh(`PGBIN=/nowhere\n${rulesScript(server, 'local all all peer\n', before)}`);
  };

  it('are not, where somebody has edited the file since it was seen', async () => {
    await start(root);
    writeFileSync(join(data, 'pg_hba.conf'), 'local all all scram-sha-256\n# mine\n');
    const said = write('local all all scram-sha-256\n');
    expect([said.status, said.stderr]).toEqual([
      1,
      expect.stringContaining('pg_hba.conf was changed by someone else'),
    ]);
    expect(readFileSync(join(data, 'pg_hba.conf'), 'utf8')).toBe('local all all scram-sha-256\n# mine\n');
    expect(readdirSync(data)).toEqual(['pg_hba.conf']);
  });

  it('are tried, where it is as it was seen, or could not be', async () => {
    await start(root);
    writeFileSync(join(data, 'pg_hba.conf'), 'local all all scram-sha-256');
    for (const before of ['local all all scram-sha-256', undefined, 'loc\ufffd'])
      expect([before, write(before).stderr]).toEqual([before, expect.not.stringContaining('someone else')]);
  });
});

describe('a glance of what several probes are about', () => {
  const at = (name: string) => join(data, name);
  const glanced = (names: readonly string[], then: string) =>
    sh(
      `PGBIN=\nglance ${quote(data)} ${quote(root)} ${names.map((name) => quote(at(name))).join(' ')}\n${then}`,
    );

  it('has each file byte for byte, whatever is in it', async () => {
    await start(root);
    const texts = ['', 'x', 'a\r\nb\n\n', ' $(touch here) `id` \'q\' "d" \\n %s\n', '\u001e\u001fé\n'];
    for (const [index, text] of texts.entries()) {
      writeFileSync(at('f one'), text);
      writeFileSync(at('f2'), 'two\n');
      const { stdout } = glanced(
        ['f one', 'f2'],
        `rm ${quote(at('f one'))}\ntext_of ${quote(at('f one'))} | od -An -c; text_of ${quote(at('f2'))}; echo "$glance_count"`,
      );
      const bytes = spawnSync('od', ['-An', '-c'], { input: text, encoding: 'utf8' }).stdout;
      expect(stdout, String(index)).toBe(`${bytes}two\n4`.trim());
    }
    expect(readdirSync(data).sort()).toEqual(['f2']);
  });

  it('leaves what is large, no plain file, or not there to whoever asks for it', async () => {
    await start(root);
    writeFileSync(at('large'), 'x'.repeat(70_000));
    writeFileSync(at('two parts'), 'a\u001db\n');
    symlinkSync(at('two parts'), at('link'));
    spawnSync('mkfifo', [at('pipe')]);
    const names = ['large', 'two parts', 'link', 'pipe', 'none'];
    const asked = names
      .map((name) => `if glanced ${quote(at(name))}; then echo ${quote(name)}; fi`)
      .join('\n');
    expect(glanced(names, `${asked}\ntext_of ${quote(at('large'))} | wc -c`).stdout).toBe('70000');
  });

  it('is no longer than what it was made of, and tells of no other path', async () => {
    await start(root);
    writeFileSync(at('f'), 'x');
    for (let n = 0; n < 100; n++) writeFileSync(at(`${n}\u001d\nother\n${'y'.repeat(200)}`), '');
    const said = glanced(
      ['f'],
      `if glanced other; then echo other; fi; echo $glance_count; listing ${quote(data)} | wc -c`,
    );
    expect(said.stdout.split('\n')).toEqual(['2', expect.stringMatching(/^[0-9]{5}$/)]);
  });

  it('tells of no path that was not asked for, whatever is said as the administrator', async () => {
    await start(root);
    writeFileSync(at('f'), 'x');
    const pg = join(root, 'bin');
    mkdirSync(pg);
    // Whoever is the same user can write into what the program says.
    writeFileSync(
      join(pg, 'pg_controldata'),
      "#!/bin/sh\nprintf '/other\\nfalse\\n\\035\\n' >/proc/$PPID/fd/1\n",
      {
        mode: 0o755,
      },
    );
    const asked = `PGBIN=${pg}\nglance ${quote(data)} ${quote(root)} ${quote(at('f'))}\nif glanced /other; then echo other; fi; text_of ${quote(at('f'))}`;
    expect(sh(asked).stdout).toBe('x');
  });

  it('is no answer of a file that was written behind it', async () => {
    await start(root);
    writeFileSync(at('f'), 'old\n');
    const late = (wait: string) =>
      glanced(
        ['f'],
        `${wait}\necho new >${quote(at('f'))}\nfresh_text ${quote(at('f'))} "$(stat -c %.3Y ${quote(at('f'))})"`,
      ).stdout;
    expect(late(':')).toBe('new');
    writeFileSync(at('f'), 'old\n');
    utimesSync(at('f'), 1, 1);
    const kept = glanced(
      ['f'],
      `fresh_text ${quote(at('f'))} "$(stat -c %.3Y ${quote(at('f'))})"; printf new >${quote(at('f'))}; text_of ${quote(at('f'))}`,
    );
    expect(kept.stdout).toBe('old\nold');
  });

  it('is no answer of a file that has lost a byte on its way, nor of one that seems to be older than it is', async () => {
    await start(root);
    const own = `own_text ${quote(at('f'))} $(stat -c '%.3Z %s' ${quote(at('f'))})`;
    // What changes no state of the file shows where the text comes from.
    const from = (then: string) =>
      glanced(['f'], `sleep 0.1\n${then}\npeek() { echo asked; }\n${own}`).stdout;
    const earlier = () => spawnSync('sleep', ['0.2']);
    writeFileSync(at('f'), 'text\n');
    earlier();
    expect(from(':')).toBe('text');
    expect(from(`echo news >${quote(at('f'))}; touch -d @1 ${quote(at('f'))}`)).toBe('asked');
    writeFileSync(at('f'), 'te\0xt\n');
    earlier();
    expect(from(':')).toBe('asked');
    writeFileSync(at('f'), 'té\n');
    earlier();
    expect(from(':')).toBe('té');
  });

  it('says whether files may be made where the sockets are', async () => {
    await start(root);
    writeFileSync(at('f'), 'x');
    const may = (place: string) =>
      sh(`PGBIN=\nglance ${quote(data)} ${quote(place)} ${quote(at('f'))}\npeek() { echo asked; return 1; }
if writes_in ${quote(place)}; then echo yes; else echo no; fi`).stdout;
    expect(may(root)).toBe('yes');
    expect(may(join(root, 'none'))).toBe('asked\nno');
  });

  it('is what lines, names and the control file are taken from', async () => {
    await start(root);
    writeFileSync(at('f'), '12\nb c\n');
    const said = glanced(
      ['f'],
      `rm ${quote(at('f'))}; touch ${quote(at('f'))} ${quote(at('new'))}
lines ${quote(at('f'))} a b c; echo "$a|$b|$c|"; listing ${quote(data)}; glance_count=0; listing ${quote(data)}`,
    );
    expect(said.stdout).toBe('12|b c||\nf\nf\nnew');
  });
});

describe('postmaster', () => {
  it('is the process that works in the data directory', async () => {
    const pid = await start(data);
    writeFileSync(pidFile(), `${pid}\n${data}\n`);
    expect(runs()).toBe(`runs ${pid}`);
  });

  it.each([
    ['names a process that works elsewhere', (pid: number) => `${pid}\n${data}\n`],
    ['names nobody', () => `4194304\n${data}\n`],
    ['is empty', () => ''],
    ['names a path that leads to it', (pid: number) => `self/../${pid}\n${data}\n`, 'in it'],
  ])('is nobody where the pid file %s', async (_, text, where?: string) => {
    writeFileSync(pidFile(), text(await start(where === undefined ? root : data)));
    expect(runs()).toBe('not');
  });

  it('is nobody where there is no pid file', async () => {
    await start(data);
    expect(runs()).toBe('not');
  });
});

describe('a server', () => {
  const said = (status: string) => `${sleeper.pid}\n${data}\n0\n27500\n/tmp\n*\n1 2\n${status}\n`;

  it.each([
    ['ready   ', 'yes'],
    ['starting', 'no'],
    ['standby ', 'no'],
  ])('whose file says "%s" takes connections: %s', async (status, expected) => {
    await start(data);
    writeFileSync(pidFile(), said(status));
    expect(sh(`if serving "${data}"; then echo yes; else echo no; fi`).stdout).toBe(expected);
  });

  it('takes none where its file is that of a process that works elsewhere', async () => {
    await start(root);
    writeFileSync(pidFile(), said('ready   '));
    expect(sh(`if serving "${data}"; then echo yes; else echo no; fi`).stdout).toBe('no');
  });

  it('was never started as long as initdb alone has written there', () => {
    const probe = kinds.get('role')?.probe({ name: 'repl', dataDir: data }).shell ?? '';
    const seen = () => sh(probe).stdout;
    expect(seen()).toBe('');
    mkdirSync(join(data, 'global'));
    writeFileSync(join(data, 'global/pg_control'), '');
    expect(seen()).toBe('new');
    for (const trace of ['postmaster.opts', 'backup_label', 'standby.signal']) {
      writeFileSync(join(data, trace), '');
      expect(seen()).toBe('');
      rmSync(join(data, trace));
    }
    expect(seen()).toBe('new');
  });
});

describe('a controller that is told to read its files', () => {
  const file = () => join(management, 'server1.pid');
  const place = () => ({
    instance: { dataDir: data, socketDir: '/tmp', port: 1, owner: me },
    id: 'server1',
    managementDir: management,
    mcCtl: '/nowhere',
  });

  /** A program that keeps a controller's file, and marks it when it has read its files, which takes it a while. */
  const controllerOf = (then: string): string => `trap 'sleep 0.4; ${then}' HUP
stat=$(cat /proc/$$/stat); set -- \${stat##*) }
lines=$(printf '%s\\n' $$ "\${20}" "$(cat /proc/sys/kernel/random/boot_id)" 1)
printf '%s\\n' "$lines" > "$FILE"
touch -d @1000 "$FILE"
while :; do sleep 0.05; done`;

  const reloaded = async (then: string) => {
    sleeper = spawn('sh', ['-c', controllerOf(then)], { env: { ...process.env, FILE: file() } });
    await expect.poll(() => existsSync(file()) && statSync(file()).mtimeMs).toBe(1_000_000);
    const { status, stderr } = sh(effectScript({ action: 'reload', target: 'controller' }, place()));
    expect([status, stderr]).toEqual([0, '']);
    return statSync(file()).mtimeMs;
  };

  it('has read them when the next look comes', async () => {
    expect(await reloaded('touch -d @2000 "$FILE"')).toBe(2_000_000);
  });

  it('is not waited for without end where it cannot read them', async () => {
    expect(await reloaded(':')).toBe(1_000_000);
  });
});

describe('a controller that is told to stop', () => {
  const untilIsGone = (pid: number) => sh(`mc=${pid}\n${untilGone(undefined, 1)}\necho gone`);

  it('is waited for, and is gone when its process is', async () => {
    const pid = await start(management);
    spawn('sh', ['-c', `sleep 0.3; kill ${pid}`]);
    expect(untilIsGone(pid)).toMatchObject({ status: 0, stdout: 'gone' });
  });

  it('that does not end is no reason to go on', async () => {
    const { status, stderr, stdout } = untilIsGone(await start(management));
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toContain('did not end within 1 s');
  });
});

describe('a server that is told to stop', () => {
  /** A pg_ctl that does this, in a shell that knows the data directory as $data. */
  const stopped = (then: string) => {
    const program = join(root, 'pg_ctl');
    writeFileSync(program, `#!/bin/sh\nfor data; do :; done\n${then}\n`, { mode: 0o755 });
    return sh(`PGBIN=${root}\n${stopServer(me, data, 1)}\necho gone`);
  };
  const running = async () => {
    const pid = await start(data);
    writeFileSync(pidFile(), `${pid}\n${data}\n`);
    return pid;
  };

  it('is waited for, and is gone when its process is', async () => {
    const pid = await running();
    expect(stopped(`( sleep 0.3; kill ${pid}; rm "$data/postmaster.pid" ) >/dev/null 2>&1 &`)).toMatchObject({
      status: 0,
      stdout: 'gone',
    });
  });

  it('is gone, too, where somebody has started another one right behind it', async () => {
    const pid = await running();
    const other = process.pid;
    expect(stopped(`kill ${pid}; echo ${other} >"$data/postmaster.pid"`)).toMatchObject({
      status: 0,
      stdout: 'gone',
    });
  });

  it('that does not end is no reason to go on', async () => {
    await running();
    const { status, stdout, stderr } = stopped(':');
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toContain('did not stop within 1 s');
  });

  it('whose stop is refused is no reason to go on, with the reason', async () => {
    await running();
    expect(stopped("echo 'pg_ctl: no' >&2; exit 1")).toMatchObject({ status: 1, stderr: 'pg_ctl: no\n' });
    rmSync(pidFile());
    expect(stopped('exit 1')).toMatchObject({ status: 0, stdout: 'gone' });
  });
});

it('a systemd that gives no answer has not said that a server runs under no unit', () => {
  const place = {
    ...{ id: 'server1', managementDir: management, dataDir: data, owner: me, mcCtl: '/nowhere' },
    ...{ unit: 'mcoi_inst1', plainUnit: 'postgresql_inst1', roles: [], slots: [] },
  };
  const systemctl = join(root, 'systemctl');
  const seen = (answer: string) => {
    writeFileSync(systemctl, `#!/bin/sh\n${answer}\n`, { mode: 0o755 });
    const { stdout, stderr } = sh(`PATH=${root}:$PATH\n(\n${singleProbe(place)}\n) || :`);
    return readSingle({ status: 0, stdout: `${stdout}\n`, stderr }, place);
  };
  expect(seen('echo inactive; exit 3')?.services.get('postgresql_inst1.service')?.active).toBe('inactive');
  expect(seen('echo "Failed to connect to bus: Connection timed out" >&2; exit 1')).toBeUndefined();
});

describe('postmaster, for root that may not trace the processes of others', () => {
  const without = ['--bounding-set=-sys_ptrace', '--inh-caps=-sys_ptrace', 'sh'];

  it.skipIf(process.getuid?.() !== 0)(
    'is a postgres that the pid file names, and no other program',
    async () => {
      const runsWithout = (): string => {
        const functions = preamble({ postgresVersion: 15, owner: me, socketDir: '/tmp', port: 1 });
        const input = `set -e\n${functions}\nif postmaster "${data}"; then echo "runs $pid"; else echo not; fi`;
        return spawnSync('setpriv', without, { input, encoding: 'utf8' }).stdout.trim();
      };
      chmodSync(root, 0o755);
      for (const [program, said] of [
        ['postgres', 'runs'],
        ['another', 'not'],
      ] as const) {
        copyFileSync('/usr/bin/sleep', join(root, program));
        sleeper = spawn(join(root, program), ['60'], { cwd: data, uid: 65534, gid: 65534 });
        await once(sleeper, 'spawn');
        writeFileSync(pidFile(), `${sleeper.pid}\n${data}\n`);
        expect(runsWithout()).toBe(said === 'runs' ? `runs ${sleeper.pid}` : 'not');
        sleeper.kill();
        await once(sleeper, 'exit');
      }
    },
  );
});

describe('controller', () => {
  const stat = (pid: number): string =>
    readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[19] ?? '';
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  const file = () => join(management, 'server1.pid');
  const found = () =>
    sh(`if controller '${file()}'; then echo "runs $mc"; else echo "not \${mc:-}"; fi`).stdout;

  it('is the process with this start of this boot', async () => {
    const pid = await start(root);
    writeFileSync(file(), `${pid}\n${stat(pid)}\n${boot}\n1\nv18\n`);
    expect(found()).toBe(`runs ${pid}`);
  });

  it.each([
    ['another start', (pid: number) => `${pid}\n${Number(stat(pid)) - 1}\n${boot}\n`],
    ['another boot', (pid: number) => `${pid}\n${stat(pid)}\n00000000-0000-0000-0000-000000000000\n`],
    ['its number alone', (pid: number) => `${pid}\n`],
    ['nobody', () => `4194304\n1\n${boot}\n`],
    ['a path that leads to it', (pid: number) => `self/../${pid}\n${stat(pid)}\n${boot}\n`],
    ['all processes', (pid: number) => `-1\n${stat(pid)}\n${boot}\n`],
  ])('is nobody where the file tells of %s', async (_, text) => {
    writeFileSync(file(), text(await start(root)));
    expect(found()).toBe('not');
  });

  it('is nobody where there is no file', async () => {
    await start(root);
    expect(found()).toBe('not');
  });

  /** In a container a unit with a /proc/sys of its own sees another number of the boot than a login does. */
  it.runIf(process.getuid?.() === 0)('is the process of the boot that it sees itself', async () => {
    const other = '11111111-2222-3333-4444-555555555555';
    writeFileSync(join(root, 'boot'), `${other}\n`);
    const hidden = `mount --bind "$0" /proc/sys/kernel/random/boot_id && echo ready && exec sleep 60`;
    const args = ['--mount', 'sh', '-c', hidden, join(root, 'boot')];
    sleeper = spawn('unshare', args, { stdio: ['ignore', 'pipe', 'inherit'] });
    if (sleeper.stdout) await once(sleeper.stdout, 'data');
    const pid = sleeper.pid ?? 0;
    writeFileSync(file(), `${pid}\n${stat(pid)}\n${other}\n`);
    expect(found()).toBe(`runs ${pid}`);
    writeFileSync(file(), `${pid}\n${stat(pid)}\n${boot}\n`);
    expect(found()).toBe('not');
  });
});

describe('a pid file that a power cut has left, whose number another program has now', () => {
  const place = () => ({ dataDir: data, managementDir: management, id: 'server1' });

  it('does not keep an interrupted copy from being continued', async () => {
    writeFileSync(pidFile(), `${await start(root)}\n${data}\n`);
    writeFileSync(join(management, 'server1.making'), 'copy');
    const making = sh(`${beginMaking({ ...place(), owner: me, version: 15, what: 'copy' })}\necho begun`);
    expect(making.stderr).toBe('');
    expect(making.stdout).toBe('begun');
    expect(existsSync(pidFile())).toBe(false);
  });

  it('does not keep a rebuild from beginning, and a server that runs does', async () => {
    const pid = await start(root);
    const begin = beginOfRebuild();
    writeFileSync(pidFile(), `${pid}\n${data}\n`);
    expect(sh(begin)).toMatchObject({ status: 0, stderr: '' });
    const live = spawn('sleep', ['60'], { cwd: data });
    await once(live, 'spawn');
    writeFileSync(pidFile(), `${live.pid}\n${data}\n`);
    const refused = sh(begin);
    live.kill();
    expect(refused.status).toBe(1);
    expect(refused.stderr).toContain(`a server runs in ${data} (process ${live.pid})`);
  });

  /** The lines of the step up to the point where pg_rewind would start. */
  function beginOfRebuild(): string {
    const desired: RebuildDesired = {
      ...place(),
      owner: me,
      host: '192.0.2.1',
      port: 1,
      user: 'repl',
      rewindUser: 'rewind',
      keepIn: root,
      keepAs: join(root, 'kept'),
      run: 'r1',
      version: 15,
      mcCtl: '/usr/local/bin/mc_ctl',
      primary: 'server2',
      slot: 'pgduet_copy_server1',
      copy: false,
    };
    const { script } = rewindStep(desired);
    const end = script.indexOf('sync -f');
    expect(end).toBeGreaterThan(0);
    return script.slice(0, script.indexOf('\n', end));
  }
});
