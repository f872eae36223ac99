/** What a host says of its pair for TLS: the administrator says it, so that nothing of it leads root anywhere. */
import { expect, it } from 'vitest';
import { ownTls, readTlsLook, tlsProbe } from '../../src/resources/contract/tls-look.ts';

const reply = (stdout: string) => ({ status: 0, stdout, stderr: '' });
const said = (over: object) => JSON.stringify({ nowMs: 1, ...over });
const own = ownTls({ managementDir: '/mcdir/inst1', dataDir: '/database/inst1' }, '~');

it('has the home of the administrator from the system, in front of his own words', () => {
  expect(readTlsLook(reply(`/var/lib/postgresql\n${said({ home: '/etc' })}\n`))).toEqual({
    nowMs: 1,
    home: '/var/lib/postgresql',
  });
  expect(readTlsLook(reply(`${said({ home: '/etc' })}\n`))).toEqual({ nowMs: 1 });
  const { shell = '' } = tlsProbe({ host: 'a', port: 1, owner: 'postgres', version: 15, own });
  expect(shell).toContain('\nprintf \'%s\\n\' "$OWNER_HOME"\nprintf \'%s\\n\' "$said"\n');
});

it('has no name of a pair that is none', () => {
  const pairOf = (pair: string) => readTlsLook(reply(`/home\n${said({ pair })}`))?.pair;
  expect(pairOf('0123456789abcdef')).toBe('0123456789abcdef');
  expect(pairOf('../../../../etc')).toBeUndefined();
});

it('could not be had where the words are none', () => {
  for (const text of ['/home\n', '', '/home\nx\n', '/a\n/b\n{"nowMs":1}'])
    expect(readTlsLook(reply(text)), text).toBeUndefined();
  expect(readTlsLook({ ...reply(said({})), status: 1 })).toBeUndefined();
});

it('has a copy of its own for each server of a machine', () => {
  expect(own.copy).toMatch(/^\.pgduet-ca-[0-9a-f]{8}\.pem$/);
  expect(ownTls({ managementDir: '/mcdir/inst2', dataDir: '/database/inst1' }, '~').copy).not.toBe(own.copy);
});
