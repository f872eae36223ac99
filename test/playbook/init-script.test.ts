/**
 * The init script by itself, with a controller that only sleeps: what it starts, what it ends, and whom it never ends. It runs as
 * whoever runs the tests where that is not root, so that what becomes another user is
 * replaced by what stays who it is.
 */
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { render } from '../../src/playbook/render.ts';
import type { InitContext } from '../../src/playbook/variables/init-script.ts';
import { shippedTemplate } from '../../src/shipped.ts';

const contextOf = (over: Partial<InitContext>): InitContext => ({
  initScript: 'rc_mcoi_inst1',
  openrc: false,
  about: 'what it starts',
  short: 'Short',
  long: 'Long.',
  what: 'the Mirroring Controller of server1',
  owner: 'o',
  directory: '/m',
  id: 'server1',
  program: '/c',
  runDir: '',
  patience: 900,
  server: true,
  ...over,
});

/** Becomes a controller that sleeps, and writes what one writes. */
const mcCtl = `#!/bin/sh
echo "$@" >> "$3/asked"
env > DIR/environment
dir=$4; case $2 in -W) ;; *) exit 9;; esac
sleep 300 </dev/null >/dev/null 2>&1 &
read -r stat < /proc/$!/stat; set -- \${stat##*) }
{ echo "$!"; echo "\${20}"; cat /proc/sys/kernel/random/boot_id; } > "$dir/server1.pid"
`;
/** What becomes another user, and here stays who it is: each takes its own words away. A host has one of the first two, or the third. */
const setpriv = '#!/bin/sh\ncase $1 in --help) echo init-groups; exit;; esac\nshift 5\nexec "$@"\n';
const runuser = '#!/bin/sh\nshift 6\nexec sh -c "$@"\n';
const noSetpriv = '#!/bin/sh\nexit 127\n';

describe.skipIf(!existsSync('/proc/self/stat')).each(['setpriv', 'runuser'])(
  'the init script, with %s',
  (has) => {
    let dir: string;
    const sleepers: number[] = [];
    beforeEach(() => {
      dir = mkdtempSync(join(tmpdir(), 'pgduet-rc-'));
      mkdirSync(join(dir, 'bin'));
      for (const [name, text] of [
        ['mc_ctl', mcCtl.replace('"$3/asked"', `${dir}/asked`).replace('DIR', dir)],
        ['setpriv', has === 'setpriv' ? setpriv : noSetpriv],
        ['runuser', runuser],
      ] as const) {
        writeFileSync(join(dir, 'bin', name), text);
        chmodSync(join(dir, 'bin', name), 0o755);
      }
      const context = contextOf({
        owner: userInfo().username,
        directory: dir,
        program: join(dir, 'bin/mc_ctl'),
        runDir: join(dir, 'sockets'),
      });
      const made = render(shippedTemplate('rc.hbs') ?? '', context, 'rc.hbs');
      if (!made.ok) throw new Error(JSON.stringify(made.diagnostics));
      // The stand-ins come first.
      writeFileSync(join(dir, 'rc'), made.value.replace('export PATH=', `export PATH=${dir}/bin:`));
    });
    afterEach(() => {
      rc('stop');
      for (const pid of sleepers.splice(0)) process.kill(pid);
      rmSync(dir, { recursive: true });
    });

    const env = { ...process.env, SSH_CLIENT: '10.0.0.9 1 22' };
    const rc = (...words: string[]) =>
      spawnSync('sh', [join(dir, 'rc'), ...words], { encoding: 'utf8', env });
    const pid = (): number => Number(readFileSync(join(dir, 'server1.pid'), 'utf8').split('\n')[0]);
    const runs = (process_: number): boolean =>
      existsSync(`/proc/${process_}`) &&
      !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${process_}/stat`, 'utf8'));

    it('starts it once, says that it runs, and ends it', () => {
      expect(rc('status').status).toBe(3);
      expect(rc('start')).toMatchObject({ status: 0, stderr: '' });
      expect(rc('status')).toMatchObject({ status: 0, stdout: 'the Mirroring Controller of server1 runs\n' });
      const first = pid();
      expect(rc('start').status).toBe(0);
      expect(pid()).toBe(first);
      expect(readFileSync(join(dir, 'asked'), 'utf8')).toBe(`start -W -M ${dir} --local-server server1\n`);
      const environment = readFileSync(join(dir, 'environment'), 'utf8');
      expect(environment).toContain('PG_OOM_ADJUST_VALUE=0');
      expect(environment).not.toContain('SSH_CLIENT');
      expect(existsSync(join(dir, 'sockets'))).toBe(true);
      expect(rc('stop')).toMatchObject({ status: 0, stderr: '' });
      expect(runs(first)).toBe(false);
      expect(rc('status').status).toBe(1);
      expect(rc('stop').status).toBe(0);
    });

    it('restarts it', () => {
      rc('start');
      const first = pid();
      expect(rc('restart').status).toBe(0);
      expect(pid()).not.toBe(first);
      expect(rc('status').status).toBe(0);
    });

    it.each([
      ['another start', (own: string, boot: string) => `${own}\n1\n${boot}\n`],
      [
        'another boot',
        (own: string, _boot: string, began: string) =>
          `${own}\n${began}\n00000000-0000-0000-0000-000000000000\n`,
      ],
      ['no number', (own: string, boot: string) => `-1 ${own}\n1\n${boot}\n`],
      ['one line', (own: string) => `${own}\n`],
      ['nothing', () => ''],
    ])('a file with %s ends nobody', (_title, text) => {
      const sleeper = spawn('sleep', ['300'], { stdio: 'ignore' }).pid ?? 0;
      sleepers.push(sleeper);
      const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
      const began =
        readFileSync(`/proc/${sleeper}/stat`, 'utf8')
          .replace(/^.*\) /, '')
          .split(' ')[19] ?? '';
      writeFileSync(join(dir, 'server1.pid'), text(String(sleeper), boot, began));
      expect(rc('status').status).toBeGreaterThan(0);
      expect(rc('stop').status).toBe(0);
      expect(runs(sleeper)).toBe(true);
    });

    it.each(['making', 'former'])('does not start what has a file .%s', (mark) => {
      writeFileSync(join(dir, `server1.${mark}`), '');
      expect(rc('start')).toMatchObject({ status: 0, stdout: expect.stringContaining('not started') });
      expect(existsSync(join(dir, 'asked'))).toBe(false);
    });

    it('starts and ends an arbiter, which has neither a server nor marks', () => {
      const context = contextOf({
        owner: userInfo().username,
        directory: dir,
        program: join(dir, 'bin/mc_arb'),
        what: 'the arbiter',
        id: 'arbiter',
        patience: 30,
        server: false,
      });
      const program = mcCtl.replace('"$3/asked"', `${dir}/asked`).replace('DIR', dir);
      writeFileSync(join(dir, 'bin/mc_arb'), program.replace('server1.pid', 'arbiter.pid'), { mode: 0o755 });
      const made = render(shippedTemplate('rc.hbs') ?? '', context, 'rc.hbs');
      if (!made.ok) throw new Error(JSON.stringify(made.diagnostics));
      const path = join(dir, 'rc');
      writeFileSync(path, made.value.replace('export PATH=', `export PATH=${dir}/bin:`));
      writeFileSync(join(dir, 'arbiter.making'), '');
      expect(rc('status')).toMatchObject({ status: 3, stdout: 'the arbiter does not run\n' });
      expect(rc('start')).toMatchObject({ status: 0, stderr: '' });
      expect(readFileSync(join(dir, 'asked'), 'utf8')).toBe(`start -W -M ${dir}\n`);
      expect(readFileSync(join(dir, 'environment'), 'utf8')).not.toMatch(/PG_OOM|SSH_CLIENT/);
      expect(rc('status')).toMatchObject({ status: 0, stdout: 'the arbiter runs\n' });
      expect(rc('stop')).toMatchObject({ status: 0, stderr: '' });
      expect(rc('status').status).toBe(1);
    });

    it('says what it takes', () => {
      expect(rc('begin')).toMatchObject({ status: 2, stderr: expect.stringContaining('start|stop|restart') });
    });

    it.each([true, false])('is whole in the form of OpenRC, too: of a server %s', (server) => {
      const text = shippedTemplate('rc.hbs') ?? '';
      const made = render(text, contextOf({ openrc: true, server }), 'rc.hbs');
      if (!made.ok) throw new Error(JSON.stringify(made.diagnostics));
      expect(made.value).toMatch(/^#!\/sbin\/openrc-run\n/);
      expect(made.value).not.toContain('BEGIN INIT INFO');
      const asked = spawnSync('sh', ['-nc', made.value]);
      expect([asked.status, String(asked.stderr)]).toEqual([0, '']);
      // OpenRC reads it within its own shell, and goes on behind it with programs of a directory of its own; a service that is needed has to exist.
      const sourced = spawnSync(
        'sh',
        ['-c', `${made.value}\nuse() { :; }; after() { :; }; depend && echo "$PATH"`],
        {
          encoding: 'utf8',
          env: { PATH: `/lib/rc/bin:${process.env.PATH}` },
        },
      );
      expect(sourced).toMatchObject({ status: 0, stderr: '' });
      expect(sourced.stdout).toMatch(/^\/lib\/rc\/bin:/);
      expect(made.value).toMatch(
        /^depend\(\) \{[\s\S]*^start\(\) \{[\s\S]*^stop\(\) \{[\s\S]*^status\(\) \{/m,
      );
    });
  },
);
