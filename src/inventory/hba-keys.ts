/** The keys of one rule of `postgres.hba` as zod definitions. */
import * as z from 'zod';

const text = (description: string, more: Record<string, unknown> = {}) =>
  z.string().meta({ description, ...more });

export const hbaRule = z
  .strictObject({
    type: z
      .enum(['local', 'host', 'hostssl', 'hostnossl'])
      .meta({ description: 'Kind of connection, as in pg_hba.conf.' }),
    database: text('Database, or a list with commas, as in pg_hba.conf.', { examples: ['app', 'all'] }),
    user: text('Database user, or a list with commas, as in pg_hba.conf.', { examples: ['app', 'all'] }),
    address: text(
      'Where clients come from: a network in CIDR form, one address, or a host name. Not with type local.',
      {
        examples: ['10.0.0.0/8'],
      },
    ).optional(),
    method: text(
      'How a client proves who it is: scram-sha-256, cert, gss, pam, peer (local only) or reject. Never trust.',
      {
        examples: ['scram-sha-256'],
      },
    ),
    tls: z
      .enum(['optional'])
      .meta({
        description:
          'This rule goes on to let clients in without TLS, where postgres.tls_clients is required.',
      })
      .optional(),
  })
  .meta({ description: 'One line of pg_hba.conf for clients. Those for replication are made by pgduet.' });
