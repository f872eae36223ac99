/**
 * Keys of <host>.conf that an inventory declares, on a running pair: a command that cannot run is told before, the controllers take over what
 * changes without a restart, the system log has their name and facility, a hand edit is told, and a key that is taken out again is gone. What the
 * unit takes from commands, and what is given back to them.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect } from 'vitest';
import { daemonsOf } from '../check/pair.ts';
import { describeLab, labTest } from '../harness/describe.ts';
import { until } from '../harness/run.ts';
import { failed, failing } from '../support/audit-points.ts';
import { type ClusterOptions, type LabCluster, provisionedPair } from '../support/cluster.ts';
import { type Server, sql, untilMirroring } from '../support/instance.ts';
import { asCommand, expectLimited } from '../support/limits.ts';
import { expectSwitchable } from '../support/multiplexed.ts';
import { expectExit, findingsOf, type Said } from '../support/pgduet.ts';

const hook = '/opt/hooks/switched';
const calls = '/var/tmp/calls';
const reports = '/var/tmp/reports';
const script = `#!/bin/sh
for word in "$@"; do printf '[%s]' "$word"; done >> ${calls}
echo " by $(id -un)" >> ${calls}
`;

const declared: ClusterOptions = {
  multiplexing: {
    syslog_ident: 'mc_pair',
    syslog_facility: 'LOCAL5',
    db_instance_check_interval: '600ms',
    db_instance_check_retry: 4,
    remote_call_timeout: '45s',
    post_switch_command: `${hook} --jobs "two words" %d`,
    expected_downtime: '3h',
    wal_per_hour: '700MB',
    core_file_path: reports,
  },
  host: (_, index) =>
    index === 0 ? { multiplexing: { syslog_ident: 'mc_first', disk_check_retry: 5 } } : {},
};

describeLab('keys of the controller', () => {
  let pair: LabCluster;
  let file: string;
  let before: readonly string[];
  beforeAll(async () => {
    pair = await provisionedPair();
    file = pair.inventory('keys.yml', declared);
    before = await Promise.all(pair.servers.map(configuration));
  });
  afterAll(() => pair?.close());

  const configuration = async ({ host, id, managementDir }: Server): Promise<string> =>
    (await host.sh(`cat ${managementDir}/${id}.conf`)).stdout;
  const running = () =>
    Promise.all(
      pair.servers.map(async (server) => {
        const { postmaster, controller } = await daemonsOf(server);
        return { postmaster, controller };
      }),
    );
  const provision = (from: string, ...more: string[]): Promise<Said> =>
    pair.command(['provision', '-i', from, '--yes', ...more]);
  const findings = async (from: string) =>
    findingsOf((await pair.command(['check', '-i', from, '--json'])).json());
  const named = async (from: string, code: string) =>
    (await findings(from)).filter((one) => one.code === code);
  const putHook = async (mode: string, text = script): Promise<void> => {
    for (const { host } of pair.servers) {
      await host.sh(`mkdir -p /opt/hooks; cat > ${hook}; chmod ${mode} ${hook}`, {
        input: text,
        check: true,
      });
    }
  };
  /** Messages of this name, with the facility that counts them among the local ones. */
  const logged = async ({ host }: Server, ident: string, facility: number): Promise<string> =>
    (await host.sh(`journalctl -q --no-pager -o short -t ${ident} SYSLOG_FACILITY=${facility}`)).stdout;

  labTest('a command that cannot run is told, and nothing is changed', async () => {
    const states: readonly [string, () => Promise<void>, string][] = [
      ['missing', async () => undefined, 'is not there'],
      ['not executable', () => putHook('0644'), 'regular file, root:root 644'],
      [
        'without its interpreter',
        () => putHook('0755', '#!/usr/bin/perl7 -w\n'),
        'its first line names /usr/bin/perl7',
      ],
      ['closed', () => putHook('0700'), 'regular file, root:root 700'],
    ];
    const processes = await running();
    for (const [state, make, words] of states) {
      await make();
      const said = await provision(file);
      expectExit(said, 5);
      expect([state, said.all]).toEqual([state, expect.stringContaining('SAF095')]);
      expect(said.all.replace(/\s+/g, ' ')).toContain(words);
      expect((await named(file, 'SAF095')).map(({ host }) => host)).toEqual(['server1', 'server2']);
    }
    expect(await Promise.all(pair.servers.map(configuration))).toEqual(before);
    expect(await running()).toEqual(processes);
  });

  labTest('what is declared is in force without a restart, and nothing is left to tell', async () => {
    await putHook('0755');
    const processes = await running();
    const without = await provision(file);
    expectExit(without, 5);
    expect(without.all).toContain(`'${reports}' for reports of a crash is not there`);
    for (const { host } of pair.servers)
      await host.sh(`install -d -o postgres -m 0700 ${reports}`, { check: true });
    expectExit(await provision(file), 0);
    expect(await running()).toEqual(processes);
    const [first, second] = await Promise.all(pair.servers.map(configuration));
    expect(first).toContain("syslog_ident = 'mc_first'");
    expect(first).toMatch(/^disk_check_retry = 5$/m);
    expect(second).toContain("syslog_ident = 'mc_pair'");
    expect(second).toMatch(/^disk_check_retry = 2$/m);
    for (const text of [first, second]) {
      expect(text).toMatch(/^db_instance_check_interval = 600\s/m);
      expect(text).toContain(`post_switch_command = '${hook} --jobs "two words" %d'`);
    }
    for (const server of pair.servers) {
      expect(await sql(server, 'SHOW wal_keep_size')).toBe('2100MB');
      expect(await sql(server, 'SHOW wal_receiver_status_interval')).toBe('2s');
    }
    await pair.primary.host.sh('systemctl kill -s USR2 --kill-who=main mcoi_inst1');
    await until(
      () => 'there is no report of the controller',
      20_000,
      async () => (await pair.primary.host.sh(`ls ${reports}`)).stdout.includes('report.') || undefined,
    );
    await expectSwitchable(pair);
    expect(await findings(file)).toEqual([]);
    expectExit(await provision(file, '--check'), 0);
  });

  labTest('the system log has the name and the facility', async () => {
    // What rsyslog would get: journald sends it there as a datagram, with the facility in front of the priority.
    const { host } = pair.standby;
    const listener = `import os, socket
path = '/run/systemd/journal/syslog'
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
if os.path.exists(path): os.unlink(path)
s.bind(path)
print('ready', flush=True)
while True: print(s.recv(65536).decode('utf8', 'replace').strip(), flush=True)
`;
    await host.sh('cat > /root/rsyslog.py', { input: listener, check: true });
    await host.sh(
      'mkdir -p /etc/systemd/journald.conf.d && printf "[Journal]\\nForwardToSyslog=yes\\n" > /etc/systemd/journald.conf.d/syslog.conf && systemctl restart systemd-journald',
    );
    await host.sh(
      'systemd-run --unit=syslog-like --property=StandardOutput=file:/root/syslog python3 /root/rsyslog.py',
    );
    await until(
      () => 'nobody listens for the messages of the journal',
      20_000,
      async () => (await host.sh('cat /root/syslog || :')).stdout.includes('ready') || undefined,
    );
    await host.sh('systemctl reload mcoi_inst1');
    // journald was restarted in between, and the stream of the controller has gone on.
    const arrived = await until(
      () => 'no message of the controller has arrived',
      20_000,
      async () => /^<17[0-7]>.*mc_pair\[\d+\]: .*$/m.exec((await host.sh('cat /root/syslog')).stdout)?.[0],
    );
    expect(arrived).toMatch(/mc_pair\[\d+\]: (LOG|INFO|NOTICE|WARNING): [^[\]]*\(MCA\d+\)$/);
    expect(await logged(pair.standby, 'mc_pair', 21)).toMatch(/ mc_pair\[\d+\]: \w+: .*\(MCA\d+\)$/m);
    await pair.primary.host.sh('systemctl reload mcoi_inst1');
    await until(
      () => 'the name of the first server is not in its journal',
      20_000,
      async () => /mc_first\[/.test(await logged(pair.primary, 'mc_first', 21)) || undefined,
    );
    expect(await logged(pair.primary, 'mc_pair', 21)).toBe('');
    // They still belong to the unit.
    expect((await host.sh('journalctl -q --no-pager -u mcoi_inst1 -t mc_pair -o cat')).stdout).toContain(
      'MCA',
    );
    await host.sh('systemctl stop syslog-like; rm -f /run/systemd/journal/syslog');
  });

  labTest('a hand edit is told with the place to declare it, and taken back', async () => {
    const { host, id, managementDir } = pair.standby;
    const whole = await configuration(pair.standby);
    await host.sh(`sed -i 's/^disk_check_retry = .*/disk_check_retry = 9/' ${managementDir}/${id}.conf`);
    const [told] = await named(file, 'FIL002');
    expect(told).toMatchObject({
      host: 'server2',
      declared: expect.stringContaining('multiplexing of the inventory'),
    });
    expectExit(await provision(file), 0);
    expect(await configuration(pair.standby)).toBe(whole);
  });

  labTest('the unit leaves to commands and queries what they need, and no more', () =>
    expectLimited(pair.primary),
  );

  labTest('a command is run with its own arguments first', async () => {
    expectExit(await pair.command(['switch', '-i', file, '--yes']), 0);
    const { host } = pair.standby;
    const ran = await until(
      () => 'the command was not run',
      20_000,
      async () => (await host.sh(`cat ${calls} 2>/dev/null || :`)).stdout || undefined,
    );
    expect(ran).toBe('[--jobs][two words][%d][server2][primarycenter] by postgres\n');
  });

  labTest('jobs that read wait from a switch until a standby is back, as the runbook has it', async () => {
    await pair.untilSwitchable();
    const page = readFileSync(join(import.meta.dirname, '../../../docs/runbooks/after-a-switch.md'), 'utf8');
    const [, text = ''] = /```sh\n(#!\/bin\/sh[\s\S]*?)```/.exec(page) ?? [];
    const commands = [...page.matchAll(/^ {2}(post_\w+_command): (.+)$/gm)].map(([, key, line]) => [
      key,
      line,
    ]);
    expect(commands.map(([key]) => key)).toEqual(['post_switch_command', 'post_attach_command']);
    const jobs = pair.inventory('jobs.yml', { multiplexing: Object.fromEntries(commands) });
    for (const { host } of pair.servers)
      await host.sh('cat > /usr/local/bin/reading-jobs; chmod 755 /usr/local/bin/reading-jobs', {
        input: text,
        check: true,
      });
    expectExit(await provision(jobs), 0);
    expectExit(await pair.command(['switch', '-i', jobs, '--yes']), 0);
    await pair.untilSwitchable();
    const { host } = pair.primary;
    const said = await until(
      () => 'the jobs were not told to go on',
      20_000,
      async () => {
        const lines = (await host.sh('journalctl -q --no-pager -o cat -t reading-jobs')).stdout;
        return lines.includes('resume') ? lines.trim().split('\n') : undefined;
      },
    );
    const log = (await host.sh('journalctl -q --no-pager -o short-precise -u mcoi_inst1 -n 60')).stdout;
    expect(said, log).toEqual([
      'pause server1 primarycenter',
      'resume server1 primary server2 primarycenter',
    ]);
    expect((await host.sh('ls /var/tmp/reading-jobs.paused')).status).not.toBe(0);
  });

  labTest('a key that is taken out again is at its default, and the file is as it was', async () => {
    await pair.untilSwitchable();
    expectExit(await provision(pair.file), 0);
    expect(await Promise.all(pair.servers.map(configuration))).toEqual(before);
    for (const server of pair.servers) expect(await sql(server, 'SHOW wal_keep_size')).toBe('1GB');
    expect(await findings(pair.file)).toEqual([]);
    const { host } = pair.primary;
    await host.sh('systemctl reload mcoi_inst1');
    await until(
      () => 'the default name is not in the journal',
      20_000,
      async () =>
        /MirroringControllerOpen\[/.test(await logged(pair.primary, 'MirroringControllerOpen', 16)) ||
        undefined,
    );
  });

  labTest('what an auditor asks for is one restart, and gone without the key', async () => {
    await pair.untilSwitchable();
    const settings = {
      max_connections: 50,
      shared_buffers: '16MB',
      shared_preload_libraries: 'pg_stat_statements',
      log_statement: 'ddl',
      log_error_verbosity: 'verbose',
    };
    const hard = pair.inventory('hard.yml', { postgres: { hardening: 'standard', settings } });
    // No source of these hosts has what cis loads: a server that is told to would not start.
    const cis = await provision(pair.inventory('cis.yml', { postgres: { hardening: 'cis', settings } }));
    expectExit(cis, 1);
    expect(cis.all.replace(/\s+/g, ' ')).toContain(
      "no package source of the host has 'postgresql-15-pgaudit'",
    );
    expect(await findings(pair.file)).toEqual([]);
    // What the inventory of the lab logs is more than nothing.
    expect(await failed(pair)).toEqual(failing('before').filter((point) => point !== '3.1.25'));
    const plan = await provision(hard, '--check');
    expect(plan.stdout).toContain('PostgreSQL is restarted on: server1, server2');
    expectExit(await provision(hard), 0);
    expect(await findings(hard)).toEqual([]);
    for (const server of pair.servers) {
      expect(await sql(server, 'SHOW shared_preload_libraries')).toBe(
        'pg_stat_statements, auth_delay, passwordcheck',
      );
      expect(await sql(server, 'SHOW log_statement')).toBe('ddl');
      expect(await sql(server, 'SHOW "auth_delay.milliseconds"')).toBe('500ms');
    }
    // The role is made anew, with log_statement on: the log has the name, and no verifier.
    await sql(pair.primary, "ALTER ROLE pgduet_repl VALID UNTIL '2020-01-01'");
    expectExit(await provision(hard), 0);
    const logs = (await pair.primary.host.sh(`cat ${pair.primary.managementDir}/*-log/*.log`)).stdout;
    expect(logs).toMatch(/user=postgres,db=postgres,.* LOG: {2}00000: connection authorized/);
    expect(logs).toContain("ALTER ROLE pgduet_repl VALID UNTIL '2020-01-01'");
    expect(logs).not.toContain('SCRAM-SHA-256$');
    expectExit(await provision(pair.file), 0);
    expect(await sql(pair.primary, 'SHOW log_line_prefix')).toBe('%m [%p] %q%u@%d ');
    expect(await findings(pair.file)).toEqual([]);
  });

  labTest(
    'a drop-in that was enough for sudo stops the stricter unit, until the inventory says what it allows',
    async () => {
      const dropIn = '/etc/systemd/system/mcoi_inst1.service.d/sudo.conf';
      const unit = '/etc/systemd/system/mcoi_inst1.service';
      for (const { host } of pair.servers)
        await host.sh(
          `sed -i '/^CapabilityBoundingSet=/d; /^SystemCall/d' ${unit}
mkdir -p ${dropIn.replace(/\/[^/]*$/, '')}; printf '[Service]\\nNoNewPrivileges=no\\n' > ${dropIn}; systemctl daemon-reload
echo 'postgres ALL=(ALL:ALL) NOPASSWD: ALL' > /etc/sudoers.d/postgres; chmod 440 /etc/sudoers.d/postgres`,
          { check: true },
        );
      const processes = await running();
      const without = await provision(pair.file);
      expectExit(without, 5);
      expect(without.all.replace(/\s+/g, ' ')).toMatch(/SAF095 .*NoNewPrivileges=no in .*sudo\.conf/);
      expect((await pair.primary.host.sh(`grep -c ^CapabilityBoundingSet= ${unit}`)).stdout.trim()).toBe('0');
      const allowing = pair.inventory('allowing.yml', { multiplexing: { unit_allows: ['privileges'] } });
      for (const { host } of pair.servers) await host.sh(`rm ${dropIn}`, { check: true });
      const said = await provision(allowing);
      expectExit(said, 0);
      expect(said.all.replace(/\s+/g, ' ')).toContain(
        'its commands may do more than usual, as multiplexing.unit_allows says: privileges',
      );
      // What runs goes on under the limits that it was started with.
      expect(await running()).toEqual(processes);
      const [next, last] =
        (await sql(pair.primary, 'select pg_is_in_recovery()')) === 't'
          ? pair.servers
          : [pair.standby, pair.primary];
      if (!next || !last) throw new Error('no pair');
      expect(await asCommand(last, 'sudo -n id -un')).toMatch(/^sudo: .* 1$/);
      await next.host.sh('systemctl restart mcoi_inst1', { check: true });
      await pair.untilSwitchable();
      expectExit(await pair.command(['switch', '-i', allowing, '--yes']), 0);
      expect(await asCommand(next, 'sudo -n id -un')).toBe('root 0');
      expect(await asCommand(next, 'touch /etc/limits')).toMatch(/Read-only file system 1$/);
    },
  );

  const words = 'canary-keystore-phrase';
  const [opener, opened, away, library] = [
    '/opt/hooks/open-keystore',
    '/var/tmp/opened',
    '/var/tmp/kms-is-away',
    '/var/tmp/tde.so',
  ] as const;
  const withKeystore = (): string =>
    pair.inventory('open.yml', {
      postgres: {
        settings: { max_connections: 50, shared_buffers: '16MB', shared_preload_libraries: 'tde' },
        unlock_command: `${opener} --from kms`,
        unlock_command_timeout: '20s',
      },
    });
  const inRoles = async (): Promise<readonly [Server, Server]> =>
    (await sql(pair.primary, 'select pg_is_in_recovery()')) === 't'
      ? [pair.standby, pair.primary]
      : [pair.primary, pair.standby];
  async function expectUntold(said: readonly Said[]): Promise<void> {
    for (const one of said) expect(one.all).not.toContain(words);
    for (const { host } of pair.servers) {
      expect(await host.journal()).not.toContain(words);
      const named = await host.sh(`grep -rlsF ${words} /mcdir /database /var/log /tmp /etc /run/log || :`);
      expect(named.stdout).toBe('');
    }
  }

  labTest('keystores are opened before each start, and what opens them is told to nobody', async () => {
    // A library without which no server starts, as that of an encryption; it is there while the keystore is open.
    for (const { host } of pair.servers)
      await host.sh(
        `mkdir -p /opt/hooks; cat > ${opener}; chmod 755 ${opener}; lib=$(ls -d /usr/lib/postgresql/*/lib); ln -s ${library} $lib/tde.so; runuser -u postgres -- ${opener}`,
        {
          input: `#!/bin/sh\necho ${words}; echo ${words} >&2\nif [ -e ${away} ]; then exit 7; fi\ncp /usr/lib/postgresql/*/lib/auto_explain.so ${library}; echo "$@ by $(id -un)" >> ${opened}\n`,
          check: true,
        },
      );
    const open = withKeystore();
    const said: Said[] = [];
    const run = async (verb: string, status: number, ...more: string[]): Promise<Said> => {
      const one = await pair.command([verb, '-i', open, '--yes', ...more]);
      said.push(one);
      expectExit(one, status);
      return one;
    };
    await run('provision', 0);
    await pair.untilSwitchable();
    const [primary, standby] = await inRoles();
    const told = async ({ host }: Server) =>
      (await host.sh(`grep -c . ${opened}; tail -n 1 ${opened}`)).stdout.split('\n');
    for (const server of pair.servers)
      expect((await told(server))[1]).toBe(`--from kms ${server.id} /database/inst1 by postgres`);
    // The keystore is closed again, as behind a boot.
    const before = Number((await told(standby))[0]);
    await standby.host.sh(`rm ${library}; systemctl restart mcoi_inst1`, { check: true });
    await pair.untilSwitchable();
    expect(Number((await told(standby))[0])).toBe(before + 1);
    // What cannot be opened is a start that fails: told once, by its exit status.
    const failures = async () =>
      (await standby.host.sh(`journalctl -q --no-pager -o cat -u mcoi_inst1 | grep MCA01008`)).stdout
        .trim()
        .split('\n');
    await standby.host.sh(`touch ${away}; rm ${library}; systemctl restart mcoi_inst1`, { check: true });
    const lines = await until(
      () => 'the failed start is not told',
      20_000,
      async () => ((await failures()).join('') === '' ? undefined : failures()),
    );
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('unlock_command, which has to come before each start, failed (exit status 7)');
    const checked = await pair.command(['check', '-i', open]);
    said.push(checked, await pair.command(['status', '-i', open]));
    expect(checked.all).toContain('unlock_command');
    expect(await sql(primary, 'select pg_is_in_recovery()')).toBe('f');
    await standby.host.sh(`rm ${away}`, { check: true });
    await standby.host.sh(`mc_ctl start -M ${standby.managementDir}`, { user: 'postgres', check: true });
    await pair.untilSwitchable();
    // A rewind starts the server by itself, for its recovery.
    await primary.host.sh('kill -9 $(head -n 1 /database/inst1/postmaster.pid)', { check: true });
    await untilMirroring(standby, 'switched', 30_000);
    await primary.host.sh(`touch ${away}`, { check: true });
    const refused = await run('rebuild', 1, primary.id);
    expect(refused.all.replace(/\s+/g, ' ')).toContain(
      `unlock_command (${opener}) ended with exit status 7: nothing was started, and nothing was changed`,
    );
    expect((await primary.host.sh(`ls ${primary.managementDir}/*.making 2>/dev/null`)).stdout).toBe('');
    await primary.host.sh(`rm ${away}`, { check: true });
    const rebuilt = await run('rebuild', 0, primary.id);
    expect(rebuilt.all).toContain('pg_rewind of');
    expect(rebuilt.all).not.toContain('base backup to');
    await pair.untilSwitchable();
    await expectUntold(said);
  });

  labTest('the unit of the server that stays behind a teardown opens its keystore, too', async () => {
    const [kept] = await inRoles();
    const said = await pair.command(['teardown', '-i', withKeystore(), '--yes', '--keep', kept.id]);
    expectExit(said, 0);
    await kept.host.sh(`rm ${library}; systemctl restart postgresql_inst1`, { check: true });
    expect(await sql(kept, 'show shared_preload_libraries')).toBe('tde');
    await expectUntold([said]);
  });
});
