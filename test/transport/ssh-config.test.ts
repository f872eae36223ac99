import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readSshConfig } from '../../src/transport/ssh-config.ts';
import { type GivenSettings, parseHops, resolveTarget, type Target } from '../../src/transport/ssh-target.ts';
import { diagnosticOf } from './expect-diagnostic.ts';

let home: string;
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'pgduet-'));
  mkdirSync(join(home, '.ssh/conf.d'), { recursive: true });
});
afterAll(() => rmSync(home, { recursive: true }));

/** What a config file says about a host. */
function resolve(config: string, name: string, wishes: GivenSettings = {}): Target {
  const file = join(home, 'config');
  writeFileSync(file, config);
  const env = {
    home,
    user: 'anna',
    sshAuthSock: '/agent',
    variable: (name: string) => ({ KEYS: '/my %h keys', SOCKET: '/run/agent' })[name],
  };
  return resolveTarget(readSshConfig(env, file), name, wishes, env);
}

test('without any configuration the defaults of ssh apply', () => {
  expect(resolve('', 'h')).toMatchObject({
    name: 'h',
    address: 'h',
    port: 22,
    user: 'anna',
    identitiesOnly: false,
    agentSocket: '/agent',
    jumps: [],
    connectTimeoutMs: 10_000,
    keepalive: { intervalMs: 5000, count: 2 },
  });
  expect(resolve('', 'h').userKnownHosts[0]).toBe(join(home, '.ssh/known_hosts'));
  expect(resolve('', 'h').identityFiles.map((file) => file.origin)).toEqual([
    'default',
    'default',
    'default',
  ]);
});

test('the first value counts, patterns may be negated, keywords have no case', () => {
  const config = 'HOST db* !db9\n  user=first\n  PORT 2200\n\nHost *\n  User second\n  Port 22\n';
  expect(resolve(config, 'db1')).toMatchObject({ user: 'first', port: 2200 });
  expect(resolve(config, 'db9')).toMatchObject({ user: 'second', port: 22 });
});

test('the inventory wins over the file', () => {
  const config = 'User file\nPort 1\nIdentityFile ~/.ssh/file\nUserKnownHostsFile /file\nConnectTimeout 3\n';
  const wishes = {
    user: 'inventory',
    port: 2,
    identityFile: '~/inventory',
    knownHosts: '~/kh',
    connectTimeoutMs: 4000,
  };
  expect(resolve(config, 'h', wishes)).toMatchObject({
    user: 'inventory',
    port: 2,
    identityFiles: [{ path: join(home, 'inventory'), origin: 'inventory' }],
    userKnownHosts: [join(home, 'kh')],
    connectTimeoutMs: 4000,
  });
  expect(resolve(config, 'h')).toMatchObject({ user: 'file', port: 1, connectTimeoutMs: 3000 });
});

test('several key files add up, with tokens and quotes', () => {
  const config =
    'Host h\n  HostName %h.example.org\n  User bob\n  IdentityFile "~/.ssh/a key"\nHost *\n  IdentityFile %d/%u-%r-%h\n';
  const target = resolve(config, 'h');
  expect(target.address).toBe('h.example.org');
  expect(target.identityFiles).toEqual([
    { path: join(home, '.ssh/a key'), origin: 'config' },
    { path: `${home}/anna-bob-h.example.org`, origin: 'config' },
  ]);
});

test('variables stand in the keywords where ssh takes them', () => {
  const config =
    'IdentityFile ${HOME}/.ssh/id_lab\nIdentityFile "${KEYS}/%n"\nUserKnownHostsFile ${HOME}/known\nIdentityAgent ${HOME}/agent\n';
  expect(resolve(config, 'h')).toMatchObject({
    identityFiles: [
      { path: join(home, '.ssh/id_lab'), origin: 'config' },
      { path: '/my %h keys/h', origin: 'config' },
    ],
    userKnownHosts: [join(home, 'known')],
    agentSocket: join(home, 'agent'),
  });
  expect(resolve('IdentityAgent $SOCKET\n', 'h').agentSocket).toBe('/run/agent');
  writeFileSync(join(home, '.ssh/included'), 'Port 2203\n');
  expect(resolve('Include ${HOME}/.ssh/included\n', 'h').port).toBe(2203);
});

test('a variable that is not set, or where ssh takes none, is named', async () => {
  const problem = (config: string) => diagnosticOf((async () => resolve(config, 'h'))());
  for (const [keyword, line] of [
    ['IdentityFile', 'IdentityFile ${NOBODY}/id'],
    ['IdentityAgent', 'IdentityAgent $NOBODY'],
    ['UserKnownHostsFile', 'UserKnownHostsFile ${NOBODY}'],
    ['Include', 'Include ${NOBODY}/*'],
    ['HostName', 'HostName ${KEYS}'],
    ['ProxyJump', 'ProxyJump ${KEYS}'],
    ['User', 'User ${KEYS}'],
  ] as const)
    expect(await problem(`${line}\n`)).toMatchObject({
      code: 'CON008',
      what: expect.stringMatching(new RegExp(`^${keyword} `)),
    });
  // What another host needs is no matter here.
  expect(resolve('Host other\n  IdentityFile ${NOBODY}\n', 'h').port).toBe(22);
});

test('files are included where Include stands, also inside of a Host', () => {
  writeFileSync(join(home, '.ssh/conf.d/1.conf'), 'Host inc\n  Port 2201\n');
  writeFileSync(join(home, '.ssh/conf.d/2.conf'), 'Port 2202\n');
  expect(resolve('Include conf.d/*.conf\nPort 9\n', 'inc').port).toBe(2201);
  expect(resolve('Include conf.d/*.conf\nPort 9\n', 'other').port).toBe(2202);
  expect(resolve('Host yes\n  Include ~/.ssh/conf.d/2.conf\nHost *\n  Port 9\n', 'yes').port).toBe(2202);
  expect(resolve('Host yes\n  Include ~/.ssh/conf.d/2.conf\nHost *\n  Port 9\n', 'no').port).toBe(9);
  expect(resolve('Include nowhere/*\nPort 9\n', 'h').port).toBe(9);
});

test('Match sees the address and the user', () => {
  const config = 'Host h\n  HostName 192.0.2.9\nMatch host 192.0.2.*\n  Port 7\nMatch user bob\n  Port 8\n';
  expect(resolve(config, 'h').port).toBe(7);
  expect(resolve(config, 'x', { user: 'bob' }).port).toBe(8);
  expect(resolve(config, 'x').port).toBe(22);
});

test('no program is started to see whether a section counts', async () => {
  const made = join(home, 'made');
  const config = (criteria: string) => `Match ${criteria}\n  Port 7\n`;
  const program = `exec "touch ${made}"`;
  for (const criteria of [program, `host h ${program}`, `${program} user anna`, `EXEC "touch ${made}"`])
    expect(await diagnosticOf((async () => resolve(config(criteria), 'h'))())).toMatchObject({
      code: 'CON008',
      what: expect.stringContaining('Match exec'),
    });
  // What else the section says keeps it from this host.
  expect(resolve(config(`host other ${program}`), 'h').port).toBe(22);
  expect(existsSync(made)).toBe(false);
});

test('jump hosts, agents, names in known_hosts', () => {
  const config =
    'Host h\n  ProxyJump bob@a:2222,[fd00::1]:23\n  HostKeyAlias other\n  IdentityAgent ~/agent\n  IdentitiesOnly yes\n  HashKnownHosts yes\n  AddressFamily inet6\n';
  expect(resolve(config, 'h')).toMatchObject({
    jumps: [
      { host: 'a', user: 'bob', port: 2222 },
      { host: 'fd00::1', port: 23 },
    ],
    hostKeyAlias: 'other',
    agentSocket: join(home, 'agent'),
    identitiesOnly: true,
    hashKnownHosts: true,
    family: 6,
  });
  expect(resolve('ProxyJump none\nIdentityAgent none\n', 'h')).toMatchObject({ jumps: [] });
  expect(resolve('IdentityAgent none\n', 'h').agentSocket).toBeUndefined();
  expect(parseHops('ssh://a, c@b')).toEqual([{ host: 'a' }, { host: 'b', user: 'c' }]);
});

test('what would lead elsewhere, or cannot be read, is refused', async () => {
  const refused = async (config: string) => diagnosticOf((async () => resolve(config, 'h'))());
  expect(await refused('ProxyCommand nc %h %p\n')).toMatchObject({
    code: 'CON008',
    fix: expect.stringContaining('ProxyJump'),
  });
  expect((await refused('Host "open\n')).code).toBe('CON008');
  expect((await refused(`Include ${join(home, 'config')}\n`)).what).toContain('includes itself');
  const missing = (async () => readSshConfig({ home, user: 'anna' }, join(home, 'missing')))();
  expect((await diagnosticOf(missing)).what).toContain('missing');
});
