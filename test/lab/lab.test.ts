/**
 * Proves that the lab does what it says: hosts start, are reachable, can be hurt in each way and
 * healed, and nothing stays behind. In: nothing. It must never touch a lab of another process.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect } from 'vitest';
import { describeLab, labTest } from './harness/describe.ts';
import { DEPLOY_PASSWORD, type Host, Lab } from './harness/lab.ts';
import { availableBytes, hasRoom, labsInMemory } from './harness/memory.ts';
import { runsDir } from './harness/places.ts';
import { type RunResult, run, text } from './harness/run.ts';

/** Strict checking of host keys, and no answer from a person. */
function ssh(lab: Lab, user: string, address: string, command: string): Promise<RunResult> {
  const strict = ['-o', 'StrictHostKeyChecking=yes', '-o', `UserKnownHostsFile=${lab.knownHosts}`];
  const quick = ['-F', 'none', '-o', 'BatchMode=yes', '-o', 'ConnectTimeout=2', '-i', lab.key];
  return run('ssh', [...quick, ...strict, `${user}@${address}`, command]);
}

/** Names of everything on this machine that belongs to a lab. */
async function tracesOf(dir: string): Promise<string[]> {
  const id = `pgl${basename(dir)}`;
  const links = await text('ip', '-o', 'link', 'show');
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8');
  const all = `${links}\n${mounts}\n${readdirSync('/run/netns').join('\n')}\n${await text('ps', '-eo', 'args')}`;
  const traces = all.split('\n').filter((line) => line.includes(id) || line.includes(`${dir}/`));
  return existsSync(dir) ? [...traces, dir] : traces;
}

describeLab('a lab with two hosts', () => {
  let lab: Lab;
  let a: Host;
  let b: Host;
  beforeAll(async () => {
    lab = await Lab.open();
    [a, b] = await lab.hosts(2);
  });
  afterAll(() => lab?.close());

  labTest('is reachable over IPv4 and IPv6, with true host keys', async () => {
    for (const address of [a.address, a.address6, b.address, b.address6]) {
      expect(await ssh(lab, 'root', address, 'hostname')).toMatchObject({ status: 0 });
    }
    const state = await a.sh('systemctl is-system-running --wait');
    expect(state.stdout.trim()).toBe('running');
  });

  labTest('lets ordinary users become root as on any server', async () => {
    expect((await ssh(lab, 'ops', a.address, 'sudo -n id -u')).stdout).toBe('0\n');
    expect((await ssh(lab, 'deploy', a.address, 'sudo -n id -u')).status).not.toBe(0);
    const sudo = `echo ${DEPLOY_PASSWORD} | sudo -S id -u`;
    expect((await ssh(lab, 'deploy', a.address, sudo)).stdout).toBe('0\n');
  });

  labTest('runs PostgreSQL as a unit that reports its readiness', async () => {
    const bin = '/usr/lib/postgresql/15/bin';
    await b.sh(`runuser -u postgres -- ${bin}/initdb --no-sync -A trust -D /var/lib/postgresql/t`, {
      check: true,
    });
    const unit = 'systemd-run --unit=pg --property=User=postgres --property=Type=notify';
    await b.sh(`${unit} ${bin}/postgres -D /var/lib/postgresql/t`, { check: true });
    const answer = await b.sh('psql -tAc "select 1"', { user: 'postgres', check: true });
    expect(answer.stdout).toBe('1\n');
    expect(await b.journal('pg')).toContain('ready to accept connections');
    expect((await b.sh('pg_lsclusters --no-header')).stdout).toBe('');
  });

  labTest('ends a script that runs for ever, whoever holds its output', async () => {
    const said = await a.sh('echo begun; until false; do sleep 0.05; done', { timeoutMs: 500 });
    expect(said).toMatchObject({ status: 128, stdout: 'begun\n' });
  });

  labTest('loses its network and gets it back', async () => {
    await a.cut();
    expect((await ssh(lab, 'root', a.address, 'true')).status).toBe(255);
    await a.heal();
    expect((await ssh(lab, 'root', a.address, 'true')).status).toBe(0);
  });

  labTest('loses packets in one direction only', async () => {
    const talk = `timeout 1 bash -c 'head -c3 </dev/tcp/${b.address}/22'`;
    await a.cutFrom(b);
    expect((await a.sh(talk)).stdout).toBe('');
    expect((await ssh(lab, 'root', a.address, 'true')).status).toBe(0);
    await a.healTo(b);
    expect((await a.sh(talk)).stdout).toBe('SSH');
  });

  labTest('stands still while frozen and goes on after', async () => {
    await a.freeze();
    expect((await ssh(lab, 'root', a.address, 'true')).status).toBe(255);
    expect((await a.sh('echo inside')).stdout).toBe('inside\n');
    await a.thaw();
    expect((await ssh(lab, 'root', a.address, 'true')).status).toBe(0);
  });

  labTest('has a small disk that can be full, also after a reboot asked over ssh', async () => {
    await a.smallDisk('/srv/small', 16);
    await a.fillDisk('/srv/small');
    expect((await a.sh('head -c 9000 /dev/zero > /srv/small/more')).stderr).toContain('No space left');
    await a.freeDisk('/srv/small');
    await a.sh('echo kept > /srv/small/note; echo kept > /root/note', { check: true });
    await ssh(lab, 'root', a.address, 'reboot');
    await a.untilBoots(2);
    expect((await a.sh('cat /srv/small/note /root/note')).stdout).toBe('kept\nkept\n');
  });

  labTest('comes back from a forced reboot and from a pulled plug', async () => {
    await b.sh('reboot -f');
    await b.untilBoots(2);
    await b.powerOff();
    expect(b.running).toBe(false);
    expect(await b.journal('pg')).toContain('ready to accept connections');
    await b.powerOn();
    expect((await ssh(lab, 'root', b.address, 'hostname')).stdout).toBe('h2\n');
  });

  labTest('can have a wrong clock until it is rebooted', async () => {
    const shift = async (command: string) =>
      Number((await ssh(lab, 'root', a.address, command)).stdout) - Date.now() / 1000;
    await a.setClockOffset(-3600);
    expect(await shift('date +%s')).toBeCloseTo(-3600, -2);
    expect(await shift('node -p Date.now\\(\\)/1000')).toBeCloseTo(-3600, -2);
    await a.reboot();
    expect(Math.abs(await shift('date +%s'))).toBeLessThan(5);
  });
});

describeLab('the bare images', () => {
  labTest('have neither PostgreSQL nor Node, but can install them with no network', async () => {
    const lab = await Lab.open();
    try {
      const [[twelve], [thirteen]] = await Promise.all([
        lab.hosts(1, { image: 'debian12-bare' }),
        lab.hosts(1, { image: 'debian13-bare' }),
      ]);
      expect((await twelve.sh('command -v psql node python3')).stdout).toBe('');
      const install = (packages: string) => `apt-get update && apt-get install -y ${packages}`;
      await twelve.sh(install('nodejs'), { check: true, timeoutMs: 60_000 });
      expect((await twelve.sh('node --version')).stdout).toMatch(/^v\d+/);
      await twelve.sh(install('--simulate postgresql-15'), { check: true });
      await thirteen.sh(install('--simulate postgresql-17 nodejs'), { check: true });
    } finally {
      await lab.close();
    }
  });
});

describeLab('the disks of hosts', () => {
  const kindOf = (lab: Lab): Promise<string> =>
    text('stat', '--file-system', '--format=%T', join(lab.dir, 'hosts'));

  labTest('are in memory where much is left, unless a real disk is asked for', async () => {
    // Two labs of other processes may begin or take memory at this moment.
    const plenty = hasRoom(availableBytes(), labsInMemory(runsDir()) + 2);
    await using fast = await Lab.open();
    await using real = await Lab.open({ disk: 'real' });
    if (plenty) expect(await kindOf(fast)).toBe('tmpfs');
    expect(await kindOf(real)).not.toBe('tmpfs');
    process.env.PGDUET_LAB_MEMORY = 'no';
    try {
      await using forbidden = await Lab.open();
      expect(await kindOf(forbidden)).not.toBe('tmpfs');
    } finally {
      delete process.env.PGDUET_LAB_MEMORY;
    }
  });

  labTest('leave memory for everything else, however many labs there are', async () => {
    const gib = 2 ** 30;
    expect([hasRoom(8 * gib, 0), hasRoom(8 * gib - 1, 0)]).toEqual([true, false]);
    expect([hasRoom(12 * gib, 1), hasRoom(11 * gib, 1)]).toEqual([true, false]);
  });
});

describeLab('closing a lab', () => {
  labTest('leaves nothing, and two labs do not disturb each other', async () => {
    const [one, two] = await Promise.all([Lab.open(), Lab.open()]);
    try {
      const [[a], [b]] = await Promise.all([one.hosts(1, { image: 'debian13' }), two.hosts(1)]);
      expect((await ssh(one, 'root', a.address, 'psql --version')).stdout).toContain(' 17.');
      expect(await tracesOf(one.dir)).not.toEqual([]);
      await one.close();
      expect(await tracesOf(one.dir)).toEqual([]);
      expect((await ssh(two, 'root', b.address, 'true')).status).toBe(0);
    } finally {
      await Promise.all([one.close(), two.close()]);
    }
    expect(await tracesOf(two.dir)).toEqual([]);
  });

  labTest('is done by the next one when the process was killed', async () => {
    const dir = await crashedLab();
    expect(await tracesOf(dir)).not.toEqual([]);
    await (await Lab.open()).close();
    expect(await tracesOf(dir)).toEqual([]);
  });
});

/** Opens a lab with a host in a process of its own and kills that process; returns the lab's directory. */
async function crashedLab(): Promise<string> {
  const work = mkdtempSync(join(tmpdir(), 'pgduet-lab-test-'));
  try {
    const outfile = join(work, 'crash.mjs');
    const lab = join(import.meta.dirname, 'harness/lab.ts');
    const contents = `import { Lab } from ${JSON.stringify(lab)};
      const lab = await Lab.open(); await lab.hosts(1); console.log(lab.dir); setInterval(() => 0, 1000);`;
    const stdin = { contents, resolveDir: import.meta.dirname };
    await build({ stdin, outfile, bundle: true, platform: 'node', format: 'esm' });
    const owner: ChildProcess = spawn(process.execPath, [outfile], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = owner.stdout ? await once(owner.stdout, 'data') : [''];
    owner.kill('SIGKILL');
    await once(owner, 'exit');
    return String(line).trim();
  } finally {
    rmSync(work, { recursive: true });
  }
}
