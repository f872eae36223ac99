/** The login by which a controller finds the password that a primary takes: on a real server, whatever its rules ask of a connection. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Secret } from '../../src/base/secret.ts';
import { logInForReplication } from '../../src/controller/io/postgres.ts';
import { cannotRun, RealServer } from '../postgres/real-server.ts';

/** For nobody in particular. */
function certificate(): { readonly key: string; readonly certificate: string } {
  const dir = mkdtempSync(join(tmpdir(), 'mc-login-'));
  const request = 'req -x509 -newkey rsa:2048 -nodes -days 9 -subj /CN=any -keyout k -out c'.split(' ');
  execFileSync('openssl', request, { cwd: dir, stdio: 'ignore' });
  const read = (name: string) => readFileSync(join(dir, name), 'utf8');
  const made = { key: read('k'), certificate: read('c') };
  rmSync(dir, { recursive: true });
  return made;
}

const rule = (kind: string, method = 'scram-sha-256'): string =>
  `local all all peer\n${kind} replication repl 127.0.0.1/32 ${method}\n`;

describe.skipIf(cannotRun !== undefined)('a server with TLS', () => {
  const server = new RealServer();
  const rules = (text: string): void => {
    server.write('pg_hba.conf', text);
    server.reload();
  };
  const answer = (password: string) =>
    logInForReplication({ host: '127.0.0.1', port: server.port, user: 'repl' }, new Secret(password));

  beforeAll(async () => {
    const { key, certificate: text } = certificate();
    await server.start(['ssl = on'], { 'server.key': key, 'server.crt': text });
    server.sql("create role repl replication login password 'right'");
  });
  afterAll(() => server.stop());

  it.each(['hostssl', 'host', 'hostnossl'])(
    'lets a standby in by a rule of the kind %s, and is heard',
    async (kind) => {
      rules(rule(kind));
      await expect.poll(() => answer('right')).toBe('in');
      expect(await answer('wrong')).toBe('refused');
    },
  );

  it('that knows no rule for it says nothing of the password', async () => {
    rules('local all all peer\n');
    await expect.poll(() => answer('right')).toBe('silent');
    expect(await answer('wrong')).toBe('silent');
  });

  it('is not told the password in clear text, not even under TLS', async () => {
    rules(rule('hostssl'));
    await expect.poll(() => answer('right')).toBe('in');
    rules(rule('hostssl', 'password'));
    await expect.poll(() => answer('right')).toBe('silent');
  });
});
