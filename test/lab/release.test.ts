/**
 * A release, from the commit to a cluster: made twice in clones of this tree, installed on bare hosts that have no network but
 * the lab's, and used there as the operator's machine. In: this working tree. Out: nothing is left but the lab's usual images.
 */
import { copyFileSync, cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect } from 'vitest';
import { restartWords } from '../../src/verbs/options.ts';
import { verbs } from '../../src/verbs/registry.ts';
import { describeLab, labTest } from './harness/describe.ts';
import { type Host, type ImageName, Lab } from './harness/lab.ts';
import { run, text } from './harness/run.ts';
import { serverOf } from './support/instance.ts';
import { inventory } from './support/inventory.ts';
import { expectMultiplexed } from './support/multiplexed.ts';
import { clone, release, repositoryOf } from './support/release.ts';
import { offered } from './support/shells.ts';

const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8')) as {
  version: string;
};
const tarball = `pgduet-${version}.tgz`;
const deb = `pgduet_${version}_all.deb`;
const bill = `pgduet-${version}.cdx.json`;

let folder = '';
/** The folders of the two releases. */
let made: readonly string[] = [];
const file = (name: string): string => join(made[0] ?? '', name);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'pgduet-release-test-'));
  const origin = await repositoryOf(join(folder, 'origin'));
  const [one, other] = await Promise.all([
    clone(origin, join(folder, 'one')),
    clone(origin, join(folder, 'some', 'other', 'place')),
  ]);
  const said = await Promise.all([
    release(one, '022', { TZ: 'UTC', LANG: 'C.UTF-8' }),
    release(other, '077', { TZ: 'Pacific/Auckland', LANG: 'C' }),
  ]);
  for (const { status, stdout, stderr } of said) expect(status, `${stdout}${stderr}`).toBe(0);
  made = [join(one, 'release'), join(other, 'release')];
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** An account on the operator's machine with a key and the true host keys, and an inventory of the hosts. */
async function furnish(lab: Lab, operator: Host, hosts: readonly Host[], version: number): Promise<void> {
  const ssh = { user: 'root', identity_file: '~/.ssh/id_ed25519', known_hosts: '~/.ssh/known_hosts' };
  const home = join(operator.disk, 'home/ops');
  copyFileSync(lab.key, join(home, '.ssh/id_ed25519'));
  copyFileSync(lab.knownHosts, join(home, '.ssh/known_hosts'));
  copyFileSync(inventory(lab, hosts, { version, ssh }), join(home, 'inventory.yml'));
  await operator.sh('chown -R ops: ~ops; chmod 600 ~ops/.ssh/id_ed25519', { check: true });
}

/** With the documents and manual pages that the lab's images leave out. */
async function installDeb(host: Host): Promise<void> {
  copyFileSync(file(deb), join(host.disk, 'root', deb));
  const install = 'DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends';
  await host.sh(`set -e; cd /root; rm /etc/dpkg/dpkg.cfg.d/lab; apt-get update -q; ${install} ./${deb}`, {
    check: true,
  });
}

/** What an administrator expects of a package: whole, root's, in Debian's places, nothing that asks or runs. */
async function expectGoodPackage(host: Host): Promise<void> {
  const { stdout: wrong } = await host.sh(`dpkg --verify pgduet
dpkg -L pgduet | xargs -d '\n' stat -c '%U:%G %a %F %n' |
  grep -vE '^root:root (755 directory|777 symbolic link|644 regular file|755 regular file /usr/share/pgduet/dist/pgduet.js)'
dpkg -L pgduet | grep -vE '^/.$|^/usr(/bin(/pgduet)?)?$|^/usr/share(/(pgduet|man|doc))?(/|$)'
ls /var/lib/dpkg/info/pgduet.* | grep -vE '.(list|md5sums)$'`);
  expect(wrong).toBe('');
}

/** The libraries of the bill are those whose licences are in the package. */
function expectLicences(host: Host): void {
  const copyright = readFileSync(join(host.disk, 'usr/share/doc/pgduet/copyright'), 'utf8');
  expect(copyright).toContain('/usr/share/common-licenses/Apache-2.0');
  const found = [...copyright.matchAll(/^(\S+ \S+)\nLicence: \w/gm)].map(([, name]) => name);
  const { components } = JSON.parse(readFileSync(file(bill), 'utf8')) as {
    components: { name: string; version: string }[];
  };
  expect(found.sort()).toEqual(components.map((it) => `${it.name} ${it.version}`).sort());
  expect(components.map(({ name }) => name)).toEqual(expect.arrayContaining(['ssh2', 'pg', 'zod', 'yaml']));
}

async function expectManual(host: Host): Promise<void> {
  const pages = join(host.disk, 'usr/share/man');
  for (const page of ['pgduet', 'mc_ctl']) {
    expect(await text('man', '-M', pages, '-w', page)).toBe(join(pages, `man1/${page}.1.gz`));
    expect(await text('man', '-M', pages, page)).toContain(`${page.toUpperCase()}(1)`);
  }
}

/** The shells of this machine with the files of the host, which has bash alone. */
async function expectCompletions(host: Host): Promise<void> {
  const wanted: readonly (readonly [string, readonly string[]])[] = [
    ['pgduet pro', ['provision']],
    ['pgduet provision --rest', ['--restart']],
    ['pgduet provision --restart ', [...restartWords]],
    ['pgduet check --format=j', ['json', 'junit']],
    ['pgduet run /etc/hostn', ['hostname']],
    ['pgduet rebuild server1 --keep-copy /et', ['etc']],
  ];
  for (const shell of ['bash', 'zsh', 'fish'] as const) {
    const verbNames = verbs.map(({ name }) => name);
    expect(await offered(shell, host.disk, 'pgduet '), shell).toEqual(expect.arrayContaining(verbNames));
    for (const [line, words] of wanted)
      expect([shell, line, await offered(shell, host.disk, line)]).toEqual([shell, line, [...words].sort()]);
  }
}

/** As an ordinary user of the operator's machine, in the home directory. */
const asOps = (host: Host, script: string, status = 0) =>
  host.sh(script, { user: 'ops', timeoutMs: 120_000 }).then((said) => {
    expect(said.status, `${script}\n${said.stdout}${said.stderr}`).toBe(status);
    return said;
  });

describeLab('a release', () => {
  labTest('is the same, byte for byte, in another folder, with another umask and time zone', async () => {
    const [one = '', other = ''] = made;
    expect(readdirSync(one).sort()).toEqual(['SHA256SUMS', bill, tarball, deb].sort());
    const sums = readFileSync(join(one, 'SHA256SUMS'), 'utf8');
    expect(readFileSync(join(other, 'SHA256SUMS'), 'utf8')).toBe(sums);
    for (const directory of made)
      await run('sh', ['-c', 'cd "$1" && sha256sum --check --strict SHA256SUMS', 'sh', directory], {
        check: true,
      });
    expect(sums.trim().split('\n')).toHaveLength(3);
  });

  labTest('is not made of files that differ from the commit', async () => {
    const directory = dirname(made[0] ?? '');
    await run('sh', ['-c', 'echo >> "$1/playbooks/provision.yml"', 'sh', directory], { check: true });
    const said = await release(directory, '022');
    expect(said.status).toBe(1);
    expect(said.stderr).toContain('playbooks/provision.yml');
    expect(existsSync(file(deb))).toBe(true);
  });

  const operators: readonly { image: ImageName; hosts: ImageName; node: string; version: number }[] = [
    { image: 'debian12-bare', hosts: 'debian12', node: 'v18.', version: 15 },
    { image: 'debian13-bare', hosts: 'debian13', node: 'v20.', version: 17 },
  ];
  for (const { image, hosts, node, version: postgres } of operators) {
    labTest(`makes a bare ${image.slice(0, 8)} the operator's machine with one package`, async () => {
      await using lab = await Lab.open();
      const [operator, a, b] = [
        ...(await lab.hosts(1, { image, names: ['operator'] })),
        ...(await lab.hosts(2, { image: hosts, names: ['server1', 'server2'] })),
      ] as [Host, Host, Host];
      await Promise.all([installDeb(operator), furnish(lab, operator, [a, b], postgres)]);
      expect((await asOps(operator, 'node --version')).stdout).toContain(node);
      expect((await asOps(operator, 'pgduet --version')).stdout.trim()).toBe(version);
      await Promise.all([expectGoodPackage(operator), expectManual(operator), expectCompletions(operator)]);
      expectLicences(operator);
      // With a terminal, so that the tree of listr2 is drawn too.
      const drawn = await asOps(
        operator,
        'script -qec "stty columns 120 rows 50; pgduet provision --yes" /dev/null',
      );
      expect(drawn.stdout).toMatch(/[✔✓].*server1/);
      await expectMultiplexed({ primary: serverOf(a), standbys: [serverOf(b)], version: postgres });
      await asOps(operator, 'pgduet check');
      await operator.sh('apt-get purge -y -q pgduet', { check: true });
      expect((await operator.sh("find /usr /etc /var/lib -name '*pgduet*'")).stdout).toBe('');
    });
  }

  labTest('is an npm package that needs nothing else, and no network', async () => {
    await using lab = await Lab.open();
    const [host] = await lab.hosts(1, { image: 'debian13' });
    copyFileSync(file(tarball), join(host.disk, 'root', tarball));
    // Debian's npm has hundreds of packages; that of this machine is one folder.
    cpSync(join(await text('npm', 'root', '--global'), 'npm'), join(host.disk, 'opt/npm'), {
      recursive: true,
    });
    const said = await host.sh(`node /opt/npm/bin/npm-cli.js install --global --offline /root/${tarball}`, {
      check: true,
    });
    expect(said.stdout).toContain('added 1 package');
    expect((await asOps(host, 'pgduet --version')).stdout.trim()).toBe(version);
    await asOps(host, 'pgduet init -i inventory.yml && pgduet validate -i inventory.yml');
    const pages = join(host.disk, 'usr/share/man');
    expect(await text('man', '-M', pages, '-w', 'pgduet')).toContain('/node_modules/pgduet/man/pgduet.1');
  });
});
