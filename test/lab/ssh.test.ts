/**
 * The ssh adapter against real sshd: the contract of a session, every way to log in, every reason why not, and what is
 * left on a host when the network or the client dies. In: nothing. It must never touch a lab of another process.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { openTransport } from '../../src/transport/open.ts';
import type { Session, Transport } from '../../src/transport/port.ts';
import { buildClient, startClient } from '../transport/client-process.ts';
import { pause, sessionContract, shellContract } from '../transport/contract.ts';
import { diagnosticOf } from '../transport/expect-diagnostic.ts';
import { type HostWish, sampleHost } from '../transport/samples.ts';
import { describeLab, labTest } from './harness/describe.ts';
import { DEPLOY_PASSWORD, type Host, Lab } from './harness/lab.ts';

describeLab('ssh to real hosts', () => {
  let lab: Lab;
  let a: Host;
  let b: Host;
  let work: string;
  beforeAll(async () => {
    lab = await Lab.open();
    [a, b] = await lab.hosts(2);
    work = mkdtempSync(join(lab.dir, 'ssh-'));
  });
  afterAll(() => lab?.close());

  /** A transport of a person whose home directory is empty. */
  const transport = (
    options: {
      acceptNewHostKeys?: boolean;
      home?: string;
      sshAuthSock?: string;
      variables?: Readonly<Record<string, string>>;
    } = {},
  ): Transport => {
    const { acceptNewHostKeys = false, home = join(work, 'empty'), sshAuthSock, variables = {} } = options;
    return openTransport({
      acceptNewHostKeys,
      env: {
        home,
        user: 'nobody',
        variable: (name) => variables[name],
        ...(sshAuthSock ? { sshAuthSock } : {}),
      },
    });
  };
  const wish = (more: HostWish = {}): HostWish => ({
    address: a.address,
    user: 'root',
    identityFile: lab.key,
    knownHosts: lab.knownHosts,
    ...more,
  });
  const open = (more: HostWish = {}, by = transport()): Promise<Session> => by.open(sampleHost(wish(more)));
  /** Opens, runs one script, closes. */
  const runOnce = async (script: string, more: HostWish = {}, by = transport()): Promise<string> => {
    const session = await open(more, by);
    const { stdout } = await session.run(script);
    await session.close();
    return stdout.trim();
  };
  const home = (name: string): string => {
    const path = join(work, name);
    mkdirSync(join(path, '.ssh'), { recursive: true, mode: 0o700 });
    return path;
  };
  const keygen = (name: string, ...args: string[]): string => {
    const path = join(work, name);
    execFileSync('ssh-keygen', ['-q', '-N', '', ...args, '-f', path]);
    return path;
  };
  const authorize = (host: Host, key: string) =>
    host.sh(`echo '${readFileSync(`${key}.pub`, 'utf8').trim()}' >>/root/.ssh/authorized_keys`, {
      check: true,
    });

  sessionContract('ssh as root', () => open());
  shellContract('ssh as root', () => open());
  sessionContract('ssh with sudo', () => open({ user: 'ops', become: 'sudo' }));
  shellContract('ssh with sudo', () => open({ user: 'ops', become: 'sudo' }));

  describe('sudo', () => {
    labTest('with a password, which nothing on the host shows', async () => {
      const session = await open({ user: 'deploy', become: 'sudo', becomePassword: DEPLOY_PASSWORD });
      const look = await session.run(
        `id -u; echo $HOME; for p in /proc/[0-9]*; do cat $p/cmdline $p/environ; done 2>/dev/null | grep -c '[d]eploy-Sudo'`,
      );
      expect(look.stdout).toBe('0\n/root\n0\n');
      await session.close();
      expect(await a.journal()).not.toContain(DEPLOY_PASSWORD);
    });

    labTest('without a password where none is needed, even when one is given', async () => {
      expect(await runOnce('id -u', { user: 'ops', become: 'sudo', becomePassword: 'never sent' })).toBe('0');
      expect(await a.journal()).not.toContain('never sent');
    });

    labTest('a wrong password is given once and reported', async () => {
      const refused = open({ user: 'deploy', become: 'sudo', becomePassword: 'wrong-Password-1' });
      const diagnostic = await diagnosticOf(refused);
      expect(diagnostic.code).toBe('CON006');
      expect(diagnostic.what).toMatch(/does not accept the password of 'deploy'/);
      expect(JSON.stringify(diagnostic)).not.toContain('wrong-Password-1');
    });

    labTest('a password that is asked for and not given is reported', async () => {
      const diagnostic = await diagnosticOf(open({ user: 'deploy', become: 'sudo' }));
      expect(diagnostic).toMatchObject({ code: 'CON006', fix: expect.stringContaining('become_password') });
    });

    labTest('what sudo says is shown when it refuses', async () => {
      await a.sh(
        "useradd -m plain; install -d -m 700 -o plain /home/plain/.ssh; install -m 600 -o plain /root/.ssh/authorized_keys /home/plain/.ssh/; echo 'plain:plain' | chpasswd",
      );
      const refused = await diagnosticOf(open({ user: 'plain', become: 'sudo', becomePassword: 'plain' }));
      expect(refused).toMatchObject({ code: 'CON006', fix: expect.stringContaining('sudoers') });
      expect(refused.evidence?.join(' ')).toContain('not in the sudoers file');
      await a.sh("echo 'Defaults:ops requiretty' >/etc/sudoers.d/zz-tty");
      const terminal = await diagnosticOf(open({ user: 'ops', become: 'sudo' }));
      await a.sh('rm /etc/sudoers.d/zz-tty');
      expect(terminal).toMatchObject({ code: 'CON006', fix: expect.stringContaining('requiretty') });
    });

    labTest('sudo-rs in its place asks, refuses and lets in as well', async () => {
      const [other] = await lab.hosts(1, { image: 'debian13' });
      const sudo = (more: HostWish) => ({ address: other.address, become: 'sudo' as const, ...more });
      await other.sh(
        "ln -sf ../lib/cargo/bin/sudo /usr/bin/sudo; useradd -m plain; install -d -m 700 -o plain /home/plain/.ssh; install -m 600 -o plain /root/.ssh/authorized_keys /home/plain/.ssh/; echo 'plain:plain' | chpasswd",
        { check: true },
      );
      expect((await other.sh('sudo --version 2>&1')).stdout).toContain('sudo-rs');
      const known = { user: 'deploy', becomePassword: DEPLOY_PASSWORD };
      expect(await runOnce('id -u; echo $HOME', sudo(known))).toBe('0\n/root');
      expect(await runOnce('id -u', sudo({ user: 'ops' }))).toBe('0');
      const wrong = await diagnosticOf(open(sudo({ user: 'deploy', becomePassword: 'wrong-Password-1' })));
      expect(wrong).toMatchObject({ code: 'CON006', what: expect.stringContaining('does not accept') });
      const none = await diagnosticOf(open(sudo({ user: 'deploy' })));
      expect(none).toMatchObject({ code: 'CON006', fix: expect.stringContaining('become_password') });
      const refused = await diagnosticOf(open(sudo({ user: 'plain', becomePassword: 'plain' })));
      expect(refused).toMatchObject({ code: 'CON006', fix: expect.stringContaining('sudoers') });
      expect(await other.journal()).not.toContain(DEPLOY_PASSWORD);
    });
  });

  describe('host keys', () => {
    labTest('an unknown key stops the run and names its fingerprint', async () => {
      const diagnostic = await diagnosticOf(open({ knownHosts: join(work, 'none') }));
      const shown = execFileSync('ssh-keygen', [
        '-lf',
        join(a.disk, 'etc/ssh/ssh_host_ed25519_key.pub'),
      ]).toString();
      expect(diagnostic.code).toBe('CON002');
      expect(diagnostic.what).toContain(shown.split(' ')[1]);
      expect(diagnostic.what).toContain('ssh-ed25519');
      expect(diagnostic.fix).toContain('--accept-new-host-keys');
      expect(existsSync(join(work, 'none'))).toBe(false);
    });

    labTest(
      'a changed key is reported with file, line and both fingerprints, also when new keys are accepted',
      async () => {
        const file = join(work, 'changed');
        const other = readFileSync(`${keygen('other-host', '-t', 'ed25519')}.pub`, 'utf8')
          .split(' ')
          .slice(0, 2)
          .join(' ');
        writeFileSync(file, `# a comment\n${a.address} ${other}\n`);
        for (const acceptNewHostKeys of [false, true]) {
          const diagnostic = await diagnosticOf(open({ knownHosts: file }, transport({ acceptNewHostKeys })));
          expect(diagnostic.code).toBe('CON003');
          expect(diagnostic.evidence?.[0]).toContain(`(${file}:2)`);
          expect(diagnostic.evidence?.join(' ').match(/SHA256:/g)).toHaveLength(2);
        }
      },
    );

    labTest('a key of another type does not pass for a host that is known', async () => {
      const file = join(work, 'othertype');
      const rsa = readFileSync(`${keygen('other-rsa', '-t', 'rsa')}.pub`, 'utf8')
        .split(' ')
        .slice(0, 2)
        .join(' ');
      writeFileSync(file, `${a.address} ${rsa}\n`);
      const diagnostic = await diagnosticOf(
        open({ knownHosts: file }, transport({ acceptNewHostKeys: true })),
      );
      expect(diagnostic.code).toBe('CON003');
    });

    labTest('a new key is added when that is asked for, and known from then on', async () => {
      const file = join(work, 'new', 'known_hosts');
      const accepting = transport({ acceptNewHostKeys: true });
      const both = [
        runOnce('hostname', { knownHosts: file }, accepting),
        runOnce('hostname', { knownHosts: file, address: b.address }, accepting),
      ];
      expect(await Promise.all(both)).toEqual([a.name, b.name]);
      expect(statSync(file).mode & 0o777).toBe(0o600);
      expect(statSync(join(work, 'new')).mode & 0o777).toBe(0o700);
      expect(await runOnce('hostname', { knownHosts: file })).toBe(a.name);
      expect(await runOnce('hostname', { knownHosts: file, address: b.address })).toBe(b.name);
      expect(readFileSync(file, 'utf8').trim().split('\n')).toHaveLength(2);
    });

    labTest('hashed names are found', async () => {
      const file = join(work, 'hashed');
      writeFileSync(file, readFileSync(lab.knownHosts));
      execFileSync('ssh-keygen', ['-H', '-f', file], { stdio: 'ignore' });
      expect(readFileSync(file, 'utf8')).not.toContain(a.address);
      expect(await runOnce('hostname', { knownHosts: file })).toBe(a.name);
    });
  });

  describe('login', () => {
    labTest('over IPv6', async () => {
      expect(await runOnce('hostname', { address: a.address6 })).toBe(a.name);
    });

    labTest('with RSA and ECDSA keys', async () => {
      for (const type of ['rsa', 'ecdsa']) {
        const key = keygen(`id-${type}`, '-t', type);
        await authorize(a, key);
        expect(await runOnce('hostname', { identityFile: key })).toBe(a.name);
      }
    });

    labTest('with an encrypted key and its passphrase; without it the key file is to blame', async () => {
      const key = join(work, 'encrypted');
      execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', 'open sesame', '-f', key]);
      await authorize(a, key);
      expect(await runOnce('hostname', { identityFile: key, passphrase: 'open sesame' })).toBe(a.name);
      expect(await diagnosticOf(open({ identityFile: key }))).toMatchObject({
        code: 'CON005',
        fix: expect.stringContaining('ssh.passphrase'),
      });
      expect((await diagnosticOf(open({ identityFile: key, passphrase: 'wrong' }))).code).toBe('CON005');
      expect((await diagnosticOf(open({ identityFile: join(work, 'nowhere') }))).what).toContain('nowhere');
    });

    labTest('with an encrypted key that an agent holds, named or found', async () => {
      const socket = join(work, 'agent');
      const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' });
      try {
        while (!existsSync(socket)) await pause(10);
        const key = join(work, 'in-agent');
        const plain = keygen('in-agent', '-t', 'ed25519');
        await authorize(a, plain);
        execFileSync('ssh-add', ['-q', plain], {
          env: { ...process.env, SSH_AUTH_SOCK: socket },
          stdio: 'ignore',
        });
        execFileSync('ssh-keygen', ['-q', '-p', '-N', 'secret phrase', '-f', key], { stdio: 'ignore' });
        const by = transport({ sshAuthSock: socket });
        expect(await runOnce('hostname', { identityFile: key }, by)).toBe(a.name);
        const found = sampleHost({ address: a.address, user: 'root', knownHosts: lab.knownHosts });
        const session = await by.open(found);
        expect((await session.run('hostname')).stdout.trim()).toBe(a.name);
        await session.close();
      } finally {
        agent.kill();
        await once(agent, 'exit');
      }
    });

    labTest('with a password, directly and by keyboard-interactive', async () => {
      const byPassword = sampleHost({
        address: a.address,
        user: 'deploy',
        knownHosts: lab.knownHosts,
        password: DEPLOY_PASSWORD,
      });
      const session = await transport().open(byPassword);
      expect((await session.run('id -un')).stdout).toBe('deploy\n');
      await session.close();
      await a.sh(
        "printf 'PasswordAuthentication no\\nKbdInteractiveAuthentication yes\\n' >/etc/ssh/sshd_config.d/05-kbd.conf; systemctl restart ssh",
        { check: true },
      );
      const other = await transport().open(byPassword);
      expect((await other.run('id -un')).stdout).toBe('deploy\n');
      await other.close();
      await a.sh('rm /etc/ssh/sshd_config.d/05-kbd.conf; systemctl restart ssh', { check: true });
    });

    labTest('a refusal says who, what was tried and what the host would take', async () => {
      const key = keygen('stranger', '-t', 'ed25519');
      const diagnostic = await diagnosticOf(open({ identityFile: key }));
      expect(diagnostic.code).toBe('CON004');
      expect(diagnostic.what).toContain("'root'");
      expect(diagnostic.why).toContain(key);
      expect(diagnostic.why).toContain('publickey');
      const password = sampleHost({
        address: a.address,
        user: 'deploy',
        knownHosts: lab.knownHosts,
        password: 'not-it-at-all',
      });
      const refused = await diagnosticOf(transport().open(password));
      expect(refused.code).toBe('CON004');
      expect(JSON.stringify(refused)).not.toContain('not-it-at-all');
      const nothing = sampleHost({ address: a.address, user: 'root', knownHosts: lab.knownHosts });
      expect((await diagnosticOf(transport().open(nothing))).why).toContain('no key and no password');
    });
  });

  describe('the ssh configuration', () => {
    labTest('names, users, keys and files of a home directory are used as ssh uses them', async () => {
      const path = home('configured');
      writeFileSync(
        join(path, '.ssh/config'),
        `Include conf.d/*\nHost *\n  User nobody\n  UserKnownHostsFile ${lab.knownHosts}\n`,
      );
      mkdirSync(join(path, '.ssh/conf.d'));
      writeFileSync(
        join(path, '.ssh/conf.d/lab'),
        `Host db*\n  HostName ${a.address}\n  User root\n  IdentityFile ~/.ssh/lab\n`,
      );
      writeFileSync(join(path, '.ssh/lab'), readFileSync(lab.key), { mode: 0o600 });
      const session = await transport({ home: path }).open(sampleHost({ address: 'db1' }));
      expect((await session.run('id -un; hostname')).stdout).toBe(`root\n${a.name}\n`);
      await session.close();
    });

    labTest(
      'variables lead to the key and the known hosts, and one that is not set stops the run',
      async () => {
        const path = home('variables');
        writeFileSync(
          join(path, '.ssh/config'),
          `Host *\n  User root\n  HostName ${a.address}\n  IdentityFile \${HOME}/.ssh/\${KEY}\n  UserKnownHostsFile \${KNOWN}\n`,
        );
        writeFileSync(join(path, '.ssh/lab'), readFileSync(lab.key), { mode: 0o600 });
        const asTold = (variables: Readonly<Record<string, string>>) =>
          transport({ home: path, variables }).open(sampleHost({ address: 'db1' }));
        const session = await asTold({ KEY: 'lab', KNOWN: lab.knownHosts });
        expect((await session.run('hostname')).stdout).toBe(`${a.name}\n`);
        await session.close();
        expect(await diagnosticOf(asTold({ KNOWN: lab.knownHosts }))).toMatchObject({
          code: 'CON008',
          what: expect.stringContaining('IdentityFile'),
          fix: expect.stringContaining('Set KEY'),
        });
      },
    );

    labTest('a jump host is logged in to on its own, and its key is checked too', async () => {
      const file = join(work, 'jump-config');
      writeFileSync(
        file,
        `Host inner\n  HostName ${a.address}\n  ProxyJump root@${b.address}\nHost *\n  IdentityFile ${lab.key}\n`,
      );
      const jump = { address: 'inner', configFile: file };
      expect(await runOnce('hostname; echo "${SSH_CONNECTION%% *}"', jump)).toBe(`${a.name}\n${b.address}`);
      const own = readFileSync(lab.knownHosts, 'utf8')
        .split('\n')
        .filter((line) => line.includes(a.address));
      writeFileSync(join(work, 'without-b'), `${own.join('\n')}\n`);
      const unknown = await diagnosticOf(open({ ...jump, knownHosts: join(work, 'without-b') }));
      expect(unknown).toMatchObject({ code: 'CON009', what: expect.stringContaining('not known') });
      await b.sh(
        "echo 'AllowTcpForwarding no' >/etc/ssh/sshd_config.d/05-forward.conf; systemctl restart ssh",
        { check: true },
      );
      const prohibited = await diagnosticOf(open(jump));
      await b.sh('rm /etc/ssh/sshd_config.d/05-forward.conf; systemctl restart ssh', { check: true });
      expect(prohibited).toMatchObject({
        code: 'CON009',
        fix: expect.stringContaining('AllowTcpForwarding'),
      });
    });
  });

  describe('a host that is not there', () => {
    labTest('every reason has its own words', async () => {
      // A refusal is an answer: whoever waited for the time limit would wait longer than this test may take.
      const refused = await diagnosticOf(open({ port: 2, connectTimeoutMs: 3_600_000 }));
      expect(refused).toMatchObject({ code: 'CON001', what: expect.stringContaining('refused') });
      const nameless = await diagnosticOf(open({ address: 'no-such-host.invalid' }));
      expect(nameless).toMatchObject({ code: 'CON001', what: expect.stringContaining('has no address') });
      await b.cut();
      const silent = await diagnosticOf(open({ address: b.address, connectTimeoutMs: 800 }));
      await b.heal();
      expect(silent).toMatchObject({
        code: 'CON001',
        what: expect.stringContaining('within 0.8 s'),
        fix: expect.stringMatching(/firewall drops.*knock/),
      });
      await b.freeze();
      const stuck = await diagnosticOf(open({ address: b.address, connectTimeoutMs: 800 }));
      await b.thaw();
      expect(stuck).toMatchObject({ code: 'CON001', what: expect.stringContaining('did not speak ssh') });
    });

    labTest(
      'an sshd that speaks nothing in common says what is missing, and how it comes there',
      async () => {
        const withLines = async (lines: string): Promise<Awaited<ReturnType<typeof diagnosticOf>>> => {
          await b.sh(`printf '${lines}\\n' >/etc/ssh/sshd_config.d/05-odd.conf; systemctl restart ssh`, {
            check: true,
          });
          const diagnostic = await diagnosticOf(open({ address: b.address }));
          await b.sh('rm /etc/ssh/sshd_config.d/05-odd.conf; systemctl restart ssh', { check: true });
          expect(diagnostic).toMatchObject({
            code: 'CON001',
            what: expect.stringContaining('no ssh algorithm in common'),
          });
          return diagnostic;
        };
        const quantum = await withLines('KexAlgorithms sntrup761x25519-sha512@openssh.com');
        expect(quantum.what).toContain('no matching key exchange algorithm');
        expect(quantum.fix).toMatch(/curve25519-sha256 to KexAlgorithms.*sntrup761/);
        const cipher = await withLines('Ciphers aes256-cbc');
        expect(cipher.fix).toContain('Ciphers');
      },
    );

    labTest('only rsa-sha2, one session, no forwarding and no terminal are enough', async () => {
      await b.sh(
        "test -e /etc/ssh/ssh_host_rsa_key || ssh-keygen -q -t rsa -N '' -f /etc/ssh/ssh_host_rsa_key; printf 'HostKey /etc/ssh/ssh_host_rsa_key\nHostKeyAlgorithms rsa-sha2-256\nMaxSessions 1\nDisableForwarding yes\nPermitTTY no\n' >/etc/ssh/sshd_config.d/05-odd.conf; systemctl restart ssh",
        { check: true },
      );
      const known = join(work, 'rsa');
      writeFileSync(
        known,
        `${b.address} ${readFileSync(join(b.disk, 'etc/ssh/ssh_host_rsa_key.pub'), 'utf8')}`,
      );
      expect(await runOnce('hostname', { address: b.address, knownHosts: known })).toBe(b.name);
      await b.sh('rm /etc/ssh/sshd_config.d/05-odd.conf; systemctl restart ssh', { check: true });
    });

    labTest('an account that may begin no session is told, with what limits it', async () => {
      await b.sh("printf 'MaxSessions 0\\n' >/etc/ssh/sshd_config.d/05-odd.conf; systemctl restart ssh", {
        check: true,
      });
      const diagnostic = await diagnosticOf(open({ address: b.address }));
      await b.sh('rm /etc/ssh/sshd_config.d/05-odd.conf; systemctl restart ssh', { check: true });
      expect(diagnostic).toMatchObject({ code: 'CON007', fix: expect.stringContaining('MaxSessions') });
    });

    labTest('an sshd that takes no more connections is named, with the limit that it has', async () => {
      await b.sh(
        "printf 'MaxStartups 1:100:1\nLoginGraceTime 60\n' >/etc/ssh/sshd_config.d/05-odd.conf; systemctl restart ssh",
        { check: true },
      );
      const held = connect(22, b.address);
      await once(held, 'data');
      const diagnostic = await diagnosticOf(open({ address: b.address }));
      held.destroy();
      await b.sh('rm /etc/ssh/sshd_config.d/05-odd.conf; systemctl restart ssh', { check: true });
      expect(diagnostic).toMatchObject({
        code: 'CON001',
        what: expect.stringContaining('ended before the login'),
        fix: expect.stringContaining('MaxStartups'),
      });
    });

    labTest('something that is not sshd is told apart', async () => {
      await b.sh(
        'systemd-run --unit=notssh sh -c \'while :; do echo hello there | timeout 5 python3 -c "import socket,sys;s=socket.create_server((str(),2222));c,_=s.accept();c.send(b\\"220 smtp\\\\r\\\\n\\");c.close()"; done\'',
      );
      while (
        !(await new Promise<boolean>((resolve) =>
          connect(2222, b.address)
            .once('connect', () => resolve(true))
            .once('error', () => resolve(false)),
        ))
      )
        await pause(100);
      await pause(300);
      const diagnostic = await diagnosticOf(open({ address: b.address, port: 2222 }));
      await b.sh('systemctl stop notssh');
      expect(diagnostic.code).toBe('CON001');
    });
  });

  describe('a connection that breaks', () => {
    const cluster = 'breaks';
    /** The host itself takes a client for dead after 45 s; here it is the end of the connection that tells it. */
    const soonerThanSilence = { timeout: 30_000 };
    const sleeps = async (host: Host, seconds: string) =>
      (await host.sh(`pgrep -fc '^sleep ${seconds}$'`)).stdout.trim();

    labTest(
      'a host that is cut off in mid-run is noticed by its silence, and lets go of the lock when it is back',
      async () => {
        const session = await open({ address: b.address });
        await session.lock({ cluster, owner: 'cut off', waitMs: 0 });
        const running = session.run('sleep 1000.5');
        await pause(300);
        await b.cut();
        // The keepalives of the session say so; the kernel would give the connection up after a quarter of an hour.
        const diagnostic = await diagnosticOf(running);
        expect(diagnostic).toMatchObject({
          code: 'CON007',
          what: expect.stringContaining('no answer for 15 s'),
        });
        await session.close();
        await b.heal();
        expect((await b.sh(`timeout 10 flock /run/lock/pgduet-${cluster}.lock true`)).status).toBe(0);
        expect(await sleeps(b, '1000.5')).toBe('0');
      },
    );

    labTest('when the client is killed, its script ends and the lock is free', async () => {
      const program = await buildClient(work);
      for (const more of [{}, { user: 'ops', become: 'sudo' as const }]) {
        const other = await open();
        const child = await startClient(program, {
          wish: wish(more),
          cluster,
          script: 'echo begun >&2; sleep 1000.25',
        });
        const request = { cluster, owner: 'other', waitMs: 0 };
        expect(await other.lock(request)).toEqual({ held: false, owner: 'the client' });
        expect(await sleeps(a, '1000.25')).toBe('1');
        child.kill('SIGKILL');
        await expect.poll(() => sleeps(a, '1000.25'), soonerThanSilence).toBe('0');
        expect(await other.lock(request)).toEqual({ held: true });
        await other.close();
      }
    });

    labTest('a host that loses its power is reported', async () => {
      const session = await open({ address: b.address });
      const running = session.run('sleep 1000');
      await pause(200);
      await b.sh('systemctl stop ssh; pkill -9 sshd');
      expect((await diagnosticOf(running)).code).toBe('CON007');
      await session.close();
      await b.sh('systemctl start ssh');
    });

    labTest('what the login shell prints by itself is no part of a reply', async () => {
      await b.sh("sed -i '1i echo noise; echo more noise >&2' /root/.bashrc");
      const session = await open({ address: b.address });
      expect(await session.run('echo reply')).toEqual({ status: 0, stdout: 'reply\n', stderr: '' });
      await session.close();
      expect(await runOnce('id -u', { address: b.address, user: 'ops', become: 'sudo' })).toBe('0');
    });

    labTest('an account without a shell is told apart from a broken line', async () => {
      await b.sh('chsh -s /usr/sbin/nologin ops');
      const session = await open({ address: b.address, user: 'ops' });
      const diagnostic = await diagnosticOf(session.run('true'));
      await b.sh('chsh -s /bin/bash ops');
      expect(diagnostic.what).toContain('ended before its first answer');
      expect(diagnostic.evidence?.join(' ')).toContain('not available');
      await session.close();
    });
  });
});
