/**
 * The second record of what a server was before pgduet, with a real shell, two users and the number of this machine: what the probe says of each
 * state, what the steps leave, and that nothing of root's is shown or written by a name of the administrator's. Needs root.
 */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { outdated } from '../../src/resources/contract/kind.ts';
import { preamble } from '../../src/resources/contract/preamble.ts';
import { dataDirectoryProbe, readDataDirectory } from '../../src/resources/data/data-directory.ts';
import type { Before } from '../../src/resources/data/record.ts';
import { dropSeconds, putSecond } from '../../src/resources/data/second-record.ts';
import { secondRecord } from '../../src/resources/single/second-record.ts';
import { desiredOf, fullReply, sampleContext, samplePlace } from './cases.ts';

const owner = 'nobody';
const uid = 65534;
const system = '7300000000000000001';
const text = JSON.stringify(
  {
    schema: 1,
    at: 1,
    systemIdentifier: system,
    version: 15,
    starter: { kind: 'hand', options: '' },
    configFile: '/d/postgresql.conf',
    hbaFile: '/d/pg_hba.conf',
    identFile: '/d/pg_ident.conf',
    files: [{ path: '/d/postgresql.conf', mode: '600', owner: 'nobody:nogroup', text: 'it’s \\ here\n\n' }],
    settings: [],
    made: [],
    roles: [],
    pair: { role: 'standby' },
  } satisfies Before,
  null,
  1,
);
const control = `Database system identifier:           ${system}
Database cluster state:               in production
Latest checkpoint location:           0/2000060
Latest checkpoint's REDO location:    0/2000028
Latest checkpoint's TimeLineID:       1
Latest checkpoint's NextOID:          16384`;

let root = '';
let data = '';
let management = '';
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'pgduet-second-'));
  chmodSync(root, 0o755);
  data = join(root, 'data');
  management = join(root, 'mc');
  for (const dir of [data, management]) {
    mkdirSync(dir, { mode: 0o700 });
    chownSync(dir, uid, uid);
  }
  his(join(data, 'PG_VERSION'), '15\n');
  his(join(management, 'server1.system'), system);
  const bin = join(root, 'bin');
  mkdirSync(bin);
  writeFileSync(join(bin, 'pg_controldata'), `#!/bin/sh\ncat <<'END'\n${control}\nEND\n`, { mode: 0o755 });
});
afterEach(() => rmSync(root, { recursive: true }));

function his(path: string, content: string): string {
  writeFileSync(path, content, { mode: 0o600 });
  chownSync(path, uid, uid);
  return path;
}

function sh(script: string) {
  const functions = preamble({ postgresVersion: 15, owner, socketDir: '/tmp', port: 1001 });
  const { status, stdout, stderr } = spawnSync('sh', [], {
    input: `${functions}\nPGBIN=${join(root, 'bin')}\n( set -e\n${script}\n)`,
    encoding: 'utf8',
    cwd: root,
  });
  return { status: status ?? 255, stdout, stderr };
}

const place = () => ({ id: 'server1', managementDir: management, dataDir: data, version: 15 });
const record = () => join(management, 'server1.before.json');
const seconds = () => readdirSync(data).filter((name) => name.startsWith('pgduet.before.'));
const desired = () =>
  desiredOf(
    'second_record',
    '{ unit: mcoi_inst1 }',
    sampleContext({ server: { ...samplePlace, ...place(), owner } }),
  ) as Parameters<typeof secondRecord.probe>[0];

function verdict() {
  const observed = secondRecord.read(fullReply(sh(secondRecord.probe(desired()).shell ?? '')), desired());
  if (observed.state === 'unknown') throw new Error(observed.reason);
  return secondRecord.diff(desired(), observed);
}
function changes(): number {
  const found = verdict();
  if (found.kind !== 'change') throw new Error(`no change: ${JSON.stringify(found)}`);
  const [step] = secondRecord.steps(found.change, desired());
  return sh(step?.script ?? 'exit 1').status;
}
const view = () => readDataDirectory(fullReply(sh(dataDirectoryProbe(place()))));

describe.runIf(process.getuid?.() === 0 && existsSync('/etc/machine-id'))('the second record', () => {
  it('is none of a server that pgduet has made', () => {
    expect(verdict()).toMatchObject({ kind: 'same', reason: expect.stringContaining('no record') });
    expect(view()).not.toHaveProperty('recordLost');
  });

  it('is written where it is missing, as the administrator and for him alone, and is the same then', () => {
    his(record(), `${text}\n`);
    expect(changes()).toBe(0);
    const [name = ''] = seconds();
    expect(name).toMatch(/^pgduet\.before\.server1\.[0-9a-f]{12}\.json$/);
    expect(readFileSync(join(data, name), 'utf8')).toBe(`${text}\n`);
    const { uid: user, mode } = statSync(join(data, name));
    expect([user, mode & 0o777]).toEqual([uid, 0o600]);
    expect(verdict()).toMatchObject({ kind: 'same', reason: expect.stringContaining('twice') });
    expect(view()).toMatchObject({ before: 'standby' });
    expect(view()).not.toHaveProperty('recordLost');
  });

  it('is no other one of an interrupted migration, and what an earlier cluster left goes first', () => {
    his(join(data, 'pgduet.before.server2.0123456789ab.json'), 'old');
    his(record(), `${text}\n`);
    expect(sh(`${dropSeconds(place(), owner)}\n${putSecond(place(), owner, `${text}\n`)}`).status).toBe(0);
    expect(seconds()).toHaveLength(1);
    expect(verdict().kind).toBe('same');
  });

  it('is written anew where it says something else, or a link stands there, and the link is not followed', () => {
    his(record(), `${text}\n`);
    changes();
    const [name = ''] = seconds();
    his(join(data, name), '{}');
    expect(changes()).toBe(0);
    const secret = join(root, 'secret');
    writeFileSync(secret, 'only root', { mode: 0o600 });
    rmSync(join(data, name));
    symlinkSync(secret, join(data, name));
    expect(changes()).toBe(0);
    expect(readFileSync(join(data, name), 'utf8')).toBe(`${text}\n`);
    expect(readFileSync(secret, 'utf8')).toBe('only root');
  });

  it('brings the record back, every byte', () => {
    his(record(), `${text}\n`);
    changes();
    rmSync(record());
    expect(view()).toMatchObject({ before: 'standby', recordLost: true });
    expect(changes()).toBe(0);
    expect(readFileSync(record(), 'utf8')).toBe(`${text}\n`);
    const { uid: user, mode } = statSync(record());
    expect([user, mode & 0o777]).toEqual([uid, 0o600]);
    expect(verdict().kind).toBe('same');
  });

  it('of another server, or of another machine, is nobody’s here', () => {
    for (const name of ['pgduet.before.server2.0123456789ab.json', 'pgduet.before.server1.0123456789ab.json'])
      his(join(data, name), `${text}\n`);
    expect(verdict()).toMatchObject({ kind: 'same', reason: expect.stringContaining('no record') });
    expect(view()).not.toHaveProperty('before');
  });

  it('says nothing of data that is not ours any more, or not finished', () => {
    his(record(), `${text}\n`);
    changes();
    rmSync(record());
    his(join(management, 'server1.making'), 'copy');
    expect(verdict().kind).toBe('same');
    expect(view()).not.toHaveProperty('before');
    rmSync(join(management, 'server1.making'));
    rmSync(join(management, 'server1.system'));
    expect(verdict().kind).toBe('same');
    expect(view()).not.toHaveProperty('before');
  });

  it('does nothing by what has changed since the plan', () => {
    his(record(), `${text}\n`);
    const planned = verdict();
    his(record(), '{"edited":1}\n');
    if (planned.kind !== 'change') throw new Error('no change');
    const [write] = secondRecord.steps(planned.change, desired());
    expect(sh(write?.script ?? '').status).toBe(outdated);
    expect(seconds()).toEqual([]);
    his(record(), `${text}\n`);
    changes();
    rmSync(record());
    const back = verdict();
    if (back.kind !== 'change') throw new Error('no change');
    const [restore] = secondRecord.steps(back.change, desired());
    rmSync(join(management, 'server1.system'));
    expect(sh(restore?.script ?? '').status).toBe(outdated);
    his(join(management, 'server1.system'), system);
    his(record(), 'a person’s\n');
    expect(sh(restore?.script ?? '').status).toBe(outdated);
    expect(readFileSync(record(), 'utf8')).toBe('a person’s\n');
  });
});
