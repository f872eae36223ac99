/**
 * Hosts whose owners have set them up in their own way: other login shells that speak, narrow umasks, sudo on a terminal, a /proc that hides, an
 * sshd that allows next to nothing, other languages and zones, a /tmp that takes nothing and runs nothing, a read-only /usr. All of it at
 * once on one pair, with sudo for a login that is not root; test/hosts draws the milder ones, ssh.test.ts has what cannot work. In: nothing.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect } from 'vitest';
import { describeLab, labTest } from '../harness/describe.ts';
import type { Host } from '../harness/lab.ts';
import { carryShell } from '../support/carried.ts';
import { freshPair, type LabCluster } from '../support/cluster.ts';
import { type Server, sql, untilMirroring } from '../support/instance.ts';
import { dataDir, managementDir } from '../support/inventory.ts';
import { expectMultiplexed, expectRowsTravel } from '../support/multiplexed.ts';
import { expectExit, findingsOf } from '../support/pgduet.ts';

const locale = (name: string): string => `localedef -i ${name} -f UTF-8 ${name}.UTF-8
for file in /etc/default/locale /etc/locale.conf /etc/environment; do printf 'LANG=${name}.UTF-8\\nLC_ALL=${name}.UTF-8\\n' >> $file; done`;

const umask = (mask: string): string => `sed -i 's/^UMASK.*/UMASK ${mask}/' /etc/login.defs
echo 'session optional pam_umask.so umask=${mask}' >> /etc/pam.d/common-session
for file in /etc/profile /etc/bash.bashrc /root/.profile; do echo 'umask ${mask}' >> $file; done`;

const firstHost = `set -e
usermod -s /usr/bin/fish ops; usermod -s /usr/bin/fish root
mkdir -p /etc/fish /home/ops/.config/fish
printf 'echo "Welcome to fish on $hostname"; echo "mind the gap" >&2; set -x LC_ALL de_DE.UTF-8; umask 077\\n' | tee /etc/fish/config.fish > /home/ops/.config/fish/config.fish
chown -R ops: /home/ops/.config
${umask('077')}
printf 'Defaults use_pty\\nDefaults umask=0077\\nDefaults umask_override\\nDefaults lecture=always\\n' > /etc/sudoers.d/zz; chmod 440 /etc/sudoers.d/zz
${locale('de_DE')}
ln -sf /usr/share/zoneinfo/Asia/Kathmandu /etc/localtime; echo Asia/Kathmandu > /etc/timezone
printf 'HostKey /etc/ssh/ssh_host_ed25519_key\\nHostKeyAlgorithms ssh-ed25519\\nPubkeyAcceptedAlgorithms ssh-ed25519\\n' > /etc/ssh/sshd_config.d/05-odd.conf
mount -o remount,hidepid=2 /proc
systemctl daemon-reexec; systemctl restart ssh`;

const secondHost = `set -e
usermod -s /usr/bin/tcsh ops; usermod -s /usr/bin/tcsh root
printf 'echo "Welcome to tcsh"; echo noise; umask 027; setenv LC_ALL tr_TR.UTF-8; alias ls "ls -F"; set noclobber\\n' | tee /etc/csh.cshrc /home/ops/.cshrc > /root/.cshrc
${umask('027')}
printf 'Defaults umask=0027\\nDefaults umask_override\\nDefaults !requiretty\\n' > /etc/sudoers.d/zz; chmod 440 /etc/sudoers.d/zz
${locale('tr_TR')}
ln -sf /usr/share/zoneinfo/Pacific/Chatham /etc/localtime; echo Pacific/Chatham > /etc/timezone
printf 'AUTHORISED USERS ONLY\\n' > /etc/issue.net; echo 'it rains' > /etc/motd
test -e /etc/ssh/ssh_host_rsa_key || ssh-keygen -q -t rsa -N '' -f /etc/ssh/ssh_host_rsa_key
printf 'HostKey /etc/ssh/ssh_host_rsa_key\\nHostKeyAlgorithms rsa-sha2-512,rsa-sha2-256\\nMaxSessions 1\\nDisableForwarding yes\\nPermitTTY no\\nPermitUserEnvironment no\\nBanner /etc/issue.net\\nPrintMotd yes\\n' > /etc/ssh/sshd_config.d/05-odd.conf
mount -t tmpfs -o size=1m,noexec,nosuid,nodev tmpfs /tmp; chmod 1777 /tmp
dd if=/dev/zero of=/tmp/full bs=64k 2>/dev/null || :
systemctl daemon-reexec; systemctl restart ssh`;

describeLab('odd hosts', () => {
  let pair: LabCluster;
  let a: Server;
  let b: Server;
  beforeAll(async () => {
    pair = await freshPair();
    [a, b] = [pair.primary, pair.standby];
    await carryShell(a.host, '/usr/bin/fish', '/usr/share/fish');
    await carryShell(b.host, '/usr/bin/tcsh');
    await a.host.sh(firstHost, { check: true });
    await b.host.sh(secondHost, { check: true });
    const known = join(pair.lab.dir, 'known-odd');
    const keyOf = ({ disk }: Host, type: string) =>
      readFileSync(join(disk, `etc/ssh/ssh_host_${type}_key.pub`), 'utf8');
    writeFileSync(
      known,
      `${a.host.address} ${keyOf(a.host, 'ed25519')}${b.host.address} ${keyOf(b.host, 'rsa')}`,
    );
    pair = pair.declared('odd.yml', {
      ssh: { user: 'ops', identity_file: pair.lab.key, known_hosts: known, become: 'sudo' },
    });
    [a, b] = [pair.primary, pair.standby];
  });
  afterAll(() => pair?.close());

  const cluster = () => ({ primary: a, standbys: [b], version: 15 });

  /** A /usr of its own mount, as images of a system have it. */
  const usr = async (mode: 'ro' | 'rw'): Promise<void> => {
    for (const { host } of [a, b])
      await host.sh(`mountpoint -q /usr || mount --bind /usr /usr; mount -o remount,${mode},bind /usr`, {
        check: true,
      });
  };

  labTest('they are as odd as they are meant to be', async () => {
    const shells = async ({ host }: Server) => (await host.sh("getent passwd ops | sed 's/.*://'")).stdout;
    expect([await shells(a), await shells(b)]).toEqual(['/usr/bin/fish\n', '/usr/bin/tcsh\n']);
    expect((await a.host.sh('ls -d /proc/1', { user: 'postgres' })).status).not.toBe(0);
    expect((await b.host.sh('echo x > /tmp/one')).status).not.toBe(0);
    expect((await b.host.sh('findmnt -no OPTIONS /tmp')).stdout).toContain('noexec');
  });

  labTest('provision makes the pair, and nothing is left to tell', async () => {
    expectExit(await pair.provision(), 0);
    await expectMultiplexed(cluster());
    const again = await pair.provision('--check');
    expectExit(again, 0);
    expect(findingsOf(await pair.check())).toEqual([]);
    expectExit(await pair.run('status'), 0);
  });

  labTest('a switch, a crash with a rebuild, and a rebuild by a copy', async () => {
    expectExit(await pair.run('switch', '--yes'), 0);
    await pair.untilSwitchable();
    expect(await sql(a, 'select pg_is_in_recovery()')).toBe('t');
    await b.host.sh(`kill -9 $(head -n 1 ${dataDir}/postmaster.pid)`, { check: true });
    await untilMirroring(a, 'switched', 30_000);
    expectExit(await pair.run('rebuild', b.id, '--yes'), 0);
    await pair.untilSwitchable();
    await b.host.sh('systemctl stop mcoi_inst1', { check: true });
    expectExit(await pair.run('rebuild', b.id, '--copy', '--yes'), 0);
    await pair.untilSwitchable();
    await expectRowsTravel(cluster());
    expect(findingsOf(await pair.check())).toEqual([]);
  });

  labTest('with /usr read-only they are checked, switched and restarted as before', async () => {
    await usr('ro');
    expect((await a.host.sh('touch /usr/x')).stderr).toContain('Read-only');
    expect(findingsOf(await pair.check())).toEqual([]);
    expectExit(await pair.provision(), 0);
    expectExit(await pair.run('switch', '--yes'), 0);
    await pair.untilSwitchable();
    expectExit(await pair.run('switch', '--yes'), 0);
    await pair.untilSwitchable();
    await a.host.sh('systemctl restart mcoi_inst1', { check: true });
    await pair.untilSwitchable();
  });

  labTest('what is to be written below a read-only /usr is refused, and nothing is changed', async () => {
    const program = '/usr/local/bin/mc_ctl';
    await usr('rw');
    await b.host.sh(`mv ${program} ${program}.away`, { check: true });
    await usr('ro');
    const said = await pair.provision();
    expectExit(said, 5);
    expect(said.all.replace(/\s+/g, ' ')).toContain(
      `SAF049 ${program} cannot be written: /usr/local/bin is on a file system that is mounted read-only`,
    );
    await usr('rw');
    await b.host.sh(`mv ${program}.away ${program}`, { check: true });
    expectExit(await pair.provision('--check'), 0);
  });

  labTest('teardown keeps the one whose /tmp is full, and leaves nothing on the other', async () => {
    expectExit(await pair.run('switch', '--to', b.id, '--yes'), 0);
    await pair.untilSwitchable();
    expectExit(await pair.run('teardown', '--yes'), 0);
    const left = await a.host.sh(
      `ls -d ${dataDir} ${managementDir} /usr/local/bin/mc_ctl /etc/systemd/system/mcoi* 2>/dev/null`,
    );
    expect(left.stdout).toBe('');
    expect(await sql(b, 'select pg_is_in_recovery()')).toBe('f');
  });
});
