/** What the firewall and `postgres.listen` need of an inventory: addresses and networks, since at boot nobody resolves a name. Pure. */
import type { Diagnostic } from '../../base/diagnostic.ts';
import { isIP, isNetwork, isWildcard } from '../addresses.ts';
import { type Draft, serversOf } from '../draft.ts';
import { firewallOf, listenOf, ruleWithoutNetwork } from '../firewall.ts';

export function checkFirewall(draft: Draft): Diagnostic[] {
  return [...ofNetworks(draft), ...ofServers(draft), ...ofRules(draft), ...ofListening(draft)];
}

const isAddress = (text: string): boolean => isIP(text) !== 0 && !text.includes('%');
const isSource = (text: string): boolean => isAddress(text) || isNetwork(text);

function ofNetworks(draft: Draft): Diagnostic[] {
  const declared = draft.data.firewall;
  if (typeof declared !== 'object') return [];
  return (['clients', 'servers'] as const).flatMap((key) =>
    (declared[key] ?? []).flatMap((text, index) =>
      text === undefined || isSource(text)
        ? []
        : [
            {
              code: 'INV019' as const,
              what: `'${text}' is neither a network nor an IP address`,
              why: 'the rules of the firewall are loaded at boot, when nobody resolves a name',
              fix: 'Write for example 10.0.0.0/8, 2001:db8::/32 or 192.0.2.50.',
              at: draft.valueAt('firewall', key, index),
            },
          ],
    ),
  );
}

/** The job address may be a name: it is left out then, and the others are what the servers come from. */
function ofServers(draft: Draft): Diagnostic[] {
  if (firewallOf(draft)?.by !== 'nftables') return [];
  return serversOf(draft).flatMap((host) =>
    (
      [
        ['admin_address', host.adminAddress],
        ['log_transfer_address', host.logTransferAddress],
      ] as const
    ).flatMap(([key, text]) =>
      text === undefined || isAddress(text)
        ? []
        : [
            {
              code: 'INV019' as const,
              what: `'${text}' is a name, and '${host.name}' has no IP address as ${key}`,
              why: 'the rules of the firewall are loaded at boot, when nobody resolves a name',
              fix: `Write ${key} with its IP address; address may stay a name.`,
              at: draft.valueAt('hosts', host.name, key),
            },
          ],
    ),
  );
}

function ofRules(draft: Draft): Diagnostic[] {
  const firewall = firewallOf(draft);
  if (firewall?.by !== 'nftables' || firewall.clients) return [];
  const index = ruleWithoutNetwork(draft.hba, isSource);
  if (index < 0) return [];
  return [
    {
      code: 'INV004',
      what: `the firewall does not know from where '${draft.hba[index]?.address}' comes`,
      why: 'a client rule lets it in, and the firewall would keep it out: it takes networks alone',
      fix: 'Write the networks of all clients: firewall: { by: nftables, clients: [10.0.0.0/8] }.',
      at: draft.valueAt('postgres', 'hba', index, 'address'),
    },
  ];
}

function ofListening(draft: Draft): Diagnostic[] {
  const further = listenOf(draft);
  if (further === undefined) return [];
  const listen = draft.data.postgres?.listen;
  const wrong = (text: string): boolean => !isAddress(text) || isWildcard(text);
  const twice = Object.keys(draft.settings).find((name) => name.toLowerCase() === 'listen_addresses');
  return [
    ...(Array.isArray(listen) ? listen : []).flatMap((text, index) =>
      typeof text !== 'string' || !wrong(text)
        ? []
        : [
            {
              code: 'INV019' as const,
              what: `'${text}' is no IP address of a host`,
              why: 'PostgreSQL listens on it before anybody resolves a name',
              fix: 'Write an IP address, or take postgres.listen out: then it listens on all.',
              at: draft.valueAt('postgres', 'listen', index),
            },
          ],
    ),
    ...(twice === undefined
      ? []
      : [
          {
            code: 'INV013' as const,
            what: "the setting 'listen_addresses' stands beside postgres.listen",
            why: 'postgres.listen decides it, and the two could differ',
            fix: 'Remove one of the two.',
            at: draft.keyAt('postgres', 'settings', twice),
          },
        ]),
    ...serversOf(draft).flatMap((host) =>
      [host.logTransferAddress, host.address].flatMap((text) =>
        text === undefined || isAddress(text)
          ? []
          : [
              {
                code: 'INV019' as const,
                what: `'${text}' of '${host.name}' is a name, and PostgreSQL is to listen on declared addresses`,
                why: 'a name that is not resolved as it starts is left out for as long as it runs',
                fix: 'Write IP addresses, or take postgres.listen out: then it listens on all.',
                at: draft.hostValueAt(host.name, 'address'),
              },
            ],
      ),
    ),
  ];
}
