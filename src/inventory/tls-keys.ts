/** The keys of `postgres.tls` as zod definitions, for all servers and for one. */
import * as z from 'zod';

const remotePath = (description: string, example: string) =>
  z.string().meta({ description, pattern: '^/', examples: [example] });

const tlsPlaces = {
  certificate: remotePath(
    'Certificate of the server (PEM) on its host, with those between it and the CA behind it.',
    '/etc/pki/pgduet/server.pem',
  ),
  key: remotePath(
    'Private key of the server on its host. It is tried there, and never leaves it.',
    '/etc/pki/pgduet/server.key',
  ),
};

export const tls = z
  .union([
    z.enum(['generated', 'off']),
    z.strictObject({
      ca: remotePath(
        'Certificates (PEM) of those who sign the certificates of the servers, on every host.',
        '/etc/pki/pgduet/ca.pem',
      ),
      ...tlsPlaces,
    }),
  ])
  .meta({
    description:
      'TLS between the servers, offered to clients, too. generated: with certificates that pgduet makes. Or files that lie on each host, and that pgduet neither copies nor changes; or off. Left out: what is there stays.',
  });

export const tlsOfHost = z.strictObject(tlsPlaces).partial().meta({
  description: 'Where certificate and key lie on this host, in place of those of postgres.tls.',
});

export const tlsClients = z.enum(['required', 'optional']).meta({
  description:
    'Whether client rules (postgres.hba) let in who comes over a network without TLS. required: type host is written as hostssl, and who comes without TLS is refused; it needs postgres.tls.',
  default: 'optional',
});
