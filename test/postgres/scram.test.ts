/** SCRAM verifiers: against the numbers of RFC 7677, and against those that a real PostgreSQL makes. */
import { execFileSync } from 'node:child_process';
import { createHash, createHmac } from 'node:crypto';
import { chmodSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { quote } from '../../src/base/shell.ts';
import { quoteLiteral } from '../../src/postgres/quote.ts';
import { scramVerifier, verifies } from '../../src/postgres/scram.ts';

describe('RFC 7677, section 3', () => {
  const salt = 'W22ZaJ0SNY7soEsUEjb6gQ==';
  const nonce = 'rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0';
  const message = `n=user,r=rOprNGfwEbeRWgbNEkqO,r=${nonce},s=${salt},i=4096,c=biws,r=${nonce}`;
  const verifier = scramVerifier('pencil', Buffer.from(salt, 'base64'));
  const [, stored = '', server = ''] = /^SCRAM-SHA-256\$4096:[^$]+\$([^:]+):(.+)$/.exec(verifier) ?? [];
  const hmac = (key: string) => createHmac('sha256', Buffer.from(key, 'base64')).update(message).digest();

  it('the server key signs as it does there', () => {
    expect(hmac(server).toString('base64')).toBe('6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=');
  });

  it('the stored key accepts the proof of the client there', () => {
    const proof = Buffer.from('dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=', 'base64');
    const signature = hmac(stored);
    const clientKey = Buffer.from(proof.map((byte, index) => byte ^ (signature[index] ?? 0)));
    expect(createHash('sha256').update(clientKey).digest('base64')).toBe(stored);
  });
});

describe('verifies', () => {
  const verifier = scramVerifier('right', Buffer.alloc(16, 1));
  it.each([
    ['the right password', verifier, 'right', true],
    ['another password', verifier, 'wrong', false],
    ['an empty password', verifier, '', false],
    ['no verifier', '', '', false],
    ['an md5 hash', 'md5a3556571e93b0d20722ba62be61e8c2d', 'right', false],
    ['a clear password', 'right', 'right', false],
    ['a torn verifier', verifier.slice(0, 40), 'right', false],
    ['a short key', 'SCRAM-SHA-256$4096:AAAA$AAAA:AAAA', 'right', false],
  ])('knows %s', (_, text, password, answer) => {
    expect(verifies(text, password)).toBe(answer);
  });
});

const bin = '/usr/lib/postgresql/15/bin';
/** A server never runs as root; then it runs as nobody. */
const asOrdinaryUser = (script: string): string =>
  process.getuid?.() === 0
    ? execFileSync('runuser', ['-u', 'nobody', '--', 'sh', '-c', script], { encoding: 'utf8', cwd: '/' })
    : execFileSync('sh', ['-c', script], { encoding: 'utf8' });

describe.skipIf(!existsSync(`${bin}/initdb`))('PostgreSQL 15', () => {
  const passwords = [
    'pencil',
    `it's \\ "odd"`,
    'fianc\u00e9 \ufb01',
    '\u2168 nine',
    'so\u00adft',
    '名🐘',
    ' ',
  ];

  it('makes verifiers that we recognize, and ours for the same password and salt are the same', () => {
    const dir = mkdtempSync(join(tmpdir(), 'pgduet-scram-'));
    try {
      chmodSync(dir, 0o777);
      const data = join(dir, 'data');
      asOrdinaryUser(
        `${bin}/initdb --no-sync -E UTF8 --locale=C.UTF-8 -A peer -D ${quote(data)} >/dev/null 2>&1`,
      );
      const statements = passwords.map(
        (one, index) => `CREATE ROLE r${index} PASSWORD ${quoteLiteral(one)};\n`,
      );
      const query =
        "SELECT rolname || '=' || rolpassword AS x FROM pg_authid WHERE rolpassword IS NOT NULL;\n";
      const answer = asOrdinaryUser(
        `printf '%s' ${quote(statements.join('') + query)} | ${bin}/postgres --single -D ${quote(data)} postgres 2>/dev/null`,
      );
      const made = [...answer.matchAll(/x = "r(\d+)=(SCRAM-SHA-256\$4096:([^$]+)\$[^"]+)"/g)];
      expect(made).toHaveLength(passwords.length);
      for (const [, index, verifier = '', salt = ''] of made) {
        const password = passwords[Number(index)] ?? '';
        expect(verifies(verifier, password), password).toBe(true);
        expect(scramVerifier(password, Buffer.from(salt, 'base64'))).toBe(verifier);
      }
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  });
});
