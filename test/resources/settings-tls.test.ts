/** An inventory that says nothing of TLS never takes it away, and standbys that begin to verify connect anew in turn. */
import { expect, it } from 'vitest';
import type { SettingsDesired, SettingsSeen } from '../../src/resources/postgres/settings-observation.ts';
import { reconnectsByTls, undeclaredTls } from '../../src/resources/postgres/settings-tls.ts';

const verifying =
  'host=a port=1 sslmode=verify-full sslrootcert=/pki/ca.pem sslcert=/nonexistent/pgduet sslcrl=/nonexistent/pgduet';
const wants = (primary_conninfo: string) => ({ primary_conninfo });

it.each([
  ['of a standby', `primary_conninfo = '${verifying}'\n`],
  ['that waits on a primary', `#primary_conninfo = '${verifying}'\n`],
])('a line %s is not written anew without a word of TLS', (_, text) => {
  expect(undeclaredTls(wants('host=a port=1'), text)).toMatchObject({
    kind: 'refuse',
    diagnostic: { code: 'TLS002', fix: expect.stringContaining('ca: /pki/ca.pem') },
  });
});

it.each([
  ['with TLS declared', 'host=a sslmode=prefer', `primary_conninfo = '${verifying}'\n`],
  ['beside one by hand', 'host=a', "primary_conninfo = 'host=a sslmode=verify-full'\n"],
  ['beside one without TLS', 'host=a', "primary_conninfo = 'host=b'\n"],
  ['beside none', 'host=a', ''],
])('it is written %s', (_, wanted, text) => {
  expect(undeclaredTls(wants(wanted), text)).toBeUndefined();
});

it('a resource that says nothing of it leaves it alone', () => {
  expect(undeclaredTls({ ssl: 'on' }, `primary_conninfo = '${verifying}'\n`)).toBeUndefined();
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
