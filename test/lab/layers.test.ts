/**
 * Proves that hosts in a prepared state are what they were when they were kept, that a state is made once, and never kept
 * by half. In: images. The layers lie in a directory of this test, so that nobody else's are removed.
 */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect } from 'vitest';
import { describeLab, labTest } from './harness/describe.ts';
import { type Host, Lab } from './harness/lab.ts';
import { prepared, type Recipe, removeOldLayers } from './harness/prepared.ts';
import { text } from './harness/run.ts';

/** What an overlay keeps in forms of its own, a small disk, and who the hosts are. */
const work = `set -e
rm /etc/issue; rm -r /etc/skel; mkdir /etc/skel; echo new >/etc/skel/file
ln /etc/skel/file /etc/skel/hard; install -o ops -m 640 /dev/null /srv/owned
echo small >/small/file`;

describeLab('hosts in a prepared state', () => {
  let store: string;
  let made = 0;
  const pair = (more: Partial<Recipe> = {}): Recipe => ({
    name: 'test',
    image: 'debian12',
    hosts: ['one', 'two'],
    ingredients: ['first'],
    async make(_lab, hosts) {
      made += 1;
      const addresses = hosts.map(({ address, address6 }) => `${address}/32 [${address6}]:22`).join(' ');
      for (const host of hosts) {
        await host.smallDisk('/small', 16);
        await host.sh(`${work}\necho '${addresses}' | tee /etc/peers >/small/peers`, { check: true });
      }
    },
    ...more,
  });
  const begin = async (lab: Lab, recipe: Recipe): Promise<Host[]> =>
    (await prepared(lab, recipe, { store })).hosts;
  const kept = (): string[] => readdirSync(store).filter((name) => /^test-\w+$/.test(name));

  beforeAll(() => {
    store = mkdtempSync(join(tmpdir(), 'pgduet-layers-'));
  });
  afterAll(() => {
    if (store !== undefined) rmSync(store, { recursive: true });
  });

  const expectPrepared = async (lab: Lab, [a, b]: readonly Host[]): Promise<void> => {
    if (!a || !b) throw new Error('two hosts are needed');
    for (const host of [a, b]) {
      const { stdout } = await host.sh(`hostname; ls /etc/issue /etc/skel; cat /etc/skel/hard /small/file
stat -c '%U %a %h' /srv/owned /etc/skel/file; cat /etc/peers; cmp /etc/peers /small/peers`);
      const peers = [a, b].map(({ address, address6 }) => `${address}/32 [${address6}]:22`).join(' ');
      expect(stdout).toBe(`${host.name}
/etc/skel:
file
hard
new
small
ops 640 1
root 644 2
${peers}
`);
      const strict = ['-F', 'none', '-o', 'BatchMode=yes', '-o', `UserKnownHostsFile=${lab.knownHosts}`];
      expect(await text('ssh', ...strict, '-i', lab.key, `root@${host.address}`, 'hostname')).toBe(host.name);
    }
  };

  labTest('are made once, also when two labs ask at once, and have addresses of their own lab', async () => {
    await using one = await Lab.open();
    await using two = await Lab.open();
    const [first, second] = await Promise.all([begin(one, pair()), begin(two, pair())]);
    expect(made).toBe(1);
    await expectPrepared(one, first);
    await expectPrepared(two, second);
    expect(first[0]?.address).not.toBe(second[0]?.address);
    // What differs from the image, no matter in which layer.
    const changes = first[0]?.changes();
    const found = ['/etc/issue', '/etc/skel/file', '/srv/owned', '/small/file', '/etc/peers'];
    expect(found.map((path) => changes?.get(path)?.how)).toEqual(['removed', 'new', 'new', 'new', 'new']);
  });

  labTest(
    'are as at the first start after a reset, with their cables, whatever was done to them',
    async () => {
      await using lab = await Lab.open();
      const [a, b] = (await begin(lab, pair())) as [Host, Host];
      await a.sh('rm -rf /etc/peers /srv; mkdir /srv; echo wrong >/small/file; echo x >/etc/issue', {
        check: true,
      });
      await a.smallDisk('/more', 16);
      await a.cutFrom(b);
      await b.cut();
      await b.powerOff();
      await lab.reset();
      await expectPrepared(lab, [a, b]);
      expect((await a.sh('ls -d /more; findmnt -n /more')).stdout).toBe('');
      expect((await a.sh(`timeout 5 bash -c 'head -c3 </dev/tcp/${b.address}/22'`)).stdout).toBe('SSH');
      expect(made).toBe(1);
    },
  );

  labTest('are made anew when what they follow from has changed', async () => {
    await using lab = await Lab.open();
    await begin(lab, pair({ ingredients: ['second'] }));
    expect(made).toBe(2);
    expect(kept()).toHaveLength(2);
  });

  labTest('are not kept when the making fails, or when an address in them could not be moved', async () => {
    await using lab = await Lab.open();
    const failing = pair({ ingredients: ['third'], make: () => Promise.reject(new Error('no luck')) });
    await expect(begin(lab, failing)).rejects.toThrow('no luck');
    const binary = pair({
      ingredients: ['fourth'],
      make: async (_, [host]) => {
        await host?.sh(`printf '\\000${host.address}' >/srv/binary`, { check: true });
      },
    });
    await expect(begin(lab, binary)).rejects.toThrow(
      'one cannot be kept: /srv/binary is binary and holds an address of the lab',
    );
    const other = pair({
      ingredients: ['fifth'],
      make: async (_, [host]) => {
        await host?.sh(`echo '${host.address}7' >/srv/other`, { check: true });
      },
    });
    await expect(begin(lab, other)).rejects.toThrow(/cannot be kept: \/srv\/other holds '[\d.]+/);
    expect(kept()).toHaveLength(2);
    // And the next one succeeds where these have failed.
    await begin(lab, pair({ ingredients: ['third'] }));
    expect(kept()).toHaveLength(3);
  });

  labTest('are forgotten when they were not used for long, but never under a running host', async () => {
    await using lab = await Lab.open();
    const hosts = await begin(lab, pair());
    const removed = await removeOldLayers(0, store);
    expect(removed).toHaveLength(2);
    expect(kept()).toHaveLength(1);
    await expectPrepared(lab, hosts);
    await lab.close();
    expect(await removeOldLayers(0, store)).toHaveLength(1);
  });
});
