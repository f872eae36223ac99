/** Secrets: where they are read from, and that no message, excerpt or printed cluster ever shows one. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { armor, Encrypter, generateX25519Identity, identityToRecipient } from 'age-encryption';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Result } from '../../src/base/diagnostic.ts';
import { type LoadedInventory, loadInventory, parseInventory } from '../../src/inventory/load.ts';
import { redact } from '../../src/inventory/redact.ts';
import { renderDiagnostic } from '../../src/report/diagnostic.ts';
import { fakeLookups } from './lookups.ts';

const clear = 'correct horse battery';
const inventory = (password: string, ssh = '{ user: deploy }') => `cluster: inst1
ssh: ${ssh}
postgres: { version: 15, data_dir: /database/inst1 }
multiplexing: { management_dir: /mcdir/inst1, on_heartbeat_loss: fallback }
secrets:
  replication_password: ${password}
hosts:
  server1: { address: 192.0.2.100, role: primary }
  server2: { address: 192.0.2.110, role: standby, ssh: { password: !env OTHER } }
`;

let identity: string;
let block: string;

beforeAll(async () => {
  identity = await generateX25519Identity();
  const encrypter = new Encrypter();
  encrypter.addRecipient(await identityToRecipient(identity));
  const text = armor.encode(await encrypter.encrypt(`${clear}\n`));
  block = `!age |\n${text.replace(/^/gm, '    ')}`;
});

const password = (result: Result<LoadedInventory>) =>
  result.ok ? result.value.cluster.replicationPassword?.reveal() : result.diagnostics;
const told = (result: Result<LoadedInventory>): string =>
  result.ok ? '' : result.diagnostics.map((one) => renderDiagnostic(one, { color: false })).join('\n');

describe('!age', () => {
  it('is opened with the identity of the environment', async () => {
    const lookups = fakeLookups({}, { AGE_IDENTITY: identity, OTHER: 'other' });
    expect(password(await parseInventory(inventory(block), 'inv.yml', lookups))).toBe(clear);
  });

  it('is opened with a key file, comments and all', async () => {
    const keys = { '/keys/age.txt': { text: `# created: today\n${identity}\n`, mode: 0o600 } };
    const lookups = fakeLookups(keys, { PGDUET_AGE_KEY_FILE: '/keys/age.txt', OTHER: 'other' });
    expect(password(await parseInventory(inventory(block), 'inv.yml', lookups))).toBe(clear);
  });

  it.each([
    ['another key', { AGE_IDENTITY: 'other' }, /cannot be decrypted/],
    ['no key', {}, /no key for the !age block/],
    ['a text that is no key', { AGE_IDENTITY: 'hunter2' }, /holds no age key/],
    ['a key file that others may read', { PGDUET_AGE_KEY_FILE: '/keys/wide.txt' }, /mode 0644/],
    ['a key file that is not there', { PGDUET_AGE_KEY_FILE: '/keys/none.txt' }, /not there/],
  ])('is refused with %s', async (_, env: Record<string, string>, why) => {
    const other = {
      ...env,
      ...(env.AGE_IDENTITY === 'other' ? { AGE_IDENTITY: await generateX25519Identity() } : {}),
    };
    const keys = { '/keys/wide.txt': { text: identity, mode: 0o644 } };
    const text = told(
      await parseInventory(inventory(block), 'inv.yml', fakeLookups(keys, { ...other, OTHER: 'other' })),
    );
    expect(text).toMatch(why);
    expect(text).not.toMatch(/hunter2|AGE-SECRET-KEY-1/);
  });

  it('is refused when it is damaged', async () => {
    const lookups = fakeLookups({}, { AGE_IDENTITY: identity, OTHER: 'other' });
    const damaged = block.replace(/\n {4}YWdl.{8}/, '\n    YWdlAAAAAAAA');
    expect(told(await parseInventory(inventory(damaged), 'inv.yml', lookups))).toMatch(/cannot be decrypted/);
  });
});

describe('!env and !file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'pgduet-inventory-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  it('are read on the real machine, and given to the mask', async () => {
    writeFileSync(join(folder, 'inv.yml'), inventory('!file secret.txt'));
    writeFileSync(join(folder, 'secret.txt'), `${clear}\n`, { mode: 0o600 });
    const result = await loadInventory(join(folder, 'inv.yml'), { env: { OTHER: 'other' } });
    expect(password(result)).toBe(clear);
    expect(result.ok && result.value.secrets.map((one) => one.reveal())).toEqual([clear, 'other']);
    expect(result.ok && result.value.cluster.hosts[1]?.ssh.password?.reveal()).toBe('other');
    expect(result.ok && result.value.cluster.hosts[0]?.ssh.password).toBeUndefined();
    expect(inspect(result, { depth: 9 }) + JSON.stringify(result)).not.toMatch(/horse|other/);
  });

  it('are refused on the real machine when others may read the file', async () => {
    chmodSync(join(folder, 'secret.txt'), 0o640);
    expect(told(await loadInventory(join(folder, 'inv.yml'), { env: { OTHER: 'other' } }))).toMatch(
      /mode 0640/,
    );
  });
});

describe('redact', () => {
  it.each([
    ['  password: hunter2', '  password: ***'],
    ['ssh: { user: me, "password": "hunter2" }', 'ssh: { user: me, "password": ***'],
    [
      'ssh: { password: !env NAME, become_password: hunter2 }',
      'ssh: { password: !env NAME, become_password: ***',
    ],
    ['  replication_password: !env hunter-2', '  replication_password: ***'],
    ['  passwd:\n    hunter2\n  user: x', '  passwd:\n    ***\n  user: x'],
    ['  password: |\n    hunter2\n\n    hunter3\nuser: x', '  password: ***\n    ***\n\n    ***\nuser: x'],
    ['password: *hunter2', 'password: ***'],
    ['password: !!str hunter2', 'password: ***'],
    ['api-token: hunter2', 'api-token: ***'],
    ["  archive_command: 'PGPASSWORD=hunter2 cp %p /a/%f'", "  archive_command: 'PGPASSWORD=***"],
    ['  archive_command: cp %p /a/%f && post hunter2', '  archive_command: cp %p /a/%f && post ***'],
    ['settings: { a: b, restore_command: "get hunter2" }', 'settings: { a: b, restore_command: ***'],
    ['  restore_command: >\n    get hunter2\n  x: y', '  restore_command: >\n    ***\n  x: y'],
    ['  - "host all all ::/0 ldap ldapbindpasswd=hunter2"', '  - "host all all ::/0 ldap ldapbindpasswd=***'],
    ['  vault.token: hunter2', '  vault.token: ***'],
    ['  primary_conninfo: "host=a password=hunter2"', '  primary_conninfo: "host=a password=***'],
    ['  x: postgresql://u:hunter2@h/d', '  x: postgresql://***'],
  ])('%j', (text, shown) => {
    expect(redact(text)).toBe(shown);
  });

  it.each([
    'passfile: /home/postgres/.pgpass',
    'secrets: { replication_password: !file here.txt }',
    '  password: !age |\n    -----BEGIN',
    'settings: { password_encryption: md5 }',
    '- { method: password }',
    "  archive_command: 'test ! -f /a/%f && cp %p /a/%f'",
    '  url: postgresql://a,b/d?sslmode=require',
  ])('leaves %j', (text) => {
    expect(redact(text)).toBe(text);
  });
});
