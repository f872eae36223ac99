/** The keys `firewall` and `postgres.listen` as zod definitions. */
import * as z from 'zod';

export const firewallKinds = ['nftables', 'none'] as const;

const by = z.enum(firewallKinds).meta({
  description: 'nftables: tables of our own, which judge our ports alone. none: those are taken away.',
});

const networks = (description: string, example: string) =>
  z
    .array(z.string().meta({ description: 'Network or IP address.', examples: [example] }))
    .meta({ description });

export const firewallKey = z
  .union([
    by,
    z.strictObject({
      by,
      clients: networks(
        'Networks from which clients reach PostgreSQL. Left out: those of the client rules (postgres.hba).',
        '10.0.0.0/8',
      ).optional(),
      servers: networks(
        'Further addresses that the servers come from, besides those of the inventory: behind NAT, or a virtual address.',
        '192.0.2.50',
      ).optional(),
    }),
  ])
  .meta({
    description:
      'Who reaches the ports of PostgreSQL, the controllers and the arbiter (docs/firewall.md). No other port is judged. Left out: what is there stays.',
  });

export const listenKey = z
  .union([
    z.enum(['all', 'declared']),
    z.array(
      z
        .string()
        .meta({ description: 'A further IP address, such as a virtual one.', examples: ['192.0.2.50'] }),
    ),
  ])
  .meta({
    description:
      'Where PostgreSQL listens. all: on every address. declared: on address and log_transfer_address of the server, and loopback; a list: on these besides. It listens on an address that comes later, too (net.ipv4.ip_nonlocal_bind).',
    default: 'all',
  });
