/**
 * What the unit of a controller takes from its instance on a lab host, and what goes on under it. Commands are run as an archive command is: by
 * the instance, with COPY … FROM PROGRAM. In: a primary. Out: failures of expectations. It leaves files in /var/tmp only.
 */
import { expect } from 'vitest';
import { postmasterPid, type Server, sql } from './instance.ts';

/** What a command of the instance says at its end, and its exit status: "ok 0". */
export async function asCommand(server: Server, command: string): Promise<string> {
  await server.host.sh('cat > /var/tmp/command.sh; chmod 0755 /var/tmp/command.sh', {
    input: `${command}\n`,
    check: true,
  });
  return sql(
    server,
    `create temp table said (line text); copy said from program 'sh /var/tmp/command.sh >/var/tmp/command.out 2>&1; s=$?; tail -n 1 /var/tmp/command.out; echo $s' with (delimiter E'\\x01'); select string_agg(line, ' ') from said`,
  );
}

/** Every one of them by itself, in one program: the names of those that succeeded. */
async function succeeding(
  server: Server,
  commands: Readonly<Record<string, string>>,
): Promise<readonly string[]> {
  const lines = Object.entries(commands).map(
    ([name, command]) => `if ( ${command} ) </dev/null >/dev/null 2>&1; then printf '%s;' '${name}'; fi`,
  );
  const said = await asCommand(server, `${lines.join('\n')}\necho`);
  return said
    .replace(/ 0$/, '')
    .split(';')
    .filter((name) => name.trim() !== '');
}

/** What usual archive commands, extensions and hooks do. */
const works = {
  nice: 'nice -n 5 true',
  ionice: 'ionice -c 3 true',
  taskset: 'taskset -c 0 true',
  ping: 'ping -n -c 1 -W 2 127.0.0.1',
  logger: 'logger -t limits hello',
  copy: 'cd /tmp && echo x > limits.a && cp -p limits.a limits.b && chown "$(id -un):$(id -gn)" limits.b && rm limits.a limits.b',
  'shared memory': 'echo x > /dev/shm/limits && rm /dev/shm/limits',
  pipe: 'mkfifo /var/tmp/limits.pipe && rm /var/tmp/limits.pipe',
  node: "node -e \"new (require('worker_threads').Worker)('0', { eval: true })\"",
  'processes of others': 'pgrep -u root -x systemd',
  'huge pages': 'grep -q Hugepagesize /proc/meminfo && test -d /dev/hugepages',
  systemctl: 'systemctl show -p ActiveState mcoi_inst1',
};

/** What its user may do elsewhere, and nothing in the unit. */
const fails = {
  namespace: 'unshare -U true',
  device: 'test -e /dev/net',
  clock: `python3 -c 'import ctypes, sys; sys.exit(ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(512)) < 0)'`,
};

/** The unit as it runs, by the judgement of systemd, and what its processes may do. */
export async function expectLimited(server: Server): Promise<void> {
  const { host } = server;
  const judged = await host.sh(`systemd-analyze security --no-pager --threshold=25 ${server.unit}`);
  expect({ status: judged.status, figure: /level for .*$/m.exec(judged.stdout)?.[0] }).toEqual({
    status: 0,
    figure: expect.stringMatching(/: 2\.4 OK/),
  });
  const main = (await host.sh(`systemctl show -p MainPID --value ${server.unit}`)).stdout.trim();
  for (const pid of [main, await postmasterPid(server)]) {
    const { stdout } = await host.sh(`grep -E '^(NoNewPrivs|Seccomp|CapEff|CapBnd):' /proc/${pid}/status`);
    expect(
      Object.fromEntries([...stdout.matchAll(/^(\w+):\s*(\w+)$/gm)].map(([, name, value]) => [name, value])),
    ).toEqual({
      CapEff: '0000000000000000',
      CapBnd: '0000000000006400',
      NoNewPrivs: '1',
      Seccomp: '2',
    });
  }
  // As Debian sets it; hosts of a lab have a network of their own, for which nobody has.
  await host.sh("sysctl -qw net.ipv4.ping_group_range='0 2147483647'", { check: true });
  expect(await succeeding(server, works)).toEqual(Object.keys(works));
  expect(await succeeding(server, fails)).toEqual([]);
  for (const [name, command] of Object.entries(fails))
    expect([name, (await host.sh(command, { user: server.owner })).status]).toEqual([name, 0]);
  const plan = await sql(
    server,
    'set jit = on; set jit_above_cost = 0; set jit_optimize_above_cost = 0; explain analyze select sum(n * 2) from generate_series(1, 1000) n',
  );
  expect(plan).toContain('JIT:');
}
