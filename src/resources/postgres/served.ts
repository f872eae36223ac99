/** served: the proof that a server shows the certificate that lies on its host. No setting tells: a reload that was refused looks the same. */
import { sh } from '../../base/shell.ts';
import { optional, text } from '../contract/field.ts';
import { fieldsOnServer } from '../contract/fields.ts';
import { change, type Instance, present, type ResourceKind, same, unknown } from '../contract/kind.ts';
import {
  readTlsLook,
  servedScript,
  servesFiles,
  type TlsLook,
  type TlsPlace,
  tlsProbe,
} from '../contract/tls-look.ts';
import { beside, placeOfTls } from './certificate.ts';

interface Desired {
  readonly certificate: string;
  readonly place: TlsPlace;
  readonly instance: Instance;
  readonly lockedOut?: string;
}

const fields = fieldsOnServer(
  {
    ca: text('those who sign, as a file of the host'),
    certificate: text('the certificate'),
    key: text('its key'),
    host: text('the address that the other servers connect to'),
    beside,
    locked_out: optional(text('clients that the rules of this run will want TLS of: the plan says so')),
  },
  ({ lockedOut, ...values }, { server }): Desired => ({
    certificate: values.certificate,
    place: placeOfTls(values, server),
    instance: server,
    ...(lockedOut ? { lockedOut } : {}),
  }),
);

export const served: ResourceKind<Desired, TlsLook> = {
  kind: 'served',
  summary: 'The proof that a server shows the certificate that lies on its host.',
  fields,
  key: ({ certificate }) => certificate,
  describe: ({ certificate }) => `TLS with ${certificate}`,
  probe: ({ place }) => tlsProbe(place),
  read: (reply) => {
    const look = readTlsLook(reply);
    return look
      ? present(look)
      : unknown(reply.stderr.trim() || 'what the server shows could not be looked at');
  },
  diff: ({ certificate, lockedOut }, observed) => {
    if (observed.state === 'absent' || observed.value.served === undefined)
      return same('the server does not answer; it reads its certificate when it starts');
    if (servesFiles(observed.value)) return same(`${certificate} is served`);
    const { served: shown } = observed.value;
    return change({
      summary: `serve TLS with ${certificate}`,
      reason: shown === 'none' ? 'the server offers no TLS' : 'it serves another certificate',
      notes:
        shown === 'none'
          ? [
              'then, in this run: each standby connects anew to verify its primary (0.1 to 0.2 s), and the rules for servers want TLS; both wait for a server that is away, or in maintenance, and not seen to serve it. Clients that prefer TLS, as libpq does by itself, use it from their next connection on',
              ...(lockedOut ? [`then, in this run: ${lockedOut}`] : []),
            ]
          : [],
      effects: [],
      differences: [
        {
          code: 'TLS005',
          object: certificate,
          declared: 'served',
          found: shown === 'none' ? 'no TLS' : 'another certificate',
        },
      ],
    });
  },
  steps: (_planned, desired) => [
    { title: 'TLS is served', script: `${reload}\n${servedScript(desired.place, back(desired.instance))}` },
  ],
};

const reload = `echo 'SELECT pg_reload_conf()' | sql >/dev/null`;

/** The file is the administrator's; sed's words are the second one. */
const rewritten = `f=$1/postgresql.conf; umask 077; sed "$2" "$f" >"$f.way-back" && mv -fT "$f.way-back" "$f"`;

/**
 * With what it could not read it would not start again: a server that offered none goes on without, and one that still shows another pair of
 * pgduet's has that one named again.
 */
const back = ({ dataDir, owner }: Instance): string => `way_back=
case $said in
*'"served":"none"'*) if [ "$(echo 'SHOW ssl' | sql)" = on ]; then way_back='s/^ssl = .*/ssl = off/'; fi;;
*'"shows":"'*)
  former=$(printf '%s' "$said" | sed -n 's/.*"shows":"\\([0-9a-f]\\{16\\}\\)".*/\\1/p')
  way_back="s,^\\(ssl_[a-z]*_file = .*/tls/\\)[0-9a-f]\\{16\\}/,\\1$former/,"
  echo 'the former pair is named again, and the server goes on with it' >&2;;
esac
if [ -n "$way_back" ]; then
  ${sh`as ${owner} sh -c ${rewritten} sh ${dataDir}`} "$way_back"
  ${reload}
fi`;
