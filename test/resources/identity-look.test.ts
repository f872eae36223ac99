/** What a host says of the key of its server: the public part, and nothing of the private one, however the file was put together. */
import { spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { publicPart } from '../../src/base/identities.ts';
import { preamble } from '../../src/resources/contract/preamble.ts';
import { identityPath, identityProbe, readIdentity } from '../../src/resources/controller/identity-look.ts';

const managementDir = mkdtempSync(join(tmpdir(), 'pgduet-identity-'));
afterAll(() => rmSync(managementDir, { recursive: true }));

const { privateKey, publicKey } = generateKeyPairSync('ec', {
  namedCurve: 'prime256v1',
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
});
const secret = privateKey.split('\n').slice(1, -2).join('').slice(40, 100);

function told(text: string): string {
  const path = identityPath({ managementDir });
  writeFileSync(path, text);
  chmodSync(path, 0o600);
  const { shell } = identityProbe({ managementDir });
  const functions = preamble({
    postgresVersion: 15,
    owner: userInfo().username,
    socketDir: '/tmp',
    port: 1,
  });
  return spawnSync('sh', [], { input: `${functions}\n${shell}`, encoding: 'utf8' }).stdout;
}

describe('the key of a server', () => {
  it.each([
    ['as it is made', privateKey + publicKey],
    ['the other way round', publicKey + privateKey],
    ['with a private part on both sides', privateKey + publicKey + privateKey],
  ])('tells its public part alone: %s', (_title, text) => {
    const said = told(text);
    expect(said).not.toContain(secret.slice(0, 20));
    expect(said).not.toContain('PRIVATE');
    expect(readIdentity({ status: 0, stdout: said, stderr: '' })).toMatchObject({
      state: 'present',
      value: { public: publicPart(publicKey) },
    });
  });

  it.each([
    ['without an end', privateKey + publicKey.replace(/-----END.*/, '')],
    ['the end of another part', `${publicKey.replace(/-----END.*/, '')}${privateKey}`],
    ['the private part between the marks', publicKey.replace(/(-----END)/, `${privateKey}$1`)],
    ['no public part', privateKey],
  ])('says nothing of what is torn: %s', (_title, text) => {
    const said = told(text);
    expect(said).not.toContain(secret.slice(0, 20));
    expect(said).not.toContain('PRIVATE');
  });
});
