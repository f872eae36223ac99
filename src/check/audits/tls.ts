/**
 * TLS between the servers, as each of them shows it: whether it is off, when its certificate ends, and whether a server would start
 * with it again. What is served is told by kind `served`. Where the inventory says nothing of TLS nothing is asked. Pure.
 */
import type { Server } from '../../inventory/cluster.ts';
import { namesOf } from '../../observe/issued.ts';
import { tlsPlaceOf } from '../../observe/tls.ts';
import { certificatesIn, endMs, isFor } from '../../postgres/certificate.ts';
import { present, unknown } from '../../resources/contract/kind.ts';
import { readTlsLook, type TlsLook, tlsProbe } from '../../resources/contract/tls-look.ts';
import type { Audit } from '../audit.ts';
import type { Reported } from '../finding.ts';

const daySeconds = 86_400;
const soonDays = 90;
const lateDays = 30;

export const tlsAudit: Audit<TlsLook | undefined> = {
  name: 'TLS between the servers',
  probe: (server) => (server.postgres.tls ? tlsProbe(tlsPlaceOf(server)) : {}),
  read: (reply, server) => {
    if (!server.postgres.tls) return present(undefined);
    const look = readTlsLook(reply);
    return look ? present(look) : unknown(reply.stderr.trim() || 'what it shows could not be looked at');
  },
  judge: ({ cluster, primary }, seen) => [
    ...(cluster.servers[0]?.postgres.tls === 'off' ? [off] : []),
    ...cluster.servers.flatMap((server) => {
      const look = seen.get(server.name);
      return look?.certificate ? ofServer(server, look, cluster.caKey !== undefined) : [];
    }),
    ...cluster.servers
      .filter(({ postgres }) => postgres.tls === 'generated')
      .flatMap((server) => ofOwn(server, seen.get(server.name), seen.get(primary ?? ''))),
  ],
};

/** Of pairs that pgduet makes. What is by no CA of the list is told by kind `tls_pair`. */
function ofOwn(server: Server, look: TlsLook | undefined, leading: TlsLook | undefined): readonly Reported[] {
  if (!look) return [];
  const host = server.name;
  const object = 'certificate';
  const declared = 'a pair in the management directory';
  if (look.pair === undefined)
    return look.named === true && look.served !== 'none'
      ? [{ code: 'TLS025', host, object, declared, found: 'postgresql.conf names one that is not there' }]
      : [];
  const [own] = certificatesIn(look.certificate ?? '') ?? [];
  const [first] = certificatesIn(leading?.certificate ?? '') ?? [];
  const missing = own ? namesOf(server).filter((name) => !isFor(own, name)) : [];
  const [next] = look.next === look.certificate ? [] : (certificatesIn(look.next ?? '') ?? []);
  return [
    ...(next
      ? [
          {
            code: 'TLS026' as const,
            host,
            object,
            declared: 'it shows what is ready',
            found: `one is ready by ${next.issuer}`,
            // Left by a run that was killed, by the CA that has signed the one in use.
            ...(next.issuer === own?.issuer ? { repair: `\`pgduet certificates renew ${host}\`` } : {}),
          },
        ]
      : []),
    ...missing.map(
      (name): Reported => ({
        code: 'TLS022',
        host,
        object: name,
        declared: 'a name of the server',
        found: own?.subjectAltName ?? 'none',
      }),
    ),
    ...(own && first && own.issuer !== first.issuer
      ? [{ code: 'TLS023' as const, host, object, declared: first.issuer, found: own.issuer }]
      : []),
  ];
}

const off: Reported = {
  code: 'TLS001',
  host: null,
  object: 'postgres.tls',
  declared: 'TLS between the servers',
  found: 'off',
};

/** Without its key nobody signs by a CA that counts. */
const renewal = (host: string, caKey: boolean) =>
  ({
    repair: caKey
      ? `\`pgduet certificates renew ${host}\`; where the CA ends as well, with another secrets.ca_key: \`pgduet certificates renew --ca\`, then \`pgduet certificates renew --ca --finish\``
      : 'a new CA, in two steps: `pgduet certificates renew --ca`, then, when your clients have the list (`pgduet ca`), `pgduet certificates renew --ca --finish`',
  }) as const;

function ofServer({ name: host, postgres }: Server, look: TlsLook, caKey: boolean): readonly Reported[] {
  const ends = (certificatesIn(look.certificate ?? '') ?? []).map(endMs);
  const days = Math.floor((Math.min(...ends) - look.nowMs) / 1000 / daySeconds);
  const object = 'certificate';
  const end = ends.length > 0 && days < soonDays;
  return [
    ...(end
      ? [
          {
            code: days < lateDays ? ('TLS004' as const) : ('TLS003' as const),
            host,
            object,
            declared: `good for ${soonDays} days`,
            found: days < 0 ? 'it has ended' : `it ends in ${days} days`,
            ...(postgres.tls === 'generated' ? renewal(host, caKey) : {}),
          },
        ]
      : []),
    ...(look.problem
      ? [{ code: 'TLS006' as const, host, object, declared: 'a server starts with it', found: look.problem }]
      : []),
  ];
}
