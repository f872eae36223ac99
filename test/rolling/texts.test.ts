/** What stands on the hosts and what they answer: orders, rows, jobs, offers of packages, proofs. */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { otherCollations } from '../../src/rolling/collations.ts';
import { orderText, parseOrder } from '../../src/rolling/order.ts';
import { choose, readOffer, unlike } from '../../src/rolling/packages.ts';
import {
  directoryOf,
  endScript,
  fileNames,
  guardScript,
  guardStatus,
  lookScript,
  orderScript,
  readHost,
  readJob,
  rowScript,
  skipScript,
  waitScript,
} from '../../src/rolling/place.ts';
import { readProof } from '../../src/rolling/proof.ts';
import { emptyRow, parseRow, rowText } from '../../src/rolling/row.ts';
import { changing } from '../../src/verbs/rolling/begin.ts';
import { orderFor } from './samples.ts';

const sh = (script: string): string => execFileSync('sh', ['-c', script], { encoding: 'utf8' });

describe('an order', () => {
  it('comes back as it was written, and no other text is one', () => {
    const order = orderFor({
      packages: { server2: { a: '1' } },
      run: 'hash',
      command: "echo 'it'",
      validate: 'true',
    });
    const parsed = parseOrder(orderText(order));
    expect(parsed.ok && parsed.value).toEqual(order);
    for (const text of [
      '',
      '{',
      '{}',
      'null',
      orderText(order).replace('"format": 1', '"format": 2'),
      orderText({ ...order, work: { ...order.work, reboot: 'x' as never } }),
    ])
      expect(parseOrder(text).ok, text).toBe(false);
  });

  it('stands in a directory of its owner alone, whole, and the rest of an earlier one is gone', () => {
    const directory = join(mkdtempSync(join(tmpdir(), 'rolling-')), 'shop.server2');
    const order = orderText(orderFor({ command: "echo $(id) `id` 'x'\n\\n %s" }));
    const place = (script: string) => script.replaceAll('/var/lib/pgduet', join(directory, '..'));
    sh(place(orderScript(directory, order)));
    sh(rowScript(directory, rowText(emptyRow('0badcafe'))));
    sh(skipScript(directory, ['0badcafe server3']));
    expect(readFileSync(join(directory, 'order'), 'utf8')).toBe(order);
    expect(statSync(directory).mode & 0o777).toBe(0o700);
    expect(statSync(join(directory, 'order')).mode & 0o777).toBe(0o600);
    const seen = readHost(sh(lookScript({ directory, dataDir: '/nowhere' })));
    expect(seen.order).toBe(order.trim());
    expect(parseRow(seen.row, '0badcafe')).toEqual(emptyRow('0badcafe'));
    expect(seen.skipped).toEqual(['0badcafe server3']);
    expect(seen.machineId).toBe(readFileSync('/etc/machine-id', 'utf8').trim());
    sh(endScript(directory, '0badcafe', 'done'));
    expect(readHost(sh(lookScript({ directory, dataDir: '/nowhere' }))).ended).toBe('0badcafe done');
    sh(place(orderScript(directory, order)));
    expect(existsSync(join(directory, 'row'))).toBe(false);
    expect(existsSync(join(directory, 'skipped'))).toBe(false);
  });

  it('counts, and is written, only where nobody else can have put it', () => {
    const parent = mkdtempSync(join(tmpdir(), 'rolling-'));
    const directory = join(parent, 'shop.server2');
    const write = () =>
      spawnSync('sh', ['-c', orderScript(directory, 'x').replaceAll('/var/lib/pgduet', parent)]);
    const order = () => readHost(sh(lookScript({ directory, dataDir: '/nowhere' }))).order;
    expect([write().status, order()]).toEqual([0, 'x']);
    chmodSync(parent, 0o777);
    expect([write().status, order()]).toEqual([1, '']);
    chmodSync(parent, 0o755);
    chmodSync(directory, 0o770);
    expect([write().status, order()]).toEqual([1, '']);
    chmodSync(directory, 0o700);
    renameSync(directory, `${directory}.else`);
    symlinkSync(`${directory}.else`, directory);
    expect([write().status, order()]).toEqual([1, '']);
  });

  it('of another id says nothing of a row', () => {
    expect(parseRow(rowText({ id: 'other', done: [] }), '0badcafe')).toEqual(emptyRow('0badcafe'));
    expect(parseRow('{', '0badcafe')).toEqual(emptyRow('0badcafe'));
  });
});

describe('what is mounted', () => {
  it('is named by what is on the disk, whose own name may change with a reboot', () => {
    const bin = mkdtempSync(join(tmpdir(), 'mounts-'));
    const look = (disk: string, uuid: string) => {
      writeFileSync(
        join(bin, 'findmnt'),
        `#!/bin/sh\ncase $* in *UUID*) printf '%-20s /  /data\\n' '${uuid}';; *) echo '${disk} /data';; esac\n`,
      );
      chmodSync(join(bin, 'findmnt'), 0o755);
      return readHost(sh(`PATH=${bin}:$PATH\n${lookScript({ directory: bin, dataDir: '/data' })}`)).mounts;
    };
    expect(look('/dev/sda1', 'aa-bb')).toBe(look('/dev/sdb1', 'aa-bb'));
    expect(look('/dev/sda1', 'aa-bb')).not.toBe(look('/dev/sda1', 'cc-dd'));
    expect(look('server:/export', '')).toBe('server:/export /data');
  });
});

describe('a guard', () => {
  const machineId = readFileSync('/etc/machine-id', 'utf8').trim();
  const status = (script: string): number => {
    try {
      sh(script);
      return 0;
    } catch (error) {
      return (error as { status: number }).status;
    }
  };

  it('stops on another machine, and where the data is that of a primary', () => {
    const dir = mkdtempSync(join(tmpdir(), 'guard-'));
    expect(status(guardScript({ machineId, dataDir: dir }))).toBe(0);
    expect(status(guardScript({ machineId: 'another', dataDir: dir }))).toBe(guardStatus);
    sh(`: > ${dir}/PG_VERSION`);
    expect(status(guardScript({ machineId, dataDir: dir }))).toBe(guardStatus);
    sh(`: > ${dir}/standby.signal`);
    expect(status(guardScript({ machineId, dataDir: dir }))).toBe(0);
  });
});

describe('a job', () => {
  const waited = (states: string) => {
    const directory = mkdtempSync(join(tmpdir(), 'job-'));
    const job = { directory, id: '0badcafe', step: 'command' };
    // Each question takes the next word; behind the last one the command has written its end.
    writeFileSync(join(directory, 'states'), states);
    writeFileSync(join(directory, 'command.begun'), '');
    writeFileSync(
      join(directory, 'systemctl'),
      `#!/bin/sh\nread -r word < ${directory}/states; sed -i 1d ${directory}/states\nif [ ! -s ${directory}/states ]; then echo 0 > ${directory}/command.rc; fi\nif [ "$word" = mute ]; then exit 1; fi; echo "$word"\ncase $word in active) ;; *) exit 3;; esac\n`,
    );
    chmodSync(join(directory, 'systemctl'), 0o755);
    return readJob(sh(`PATH=${directory}:$PATH\n${waitScript(job)}`)).kind;
  };

  it('is waited for while it ends, and while systemd itself is replaced', () => {
    expect(waited('active\nmute\nactive\n')).toBe('known');
    expect(waited('active\ndeactivating\nactive\n')).toBe('known');
    expect(waited('active\ninactive\nactive\n')).toBe('unknown');
    expect(waited('failed\nactive\n')).toBe('unknown');
  });

  it('is known, unknown, or none', () => {
    expect(readJob('known 3\nlast words\n')).toEqual({
      kind: 'known',
      status: 3,
      told: false,
      said: ['last words'],
    });
    expect(readJob('unknown\nhalf')).toEqual({ kind: 'unknown', said: ['half'] });
    expect(readJob('none\n')).toEqual({ kind: 'none' });
    expect(readJob('')).toEqual({ kind: 'none' });
  });
});

describe('packages', () => {
  const offer = readOffer(`have postgresql-15 15.8-1 15.9-1
have postgresql-contrib-15 - -
have openssl 3.0 3.0
lists 1700000000
new postgresql-15 15.9-1
new postgresql-16 16.1-1
new libssl3 3.1
new libc6:i386 2.36
gone nodejs
`);

  it('become exact versions of what is there; what would be removed or is another major is a point', () => {
    const { pins, words, points, read } = choose(
      'server2',
      offer,
      ['postgresql-15', 'openssl', 'postgresql-contrib-15'],
      15,
    );
    expect(pins).toEqual({
      'postgresql-15': '15.9-1',
      openssl: '3.0',
      'postgresql-16': '16.1-1',
      libssl3: '3.1',
    });
    expect(read).toBe(1_700_000_000);
    expect(words).toEqual([
      'postgresql-15 15.8-1 → 15.9-1',
      'with what they need: postgresql-16 16.1-1 libssl3 3.1 libc6:i386 2.36',
    ]);
    expect(points.map(({ what }) => what)).toEqual([
      'the package postgresql-contrib-15 is not installed',
      'the update would remove nodejs',
      'the update would bring postgresql-16, another major version',
    ]);
    expect(choose('server2', readOffer('have postgresql-15 15.8-1 15.8-1\n'), ['postgresql-15'], 15)).toEqual(
      { pins: { 'postgresql-15': '15.8-1' }, words: [], points: [], read: 0 },
    );
  });

  it('that are there and do not run yet are work, too', () => {
    const same = choose('server2', readOffer('have postgresql-15 15.9-1 15.9-1\n'), ['postgresql-15'], 15);
    const chosen = new Map([
      ['server2', same],
      ['server3', same],
    ]);
    expect([...changing(chosen, ['server3']).keys()]).toEqual(['server3']);
    expect([...changing(chosen, [])]).toEqual([]);
  });

  it('of two hosts have to be alike', () => {
    expect(
      unlike(
        new Map([
          ['a', { p: '1' }],
          ['b', { p: '2', q: '1' }],
        ]),
      ).map(({ host, what }) => [host, what]),
    ).toEqual([['b', 'it would get p 2, and a 1']]);
    expect(
      unlike(
        new Map([
          ['a', { p: '1' }],
          ['b', { p: '1' }],
        ]),
      ),
    ).toEqual([]);
    expect(unlike(new Map())).toEqual([]);
  });
});

describe('the proof of a host', () => {
  const reply = (stdout: string, status = 0) => ({ stdout, status, stderr: 'x: it failed\n' });
  const mounts = { before: 'a /data', now: 'a /data' };

  it('is content with the versions and mounts that were asked for', () => {
    expect(readProof(reply('p 1\n'), { pins: { p: '1' }, mounts })).toEqual([]);
    expect(readProof(reply('p 1\n'), { pins: { 'p:amd64': '1' }, mounts: { before: '', now: 'b' } })).toEqual(
      [],
    );
  });

  it('names what is wrong', () => {
    const problems = readProof(reply('p 0\nhalf-made\nwrong sshd would not start: x\n', 1), {
      pins: { p: '1', q: '2' },
      mounts: { before: 'a /data', now: 'b /' },
    });
    expect(problems).toEqual([
      'the look failed: x: it failed',
      'sshd would not start: x',
      'an installation of packages was cut off (dpkg --audit)',
      'p is 0, not 1',
      'q is not installed, not 2',
      'what is mounted is another thing than before the work: b /, not a /data',
    ]);
  });
});

describe('what a proof finds and a person has meant', () => {
  const wrong = {
    stdout: 'wrong sshd would not start: x\nwrong the data directory is not there\n',
    status: 0,
    stderr: '',
  };
  const about = { pins: {}, mounts: { before: 'a /data', now: 'b /data' } };
  it.each([
    [[], ['sshd would', 'the data', 'what is mounted']],
    [['mounts'], ['sshd would', 'the data']],
    [['sshd'], ['the data', 'what is mounted']],
    [['sshd', 'mounts', 'check'], ['the data']],
  ])('does not count: %j', (despite, left) => {
    const found = readProof(wrong, { ...about, despite });
    expect(found).toEqual(left.map((words) => expect.stringContaining(words)));
  });
});

describe('collations', () => {
  const reply = (sql: unknown) => ({ status: 0, stdout: '', stderr: '', sql });
  it('count where only the worked one differs', () => {
    expect(otherCollations(reply(['database a']), reply([]))).toEqual(['database a']);
    expect(otherCollations(reply(['database a']), reply(['database a']))).toEqual([]);
    expect(otherCollations(undefined, undefined)).toEqual([]);
  });
});

describe('a teardown', () => {
  it('takes away all that an update leaves', () => {
    const text = readFileSync(join(import.meta.dirname, '../../playbooks/teardown.yml'), 'utf8');
    const [, listed = ''] = /except: \[([^\]]*order[^\]]*)\]/.exec(text) ?? [];
    expect(listed.split(',').map((name) => name.trim())).toEqual(fileNames);
    expect(text).toContain(directoryOf('{{cluster.name}}', '{{host.name}}'));
  });
});
