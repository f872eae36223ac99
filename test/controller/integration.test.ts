/** The bundled controller on two real instances: start, status, faults as they are seen, stop. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { asOwner, cannotRun, freePorts, Pair, signal } from './support/pair.ts';

if (cannotRun !== undefined) {
  process.stderr.write(`test/controller/integration.test.ts is skipped: ${cannotRun}\n`);
  if (process.env.CI) throw new Error(cannotRun);
}

/** The limit of a wait; what it waits for comes within a second or two. */
const quickly = 60_000;

const listensAt = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    }).on('error', () => resolve(false));
  });

describe.skipIf(cannotRun !== undefined)('two instances and their controllers', () => {
  const pair = new Pair();
  beforeAll(() => pair.create());
  afterAll(() => pair.destroy());

  const logged = (pattern: RegExp): Promise<void> =>
    expect.poll(() => pair.log('server1'), { timeout: quickly }).toMatch(pattern);
  const row = (report: ReturnType<Pair['status']>, id: string) =>
    report?.servers.find((server) => server.server_id === id);

  it('status without a controller says so', () => {
    const result = pair.ctl('status', '--local-server', 'server1');
    expect([result.status, result.stdout]).toEqual([1, '']);
    expect(result.stderr).toContain('the controller of server1 is not running');
  });

  it('names the choices when two servers share the directory', () => {
    const result = pair.ctl('status');
    expect(result.status).toBe(3);
    expect(result.stderr).toContain('server1, server2');
  });

  it('starts primary and standby, and both say switchable', async () => {
    expect(pair.ctl('start', '--local-server', 'server1')).toMatchObject({ status: 0, stderr: '' });
    expect(pair.ctl('start', '--local-server', 'server2')).toMatchObject({ status: 0, stderr: '' });
    for (const id of ['server1', 'server2']) {
      const report = await pair.until(id, (it) => it.mirroring_status === 'switchable');
      expect(report).toMatchObject({ mirroring_status: 'switchable', reason: null, failover: 'enabled' });
      expect(row(report, 'server2')).toMatchObject({ host_role: 'standby', sync_state: 'sync', timeline: 1 });
    }
    const text = pair.ctl('status', '--local-server', 'server2').stdout;
    expect(text).toBe(
      [
        'mirroring status',
        '----------------',
        'switchable',
        'server_id  host_role  host       host_status  db_proc_status  disk_status',
        '-------------------------------------------------------------------------',
        'server1    primary    127.0.0.1  normal       normal          normal',
        'server2    standby    127.0.0.1  normal       normal          normal',
        '',
      ].join('\n'),
    );
  });

  it('keeps its files to itself', () => {
    for (const name of ['server1.log', 'server1.pid', 'server1.sock', 'server1.state.json']) {
      expect([name, statSync(join(pair.mcdir, name)).mode & 0o077]).toEqual([name, 0]);
    }
  });

  it('refuses root, wide files and a second daemon', () => {
    const second = asOwner(pair.node, [pair.bundle, 'daemon', '-M', pair.mcdir, '--local-server', 'server1']);
    expect(second.stderr).toContain(`already running: process ${pair.daemonPid('server1')}`);
    expect(second.status).toBe(6);
    expect(pair.ctl('start', '--local-server', 'server1')).toMatchObject({ status: 1 });
  });

  it('a flag set on one server reaches the other and survives', async () => {
    expect(pair.ctl('disable-failover', '--local-server', 'server2').status).toBe(0);
    const seen = await pair.until('server1', (it) => it.failover === 'disabled');
    expect(seen?.mirroring_status).toBe('failover-disabled');
    expect(readFileSync(join(pair.mcdir, 'server1.state.json'), 'utf8')).toContain('"enabled":false');
    expect(pair.ctl('enable-failover', '--local-server', 'server1').status).toBe(0);
    expect((await pair.until('server2', (it) => it.failover === 'enabled'))?.mirroring_status).toBe(
      'switchable',
    );
  });

  it('a reload takes new times over and refuses mistakes', async () => {
    const path = join(pair.mcdir, 'server1.conf');
    const before = readFileSync(path, 'utf8');
    writeFileSync(path, `${before}heartbeat_retyr = 4\n`);
    signal(pair.daemonPid('server1'), 'SIGHUP');
    await logged(/server1\.conf:7: the key 'heartbeat_retyr' is not known \(MCA01029\)/);
    writeFileSync(path, `${before}heartbeat_retry = 3\n`);
    signal(pair.daemonPid('server1'), 'SIGHUP');
    await logged(/\(MCA01028\)/);
    expect(
      (await pair.until('server2', (it) => it.mirroring_status === 'switchable'))?.mirroring_status,
    ).toBe('switchable');
  });

  it('a reload takes another port of its own over, and nothing is restarted', async () => {
    const network = join(pair.mcdir, 'network.conf');
    const before = readFileSync(network, 'utf8');
    const [next = 0, taken = 0] = await freePorts(2);
    const other = createServer().listen(taken, '127.0.0.1');
    await once(other, 'listening');
    onTestFinished(() => void other.close());
    const running = [pair.daemonPid('server1'), pair.postmasterPid(1), pair.postmasterPid(2)];
    const withPort = (port: number): void =>
      writeFileSync(network, before.replace(/^server1.*/m, `server1 127.0.0.1 ${port}`));
    withPort(taken);
    signal(pair.daemonPid('server1'), 'SIGHUP');
    await logged(new RegExp(`the admin port 127.0.0.1:${taken} cannot be opened: .*\\(MCA01029\\)`));
    withPort(next);
    signal(pair.daemonPid('server1'), 'SIGHUP');
    await expect.poll(() => listensAt(next), { timeout: quickly }).toBe(true);
    // The other one has not read of it yet.
    expect(await listensAt(pair.ports[2] ?? 0)).toBe(true);
    signal(pair.daemonPid('server2'), 'SIGHUP');
    await expect.poll(() => listensAt(pair.ports[2] ?? 0), { timeout: quickly }).toBe(false);
    const report = await pair.until('server2', (it) => it.mirroring_status === 'switchable');
    expect(report?.mirroring_status).toBe('switchable');
    expect([pair.daemonPid('server1'), pair.postmasterPid(1), pair.postmasterPid(2)]).toEqual(running);
    expect(pair.log('server2')).not.toContain('MCA00019');
  });

  it('a killed postmaster is abnormal(postmaster), everywhere, and start brings it back', async () => {
    signal(pair.postmasterPid(2), 'SIGKILL');
    for (const id of ['server1', 'server2']) {
      const report = await pair.until(id, (it) => row(it, 'server2')?.db_proc_status !== 'normal');
      expect(row(report, 'server2')).toMatchObject({
        host_role: 'none(inactivated standby)',
        db_proc_status: 'abnormal(postmaster)',
      });
      expect(report).toMatchObject({
        mirroring_status: 'not-switchable',
        reason: 'the instance of server2 is down',
      });
    }
    expect(pair.log('server2')).toContain('FATAL: the instance has gone away');
    await sleep(300);
    // Its number has become that of another process of the same user, as at a boot: that of the other postmaster.
    const locks = [join(pair.dataDir(2), 'postmaster.pid'), pair.socketLock(2)];
    for (const path of locks)
      writeFileSync(path, readFileSync(path, 'utf8').replace(/^\d+/, String(pair.postmasterPid(1))));
    expect(pair.ctl('start', '--local-server', 'server2')).toMatchObject({ status: 0, stderr: '' });
    expect((await pair.until('server1', (it) => it.mirroring_status === 'switchable'))?.reason).toBeNull();
  });

  it('a controller that crashes leaves its instance running and finds it again', async () => {
    const postmaster = pair.postmasterPid(2);
    signal(pair.daemonPid('server2'), 'SIGKILL');
    const alone = await pair.until('server1', (it) => it.mirroring_status === 'not-switchable');
    expect(alone?.reason).toBe('no controller runs on server2');
    expect(pair.ctl('start', '--local-server', 'server2')).toMatchObject({ status: 0, stderr: '' });
    expect(pair.log('server2')).toContain('already running and is watched from now on (MCA01002)');
    expect(pair.postmasterPid(2)).toBe(postmaster);
    expect((await pair.until('server1', (it) => it.mirroring_status === 'switchable'))?.reason).toBeNull();
  });

  it('too many connections are not a dead instance', async () => {
    signal(pair.daemonPid('server1'), 'SIGKILL');
    const port = String(pair.ports[0]);
    const psql = `for i in $(seq 16); do psql -X -h ${join(pair.dir, 'run')} -p ${port} -d postgres -c 'select pg_sleep(1.2)' >/dev/null 2>&1 & done; wait`;
    const words =
      process.getuid?.() === 0 ? ['runuser', '-u', 'postgres', '--', 'sh', '-c', psql] : ['sh', '-c', psql];
    const crowd = spawn(words[0] ?? '', words.slice(1), { stdio: 'ignore', cwd: '/' });
    // Listened for from the beginning: on a slow machine the crowd has left before the looks are over.
    const left = new Promise((resolve) => crowd.on('exit', resolve));
    await sleep(400);
    expect(pair.ctl('start', '--local-server', 'server1').status).toBe(0);
    await sleep(400);
    expect(row(pair.status('server1'), 'server1')).toMatchObject({
      instance: 'running',
      db_proc_status: 'normal',
    });
    await left;
    expect(
      (await pair.until('server2', (it) => it.mirroring_status === 'switchable'))?.mirroring_status,
    ).toBe('switchable');
  });

  it('an instance that takes no connections any more is found out, though old ones still work', async () => {
    const postmaster = pair.postmasterPid(2);
    signal(postmaster, 'SIGSTOP');
    try {
      const report = await pair.until('server1', (it) => row(it, 'server2')?.instance === 'silent');
      expect(row(report, 'server2')).toMatchObject({
        instance: 'silent',
        db_proc_status: 'abnormal(postmaster)',
      });
    } finally {
      signal(postmaster, 'SIGCONT');
    }
    const back = await pair.until('server1', (it) => it.mirroring_status === 'switchable');
    expect(back?.reason).toBeNull();
  });

  it('a disk that cannot be written is named', async () => {
    const wal = join(pair.dataDir(2), 'pg_wal', 'pgsql_tmp_mc_disk_check');
    // The controller may make its file anew in between.
    asOwner('sh', ['-c', `until rm -f ${wal} && mkdir ${wal} 2>/dev/null; do :; done`]);
    const report = await pair.until('server1', (it) => row(it, 'server2')?.disk_status !== 'normal');
    expect(row(report, 'server2')?.disk_status).toBe('abnormal(transaction_log)');
    expect(report?.mirroring_status).toBe('not-switchable');
    asOwner('rmdir', [wal]);
    expect((await pair.until('server1', (it) => it.mirroring_status === 'switchable'))?.reason).toBeNull();
  });

  it('status does not wait for a peer that hangs', async () => {
    signal(pair.daemonPid('server2'), 'SIGSTOP');
    try {
      // Who waited for the peer would wait for remote_call_timeout, 70 s, and is ended before (support/pair.ts).
      expect(pair.status('server1')?.mirroring_status).toBeDefined();
    } finally {
      signal(pair.daemonPid('server2'), 'SIGCONT');
    }
    await pair.until('server1', (it) => it.mirroring_status === 'switchable');
  });

  it('stop --mc-only leaves the instance, stop -a stops all, standby first', async () => {
    const postmaster = pair.postmasterPid(1);
    expect(pair.ctl('stop', '--mc-only', '--local-server', 'server1')).toMatchObject({
      status: 0,
      stderr: '',
    });
    expect(pair.postmasterPid(1)).toBe(postmaster);
    expect(pair.ctl('start', '--local-server', 'server1')).toMatchObject({ status: 0, stderr: '' });
    await pair.until('server2', (it) => it.mirroring_status === 'switchable');
    expect(pair.ctl('stop', '-a', '--local-server', 'server2')).toMatchObject({ status: 0, stderr: '' });
    for (const number of [1, 2] as const) {
      expect(existsSync(join(pair.dataDir(number), 'postmaster.pid'))).toBe(false);
    }
    const daemons = () => [pair.daemonPid('server1'), pair.daemonPid('server2')];
    await expect.poll(daemons, { timeout: quickly }).toEqual([0, 0]);
    const stopped = /^(\S+) .*the instance has stopped/gm;
    const times = ['server1', 'server2'].map((id) => [...pair.log(id).matchAll(stopped)].at(-1)?.[1] ?? '');
    expect((times[1] ?? '') < (times[0] ?? '')).toBe(true);
  });

  it('a standby waits for its primary and starts when it comes', async () => {
    expect(pair.ctl('start', '-W', '--local-server', 'server2').status).toBe(0);
    const waiting = await pair.until('server2', (it) => row(it, 'server2')?.instance === 'waiting');
    expect(row(waiting, 'server2')?.instance).toBe('waiting');
    expect(pair.postmasterPid(2)).toBe(0);
    expect(pair.ctl('start', '-F', '--local-server', 'server1')).toMatchObject({ status: 0, stderr: '' });
    const report = await pair.until('server2', (it) => it.mirroring_status === 'failover-disabled');
    expect(report?.mirroring_status).toBe('failover-disabled');
    expect(pair.ctl('stop', '-a', '--local-server', 'server1')).toMatchObject({ status: 0, stderr: '' });
  });

  it('a hung controller is ended by stop -e, with its instance', () => {
    expect(pair.ctl('start', '--local-server', 'server1')).toMatchObject({ status: 0, stderr: '' });
    signal(pair.daemonPid('server1'), 'SIGSTOP');
    const result = pair.ctl('stop', '-e', '--local-server', 'server1');
    expect(result.stderr).toContain('was ended by force');
    expect([result.status, pair.postmasterPid(1)]).toEqual([0, 0]);
  });

  it('refuses to start with a wide file mode or a mistake, and says which', () => {
    chmodSync(join(pair.mcdir, 'network.conf'), 0o640);
    const result = pair.ctl('start', '--local-server', 'server1');
    expect(result.status).toBe(3);
    expect(result.stderr).toContain('MCF002');
    expect(result.stderr).toContain(`chmod 0600 ${join(pair.mcdir, 'network.conf')}`);
    chmodSync(join(pair.mcdir, 'network.conf'), 0o600);
  });
});
