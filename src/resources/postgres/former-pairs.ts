/**
 * tls_former: pairs of pgduet's that a server has used before, or that were never used. They hold private keys: they go as soon as the server was seen
 * to show the one that counts. Only files that pgduet has written there are deleted, by the administrator.
 */
import { sh } from '../../base/shell.ts';
import { text } from '../contract/field.ts';
import { fieldsOnServer } from '../contract/fields.ts';
import { type Change, change, present, type ResourceKind, same, unknown } from '../contract/kind.ts';
import { readTlsLook, servesFiles, type TlsLook, type TlsPlace, tlsProbe } from '../contract/tls-look.ts';
import { beside, placeOfTls } from './certificate.ts';

interface Desired {
  readonly place: TlsPlace;
}

interface FormerChange extends Change {
  /** The pair that counts, and those that go. */
  readonly pair: string;
  readonly others: readonly string[];
}

export const tlsFormer: ResourceKind<Desired, TlsLook, FormerChange> = {
  kind: 'tls_former',
  summary: 'Keys and certificates for TLS that a server uses no more: deleted once another pair is served.',
  fields: fieldsOnServer(
    { beside, host: text('the address that the other servers connect to') },
    (values, { server }): Desired => ({ place: placeOfTls(values, server) }),
  ),
  key: ({ place }) => place.own?.directory ?? '',
  describe: ({ place }) => `former pairs for TLS in ${place.own?.directory ?? ''}`,
  probe: ({ place }) => tlsProbe(place),
  read: (reply) => {
    const look = readTlsLook(reply);
    return look ? present(look) : unknown(reply.stderr.trim() || 'the pairs could not be looked at');
  },
  diff: ({ place }, observed) => {
    if (observed.state === 'absent' || place.own === undefined) return same('nothing to say');
    const look = observed.value;
    const others = look.others ?? [];
    const isMarked = look.next !== undefined && look.next === look.certificate;
    if (others.length === 0 && !isMarked) return same('there are none');
    if (!servesFiles(look)) return same('they stay as long as the server does not show the one that counts');
    return change({
      pair: look.pair ?? '',
      others,
      summary:
        others.length > 0
          ? `delete ${others.length === 1 ? 'the former pair' : 'former pairs'} for TLS: ${others.map((name) => `${place.own?.directory}/${name}`).join(', ')}`
          : 'forget which pair was ready',
      reason: `the server shows ${look.pair}`,
    });
  },
  steps: ({ pair, others }, { place }) => [
    {
      title: 'former pairs for TLS are gone',
      script: sh`as ${place.owner} sh -c ${program} sh ${place.own?.directory ?? ''} ${place.own?.dataDir ?? ''} ${pair} ${others}`,
    },
  ],
};

/** DIRECTORY DATADIR PAIR NAME...: what postgresql.conf names by now stays, whatever was seen before. */
const program = `set -e
d=$1 c=$2/postgresql.conf pair=$3
shift 3
for name do
  if grep -qF "$d/$name/" "$c"; then echo "postgresql.conf names $d/$name again" >&2; exit 1; fi
  rm -f -- "$d/$name/server.key" "$d/$name/server.pem"
  rmdir -- "$d/$name" 2>/dev/null || :
done
if [ "$(cat "$d/next" 2>/dev/null)" = "$pair" ]; then rm -f -- "$d/next"; fi`;
