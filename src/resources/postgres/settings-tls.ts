/**
 * What kind `settings` knows of TLS: an inventory that says nothing of it never takes it away, and standbys that begin to verify
 * connect anew one after the other. Pure.
 */
import { standingValue } from '../../postgres/conf-file.ts';
import { conninfo, nowhere, parseConninfo } from '../../postgres/conninfo.ts';
import { upstreamSetting } from '../../postgres/controlled-settings.ts';
import { refuse } from '../contract/kind.ts';
import { isStandby } from './settings-leftovers.ts';
import type { SettingsDesired, SettingsSeen } from './settings-observation.ts';

/** On a primary the line waits behind a '#'. */
const standing = (text: string): Readonly<Record<string, string>> =>
  parseConninfo(standingValue(text, upstreamSetting) ?? '');

const words = ['sslmode', 'sslrootcert', 'channel_binding', 'gssencmode', 'sslcert', 'sslcrl'];

/**
 * What pgduet wrote with `postgres.tls` is known by the file that never is. Only `off` takes it away: a server that verifies goes on
 * doing so where its primary is not seen to serve, and an inventory without the key is refused.
 */
export function withStandingTls(
  values: SettingsDesired['values'],
  text: string,
  tls: SettingsDesired['tls'],
) {
  const wanted = values[upstreamSetting];
  const stands = standing(text);
  const ours = stands.sslcert === nowhere;
  const verifies = ours && stands.sslmode === 'verify-full';
  // A server that was there before offered TLS by itself, and is followed by it (kind `adopt`).
  const encrypts = ours && stands.sslmode === 'require';
  if (
    wanted === undefined ||
    !(verifies || encrypts) ||
    tls === 'free' ||
    parseConninfo(wanted).sslmode !== undefined
  )
    return { values };
  if (tls === 'kept' || encrypts) {
    const kept = Object.fromEntries(words.flatMap((word) => (stands[word] ? [[word, stands[word]]] : [])));
    return { values: { ...values, [upstreamSetting]: conninfo({ ...parseConninfo(wanted), ...kept }) } };
  }
  return {
    refused: refuse({
      code: 'TLS002',
      what: 'the servers verify each other by TLS, and the inventory does not say so (postgres.tls)',
      why: 'without the key they would go on in the clear: an older inventory must not take TLS away',
      fix: `${/\/\.pgduet-ca-[^/]+$/.test(stands.sslrootcert ?? '') ? 'Write it back: postgres.tls: generated.' : `Write it back: postgres.tls: { ca: ${stands.sslrootcert ?? 'PATH'}, certificate: PATH, key: PATH }, with the paths that ssl_cert_file and ssl_key_file have in postgresql.conf.`} Or write tls: off, if that is meant.`,
    }),
  };
}

export const reconnectsByTls = (
  { values }: SettingsDesired,
  seen: SettingsSeen,
  wrong: readonly string[],
): boolean =>
  wrong.includes(upstreamSetting) &&
  isStandby(seen) &&
  parseConninfo(values[upstreamSetting] ?? '').sslmode !== standing(seen.text).sslmode;
