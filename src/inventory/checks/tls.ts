/** What stands beside `postgres.tls` and contradicts it. Pure. */
import type { Diagnostic } from '../../base/diagnostic.ts';
import { type Draft, serversOf } from '../draft.ts';

export function checkTls(draft: Draft): Diagnostic[] {
  const declared = draft.data.postgres?.tls;
  return [
    ...ofHosts(draft, declared),
    ...(declared === undefined ? [] : besides(draft)),
    ...ofClients(draft, declared),
    ...(declared === 'generated' ? [] : keyOfCa(draft)),
  ];
}

/** Files of one host say nothing where the cluster has no list of who signs. */
const ofHosts = (draft: Draft, declared: unknown): Diagnostic[] =>
  typeof declared === 'object'
    ? []
    : serversOf(draft).flatMap(({ name }) =>
        draft.data.hosts?.[name]?.postgres?.tls === undefined
          ? []
          : [
              {
                code: 'INV004' as const,
                what: `'${name}' names files for TLS, and postgres.tls ${declared === undefined ? 'is missing' : `is ${String(declared)}`}`,
                why: 'TLS is for all servers of a cluster or for none: each of them may follow any other one',
                fix: 'Write postgres.tls with ca, certificate and key; what a host has elsewhere stands with that host.',
                at: draft.keyAt('hosts', name, 'postgres', 'tls'),
              },
            ],
      );

/** Rules that nobody can match would keep all clients out. */
function ofClients(draft: Draft, declared: unknown): Diagnostic[] {
  const isMissing = !draft.has('postgres', 'tls');
  if (draft.data.postgres?.tls_clients !== 'required' || !(isMissing || declared === 'off')) return [];
  return [
    {
      code: 'INV004',
      what: `postgres.tls_clients is required, and postgres.tls is ${isMissing ? 'missing' : 'off'}`,
      why: 'the servers would offer no TLS, and every client that comes over a network would be refused',
      fix: 'Write postgres.tls (docs/tls.md), or take postgres.tls_clients out.',
      at: draft.keyAt('postgres', 'tls_clients'),
    },
  ];
}

const keyOfCa = (draft: Draft): Diagnostic[] =>
  draft.data.secrets?.ca_key === undefined
    ? []
    : [
        {
          code: 'INV004',
          what: "the key of a CA is given, and postgres.tls is not 'generated'",
          why: 'pgduet signs certificates only where it makes them itself',
          fix: 'Write postgres.tls: generated, or take secrets.ca_key out.',
          at: draft.keyAt('secrets', 'ca_key'),
        },
      ];

/** Those about how TLS is spoken are free; these say whether, and with what. */
const decided = ['ssl', 'ssl_cert_file', 'ssl_key_file'];

const besides = (draft: Draft): Diagnostic[] =>
  Object.keys(draft.settings)
    .filter((name) => decided.includes(name.toLowerCase()))
    .map((name) => ({
      code: 'INV013' as const,
      what: `the setting '${name}' stands beside postgres.tls`,
      why: 'postgres.tls decides it, and the two could differ',
      fix: 'Remove it, and name files that are there with postgres.tls: { ca: PATH, certificate: PATH, key: PATH }.',
      at: draft.keyAt('postgres', 'settings', name),
    }));
