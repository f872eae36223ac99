/**
 * TLS between the servers, as each of them shows it: whether it is off, when its certificate ends, and whether a server would start
 * with it again. What is served is told by kind `served`. Where the inventory says nothing of TLS nothing is asked. Pure.
 */
import { tlsPlaceOf } from '../../observe/tls.ts';
import { certificatesIn, endMs } from '../../postgres/certificate.ts';
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
  judge: ({ cluster }, seen) => [
    ...(cluster.servers[0]?.postgres.tls === 'off' ? [off] : []),
    ...[...seen].flatMap(([host, look]) => (look?.certificate ? ofServer(host, look) : [])),
  ],
};

const off: Reported = {
  code: 'TLS001',
  host: null,
  object: 'postgres.tls',
  declared: 'TLS between the servers',
  found: 'off',
};

function ofServer(host: string, look: TlsLook): readonly Reported[] {
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
          },
        ]
      : []),
    ...(look.problem
      ? [{ code: 'TLS006' as const, host, object, declared: 'a server starts with it', found: look.problem }]
      : []),
  ];
}
