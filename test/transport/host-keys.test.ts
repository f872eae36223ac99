/** A host key that a person names: it is the only one that is taken, and takes the place of the former one in that person's file. */
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { hostKeys } from '../../src/transport/host-keys.ts';
import { fingerprint } from '../../src/transport/known-hosts.ts';
import type { Target } from '../../src/transport/ssh-target.ts';

function key(rest: string): Buffer {
  const type = 'ssh-ed25519';
  const length = Buffer.alloc(4);
  length.writeUInt32BE(type.length);
  return Buffer.concat([length, Buffer.from(type), createHash('sha256').update(rest).digest()]);
}
const former = key('former');
const fresh = key('fresh');
const line = (names: string, blob: Buffer): string => `${names} ssh-ed25519 ${blob.toString('base64')}`;

let dir = '';
let file = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'pgduet-keys-'));
  file = join(dir, 'known_hosts');
});
afterEach(() => rmSync(dir, { recursive: true }));

const target = (more: Partial<Target> = {}): Target => ({
  name: 'server2',
  address: '192.0.2.2',
  port: 22,
  user: 'root',
  identityFiles: [],
  identitiesOnly: false,
  jumps: [],
  userKnownHosts: [file],
  globalKnownHosts: [],
  hashKnownHosts: false,
  connectTimeoutMs: 1,
  keepalive: { intervalMs: 1, count: 1 },
  ...more,
});
const naming = (blob: Buffer, host = 'server2') => hostKeys(false, { host, fingerprint: fingerprint(blob) });
const codeOf = (refused: ReturnType<ReturnType<typeof hostKeys>['check']>): string | undefined =>
  refused?.diagnostics[0]?.code;

it('takes the place of the former key; lines of others stay, and the file as it was beside it', () => {
  const other = `# mine\n${line('192.0.2.1', former)}`;
  const before = `${other}\n${line('server2,192.0.2.2', former)}\n`;
  writeFileSync(file, before, { mode: 0o600 });
  const link = join(dir, 'link');
  symlinkSync(file, link);
  const keys = naming(fresh);
  const there = target({ userKnownHosts: [link] });
  expect(keys.check(there, fresh)).toBeUndefined();
  expect(readFileSync(file, 'utf8')).toBe(before);
  keys.remember(there, fresh);
  expect(readFileSync(file, 'utf8')).toBe(`${other}\n${line('192.0.2.2', fresh)}\n`);
  expect(readFileSync(`${file}.old`, 'utf8')).toBe(before);
  expect(codeOf(hostKeys(false).check(there, former))).toBe('CON003');
});

it('is the only one that is taken, also where another one is known', () => {
  writeFileSync(file, `${line('192.0.2.2', former)}\n`);
  expect(codeOf(naming(fresh).check(target(), former))).toBe('CON003');
  expect(
    codeOf(hostKeys(true, { host: 'server2', fingerprint: fingerprint(fresh) }).check(target(), key('x'))),
  ).toBe('CON003');
  expect(naming(former).check(target(), former)).toBeUndefined();
});

it('counts for no other host', () => {
  writeFileSync(file, `${line('192.0.2.2', former)}\n`);
  expect(codeOf(naming(fresh, 'server1').check(target(), fresh))).toBe('CON003');
  const unknown = target({ address: '192.0.2.9' });
  expect(codeOf(naming(fresh, 'server1').check(unknown, fresh))).toBe('CON002');
});

it('is added where nothing is known', () => {
  const keys = naming(fresh);
  expect(keys.check(target(), fresh)).toBeUndefined();
  keys.remember(target(), fresh);
  expect(readFileSync(file, 'utf8')).toBe(`${line('192.0.2.2', fresh)}\n`);
});

it('is refused beside a line that stands for several hosts, or in a file of the whole machine, or where it is revoked', () => {
  writeFileSync(file, `${line('192.0.2.*', former)}\n`);
  expect(codeOf(naming(fresh).check(target(), fresh))).toBe('CON003');
  writeFileSync(file, `${line('192.0.2.2', former)}\n`);
  const global = target({ userKnownHosts: [join(dir, 'mine')], globalKnownHosts: [file] });
  expect(codeOf(naming(fresh).check(global, fresh))).toBe('CON003');
  writeFileSync(file, `@revoked ${line('*', fresh)}\n`);
  expect(codeOf(naming(fresh).check(target(), fresh))).toBe('CON003');
});
