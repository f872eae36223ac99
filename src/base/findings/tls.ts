/** Codes of TLS between the servers. See `finding-codes.ts`. */
import type { FindingRule } from './rule.ts';

const provision = 'provision';

export const tlsCodes = {
  TLS001: {
    severity: 'danger',
    title: 'the servers replicate without TLS',
    consequence: 'whoever reads along on the log transfer network reads all data that is written',
    repair: 'write postgres.tls: generated, or name certificates that are there (docs/tls.md)',
  },
  TLS003: {
    severity: 'note',
    title: 'a certificate of TLS ends within 90 days',
    consequence: 'behind its end no standby could follow this server',
    repair: 'lay a new one in its place on {host}, then run `pgduet provision`',
  },
  TLS004: {
    severity: 'danger',
    title: 'a certificate of TLS ends within 30 days, or has ended',
    consequence: 'connections that stand hide it: at the next failover no standby could follow this server',
    repair: 'lay a new one in its place on {host}, then run `pgduet provision`',
  },
  TLS005: {
    severity: 'drift',
    title: 'a server does not show the certificate that lies on its host',
    consequence: 'what was laid there counts only from its next start or reload on',
    repair: 'provision',
  },
  TLS006: {
    severity: 'danger',
    title: 'a server would not start again with its certificate',
    consequence: 'it runs with what it has read, and would be down behind its next start',
    repair: 'repair on {host} what is found',
  },
  TLS022: {
    severity: 'note',
    title: 'a certificate lacks a name of its server',
    consequence: 'who connects by that name, and verifies, is refused',
    repair:
      '`pgduet certificates renew {host}`; without secrets.ca_key, or where it is the key of no CA of the list, in two steps: `pgduet certificates renew --ca`',
  },
  TLS023: {
    severity: 'note',
    title: 'servers are signed by different CAs',
    consequence: 'a client that verifies, and holds an earlier list, cannot follow to this server',
    repair:
      'give your clients the whole list: `pgduet ca`; `pgduet certificates renew --ca` signs all servers by one CA, in two steps',
  },
  TLS024: {
    severity: 'drift',
    title: 'a server has no certificate for TLS yet',
    consequence: 'it serves no TLS',
    repair: provision,
  },
  TLS025: {
    severity: 'danger',
    title: 'the certificate and key that postgresql.conf names are not there',
    consequence: 'the server runs with what it has read, and would be down behind its next start',
    repair: provision,
  },
  TLS026: {
    severity: 'note',
    title: 'a renewal is not finished: a certificate is ready, and not shown yet',
    consequence: 'the server goes on with the one that it has, until that ends',
    repair: 'when your clients have the list (`pgduet ca`): `pgduet certificates renew --ca --finish`',
  },
  TLS030: {
    severity: 'note',
    title: 'client rules let in who comes over a network without TLS',
    consequence: 'whoever reads along on the way reads what these clients send and get',
    repair:
      'postgres.tls_clients: required closes the rules of the inventory; what is left out of it (tls: optional, hostnossl, rules from before a migration) is yours (docs/tls.md)',
  },
  TLS031: {
    severity: 'note',
    title: 'clients are connected over a network without TLS',
    consequence: 'they go on; where their rule demands TLS they cannot come again without it',
    repair: 'take sslmode=disable out of their connection strings, or write tls: optional for their rule',
  },
  TLS040: {
    severity: 'danger',
    title: 'a server offers no TLS, and another one follows by it',
    consequence:
      'who demands it cannot follow this server: not once it connects anew, and not behind a failover',
    repair:
      'turn ssl on again on {host}, with a certificate that it can read; its log says what is in the way',
  },
  TLS041: {
    severity: 'note',
    title: 'the servers do not demand TLS of each other yet',
    consequence: 'replication is encrypted where libpq prefers it, and no server proves who it is',
    repair: 'bring back who is named, then run `pgduet provision`',
  },
} as const satisfies Readonly<Record<string, FindingRule>>;
