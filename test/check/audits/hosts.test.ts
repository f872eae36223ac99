/** Versions on the servers, and whether they reach each other. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fullDisks } from '../../../src/check/audits/full-disks.ts';
import { network } from '../../../src/check/audits/network.ts';
import { references } from '../../../src/check/audits/references.ts';
import { nodeVersions, postgresVersions } from '../../../src/check/audits/versions.ts';
import type { Facts } from '../../../src/observe/facts.ts';
import type { HostView } from '../../../src/observe/survey.ts';
import type { ProbeReply } from '../../../src/resources/contract/kind.ts';
import { serverNamed } from '../../observe/cluster.ts';
import { brief, pair, reply, tell, three } from './context.ts';

const postgres = (running: string, installed = 'same'): ProbeReply =>
  reply(running, { stdout: `${installed}\n` });
const debian = '15.4 (Debian 15.4-1.pgdg120+1)';

describe('versions of PostgreSQL', () => {
  it.each<[string, ProbeReply, ProbeReply, string[]]>([
    ['the same', postgres(debian), postgres('15.4 (Debian 15.4-2)'), []],
    [
      'builds of two makers',
      postgres(debian),
      postgres('15.4 (Ubuntu 15.4-2)'),
      ['PKG007 server2 PostgreSQL'],
    ],
    ['a build without a mark', postgres(debian), postgres('15.4'), ['PKG007 server2 PostgreSQL']],
    [
      'another directory',
      postgres(debian, 'postgres (PostgreSQL) 15.4\n/opt/pg15/bin\n/usr/lib/postgresql/15/bin'),
      postgres(debian),
      ['PKG006 server1 PostgreSQL'],
    ],
    [
      'an update with no restart yet',
      postgres(debian, 'postgres (PostgreSQL) 15.10'),
      postgres(debian),
      ['PKG003 server1 PostgreSQL'],
    ],
    [
      'a program that was only built again',
      postgres(debian, 'postgres (PostgreSQL) 15.4'),
      postgres(debian),
      [],
    ],
    ['different ones', postgres('15.10'), postgres('15.9'), ['PKG004 server2 PostgreSQL']],
    ['a beta', postgres('18beta1'), postgres('18beta2'), ['PKG004 server1 PostgreSQL']],
  ])('%s', (_, server1, server2, told) => {
    expect(brief(tell(postgresVersions, { server1, server2 }))).toEqual(told);
  });

  it('say both', () => {
    const [told] = tell(postgresVersions, {
      server1: postgres(debian, 'postgres (PostgreSQL) 15.10 (Debian 15.10-1)'),
    });
    expect(told).toMatchObject({ declared: '15.10 is installed', found: '15.4 runs' });
  });

  it('are advised what works there: a rolling update needs systemd', () => {
    const late = { server1: postgres(debian, 'postgres (PostgreSQL) 15.10 (Debian 15.10-1)') };
    const views = { server1: { facts: { serviceManager: 'update-rc.d' } as Facts } };
    expect(tell(postgresVersions, late)[0]).not.toHaveProperty('repair');
    expect(tell(postgresVersions, late, { views })[0]).toMatchObject({
      repair: expect.stringContaining('`pgduet restart`'),
      commands: [{ on: null, run: 'pgduet restart' }],
    });
  });

  it('are unknown where the server or the program does not say', () => {
    const host = serverNamed(pair, 'server1');
    const silent = { status: 0, stdout: 'same\n', stderr: '', sqlProblem: 'no connection' };
    expect(postgresVersions.read(silent, host)).toEqual({ state: 'unknown', reason: 'no connection' });
    expect(postgresVersions.read(reply(debian, { status: 126, stderr: 'not allowed' }), host)).toEqual({
      state: 'unknown',
      reason: 'not allowed',
    });
  });
});

describe('versions of Node.js', () => {
  const node = (version: string): ProbeReply => reply(undefined, { stdout: `/usr/bin/node\n${version}\n` });

  it('are told where the major ones differ, beside that of the primary', () => {
    expect(tell(nodeVersions, { server1: node('v18.20.4'), server2: node('v18.2.0') })).toEqual([]);
    expect(
      tell(nodeVersions, { server1: node('v18.20.4'), server2: node('v20.1.0') }, { primary: 'server2' }),
    ).toMatchObject([
      { code: 'PKG005', host: 'server1', declared: '20.1.0, as on server2', found: '18.20.4' },
    ]);
  });
});

describe('the network for replication', () => {
  const running: HostView = {
    data: { content: 'cluster', files: [], standbySignal: false, running: true },
  };
  const views = { server1: running, server2: running };
  const shows = (stdout: string): ProbeReply => reply(undefined, { stdout });

  it.each<[string, string, string | undefined]>([
    ['an answer', 'server2 0\n', undefined],
    ['a server that is starting', 'server2 1\n', undefined],
    ['a refusal', 'server2 2\n', 'refused, or no way there'],
    ['silence', 'server2 124\n', 'no answer within 1 s'],
  ])('with %s', (_, stdout, found) => {
    const told = tell(network, { server1: shows(stdout) }, { views });
    expect(told.map((one) => `${one.code} ${one.object} ${one.found}`)).toEqual(
      found === undefined ? [] : [`NET001 server2 ${found}`],
    );
  });

  it('says nothing of a server that does not run, or whose host did not answer', () => {
    const stopped: HostView = {
      data: { content: 'cluster', files: [], standbySignal: true, running: false },
    };
    expect(tell(network, { server1: shows('server2 2\n') }, { views: { server2: stopped } })).toEqual([]);
    const away = { views: { server2: undefined } };
    expect(tell(network, { server1: shows('server2 2\n') }, away)).toEqual([]);
  });

  it('is unknown where pg_isready cannot be run', () => {
    const host = serverNamed(pair, 'server1');
    expect(network.read(shows('server2 127\n'), host).state).toBe('unknown');
    expect(network.read(reply(undefined, { status: 1 }), host).state).toBe('unknown');
  });

  it('asks every other server at once', () => {
    const { shell = '' } = network.probe(serverNamed(three, 'server1'), three);
    expect(shell.match(/pg_isready/g)).toHaveLength(2);
    expect(shell).toContain('-h 2001:db8::3');
    expect(shell).not.toContain('192.0.2.100');
  });
});

it('the version of Node.js is asked in the words of the playbook, so that a look starts no process for it', () => {
  const playbook = readFileSync(join(import.meta.dirname, '../../../playbooks/provision.yml'), 'utf8');
  const [, words] = /- program: \{ (name: node[^\n]*) \}/.exec(playbook) ?? [];
  expect(words).toBe(
    "name: node, at_least: 18, pid_file: '{{multiplexing.managementDir}}/{{host.name}}.pid'",
  );
  const { shell } = nodeVersions.probe(serverNamed(pair, 'server1'), pair);
  expect(shell).toContain('/mcdir/inst1/server1.pid');
});

it('a full disk is told, as the controller of the host shows it', () => {
  const shows = (disk_status: string): ProbeReply =>
    reply(undefined, { stdout: JSON.stringify({ servers: [{ server_id: 'server1', disk_status }] }) });
  const found = (disk_status: string) => brief(tell(fullDisks, { server1: shows(disk_status) }));
  expect(found('full(data,transaction_log)')).toEqual([
    'DIR006 server1 data',
    'DIR006 server1 transaction_log',
  ]);
  expect([found('normal'), found('abnormal(data)')]).toEqual([[], []]);
});

describe('reference addresses', () => {
  const shows = (server: string, quiet: readonly string[]): ProbeReply => {
    const rows = ['server1', 'server2'].map((server_id) => ({
      server_id,
      quiet_references: server_id === server ? quiet : ['192.0.2.9'],
    }));
    return reply(undefined, { stdout: `${JSON.stringify({ servers: rows })}\n` });
  };

  it('are told where one does not answer, as the host itself shows it', () => {
    const server1 = shows('server1', []);
    const server2 = shows('server2', ['192.0.2.1', '192.0.2.2']);
    expect(brief(tell(references, { server1, server2 }))).toEqual([
      'NET003 server2 192.0.2.1',
      'NET003 server2 192.0.2.2',
    ]);
  });

  it('are unknown where the file cannot be read, and nothing where no controller shows them', () => {
    const host = serverNamed(pair, 'server1');
    expect(references.read(reply(undefined, { stdout: '' }), host)).toEqual({ state: 'absent' });
    // A controller of an earlier version does not know them.
    const earlier = JSON.stringify({ servers: [{ server_id: 'server1' }] });
    expect(references.read(reply(undefined, { stdout: earlier }), host)).toEqual({
      state: 'present',
      value: [],
    });
    expect(references.read(reply(undefined, { stdout: '{' }), host)).toMatchObject({ state: 'unknown' });
    expect(references.read(reply(undefined, { status: 1, stderr: 'no' }), host)).toEqual({
      state: 'unknown',
      reason: 'no',
    });
  });
});
