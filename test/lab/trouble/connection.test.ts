/**
 * Hosts that cannot be reached or logged in to: exit status 4, a message that says what to do, and nothing done on
 * the other host. In: a pair of bare hosts, wiped between the situations.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect } from 'vitest';
import { describeLab, labTest } from '../harness/describe.ts';
import { DEPLOY_PASSWORD } from '../harness/lab.ts';
import { Run } from '../support/running.ts';
import { Trouble, traces } from './trouble.ts';

describeLab('a host that cannot be reached', () => {
  let pair: Trouble;
  beforeAll(async () => {
    pair = await Trouble.open();
  });
  afterAll(() => pair?.lab.close());

  const nothingDone = async () => {
    expect(await traces(pair.a)).toBe('');
    if (pair.b.running) expect(await traces(pair.b)).toBe('');
  };

  labTest('is off: exit 4 names it, and the host that is on stays untouched', async () => {
    // The lab keeps the address of a host that is off; without its cable nobody answers there, as in a real network.
    await Promise.all([pair.b.powerOff(), pair.b.cut()]);
    try {
      const document = await pair.fails(4);
      expect(document.diagnostics).toHaveLength(1);
      expect(document.diagnostics[0]).toMatchObject({ code: 'CON001', host: pair.b.name });
      expect(document.diagnostics[0]?.what).toContain(pair.b.address);
      expect(document.diagnostics[0]?.fix).toContain('host is on');
      await nothingDone();
      await pair.a.powerOff();
      const both = await pair.fails(4);
      expect(both.diagnostics.map((each) => each.host)).toEqual([pair.a.name, pair.b.name]);
      expect(both.diagnostics[0]?.what).toContain('refused');
    } finally {
      await pair.b.heal();
      await Promise.all([pair.a.powerOn(), pair.b.powerOn()]);
    }
  });

  labTest('has an unknown host key: exit 4 with the fingerprint, and the opt-in is named', async () => {
    const file = join(pair.lab.dir, 'only-a');
    const lines = readFileSync(pair.lab.knownHosts, 'utf8').split('\n');
    writeFileSync(file, lines.filter((line) => line.includes(pair.a.address)).join('\n'));
    const before = readFileSync(file, 'utf8');
    const document = await pair.fails(4, pair.write('unknown.yml', { ssh: { known_hosts: file } }));
    expect(document.diagnostics).toHaveLength(1);
    const [diagnostic] = document.diagnostics;
    expect(diagnostic).toMatchObject({ code: 'CON002', host: pair.b.name });
    expect(JSON.stringify(diagnostic)).toContain('SHA256:');
    expect(diagnostic?.fix).toContain('--accept-new-host-keys');
    expect(readFileSync(file, 'utf8')).toBe(before);
    await nothingDone();
  });

  labTest('has another host key than before: exit 4, and the opt-in for new keys does not help', async () => {
    const file = join(pair.lab.dir, 'changed');
    const other = join(pair.lab.dir, 'other-key');
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', other]);
    const key = readFileSync(`${other}.pub`, 'utf8').split(' ').slice(0, 2).join(' ');
    const lines = readFileSync(pair.lab.knownHosts, 'utf8').split('\n');
    const mine = lines.filter((line) => line.includes(pair.a.address));
    writeFileSync(file, `${mine.join('\n')}\n${pair.b.address} ${key}\n`);
    const inventory = pair.write('changed.yml', { ssh: { known_hosts: file } });
    const document = await pair.fails(4, inventory);
    expect(document.diagnostics).toHaveLength(1);
    expect(document.diagnostics[0]).toMatchObject({ code: 'CON003', host: pair.b.name });
    const insisting = await pair.run('provision', ['--yes', '--accept-new-host-keys'], inventory);
    expect(insisting.status).toBe(4);
    expect(insisting.stderr).toContain('CON003');
    expect(insisting.stderr).toContain(file);
    await nothingDone();
  });

  labTest('refuses the key: exit 4 with the user and the key that was tried', async () => {
    const stranger = join(pair.lab.dir, 'stranger');
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', stranger]);
    const inventory = pair.write('stranger.yml', {
      hosts: { [pair.b.name]: { ssh: { identity_file: stranger } } },
    });
    const document = await pair.fails(4, inventory);
    expect(document.diagnostics).toHaveLength(1);
    expect(document.diagnostics[0]).toMatchObject({ code: 'CON004', host: pair.b.name });
    expect(document.diagnostics[0]?.what).toContain("'root'");
    expect(document.diagnostics[0]?.why).toContain(stranger);
    await nothingDone();
  });

  labTest(
    'refuses the sudo password: exit 4, the password is shown nowhere; the right one does',
    async () => {
      const path = join(pair.lab.dir, 'sudo.yml');
      const ssh = { user: 'deploy', become: 'sudo', become_password: '@@' };
      writeFileSync(
        path,
        readFileSync(pair.write('deploy.yml', { ssh }), 'utf8').replace('"@@"', '!env SUDO_WORD'),
      );
      const run = (word: string) =>
        new Run(['provision', '-i', path, '--yes', '--json'], { SUDO_WORD: word }).ended;
      const wrong = await run('canary-not-the-password');
      expect(wrong.status).toBe(4);
      expect(wrong.stdout).toContain('CON006');
      expect(`${wrong.stdout}${wrong.stderr}`).not.toContain('canary-not');
      const document = JSON.parse(wrong.stdout) as { diagnostics: { host: string; fix: string }[] };
      expect(document.diagnostics.map((each) => each.host)).toEqual([pair.a.name, pair.b.name]);
      await nothingDone();
      const right = await run(DEPLOY_PASSWORD);
      expect(right, right.stderr).toMatchObject({ status: 0 });
      await pair.isWhole(pair.a, pair.b);
    },
  );
});
