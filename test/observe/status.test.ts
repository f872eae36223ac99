/** What `pgduet status` makes of the answers, also where hosts are away, and how it is shown. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { Cluster } from '../../src/inventory/cluster.ts';
import { clusterStatus, type HostStatus, readStatus, statusProbes } from '../../src/observe/status.ts';
import { statusJson, statusText } from '../../src/report/status.ts';
import type { ProbeReply } from '../../src/resources/contract/kind.ts';
import { ca, server1, server2 } from '../postgres/pems.ts';
import { arbiterInventory, clusterOf, pairInventory, serverNamed } from './cluster.ts';

let pair: Cluster;
beforeAll(async () => {
  pair = await clusterOf(pairInventory);
});

const reply = (stdout: string, more: Partial<ProbeReply> = {}): ProbeReply => ({
  status: 0,
  stdout,
  stderr: '',
  ...more,
});
const facts = reply('1700000000.5\nDebian\nx86_64\nh\nroot\nsystemd\nb\n/usr/bin/node\n');
const data = (extra: string): ProbeReply => reply(`recorded 7\ncontent cluster\nversion 15\n${extra}`);
const report = (id: string, status: string, reason: string | null): ProbeReply =>
  reply(
    JSON.stringify({
      mirroring_status: status,
      reason,
      since: '2026-11-20T12:00:03.123Z',
      servers: [{ server_id: id, host_role: 'primary', disk_status: 'normal', instance: 'running' }],
    }),
  );

const sender = { name: 'server2', state: 'streaming', sync: 'sync', lag_bytes: 2048, lag_seconds: 0.25 };
const primary = { recovery: false, timeline: 1, lsn: '0/5000000', senders: [sender] };
const standby = { recovery: true, timeline: 1, lsn: '0/4FFF800', senders: [] };

const seen = (name: string, sql: unknown, status = 'switchable', reason: string | null = null): HostStatus =>
  readStatus(serverNamed(pair, name), {
    facts,
    data: data('running 1\n'),
    controller: report(name, status, reason),
    live: reply('', { sql }),
  });
const control = (state: string) => `Database system identifier: 7
Database cluster state: ${state}
Latest checkpoint location: 0/5000060
Latest checkpoint's TimeLineID: 1
`;
const away: HostStatus = { kind: 'unreached', diagnostics: [] };
const of = (first: HostStatus, second: HostStatus, nowMs = 0) =>
  clusterStatus(
    pair,
    new Map([
      ['server1', first],
      ['server2', second],
    ]),
    nowMs,
  );

describe('a management directory that is lost', () => {
  const lost = (live: unknown): HostStatus =>
    readStatus(serverNamed(pair, 'server1'), {
      facts,
      data: reply('content cluster\nversion 15\nstarted once\ndirectory lost\nrunning 1\n'),
      controller: reply('missing\n'),
      live: reply('', { sql: live }),
    });
  const force =
    'check the host and admin network of server1; if the primary is surely down: on server2: mc_ctl switch --force -M /mcdir/inst1';
  const told = (): HostStatus =>
    readStatus(serverNamed(pair, 'server2'), {
      facts,
      data: data('signal standby\nrunning 1\n'),
      controller: reply(
        JSON.stringify({
          mirroring_status: 'unknown',
          reason: 'no primary is seen',
          advice: force,
          since: '2026-11-20T12:00:03.123Z',
          servers: [],
        }),
      ),
      live: reply('', { sql: standby }),
    });

  it('is a problem of the cluster, and the row says it', () => {
    const result = of(lost(primary), told());
    expect(result.problem).toContain('the management directory is lost (/mcdir/inst1 of server1)');
    expect(result.rows[0]).toMatchObject({ role: 'primary', controller: 'directory lost' });
    expect(of(seen('server1', primary), seen('server2', standby)).problem).toBe(null);
  });

  it('is to be brought back by a provisioning where another server vouches for it', () => {
    const port = serverNamed(pair, 'server1').postgres.port;
    const says = (name: string, signal: string, recorded: string, streams: object, live: unknown) =>
      readStatus(serverNamed(pair, name), {
        facts,
        data: reply(
          `content cluster\nversion 15\nstarted once\n${signal}${recorded}\nrunning 1\n${control('in production')}`,
        ),
        controller: reply('missing\n'),
        live: reply('', { sql: live }),
        streams: reply('', { sql: { receiver: null, senders: [], ...streams } }),
      });
    const sending = { senders: [{ name: 'server2', state: 'streaming', address: null }] };
    const receiving = { receiver: { host: '192.0.2.100', port, status: 'streaming' } };
    const told = (one: string, two: string) =>
      of(
        says('server1', '', one, sending, primary),
        says('server2', 'signal standby\n', two, receiving, standby),
      ).problem;
    expect(told('recorded 7', 'directory lost')).toBe(
      'the management directory is lost (/mcdir/inst1 of server2): server1 vouches for its data, and pgduet provision brings it back; end no controller, and make nobody else primary',
    );
    expect(told('directory lost', 'recorded 7')).toContain('server2 vouches for its data');
    expect(told('directory lost', 'directory lost')).toContain('pgduet check says the way on');
    expect(told('recorded 7', 'away nothing is mounted on /mcdir')).toContain(
      'nothing is mounted on /mcdir: mount it',
    );
    expect(told('recorded 7', 'recorded 7')).toBe(null);
  });

  it('is told where no primary runs, too', () => {
    expect(of(away, lost(standby)).problem).toMatch(/^no primary runs; the management directory is lost/);
  });

  it('lets nobody be advised to promote beside what runs', () => {
    expect(of(lost(primary), told()).rows[1]?.toDo).toBe('check the host and admin network of server1');
    expect(of(away, told()).rows[1]?.toDo).toBe(force);
  });

  it('lets nobody be advised to promote in the place of the server that has lost it, either', () => {
    const down = readStatus(serverNamed(pair, 'server1'), {
      facts,
      data: reply('content cluster\nversion 15\nstarted once\ndirectory lost\n'),
      controller: reply('missing\n'),
    });
    expect(of(down, told()).rows[1]?.toDo).toBe('check the host and admin network of server1');
  });
});

describe('the advice of a controller that knows nothing of the data of another one', () => {
  const advice =
    'read the server log of server2, then on server2: mc_ctl start -M /mcdir/inst1; look at server3';
  const withData = (stdout: string, more: object): HostStatus =>
    readStatus(serverNamed(pair, 'server2'), {
      facts,
      data: reply(stdout),
      controller: reply('stopped'),
      ...more,
    });
  const toDo = (stdout: string, more = {}): string | null | undefined => {
    const controller = reply(
      JSON.stringify({ mirroring_status: 'not-switchable', reason: 'x', advice, since: '', servers: [] }),
    );
    const first = readStatus(serverNamed(pair, 'server1'), { facts, data: data('running 1\n'), controller });
    return of(first, withData(stdout, more)).rows[0]?.toDo;
  };

  it.each([
    [
      'content empty\n',
      'server2 has no data (its directory is empty), so that it cannot be started: run the same command again (pgduet provision, or migrate where that was begun)',
    ],
    [
      'content cluster\nversion 15\nmaking copy\n',
      'server2 is not finished, so that it cannot be started: run the same command again (pgduet rebuild, or provision or migrate where one of them was making it)',
    ],
    [
      'content cluster\nversion 15\nmaking erase\n',
      'server2 is not finished, so that it cannot be started: run the same command again (pgduet teardown)',
    ],
  ])('is not to start what cannot be started: %j', (stdout, told) => {
    expect(toDo(stdout)).toBe(`${told}; look at server3`);
  });

  it('stays where there is something to be started', () => {
    expect(toDo('recorded 7\ncontent cluster\nversion 15\n')).toBe(advice);
  });

  it('names the command that takes back what a person has stopped', () => {
    const stopped = reply('stopped 2026-11-30T09:12:00Z anna@desk\n');
    expect(toDo('recorded 7\ncontent cluster\nversion 15\n', { stopped })).toBe(
      'when it may run again: pgduet start server2; look at server3',
    );
  });
});

describe('a server in maintenance', () => {
  const since = Date.parse('2026-11-30T10:00:00Z');
  const hour = 3_600_000;
  const entry = (over: object = {}) => ({
    number: 5,
    stage: 'open',
    by: 'alice',
    sinceWall: since,
    untilWall: since + hour,
    reason: 'disks',
    ...over,
  });
  const remembering = (server2: object): ProbeReply =>
    reply(JSON.stringify({ format: 1, state: { maintenance: { server2 } } }));
  const said = JSON.stringify({
    mirroring_status: 'not-switchable',
    reason: 'server2 is in maintenance by alice since 2026-11-30 10:00 UTC: disks',
    advice: 'when the work is done: pgduet maintenance end server2',
    since: '2026-11-30T10:00:00Z',
    servers: [
      { server_id: 'server1', host_role: 'primary', instance: 'running', disk_status: 'normal' },
      { server_id: 'server2', host_role: 'none(inactivated primary)', disk_status: 'abnormal(data)' },
    ],
    maintenance: [{ server: 'server2', stage: 'open' }],
  });
  const first = (more: object = {}): HostStatus =>
    readStatus(serverNamed(pair, 'server1'), {
      facts,
      data: data('running 1\n'),
      controller: reply(said),
      live: reply('', { sql: primary }),
      remembered: remembering(entry()),
      ...more,
    });

  it('stands there as such, also when its host is off', () => {
    const status = of(first(), away, since);
    expect(status.rows.map(({ maintenance }) => maintenance)).toEqual([
      null,
      {
        number: 5,
        by: 'alice',
        since: '2026-11-30T10:00:00.000Z',
        until: '2026-11-30T11:00:00.000Z',
        reason: 'disks',
        overdue: false,
      },
    ]);
    const text = statusText(status, false);
    expect(text).toContain('host not reached, in maintenance');
    const words =
      'in maintenance by alice since 2026-11-30 10:00 UTC, expected until 2026-11-30 11:00 UTC: disks';
    expect(text).toMatch(new RegExp(`^server2: {2}${words}$`, 'm'));
    expect(statusText(of(first(), away, since + 2 * hour), false)).toContain(`${words} (overdue)`);
    expect(statusJson(of(first(), away, since + 2 * hour))).toMatchObject({
      servers: [{ maintenance: null }, { maintenance: { by: 'alice', overdue: true, number: 5 } }],
    });
  });

  it('is known by the last word of any host, whether a controller runs there or not', () => {
    const stopped = { controller: reply('stopped\n'), live: reply('', { sqlProblem: 'no' }) };
    expect(of(first(stopped), away).rows[1]?.maintenance?.by).toBe('alice');
    const later = readStatus(serverNamed(pair, 'server2'), {
      remembered: remembering(entry({ number: 6, stage: 'ended' })),
    });
    expect(of(first(), later).rows[1]?.maintenance).toBeNull();
    const leads = readStatus(serverNamed(pair, 'server2'), { live: reply('', { sql: primary }) });
    expect(of(first(), leads).rows[1]?.maintenance).toBeNull();
  });

  it('is neither to be rebuilt nor started, and its end has a condition', () => {
    expect(of(first(), away).rows[0]).toMatchObject({
      toDo: 'when the work is done: pgduet maintenance end server2',
      commands: [{ on: null, run: 'pgduet maintenance end server2', onlyIf: 'the work on server2 is done' }],
    });
    const advice = 'on server2: mc_ctl start -M /mcdir/inst1; if it does not start: pgduet rebuild server2';
    const old = { mirroring_status: 'not-switchable', reason: 'x', advice, since: '', servers: [] };
    expect(of(first({ controller: reply(JSON.stringify(old)) }), away).rows[0]).toMatchObject({
      toDo: 'when the work is done: pgduet maintenance end server2',
      commands: [],
    });
  });
});

describe('the status of a cluster', () => {
  it('in good order has a primary, lags and addresses for clients', () => {
    const status = of(seen('server1', primary), seen('server2', standby));
    expect(status).toMatchObject({ primary: 'server1', preferredPrimary: 'server1', problem: null });
    expect(status.rows[1]).toMatchObject({
      role: 'standby',
      state: 'running',
      lagBytes: 2048,
      lagSeconds: 0.25,
      syncState: 'sync',
      lsn: '0/4FFF800',
    });
    expect(status.rows[0]).toMatchObject({ role: 'primary', lagBytes: null, syncState: null });
    expect(status.readWrite).toContain('192.0.2.100:27500,192.0.2.110:27500');
  });

  it('says how clients verify, where every server that was seen can be verified by its address', async () => {
    const generated = await clusterOf(
      pairInventory.replace('data_dir: /database/inst1', 'data_dir: /database/inst1, tls: generated'),
    );
    const served = (name: string, live: unknown, tls: object | undefined): HostStatus =>
      readStatus(serverNamed(generated, name), {
        facts,
        data: data('running 1\n'),
        controller: report(name, 'switchable', null),
        live: reply('', { sql: live }),
        ...(tls ? { tls: reply(JSON.stringify({ nowMs: Date.UTC(2027, 0, 1), ca, ...tls })) } : {}),
      });
    const shown = (certificate: string) => ({ certificate, served: certificate });
    const strings = (first: object | undefined, second: object | undefined) =>
      of(served('server1', primary, first), served('server2', standby, second));
    for (const [first, second] of [
      [undefined, shown(server2)],
      [shown(server1), { served: 'none' }],
      [shown(server1), shown(server1)],
      [shown(server2), shown(server2)],
      [shown(server1), {}],
    ] as const)
      expect(strings(first, second), JSON.stringify([first, second])).toMatchObject({ caFile: null });
    expect(of(served('server1', primary, shown(server1)), away)).toMatchObject({ caFile: 'inst1-ca.pem' });
    expect(strings(shown(server1), { certificate: server2 })).toMatchObject({ caFile: 'inst1-ca.pem' });
    const { caFile, readWrite } = strings(shown(server1), shown(server2));
    expect(caFile).toBe('inst1-ca.pem');
    expect(readWrite).toMatch(
      /\?target_session_attrs=read-write&sslmode=verify-full&sslrootcert=inst1-ca\.pem$/,
    );
  });

  it('looks at certificates that somebody else has laid, too, and at none where TLS is off', async () => {
    const asks = async (tls: string) => {
      const cluster = await clusterOf(
        pairInventory.replace('data_dir: /database/inst1', `data_dir: /database/inst1${tls}`),
      );
      return 'tls' in statusProbes(serverNamed(cluster, 'server1'), 'mc_ctl');
    };
    const files = '{ ca: /pki/ca.pem, certificate: /pki/server.pem, key: /pki/server.key }';
    expect(await asks(`, tls: ${files}`)).toBe(true);
    expect(await asks(', tls: generated')).toBe(true);
    expect([await asks(', tls: off'), await asks('')]).toEqual([false, false]);
  });

  it('tells what each server may do where that is not the same for all', () => {
    const rows = (over: object) => [
      {
        server_id: 'server2',
        disk_status: 'normal',
        takeover: 'allowed',
        takeover_priority: 100,
        replication: 'synchronous',
        ...over,
      },
    ];
    const told = (over: object): HostStatus => {
      const status = seen('server2', standby);
      if (status.kind !== 'seen' || status.controller.state !== 'running') throw new Error('not seen');
      const { controller } = status;
      const report = { ...controller.report, servers: rows(over) as never };
      return { ...status, controller: { ...controller, report } };
    };
    const first = told({ server_id: 'server1' });
    const text = (over: object) => statusText(of(first, told(over)), false);
    expect(text({ takeover: 'never' })).toMatch(/^server2: {2}it takes over only by a person$/m);
    expect(text({ takeover: 'never' })).toMatch(/^server1: {2}it may take over, with priority 100$/m);
    expect(text({})).not.toContain('priority');
    expect(of(first, told({ takeover: null })).rows[1]?.duty).toBeNull();
  });

  it('with an arbiter says who hears it, and whom the promise names', async () => {
    const cluster = await clusterOf(arbiterInventory);
    const status = (name: string, arbiters: unknown, sql: unknown): HostStatus =>
      readStatus(serverNamed(cluster, name), {
        facts,
        data: data('running 1\n'),
        controller: reply(
          JSON.stringify({
            mirroring_status: 'switchable',
            servers: [],
            arbiters,
            register: { term: 3, members: ['arb1'], answers: true },
          }),
        ),
        live: reply('', { sql }),
      });
    const found = clusterStatus(
      cluster,
      new Map([
        ['server1', status('server1', [{ id: 'arb1', status: 'online', why: null }], primary)],
        ['server2', status('server2', [{ id: 'arb1', status: 'offline', why: 'refused' }], standby)],
      ]),
      0,
    );
    expect(statusText(found, false)).toContain(
      'arbiter arb1, 192.0.2.120:  heard by server1; not by server2 (refused)',
    );
    expect(statusJson(found)).toMatchObject({
      arbiter: {
        arbiter: 'arb1',
        heard_by: ['server1'],
        not_heard_by: [{ server: 'server2', why: 'refused' }],
      },
      register: ['arb1'],
    });
    const blind = clusterStatus(cluster, new Map(), 0);
    expect(statusText(blind, false)).toContain('heard by nobody');
    expect(statusJson(of(seen('server1', primary), away))).toMatchObject({ arbiter: null, register: null });
  });

  it('whose roles have changed says so', () => {
    const status = of(seen('server1', standby), seen('server2', { ...primary, senders: [] }));
    expect(status).toMatchObject({ primary: 'server2', preferredPrimary: 'server1', problem: null });
    expect(statusText(status, false)).toContain('server2 is primary; the inventory prefers server1.');
    expect(status.rows[0]?.syncState).toBe('not connected');
  });

  it.each([
    ['two primaries', primary, primary, /both primary/],
    ['no primary', standby, standby, /no primary/],
  ])('with %s has a problem', (_, a, b, problem) => {
    const status = of(seen('server1', a), seen('server2', b));
    expect(status.primary).toBeNull();
    expect(status.problem).toMatch(problem);
  });

  it('does not speak of a rebuild while another server may still become primary', () => {
    const advice = 'on server3: mc_ctl start';
    const row = (server_id: string, host_role: string) => ({ server_id, host_role, disk_status: 'normal' });
    const told = (undecided: readonly string[]) => {
      const servers = [row('server1', 'none(inactivated primary)'), row('server2', 'primary')];
      const words = {
        mirroring_status: 'not-switchable',
        reason: 'why',
        advice,
        since: '',
        servers,
        undecided,
      };
      const first = readStatus(serverNamed(pair, 'server1'), { controller: reply(JSON.stringify(words)) });
      return of(first, seen('server2', primary)).rows[0]?.toDo;
    };
    expect(told([])).toContain('pgduet rebuild server1');
    expect(told(['server3'])).toBe(advice);
  });

  it('still has a row for a host that is away', () => {
    const status = of(seen('server1', primary), away);
    expect(status.rows[1]).toMatchObject({ role: 'unknown', state: 'host not reached' });
    expect(statusText(status, false)).toContain('host not reached');
  });

  it.each([
    ['nothing is there', 'content absent\n', { role: 'none', state: 'no instance (directory absent)' }],
    ['it is unfinished', 'making copy\ncontent cluster\nversion 15\n', { state: 'unfinished (copy)' }],
    [
      'it runs and does not answer',
      'content cluster\nversion 15\nrunning 1\n',
      { role: 'unknown', state: 'running, does not answer' },
    ],
    ['it is stopped', 'content cluster\nversion 15\n', { role: 'none', state: 'stopped (state unknown)' }],
    ['nothing could be seen', 'what?', { role: 'unknown', state: 'could not be looked at' }],
  ])('says where %s', (_, stdout, row) => {
    const host = serverNamed(pair, 'server2');
    const status = readStatus(host, {
      facts,
      data: reply(stdout),
      controller: reply('missing\n'),
      live: reply('', { sqlProblem: 'no' }),
    });
    expect(of(seen('server1', primary), status).rows[1]).toMatchObject(row);
  });

  it('says who has stopped a server, and of all of them that the cluster is stopped', () => {
    const stopped = (name: string, by: string, more = '') =>
      readStatus(serverNamed(pair, name), {
        facts,
        data: data(more),
        controller: reply('stopped'),
        stopped: reply(`stopped 2026-11-30T09:12:00Z ${by}\n`),
      });
    const one = of(seen('server1', primary), stopped('server2', 'anna@desk'));
    expect(one.rows[1]).toMatchObject({
      state: 'stopped with pgduet stop by anna@desk, 2026-11-30 09:12:00 UTC',
      stopped: { by: 'anna@desk', since: '2026-11-30T09:12:00Z' },
    });
    expect(one.rows[0]?.stopped).toBeNull();
    expect(of(seen('server1', primary), stopped('server2', 'x', 'running 1\n')).rows[1]?.state).toBe(
      'running, does not answer',
    );
    expect(of(stopped('server1', 'anna@desk'), stopped('server2', 'bob')).problem).toBe(
      'no primary runs: all are stopped with pgduet stop by anna@desk, 2026-11-30 09:12:00 UTC',
    );
    expect(of(stopped('server1', 'anna@desk'), away).problem).toBe('no primary runs');
  });

  it('names the page where none runs, and nobody has stopped one', () => {
    const down = (name: string) =>
      readStatus(serverNamed(pair, name), { facts, data: data(''), controller: reply('stopped') });
    expect(of(down('server1'), down('server2')).problem).toMatch(/all-servers-down\.md$/);
    expect(of(down('server1'), seen('server2', standby)).problem).toBe('no primary runs');
  });

  describe('of a server that does not run', () => {
    const down = (state: string, recovered: string, more = '') =>
      of(
        seen('server1', primary),
        readStatus(serverNamed(pair, 'server2'), {
          facts,
          data: data(`${more}${control(state)}${recovered}`),
          controller: reply('stopped'),
        }),
      );
    const promoted = "Minimum recovery ending location: 0/5000148\nMin recovery ending loc's timeline: 2\n";
    const shows = (status: ReturnType<typeof down>) => {
      const { timeline, lsn, atLeast } = status.rows[1] ?? {};
      return [timeline, lsn, atLeast];
    };

    it('says how far it reaches, and whether it may reach further', () => {
      expect(shows(down('shut down', ''))).toEqual([1, '0/5000060', false]);
      expect(shows(down('in production', ''))).toEqual([1, '0/5000060', true]);
      expect(shows(down('in production', promoted))).toEqual([2, '0/5000148', true]);
      expect(shows(down('shut down in recovery', promoted))).toEqual([2, '0/5000148', true]);
      expect(statusText(down('in production', promoted), false)).toMatch(/ 2 +≥ 0\/5000148/);
      expect(statusJson(down('in production', promoted))).toMatchObject({
        servers: [{ at_least: false }, { timeline: 2, lsn: '0/5000148', at_least: true }],
      });
    });

    it('says nothing of what is unfinished, or runs and does not answer', () => {
      expect(shows(down('in production', promoted, 'making copy\n'))).toEqual([null, null, false]);
      expect(shows(down('in production', promoted, 'running 1\n'))).toEqual([null, null, false]);
    });
  });

  it('has one schema for programs', () => {
    const json = statusJson(of(seen('server1', primary), away));
    expect(Object.keys(json)).toEqual([
      'schema',
      'cluster',
      'primary',
      'preferred_primary',
      'problem',
      'servers',
      'arbiter',
      'register',
      'clients',
    ]);
    expect(JSON.parse(JSON.stringify(json))).toEqual(json);
  });

  it('asks few things of each host', () => {
    const probes = statusProbes(serverNamed(pair, 'server1'), '/usr/local/bin/mc_ctl');
    expect(Object.keys(probes)).toEqual([
      'facts',
      'data',
      'controller',
      'live',
      'streams',
      'remembered',
      'stopped',
    ]);
  });
});
