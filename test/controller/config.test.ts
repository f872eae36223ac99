/** The files of the controller: what is rendered is read back; what is wrong is named with line and fix, all at once. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import Handlebars from 'handlebars';
import { describe, expect, it } from 'vitest';
import type { Result } from '../../src/base/diagnostic.ts';
import {
  type ArbiterLine,
  canArbitrate,
  giveUpTimeMs,
  networkConfContext,
  type ServerConf,
  type ServerLine,
  serverConf,
  serverConfContext,
  serverKeys,
  type UnitContext,
} from '../../src/controller/config.ts';
import { arbiterConf, arbiterKeys, offlineAfterMs, patienceMs } from '../../src/controller/config-arbiter.ts';
import { parseArbiterConf, parseNetworkConf, parseServerConf } from '../../src/controller/config-parse.ts';
import { writtenValues } from '../../src/controller/config-value.ts';

const template = (name: string) =>
  Handlebars.compile(readFileSync(new URL(`../../templates/${name}`, import.meta.url), 'utf8'), {
    noEscape: true,
    strict: false,
  });

const about = { cluster: 'inst1', serverId: 'server1' };
const renderServer = (conf: ServerConf) => template('server.conf.hbs')(serverConfContext(conf, about));
const renderNetwork = (lines: readonly ServerLine[], arbiters: readonly ArbiterLine[] = []) =>
  template('network.conf.hbs')(networkConfContext('inst1', lines, arbiters));

function value<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(JSON.stringify(result.diagnostics, null, 1));
  return result.value;
}

function errors(result: Result<unknown>): string {
  if (result.ok) return '(no error)';
  return result.diagnostics
    .map(
      (d) =>
        `${d.at?.file}:${d.at?.line}:${d.at?.column} ${d.code} ${d.what}\n  why: ${d.why}\n  fix: ${d.fix}`,
    )
    .join('\n');
}

describe('<serverIdentifier>.conf', () => {
  it('comes back as it was when nothing but db_instance is set', () => {
    const conf = serverConf({ dbInstance: '/database/inst1' });
    expect(value(parseServerConf(renderServer(conf), 'server1.conf'))).toEqual(conf);
  });

  it('comes back as it was with every key set', () => {
    const conf: ServerConf = {
      dbInstance: "/data/o'neil\\x",
      dbInstanceUsername: 'pg admin',
      targetDb: 'template1',
      remoteCallTimeoutMs: 0,
      agentAliveTimeoutMs: 20_000,
      coreFilePath: '/var/core',
      syslogFacility: 'LOCAL3',
      syslogIdent: 'MC #1',
      heartbeatIntervalMs: 500,
      heartbeatTimeoutMs: 2000,
      heartbeatRetry: 0,
      heartbeatErrorAction: 'command',
      arbitrationCommand: '/usr/local/bin/ask',
      arbitrationCommandTimeoutMs: 3000,
      fencingCommand: '/usr/local/bin/fence --say "it\'s \\"two\\" words"',
      fencingCommandTimeoutMs: 4000,
      dbInstanceCheckIntervalMs: 900,
      dbInstanceCheckTimeoutMs: 5000,
      dbInstanceCheckRetry: 3,
      dbInstanceTimeoutAction: 'failover',
      dbInstanceFailoverDelayMs: 90_000,
      diskCheckIntervalMs: 1000,
      diskCheckTimeoutMs: 6000,
      diskCheckRetry: 4,
      tablespaceDirectoryErrorAction: 'failover',
      replayLagWarningBytes: 5 * 1024 ** 2,
      postSwitchCommand: '/a',
      preDetachCommand: '/b',
      postAttachCommand: '/c',
      stateTransitionCommandTimeoutMs: 7000,
      failover: 'manual',
      referenceAddresses: ['192.0.2.1', 'gateway.example', '2001:db8::1'],
      logTransferAddresses: { server2: 'db2.example.com', 'server.3': 'FD00:0:0:0001::10' },
      takeover: 'never',
      takeoverPriority: 1000,
      replication: 'asynchronous',
      etcdEndpoints: ['https://etcd1.example:2379', 'https://[2001:db8::2]:2379'],
      etcdUser: 'pgduet',
      etcdPrefix: '/pgduet/inst1/',
      unlockCommand: '/usr/local/sbin/unlock --from "key store"',
      unlockCommandTimeoutMs: 20_000,
      postgresBinDir: '/opt/pg15/bin',
    };
    expect(value(parseServerConf(renderServer(conf), 'server1.conf'))).toEqual(conf);
  });

  it('the template writes every key of the table but the password', () => {
    const source = readFileSync(new URL('../../templates/server.conf.hbs', import.meta.url), 'utf8');
    const missing = Object.values(serverKeys)
      .map((spec) => spec.key)
      .filter((key) => !source.includes(`{{{${key}}}}`));
    expect(missing).toEqual(['db_instance_password']);
  });

  it('names every mistake with its line and fix', () => {
    const text = [
      '# a comment',
      'db_instance = /database/inst1',
      'heartbeat_intervall = 800',
      "heartbeat_timeout = 'soon'",
      'heartbeat_retry = 99999999999   # too many',
      'disk_check_interval = 0',
      'heartbeat_error_action = arbitration',
      "target_db = 'app'",
      'failover: automatic',
      'syslog_facility = LOCAL1',
      'syslog_facility = LOCAL2',
      'db_instance_password = hunter2hunter2',
    ].join('\n');
    const seen = errors(parseServerConf(text, '/mcdir/inst1/server1.conf'));
    expect(seen).toMatchSnapshot();
    expect(JSON.stringify(parseServerConf(text, 'f'))).not.toContain('hunter2');
  });

  it('an empty file lacks db_instance', () => {
    expect(errors(parseServerConf('', 'server1.conf'))).toMatchSnapshot();
  });

  it('reads quotes, escapes and comments', () => {
    const conf = value(
      parseServerConf(
        "db_instance='/a' # c\nsyslog_ident = 'it''s \\'me\\' # here' # c\n\tfailover\t=\tMANUAL",
        'f',
      ),
    );
    expect([conf.dbInstance, conf.syslogIdent, conf.failover]).toEqual(['/a', "it's 'me' # here", 'manual']);
  });

  it('takes arbitration where somebody can answer, and nowhere else', () => {
    const text = "db_instance = '/a'\nheartbeat_error_action = arbitration\n";
    expect(value(parseServerConf(text, 'f', true)).heartbeatErrorAction).toBe('arbitration');
    expect(errors(parseServerConf(text, 'f', false))).toMatch(/^f:2:26 MCF009 /);
  });

  it('takes it where an etcd is named too, which needs a user and a prefix of its own', () => {
    const text = (...more: string[]) =>
      [
        "db_instance = '/a'",
        'heartbeat_error_action = arbitration',
        "etcd_endpoints = 'https://192.0.2.1:2379, https://[::1]:2379'",
        ...more,
      ].join('\n');
    const user = "etcd_user = 'pgduet'";
    const whole = value(parseServerConf(text(user, "etcd_prefix = '/pgduet/inst1/'"), 'f'));
    expect(whole.etcdEndpoints).toEqual(['https://192.0.2.1:2379', 'https://[::1]:2379']);
    expect(errors(parseServerConf(text(), 'f'))).toMatch(/MCF007 .*'etcd_user'[\s\S]*MCF007 .*'etcd_prefix'/);
    for (const prefix of ['/', '/pgduet', '/pgduet//'])
      expect(errors(parseServerConf(text(user, `etcd_prefix = '${prefix}'`), 'f'))).toMatch(
        /^f:1:1 MCF005 'etcd_prefix'/,
      );
    for (const member of [
      'http://192.0.2.1:2379',
      'https://192.0.2.1',
      '192.0.2.1:2379',
      'https://a:0',
      'https://a:1/b',
      // They have the form of one, and would end the controller that asks them.
      'https://192.0.2.300:2379',
      'https://[1:2]:2379',
    ])
      expect(errors(parseServerConf(`db_instance = '/a'\netcd_endpoints = '${member}'`, 'f'))).toMatch(
        /^f:2:\d+ MCF005 /,
      );
  });

  it('gives a silent peer up after 5.4 s by default', () => {
    expect(giveUpTimeMs(serverConf({ dbInstance: '/a' }))).toBe(5400);
  });

  it('keeps a part of a second of heartbeat_timeout, which was rounded up', () => {
    const conf = serverConf({ dbInstance: '/a', heartbeatIntervalMs: 300, heartbeatTimeoutMs: 400 });
    expect(renderServer(conf)).toMatch(/^heartbeat_timeout = 400ms /m);
    expect(giveUpTimeMs(value(parseServerConf(renderServer(conf), 'f')))).toBe(2100);
    expect(renderServer(serverConf({ dbInstance: '/a' }))).toMatch(/^heartbeat_timeout = 1 /m);
    for (const wrong of [
      'heartbeat_timeout = 0ms',
      'heartbeat_timeout = 1min',
      'fencing_command_timeout = 400ms',
    ])
      expect(errors(parseServerConf(`db_instance = '/a'\n${wrong}`, 'f'))).toMatch(/^f:2:/);
  });

  it('never throws, whatever the file holds', () => {
    fc.assert(fc.property(fc.string(), (text) => typeof parseServerConf(text, 'f').ok === 'boolean'));
    fc.assert(fc.property(fc.string(), (text) => typeof parseNetworkConf(text, 'f').ok === 'boolean'));
  });
});

describe('arbitration.conf', () => {
  const render = (conf: ReturnType<typeof arbiterConf>) =>
    Object.entries(writtenValues(arbiterKeys, conf))
      .map(([key, written]) => `${key} = ${written}\n`)
      .join('');

  it('comes back as it was', () => {
    const least = arbiterConf({ myAddress: '192.0.2.120' });
    expect(value(parseArbiterConf("my_address = '192.0.2.120'", 'f'))).toEqual(least);
    expect([least.port, patienceMs(least), offlineAfterMs(least)]).toEqual([27541, 1800, 5400]);
    const whole = arbiterConf({
      myAddress: 'fe80::1%eth0',
      port: 1,
      heartbeatIntervalMs: 100,
      heartbeatTimeoutMs: 3000,
      heartbeatRetry: 0,
      syslogFacility: 'LOCAL7',
      syslogIdent: 'the arbiter',
      coreFilePath: '/var/core',
    });
    expect(value(parseArbiterConf(render(whole), 'f'))).toEqual(whole);
  });

  it('names every mistake with its line and fix', () => {
    const text = [
      'port = 70000',
      'heartbeat_intervall = 1',
      'db_instance = /a',
      'heartbeat_retry = 1',
      'heartbeat_retry = 2',
      "syslog_ident = ''",
      'nonsense',
    ].join('\n');
    expect(errors(parseArbiterConf(text, '/mcarb/arbiter/arbitration.conf'))).toMatchSnapshot();
    expect(errors(parseArbiterConf("my_address = '1.2.3.4; x'", 'f'))).toMatchSnapshot();
    fc.assert(fc.property(fc.string(), (any) => typeof parseArbiterConf(any, 'f').ok === 'boolean'));
  });
});

describe('network.conf', () => {
  it('comes back as it was, with three servers, IPv6 and the later form', () => {
    const lines: ServerLine[] = [
      { id: 'server1', host: '192.0.2.100', port: 27540 },
      { id: 'server2', host: '2001:db8::110', port: 27540 },
      { id: 'server3', host: 'db3', port: 27540, arbitrationHost: '198.51.100.3', arbitrationPort: 27541 },
    ];
    expect(value(parseNetworkConf(renderNetwork(lines), 'network.conf'))).toEqual({
      servers: lines,
      arbiters: [],
    });
    const arbiters = [{ id: 'arbiter1', host: '192.0.2.120', port: 27541 }];
    const text = renderNetwork(lines, arbiters);
    expect(text).toContain('\narbiter1 192.0.2.120 27541 arbiter\n');
    expect(value(parseNetworkConf(text, 'network.conf'))).toEqual({ servers: lines, arbiters });
  });

  it('an arbiter, or three servers, can arbitrate', () => {
    const of = (text: string) => canArbitrate(value(parseNetworkConf(text, 'network.conf')));
    expect(of('a h 1\nb h 2\n')).toBe(false);
    expect(of('a h 1\nb h 2\nc h 3 arbiter\n')).toBe(true);
    expect(of('a h 1\nb h 2\nc h 3\n')).toBe(true);
  });

  it('names every mistake with its line and fix', () => {
    const text = [
      'server1 192.0.2.100 27540',
      'server1 192.0.2.101 27540',
      'server2 192.0.2.100 27540',
      'server3 192.0.2.120',
      'server4 192.0.2.130 seven',
      'server5 192.0.2.140,192.0.3.140 27540',
      'server#6 192.0.2.150 27540',
      'arbiter 192.0.3.120 27541 arbiter',
      'arbiter2 192.0.3.121 27541 arbiter',
      'arbiter3 192.0.3.122,192.0.2.1 27541,27542 arbiter',
      'server1 192.0.3.123 27541 arbiter',
      'arbiter4 192.0.3.120 27541 arbiter',
      'arbiter5 192.0.3.124 27541 witness',
      'server7 192.0.2.160; 27540',
    ].join('\n');
    expect(errors(parseNetworkConf(text, '/mcdir/inst1/network.conf'))).toMatchSnapshot();
  });

  it('an empty file names no server', () => {
    expect(errors(parseNetworkConf('# nothing\n', 'network.conf'))).toMatchSnapshot();
  });
});

describe('the unit', () => {
  it('starts the daemon in the foreground and signals it alone', () => {
    const context: UnitContext = {
      unit: 'mcoi_inst1',
      cluster: 'inst1',
      serverId: 'server1',
      owner: 'postgres',
      group: 'postgres',
      managementDir: '/mcdir/inst1',
      writable: [],
      limits: ['NoNewPrivileges=yes'],
      dataDir: '/database/inst1',
      node: '/usr/bin/node',
      bundle: '/usr/local/lib/pgduet/mc.js',
    };
    const text = template('mcoi.service.hbs')(context);
    expect(text).toContain(
      'ExecStart=/usr/bin/node /usr/local/lib/pgduet/mc.js daemon -M /mcdir/inst1 --local-server server1\n',
    );
    expect(text).toContain('\nKillMode=process\n');
    expect(text).toContain('\nReadWritePaths=-/mcdir/inst1 -/database/inst1\n');
    expect(text).toContain('\nNoNewPrivileges=yes\n');
    expect(text).not.toMatch(/\{\{|undefined/);
  });
});
