/**
 * State files between the last released controller and the present one, each way: neither takes the other's for torn, and what
 * both know is read as it was written. The released one is run as it was shipped.
 */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { readState, writeState } from '../../src/controller/io/state-file.ts';
import { readIfThere } from '../../src/controller/io/whole-file.ts';
import { controllerVersion } from '../../src/controller/version.ts';
import { released } from '../released/released.ts';
import { recorded } from './support/conversation.ts';
import { cannotRun, owner } from './support/pair.ts';

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'mc-released-'));
  mkdirSync(join(dir, 'data/pg_wal'), { recursive: true });
  const files = {
    'mc.cjs': released('mc').text,
    'network.conf': 'server1 127.0.0.1 27991\nserver2 127.0.0.1 27992\n',
    'server2.conf': `db_instance = '${dir}/data'\n`,
    'cluster.key': `${'ab'.repeat(32)}\n`,
    'data/PG_VERSION': '15\n',
    'data/standby.signal': '',
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text, { mode: 0o600 });
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const path = (): string => join(dir, 'server2.state.json');

/** Runs the released controller, with failover off, until it has written that down; returns what it said. */
async function runReleased(): Promise<string> {
  const mine = process.getuid?.() === 0 ? ['runuser', '-u', owner, '--'] : [];
  if (mine.length > 0) execFileSync('chown', ['-R', owner, dir]);
  const daemon = [
    process.execPath,
    join(dir, 'mc.cjs'),
    'daemon',
    '-M',
    dir,
    '--local-server',
    'server2',
    '-F',
  ];
  const [command = '', ...args] = [...mine, ...daemon];
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], cwd: '/' });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (it: Buffer) => {
      said += it.toString();
    });
  const ended = new Promise((resolve) => child.on('close', resolve));
  try {
    await vi.waitFor(() => expect(readIfThere(path()), said).toMatch(/"enabled":false/), { timeout: 20_000 });
  } finally {
    child.kill('SIGTERM');
    await ended;
  }
  return said;
}

const record = recorded({
  role: 'standby',
  timeline: 3,
  failover: { enabled: true, changedAtWall: 5 },
  sync: {
    primary: 'server1',
    timeline: 3,
    epoch: 4,
    members: ['server2'],
    eligible: ['server2'],
    voters: ['server2'],
    needed: 1,
  },
  withdrawn: { server2: 4 },
  wroteWall: 7,
});

describe.skipIf(cannotRun !== undefined)('a state file', () => {
  it('of the last release is read by the present controller', async () => {
    const said = await runReleased();
    expect(said).toContain(`controller ${released('mc').version} of server2`);
    const { state, torn } = readState(dir, 'server2');
    expect([state?.role, torn]).toEqual(['standby', false]);
  });

  it('of the present controller is read by the last release', async () => {
    writeState(dir, 'server2', record);
    const said = await runReleased();
    expect(said).not.toContain('MCA01026');
    expect(existsSync(`${path()}.torn`)).toBe(false);
    const { state } = readState(dir, 'server2');
    expect(state).toMatchObject({ sync: record.sync, timeline: record.timeline, systemId: record.systemId });
  });

  it('bears the version that wrote it, which is not that of the last release', () => {
    writeState(dir, 'server2', record);
    expect(JSON.parse(readFileSync(path(), 'utf8'))).toMatchObject({ version: controllerVersion });
    expect(released('mc').version).not.toBe(controllerVersion);
    expect(released('core').version).toBe(released('mc').version);
  });
});
