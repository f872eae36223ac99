/** A controller and its arbiter as processes: what mc_ctl status --arbiter shows, and what the log says. No instance is needed. */
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StatusReport } from '../../src/controller/core/status.ts';
import { gone } from '../child-end.ts';
import { keyOf, RealArbiter, until } from './support/arbiter.ts';
import { bundleController, freePorts } from './support/pair.ts';

const dir = mkdtempSync(join(tmpdir(), 'mc-arb-'));
const bundle = join(dir, 'mc.js');
beforeAll(async () => {
  chmodSync(dir, 0o755);
  await bundleController(bundle);
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

describe('a controller whose network.conf names an arbiter', () => {
  it('hears it, tells when it does not, and takes a reload over', async () => {
    const [port = 0, own = 0, other = 0] = await freePorts(3);
    const arbiter = new RealArbiter(bundle, port);
    // The management directory of the server lies beside those of the arbiter, with the same owner.
    const mcdir = join(arbiter.dir, 'mc');
    const servers = `server1 127.0.0.1 ${own}\nserver2 127.0.0.1 ${other}\n`;
    const conf = (...lines: string[]): string =>
      [`db_instance = '${arbiter.dir}/none'`, 'heartbeat_interval = 50', ...lines, ''].join('\n');
    arbiter.write('mc/network.conf', `${servers}arbiter1 127.0.0.1 ${port} arbiter\n`);
    arbiter.write('mc/server1.conf', conf('heartbeat_error_action = arbitration'));
    arbiter.write('mc/cluster.key', `${keyOf('one')}\n`);
    const as = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
    const words = [bundle, 'daemon', '-M', mcdir, '--local-server', 'server1', '--mc-only'];
    const controller = spawn(process.execPath, words, {
      ...{ ...as, cwd: '/', env: {}, stdio: ['ignore', 'ignore', 'pipe'] },
    });
    let said = '';
    controller.stderr?.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    const mcCtl = (...args: string[]) =>
      spawnSync(process.execPath, [bundle, 'ctl', ...args, '-M', mcdir], {
        ...{ ...as, cwd: '/', env: {}, encoding: 'utf8' },
      });
    const rows = () => (JSON.parse(mcCtl('status', '--json').stdout) as StatusReport).arbiters;
    try {
      await until(() => said.includes('(MCA01136)'), 30_000);
      expect(said).toMatch(/WARNING: the arbiter arbiter1 is not heard: nobody listens there \(MCA01136\)/);
      expect(mcCtl('status', '--arbiter').stdout).toBe(
        [
          'arbiter_id  host       status',
          '------------------------------',
          'arbiter1    127.0.0.1  offline',
          'why: arbiter1 is not heard: nobody listens there',
          '',
        ].join('\n'),
      );

      await arbiter.start();
      await until(() => said.includes('(MCA01135)'));
      expect(mcCtl('status', '--arbiter').stdout).toMatch(/\narbiter1 +127.0.0.1 +online\n$/);
      expect(rows()).toEqual([
        { id: 'arbiter1', host: '127.0.0.1', port, status: 'online', why: null, term: 0, holder: null },
      ]);
      expect(arbiter.ctl('status').stdout).toMatch(/server1 +127.0.0.1 +online/);

      // One that does not answer any more, though its port is open.
      arbiter.signal('SIGSTOP');
      await until(() => said.includes('it does not answer (MCA01136)'));
      arbiter.signal('SIGCONT');
      await until(() => said.split('(MCA01135)').length === 3, 15_000);

      // A restart is too short to be given up, and the log ends with good news all the same.
      await arbiter.kill();
      await until(() => said.trimEnd().endsWith('(MCA01136)'));
      await arbiter.start();
      await until(() => said.trimEnd().endsWith('(MCA01135)'), 15_000);
      expect(said.trimEnd()).toMatch(/the arbiter arbiter1 is heard \(MCA01135\)$/);

      // Nobody is left who could arbitrate: that is refused, and the former configuration stays.
      arbiter.write('mc/network.conf', servers);
      controller.kill('SIGHUP');
      await until(() => said.includes('(MCA01029)'));
      expect(rows()).toHaveLength(1);
      arbiter.write('mc/server1.conf', conf());
      controller.kill('SIGHUP');
      await until(() => said.includes('(MCA01028)'));
      expect(rows()).toEqual([]);
      expect(mcCtl('status', '--arbiter').stdout).toBe(
        'arbiter_id  host  status\n------------------------\n',
      );
      await until(() => arbiter.said.includes('server1 is offline'), 15_000);
      expect(readFileSync(join(mcdir, 'server1.status.json'), 'utf8')).toContain('"arbiters":[]');
    } finally {
      controller.kill('SIGKILL');
      await gone(controller);
      await arbiter.remove();
    }
  });
});
