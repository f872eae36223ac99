/**
 * certificate: the pair that a server shows by TLS, where somebody has laid it. It is looked at and never changed: what the others could
 * not follow, or the server not start with, is refused before a setting names it.
 */
import type { ServerPlace } from '../contract/context.ts';
import { optional, text } from '../contract/field.ts';
import { fieldsOnServer } from '../contract/fields.ts';
import { present, type ResourceKind, refuse, same, unknown } from '../contract/kind.ts';
import {
  filesObjection,
  ownTls,
  readTlsLook,
  type TlsLook,
  type TlsPlace,
  tlsProbe,
} from '../contract/tls-look.ts';

const table = {
  ca: optional(text('those who sign, as a file of the host; left out with the other two: TLS is off')),
  certificate: optional(text('the certificate')),
  key: optional(text('its key')),
  host: text('the address that the other servers connect to'),
  problem: optional(text('what the hosts together show to be in the way: it is refused with that')),
};

/** Of a pair that pgduet has made. */
export const beside = optional(
  text(
    'where pgduet has made the pair: the password file beside which a copy of the list lies, or `~` for the one in the home of the administrator',
  ),
);

/** Fields that say where a certificate is looked at. */
export const placeOfTls = (
  {
    ca,
    certificate,
    key,
    host,
    beside,
  }: Readonly<Partial<Record<'ca' | 'certificate' | 'key' | 'beside', string | undefined>>> & {
    readonly host: string;
  },
  server: ServerPlace,
): TlsPlace => ({
  host,
  port: server.port,
  owner: server.owner,
  version: server.version,
  ...(beside
    ? { own: ownTls(server, beside) }
    : ca && certificate && key
      ? { files: { ca, certificate, key } }
      : {}),
});

interface Desired {
  readonly place: TlsPlace;
  readonly problem?: string;
}

const fields = fieldsOnServer(
  table,
  ({ problem, ca, certificate, key, host }, { server }): Desired => ({
    place: placeOfTls({ ca, certificate, key, host }, server),
    ...(problem ? { problem } : {}),
  }),
);

export const certificate: ResourceKind<Desired, TlsLook> = {
  kind: 'certificate',
  summary:
    'The certificate and key that a server shows by TLS, laid by somebody else: looked at, never changed.',
  fields,
  key: ({ place }) => place.files?.certificate ?? 'none',
  describe: ({ place }) => (place.files ? `certificate ${place.files.certificate}` : 'no TLS'),
  probe: ({ place }) => tlsProbe(place),
  read: (reply) => {
    const look = readTlsLook(reply);
    return look ? present(look) : unknown(reply.stderr.trim() || 'the certificate could not be looked at');
  },
  diff: ({ place, problem }, observed) => {
    if (observed.state === 'absent') return same('nothing to say');
    if (!place.files)
      return problem ? refuse(refusal(problem, 'TLS cannot be turned off')) : same('TLS is off');
    const objection = filesObjection(observed.value, place) ?? problem;
    if (objection) return refuse(refusal(objection, `the other servers could not follow this one by TLS`));
    return same(`${place.files.certificate} is for ${place.host}`);
  },
  steps: () => [],
};

const refusal = (objection: string, what: string) =>
  ({
    code: 'TLS010',
    what: `${what}: ${objection}`,
    why: 'a standby that verifies would not reach its primary, now or after the next failover; nothing has been changed on any server',
    fix: 'Correct what is named, on its host or in postgres.tls of the inventory, then run the same command again. docs/tls.md says what a certificate needs.',
  }) as const;
