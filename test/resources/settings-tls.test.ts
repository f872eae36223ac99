/** An inventory that says nothing of TLS never takes it away, and standbys that begin to verify connect anew in turn. */
import { expect, it } from 'vitest';
import type { SettingsDesired, SettingsSeen } from '../../src/resources/postgres/settings-observation.ts';
import { reconnectsByTls, withStandingTls } from '../../src/resources/postgres/settings-tls.ts';

const verifying =
  'host=a port=1 sslmode=verify-full sslrootcert=/pki/ca.pem sslcert=/nonexistent/pgduet sslcrl=/nonexistent/pgduet';
const wants = (primary_conninfo: string) => ({ primary_conninfo });

const lines = [
  ['of a standby', `primary_conninfo = '${verifying}'\n`],
  ['that waits on a primary', `#primary_conninfo = '${verifying}'\n`],
] as const;

it.each(lines)('a line %s is refused without a word of TLS in the inventory', (_, text) => {
  expect(withStandingTls(wants('host=a port=1'), text, undefined)).toMatchObject({
    refused: {
      kind: 'refuse',
      diagnostic: { code: 'TLS002', fix: expect.stringContaining('ca: /pki/ca.pem') },
    },
  });
});

it.each(lines)('a line %s keeps its words where the primary is not seen to serve', (_, text) => {
  const { values } = withStandingTls(wants('host=b port=2'), text, 'kept');
  expect(values).toEqual(wants(verifying.replace('host=a port=1', 'host=b port=2')));
});

it.each(lines)('a line %s is written as declared where that is meant', (_, text) => {
  expect(withStandingTls(wants('host=b'), text, 'free')).toEqual({ values: wants('host=b') });
});

it.each([
  ['with TLS declared', 'host=a sslmode=verify-full', `primary_conninfo = '${verifying}'\n`],
  ['beside one by hand', 'host=a', "primary_conninfo = 'host=a sslmode=verify-full'\n"],
  ['beside one without TLS', 'host=a', "primary_conninfo = 'host=b'\n"],
  ['beside none', 'host=a', ''],
])('it is written %s', (_, wanted, text) => {
  for (const tls of [undefined, 'kept'] as const)
    expect(withStandingTls(wants(wanted), text, tls)).toEqual({ values: wants(wanted) });
});

const encrypted = verifying.replace(
  'verify-full sslrootcert=/pki/ca.pem',
  'require sslrootcert=/nonexistent/pgduet',
);

it.each([undefined, 'kept'] as const)(
  'a server that offered TLS before a migration is followed by it: %s',
  (tls) => {
    const text = `primary_conninfo = '${encrypted}'\n`;
    expect(withStandingTls(wants('host=b port=2'), text, tls)).toEqual({
      values: wants(encrypted.replace('host=a port=1', 'host=b port=2')),
    });
    expect(withStandingTls(wants('host=b'), text, 'free')).toEqual({ values: wants('host=b') });
    expect(withStandingTls(wants(verifying), text, tls)).toEqual({ values: wants(verifying) });
  },
);

it('a resource that says nothing of it leaves it alone', () => {
  const values = { ssl: 'on' };
  expect(withStandingTls(values, `primary_conninfo = '${verifying}'\n`, undefined)).toEqual({ values });
});

it('a standby takes its turn where it begins to verify, and only there', () => {
  const seen = (text: string, extra: readonly string[] = ['standby']) =>
    ({ text, extra }) as unknown as SettingsSeen;
  const turn = (wanted: string, text: string, extra?: readonly string[]) =>
    reconnectsByTls({ values: wants(wanted) } as unknown as SettingsDesired, seen(text, extra), [
      'primary_conninfo',
    ]);
  expect(turn(verifying, "primary_conninfo = 'host=a port=1'\n")).toBe(true);
  expect(turn(verifying, "primary_conninfo = 'host=a port=1'\n", [])).toBe(false);
  expect(turn('host=b', "primary_conninfo = 'host=a'\n")).toBe(false);
});
