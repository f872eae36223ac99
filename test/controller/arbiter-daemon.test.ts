/** The arbiter as a process: what it has told is on its disk, what it cannot write it does not tell, and mc_arb controls it. */
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { renewalText } from '../../src/base/renewal.ts';
import { Secret } from '../../src/base/secret.ts';
import type { ArbiterStatus } from '../../src/controller/arbiter/status.ts';
import { arbiterKeyOf, fingerprint } from '../../src/controller/config-arbiter-key.ts';
import type { CellName } from '../../src/controller/core/view.ts';
import { keyOf, RealArbiter, TalkingServer, until } from './support/arbiter.ts';
import { view } from './support/conversation.ts';
import { bundleController, freePorts } from './support/pair.ts';

const dir = mkdtempSync(join(tmpdir(), 'mc-arb-'));
const bundle = join(dir, 'mc.js');
let arbiter: RealArbiter;
const servers: TalkingServer[] = [];

beforeAll(async () => {
  // The arbiter does not run as root, and has to read it.
  chmodSync(dir, 0o755);
  await bundleController(bundle);
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));
beforeEach(async () => {
  const [port = 0] = await freePorts(1);
  arbiter = new RealArbiter(bundle, port);
});
afterEach(async () => {
  for (const server of servers.splice(0)) server.link.close();
  await arbiter.remove();
});

function server(id: string, cluster = 'one', key = keyOf(cluster)): TalkingServer {
  const made = new TalkingServer(view(id, 'standby'), arbiter.port, key);
  servers.push(made);
  return made;
}

async function named(by: TalkingServer): Promise<readonly CellName[]> {
  const told = await by.tell();
  if (!told) throw new Error(`no answer: ${arbiter.said}`);
  return [{ at: 'arbiter1', id: told.cell.id }];
}

const shortly = 700;
const status = (): ArbiterStatus => JSON.parse(arbiter.ctl('status', '--json').stdout) as ArbiterStatus;

describe('what an arbiter has told', () => {
  /** Kills the process at a step of writing the cell, once the file `armed` is there, and keeps a record of all steps. */
  const killed = (at: string): string => `
    const fs = require('node:fs');
    const tls = require('node:tls');
    const { Duplex } = require('node:stream');
    const { join } = require('node:path');
    const armed = () => fs.existsSync(join(${JSON.stringify(arbiter.dir)}, 'armed'));
    const step = (name) => {
      if (!armed()) return;
      fs.appendFileSync(join(${JSON.stringify(arbiter.dir)}, 'armed'), name + '\\n');
      if (name === ${JSON.stringify(at)}) process.kill(process.pid, 'SIGKILL');
    };
    const { renameSync, fsyncSync, fstatSync } = fs;
    fs.fsyncSync = (file) => { fsyncSync(file); step(fstatSync(file).isDirectory() ? 'directory synced' : 'synced'); };
    fs.renameSync = (from, to) => { renameSync(from, to); step('renamed'); };
    tls.TLSSocket.prototype.write = function (...words) { step('told'); return Duplex.prototype.write.apply(this, words); };
  `;
  const steps = (): string => readFileSync(join(arbiter.dir, 'armed'), 'utf8').trim();

  it('is synced and renamed before it is told', async () => {
    arbiter.disturb(killed('nothing'));
    await arbiter.start();
    const one = server('server1');
    const cells = await named(one);
    arbiter.write('armed', '');
    expect(await one.vote({ cells })).toMatchObject({ term: 1, holder: 'server1' });
    expect(steps()).toMatch(/^synced\nrenamed\ndirectory synced\ntold(\ntold)*$/);
  });

  it.each(['renamed', 'directory synced'])('a kill when it is %s, before the answer', async (at) => {
    arbiter.disturb(killed(at));
    await arbiter.start();
    const [one, two] = [server('server1'), server('server2')];
    const cells = await named(one);
    arbiter.write('armed', '');
    expect(await one.vote({ cells }, shortly)).toBeNull();
    expect(steps().endsWith(at)).toBe(true);
    const kept = arbiter.cellOnDisk();
    expect(kept).toMatchObject({ id: cells[0]?.id, term: 1, holder: 'server1' });
    rmSync(join(arbiter.dir, 'armed'));
    await arbiter.start();
    expect((await two.tell())?.cell).toEqual(kept);
    expect(await two.vote({ cells, attempt: 9 })).toEqual(kept);
    expect(await one.vote({ cells })).toEqual(kept);
  });

  it('a kill when it is only synced leaves the former cell, whole', async () => {
    arbiter.disturb(killed('synced'));
    await arbiter.start();
    const one = server('server1');
    const cells = await named(one);
    arbiter.write('armed', '');
    expect(await one.vote({ cells }, shortly)).toBeNull();
    expect(arbiter.cellOnDisk()).toMatchObject({ id: cells[0]?.id, term: 0, holder: null });
    const cluster = (): readonly string[] => readdirSync(join(arbiter.dir, 'clusters/one'));
    expect(cluster()).toContain('.cell.json.controller.pgduet-tmp');
    rmSync(join(arbiter.dir, 'armed'));
    await arbiter.start();
    expect(cluster()).not.toContain('.cell.json.controller.pgduet-tmp');
    expect(await one.vote({ cells })).toMatchObject({ term: 1, holder: 'server1' });
  });

  it('is on the disk, whenever it is killed', async () => {
    await arbiter.start();
    const one = server('server1');
    const cells = await named(one);
    let term = 0;
    for (let round = 0; round < 5; round += 1) {
      const asking = (async () => {
        for (let yes = true; yes; ) {
          const cell = await one.vote({ cells, term: term + 1, attempt: term + 1 }, 300);
          yes = cell?.term === term + 1;
          if (yes) term += 1;
        }
      })();
      await sleep(37 * (round + 1));
      await arbiter.kill();
      await asking;
      expect(arbiter.cellOnDisk().term).toBeGreaterThanOrEqual(term);
      await arbiter.start();
      const now = (await one.tell())?.cell;
      expect(now).toEqual(arbiter.cellOnDisk());
      term = now?.term ?? 0;
    }
    expect(term).toBeGreaterThan(0);
  });
});

describe('an arbiter whose disk is full', () => {
  const full = (): string => `
    const fs = require('node:fs');
    const { join } = require('node:path');
    const { openSync } = fs;
    const isFull = () => fs.existsSync(join(${JSON.stringify(arbiter.dir)}, 'full'));
    fs.openSync = (path, ...rest) =>
      isFull() && String(path).endsWith('.pgduet-tmp') ? openSync('/dev/full', 'w') : openSync(path, ...rest);
  `;

  it('answers nobody of that cluster, keeps what it has told, and goes on when there is room', async () => {
    arbiter.disturb(full());
    arbiter.addCluster('two');
    await arbiter.start();
    const [one, two, other] = [server('server1'), server('server2'), server('server1', 'two')];
    const cells = await named(one);
    const before = await one.vote({ cells });
    arbiter.write('full', '');
    expect(await two.vote({ cells, term: 2 }, shortly)).toBeNull();
    // A heartbeat that asks for nothing finds no answer either.
    expect(await one.tell({ vote: null }, shortly)).toBeNull();
    expect((await other.tell())?.cell).toMatchObject({ term: 0 });
    expect(arbiter.cellOnDisk()).toEqual(before);
    expect(arbiter.said.split('(MCR00011)')).toHaveLength(2);
    expect(arbiter.said).toMatch(/ERROR: cluster one: the cell cannot be written: ENOSPC/);
    expect(status().clusters[0]).toMatchObject({ term: 1, holder: 'server1', unwritten: /ENOSPC/ });
    expect(arbiter.ctl('status').stdout).toMatch(/why: the cell of one cannot be written \(ENOSPC/);

    rmSync(join(arbiter.dir, 'full'));
    expect(await two.vote({ cells, term: 2 })).toMatchObject({ term: 2, holder: 'server2' });
    expect(arbiter.said).toContain('(MCR00012)');
    expect(arbiter.cellOnDisk()).toMatchObject({ term: 2, holder: 'server2' });
  });

  it('has no cell at all at its first start, and answers nobody before it has one', async () => {
    arbiter.disturb(full());
    arbiter.write('full', '');
    await arbiter.start();
    const one = server('server1');
    expect(await one.tell({}, shortly)).toBeNull();
    expect(existsSync(arbiter.cellFile())).toBe(false);
    rmSync(join(arbiter.dir, 'full'));
    expect((await one.tell())?.cell).toEqual(arbiter.cellOnDisk());
  });
});

describe('the files of an arbiter', () => {
  it('are refused at its start with all mistakes of all clusters', async () => {
    arbiter.write('arbitration.conf', 'port = 70000\n');
    arbiter.write('clusters/one/arbiter.key', 'short\n');
    arbiter.write('clusters/two/network.conf', 'server1 h 1\n');
    arbiter.write('clusters/two/arbiter.key', `${keyOf('two')}\n`, 0o644);
    for (const name of ['three', 'four']) arbiter.addCluster(name, keyOf('three'));
    arbiter.addCluster('five');
    arbiter.write('clusters/five/cell.json', '{"format":2,"version":"9.1.0","cell":{}}');
    expect(await arbiter.start()).toBe(3);
    const seen = arbiter.said.match(/MCF\d+ .*/g)?.map((line) => line.replaceAll(arbiter.dir, 'DIR'));
    expect(seen).toEqual([
      "MCF006  'port' cannot be 70000",
      "MCF007  the key 'my_address' is missing",
      'MCF014  DIR/clusters/five/cell.json was written by a newer arbiter (9.1.0, format 2)',
      'MCF012  DIR/clusters/one/arbiter.key holds no key',
      'MCF012  DIR/clusters/three/arbiter.key is the key of cluster four',
      'MCF002  DIR/clusters/two/arbiter.key is open to others',
      'MCF010  DIR/clusters/two/network.conf names no arbiter',
    ]);
    // The same, but of what only the arbiter itself looks at, on the terminal.
    const { status: code, stderr } = arbiter.ctl('start');
    expect([code, stderr.match(/MCF\d+/g)?.length]).toEqual([3, 6]);
    expect(readFileSync(join(arbiter.dir, 'clusters/five/cell.json'), 'utf8')).toContain('9.1.0');
  });

  it('of one cluster leave the others their arbiter, also at its start', async () => {
    arbiter.addCluster('two');
    arbiter.write('clusters/half-made/network.conf', '');
    await arbiter.start();
    expect((await server('server1', 'two').tell())?.cell.id).toBeTruthy();
    expect(arbiter.said).toMatch(/MCR00004|half-made/);
  });

  it('a cell that cannot be read is refused as it is, and is no new one', async () => {
    await arbiter.start();
    const one = server('server1');
    const cells = await named(one);
    await arbiter.kill();
    renameSync(arbiter.cellFile(), `${arbiter.cellFile()}.aside`);
    arbiter.write('clusters/one/cell.json/not-a-file', '');
    expect(await arbiter.start()).toBe(3);
    expect(arbiter.said).toMatch(/MCF001 .*the cell of cluster one cannot be read\nwhy: EISDIR/);
    rmSync(arbiter.cellFile(), { recursive: true });
    renameSync(`${arbiter.cellFile()}.aside`, arbiter.cellFile());
    await arbiter.start();
    expect(await named(one)).toEqual(cells);
  });

  it('a torn cell is another cell, and is kept aside', async () => {
    await arbiter.start();
    const one = server('server1');
    const cells = await named(one);
    await one.vote({ cells });
    await arbiter.kill();
    const whole = readFileSync(arbiter.cellFile(), 'utf8');
    arbiter.write('clusters/one/cell.json', whole.replace('"term":1', '"term":2'));
    await arbiter.start();
    const now = (await one.tell({ vote: null }))?.cell;
    expect(now).toMatchObject({ term: 0, holder: null });
    expect(now?.id).not.toBe(cells[0]?.id);
    expect(arbiter.said).toMatch(/NOTICE: cluster one: the cell is a new one .*damaged.*\(MCR00010\)/);
    expect(readFileSync(`${arbiter.cellFile()}.torn`, 'utf8')).toContain('"term":2');
  });
});

describe('a reload of an arbiter', () => {
  const reload = () => arbiter.ctl('reload');

  it('takes up, changes and removes clusters without a break for the others', async () => {
    await arbiter.start();
    const one = server('server1');
    const cells = await named(one);
    await one.vote({ cells });
    const connected = one.seen.length;
    const two = server('server1', 'two');
    expect(await two.tell({}, shortly)).toBeNull();

    arbiter.addCluster('two');
    expect(reload()).toMatchObject({ status: 0, stdout: 'two added\n' });
    const before = (await two.tell())?.cell;
    expect(before).toMatchObject({ term: 0 });

    // Another key: the former one opens nothing any more, and the cell is the same.
    arbiter.addCluster('two', keyOf('another two'));
    expect(reload().stdout).toBe('two has another key\n');
    await until(() => two.seen.at(-1) === 'lost arbiter1: the connection has ended', 2000);
    expect(two.seen.at(-1)).toBe('lost arbiter1: the connection has ended');
    expect(await two.tell({}, shortly)).toBeNull();
    expect((await server('server1', 'two', keyOf('another two')).tell())?.cell).toEqual(before);

    renameSync(join(arbiter.dir, 'clusters/two'), join(arbiter.dir, 'gone'));
    expect(reload().stdout).toBe('two removed\n');
    expect(status().clusters.map(({ cluster }) => cluster)).toEqual(['one']);
    expect(reload().stdout).toBe('nothing has changed\n');

    expect((await one.tell({ vote: null }))?.cell).toMatchObject({ term: 1, holder: 'server1' });
    expect(one.seen.slice(connected).filter((it) => it.startsWith('lost'))).toEqual([]);
  });

  it('hears two keys of a cluster while its secrets are renewed, and nobody loses it', async () => {
    await arbiter.start();
    const one = server('server1');
    const two = server('server2');
    const cells = await named(one);
    expect(await one.vote({ cells })).toMatchObject({ term: 1, holder: 'server1' });
    await two.tell();
    const connected = [one, two].map(({ seen }) => seen.length);
    const keys = (): readonly string[] => status().clusters[0]?.keys ?? [];
    const [before = ''] = keys();

    const key = keyOf('one, renewed');
    const [from, to] = [keyOf('one'), key].map((it) => arbiterKeyOf(new Secret(it)));
    if (!from || !to) throw new Error('no keys');
    arbiter.write('clusters/one/renewal.json', renewalText({ key: { from, to } }));
    expect(reload().stdout).toBe('one changed\n');
    expect(keys()).toEqual([before, fingerprint(to)]);
    one.speak(key);
    expect((await one.tell())?.cell).toMatchObject({ term: 1, holder: 'server1' });
    expect((await two.tell())?.cell).toMatchObject({ term: 1, holder: 'server1' });
    arbiter.write('clusters/one/arbiter.key', `${to.reveal()}\n`);
    expect(reload().stdout).toBe('one changed\n');
    expect(await two.tell()).not.toBeNull();
    two.speak(key);
    expect(await two.tell()).not.toBeNull();

    rmSync(join(arbiter.dir, 'clusters/one/renewal.json'));
    expect(reload().stdout).toBe('one changed\n');
    expect(keys()).toEqual([fingerprint(to)]);
    for (const it1 of [one, two]) expect((await it1.tell())?.cell.id).toBe(cells[0]?.id);
    const lost = [one, two].flatMap(({ seen }, index) =>
      seen.slice(connected[index]).filter((it) => it.startsWith('lost')),
    );
    expect(lost).toEqual([]);
    expect(await server('server1').tell({}, shortly)).toBeNull();
  });

  it('hears the old key no more once every server has called by the new one, whatever file is left there', async () => {
    const key = keyOf('one, renewed');
    const [from, to] = [keyOf('one'), key].map((it) => arbiterKeyOf(new Secret(it)));
    if (!from || !to) throw new Error('no keys');
    arbiter.write('clusters/one/renewal.json', renewalText({ key: { from, to } }));
    arbiter.write('clusters/one/arbiter.key', `${to.reveal()}\n`);
    await arbiter.start();
    const [one, two, former] = [
      server('server1', 'one', key),
      server('server2', 'one', key),
      server('server2'),
    ];
    expect(await one.tell()).not.toBeNull();
    expect(await former.tell()).not.toBeNull();
    expect(await two.tell()).not.toBeNull();
    expect(await former.tell({}, shortly)).toBeNull();
    expect(await server('server1').tell({}, shortly)).toBeNull();
    for (const it1 of [one, two]) expect(await it1.tell()).not.toBeNull();
    // What is told of its files is what confirms a step of a renewal.
    expect(status().clusters[0]?.keys).toHaveLength(2);
    expect(reload().status).toBe(0);
    expect(await server('server1').tell()).not.toBeNull();
  });

  it('hears a server only as long as network.conf of its cluster names it', async () => {
    await arbiter.start();
    const nine = server('server9');
    expect(await nine.tell({}, shortly)).toBeNull();
    expect(arbiter.said).toContain('(MCR00013)');
    arbiter.write('clusters/one/network.conf', `server9 127.0.0.1 9\n${arbiter.network()}`);
    expect(reload().stdout).toBe('one changed\n');
    expect(await nine.tell()).not.toBeNull();
    arbiter.write('clusters/one/network.conf', arbiter.network());
    expect(reload().stdout).toBe('one changed\n');
    expect(await nine.tell({}, shortly)).toBeNull();
  });

  it('tells of a cluster whose files have mistakes, and leaves it as it was', async () => {
    await arbiter.start();
    const one = server('server1');
    await one.tell();
    arbiter.write('clusters/one/network.conf', 'nonsense\n');
    arbiter.addCluster('two');
    arbiter.addCluster('three');
    arbiter.write('clusters/three/cell.json', '{"format":2,"cell":{}}');
    const { status: code, stderr } = reload();
    expect(code).toBe(1);
    expect(stderr).toMatch(/two added\ncluster one: .*network.conf:1: .*\ncluster three: .*newer arbiter/);
    await until(() => arbiter.said.includes('(MCR00003)'));
    expect(arbiter.said.match(/of cluster (one|three) was not read: .*MCR00004/g)).toHaveLength(2);
    expect(await one.tell()).not.toBeNull();
    expect(await server('server1', 'two').tell()).not.toBeNull();
    expect(await server('server1', 'three').tell({}, shortly)).toBeNull();
    const { clusters, left_out } = status();
    expect(clusters.map((it) => [it.cluster, it.problem !== null])).toEqual([
      ['one', true],
      ['two', false],
    ]);
    expect(left_out.map(({ cluster }) => cluster)).toEqual(['three']);
    expect(arbiter.ctl('status').stdout).toMatch(/why: cluster three is not answered: /);

    arbiter.write('clusters/one/network.conf', arbiter.network());
    rmSync(join(arbiter.dir, 'clusters/three'), { recursive: true });
    expect(reload()).toMatchObject({ status: 0, stdout: 'nothing has changed\n' });
  });

  it('with mistakes in arbitration.conf, or another port, leaves everything as it was', async () => {
    await arbiter.start();
    arbiter.addCluster('two');
    arbiter.write('arbitration.conf', 'port = 1\n');
    expect(reload()).toMatchObject({ status: 1 });
    arbiter.write('arbitration.conf', arbiter.conf().replace(String(arbiter.port), '1'));
    expect(reload().stderr).toMatch(/needs a restart/);
    expect(status().clusters).toHaveLength(1);
    arbiter.write('arbitration.conf', arbiter.conf());
    arbiter.signal('SIGHUP');
    await until(() => arbiter.said.includes('two added (MCR00003)'));
    expect(status().clusters).toHaveLength(2);
  });
});

describe('what an arbiter says', () => {
  it('tells which servers are online, and whose times do not go with its own', async () => {
    arbiter.write(
      'arbitration.conf',
      arbiter.conf('heartbeat_retry = 0').replace('heartbeat_interval = 50', 'heartbeat_interval = 500'),
    );
    await arbiter.start();
    const one = server('server1');
    const hasty = new TalkingServer(view('server2', 'standby'), arbiter.port, keyOf('one'), {
      ...{ heartbeatIntervalMs: 1, heartbeatTimeoutMs: 400 },
    });
    servers.push(hasty);
    await one.tell();
    await hasty.tell();
    await one.vote({ cells: await named(one) });
    expect(arbiter.ctl('status').stdout).toBe(
      [
        'cluster  server_id  host       status  term  holder',
        '----------------------------------------------------',
        'one      server1    127.0.0.1  online  1     server1',
        'one      server2    127.0.0.1  online  1     server1',
        '',
      ].join('\n'),
    );
    expect(arbiter.said).toMatch(/NOTICE: cluster one: server1 is online \(MCR00006\)/);
    expect(arbiter.said).toMatch(/cluster one: term 1 is given to server1 \(MCR00008\)/);
    expect(arbiter.said).toMatch(
      /WARNING: cluster one: server2 gives a silent server up after 1.203 s, but .* for 1.5 s \(MCR00094\)/,
    );
    expect(arbiter.said).not.toMatch(/server1 gives a silent/);
    hasty.link.close();
    await until(() => arbiter.said.includes('cluster one: server2 is offline (MCR00007)'));
    const [cluster] = status().clusters;
    expect(cluster?.servers.find((it) => it.server_id === 'server2')?.status).toBe('offline');
    expect(cluster).toMatchObject({ arbiter_id: 'arbiter1', term: 1, holder: 'server1', unwritten: null });
  });

  it('names a connection of another key once, and nothing of any key', async () => {
    await arbiter.start();
    const foreign = server('server1', 'one', keyOf('foreign'));
    await foreign.tell({}, shortly);
    expect(arbiter.said.match(/MCR00013/g)).toHaveLength(1);
    for (const key of [keyOf('one'), keyOf('foreign')]) expect(arbiter.said).not.toContain(key);
  });
});

describe('mc_arb', () => {
  it('starts, shows and stops an arbiter', () => {
    expect(arbiter.ctl('start')).toMatchObject({ status: 0, stderr: '' });
    expect(arbiter.ctl('status').stdout).toMatch(/one +server1 +127.0.0.1 +offline +0 +-\n/);
    expect(arbiter.ctl('start')).toMatchObject({ status: 1, stderr: /already running/ });
    expect(arbiter.ctl('stop')).toMatchObject({ status: 0, stderr: '' });
    for (const mode of ['stop', 'status', 'reload'])
      expect(arbiter.ctl(mode)).toMatchObject({ status: 1, stderr: /is not running/ });
    const log = readFileSync(join(arbiter.dir, 'arbiter.log'), 'utf8');
    expect(log).toMatch(/MirroringControllerArbiter\[\d+\]: INFO: arbiter .* started in .* \(MCR00001\)/);
    expect(log).toContain('(MCR00002)');
  });

  it('keeps a second arbiter out of the directory, and says who has its port', async () => {
    await arbiter.start();
    const second = new RealArbiter(bundle, arbiter.port);
    try {
      expect(await second.start()).toBe(1);
      expect(second.said).toMatch(/MCF013 .*the port of the arbiter 127.0.0.1:\d+ cannot be opened/);
    } finally {
      await second.remove();
    }
    const { pid } = arbiter;
    expect(await arbiter.start()).toBe(6);
    expect(arbiter.said).toContain(`already running: process ${pid}`);
    process.kill(pid, 'SIGTERM');
  });

  it('ends a hung arbiter by force, and only with -e', async () => {
    await arbiter.start();
    arbiter.signal('SIGSTOP');
    expect(arbiter.ctl('stop')).toMatchObject({ status: 1, stderr: /does not answer/ });
    expect(arbiter.ctl('stop', '-e')).toMatchObject({ status: 0, stderr: /ended by force/ });
  });

  it('explains wrong command lines, users and directories', async () => {
    expect(arbiter.ctl('--help').stdout).toContain('mc_arb reload');
    expect(arbiter.ctl('stop', '--help').stdout).toMatch(/^mc_arb stop: /);
    const usage = (...args: string[]) => [arbiter.ctl(...args).status, arbiter.ctl(...args).stderr];
    expect(usage('strat')).toEqual([3, expect.stringContaining("did you mean 'start'")]);
    expect(usage('status', '-e')).toEqual([3, expect.stringContaining('status does not know --emergency')]);
    expect(usage('start', '-w', '-W')).toEqual([3, expect.stringContaining('contradict')]);
    expect(usage('status', '-M', '/nowhere')).toEqual([3, expect.stringContaining('MCF001')]);
    if (process.getuid?.() === 0)
      expect(arbiter.ctlAs(false, 'status')).toMatchObject({ status: 3, stderr: /MCF011 .*root may not/ });
  });
});
