/** Addresses: their form, who shares one, and whether the others can reach it. Pure. */
import type { Diagnostic } from '../../base/diagnostic.ts';
import { nodeAt } from '../../base/yaml.ts';
import { canonicalAddress, isHostAddress, isLoopback, isWildcard } from '../addresses.ts';
import { type Draft, type DraftHost, type Path, serversOf } from '../draft.ts';
import { tellMissing } from '../issues.ts';
import { areTwins, pairs, sharesMachine } from '../machines.ts';

const keys = ['address', 'admin_address', 'log_transfer_address'] as const;

export function checkAddresses(draft: Draft, mistyped: ReadonlySet<string>): Diagnostic[] {
  return [
    ...draft.hosts.flatMap((host) => [...checkMissing(draft, host, mistyped), ...checkForm(draft, host)]),
    ...pairs(draft.hosts).flatMap(([one, other]) => checkShared(draft, one, other)),
    ...draft.hosts.flatMap((host) => checkReachable(draft, host)),
    ...checkReferences(draft),
  ];
}

function checkMissing(draft: Draft, host: DraftHost, mistyped: ReadonlySet<string>): Diagnostic[] {
  const path = ['hosts', host.name, 'address'];
  // Of a host that is no map at all, that has been said, and it is enough.
  const node = nodeAt(draft.root, ['hosts', host.name]);
  if (node?.kind !== 'map' && draft.has('hosts', host.name)) return [];
  if (host.address !== undefined || draft.has(...path) || mistyped.has(path.join('.'))) return [];
  return [tellMissing(path, draft.root)];
}

function checkForm(draft: Draft, host: DraftHost): Diagnostic[] {
  return keys.flatMap((key) => {
    const text = draft.data.hosts?.[host.name]?.[key];
    if (text === undefined || isHostAddress(text)) return [];
    return [{ ...tellForm(text), at: draft.valueAt('hosts', host.name, key) }];
  });
}

/** What people write where only an address belongs, and what they meant. */
function tellForm(text: string): Diagnostic {
  const told = (why: string, fix: string): Diagnostic => ({
    code: 'INV019',
    what: `'${text}' is neither an IP address nor a host name`,
    why,
    fix,
  });
  const [, user, afterUser] = /^([^@\s]+)@(.+)$/.exec(text) ?? [];
  if (afterUser)
    return told(
      'the login user is a key of its own',
      `Write ${afterUser} here, and ssh: { user: ${user} } for this host.`,
    );
  const [, bare] = /^([^:\s]+):\d+$/.exec(text) ?? [];
  if (bare)
    return told(
      'ports are keys of their own: ssh.port, postgres.port and multiplexing.port',
      `Write ${bare}.`,
    );
  const [, network] = /^(\S+)\/\d+$/.exec(text) ?? [];
  if (network)
    return told(
      'it is a network, and here one host is meant',
      `Write the address of the host alone, for example ${network}.`,
    );
  const [, inBrackets] = /^\[(.*)\](?::\d+)?$/.exec(text) ?? [];
  if (inBrackets) return told('brackets belong to URLs', `Write ${inBrackets}.`);
  if (isWildcard(text))
    return told(
      'it stands for every address, and other hosts cannot connect to it',
      'Write the address by which the other hosts reach it.',
    );
  if (/^[\d.]+$/.test(text))
    return told(
      'an IP address has four numbers from 0 to 255',
      'Correct the number, for example 192.0.2.100.',
    );
  return told(
    'nothing can connect to it',
    'Write for example 192.0.2.100, 2001:db8::100 or db1.example.com.',
  );
}

/** What a host listens on, as others see it. */
const endpoints = (host: DraftHost) => [
  { key: 'address', address: host.address, port: host.port },
  { key: 'log_transfer_address', address: host.logTransferAddress, port: host.port },
  { key: 'admin_address', address: host.adminAddress, port: host.controllerPort },
];

function checkShared(draft: Draft, one: DraftHost, other: DraftHost): Diagnostic[] {
  if (sharesMachine(one, other) && !areTwins(one, other)) return [];
  const shared = endpoints(other).find(({ address, port }) =>
    endpoints(one).some((mine) => address !== undefined && same(mine.address, address) && mine.port === port),
  );
  if (shared === undefined) return [];
  const written = draft.has('hosts', other.name, shared.key) ? shared.key : 'address';
  return [
    {
      code: 'INV019',
      what: `address '${shared.address}' is given to '${one.name}' and '${other.name}'`,
      why: 'one address leads to one machine, so one of the two could not be reached',
      fix: `Correct the address of one. If both share a machine, give '${other.name}' ports and directories of its own under postgres and multiplexing.`,
      at: draft.hostValueAt(other.name, written),
    },
  ];
}

const same = (one: string | undefined, other: string): boolean =>
  one !== undefined && canonicalAddress(one) === canonicalAddress(other);

/** A loopback address means another machine to every machine. */
function checkReachable(draft: Draft, host: DraftHost): Diagnostic[] {
  const far = draft.hosts.find((other) => other !== host && !sharesMachine(host, other));
  if (far === undefined) return [];
  const blocked = [
    { key: 'admin_address', address: host.adminAddress },
    { key: 'log_transfer_address', address: host.logTransferAddress },
  ].find(({ address }) => address !== undefined && isLoopback(address));
  if (blocked === undefined) return [];
  const written = draft.has('hosts', host.name, blocked.key) ? blocked.key : 'address';
  return [
    {
      code: 'INV019',
      what: `'${far.name}' cannot reach '${host.name}' by ${blocked.address}`,
      why: 'a loopback address is the own machine everywhere, and the two hosts are on different ones',
      fix: `Give '${host.name}' an address that the others can reach.`,
      at: draft.hostValueAt(host.name, written),
    },
  ];
}

/** Those of all servers, and those of one. */
const checkReferences = (draft: Draft): Diagnostic[] => [
  ...referencesAt(draft, ['multiplexing'], draft.data.multiplexing),
  ...serversOf(draft).flatMap(({ name }) =>
    referencesAt(draft, ['hosts', name, 'multiplexing'], draft.data.hosts?.[name]?.multiplexing),
  ),
];

function referencesAt(
  draft: Draft,
  path: Path,
  keys: { readonly reference_addresses?: readonly (string | undefined)[] | undefined } | undefined,
): Diagnostic[] {
  return (keys?.reference_addresses ?? []).flatMap((text, index) => {
    if (text === undefined) return [];
    const at = draft.valueAt(...path, 'reference_addresses', index);
    if (!isHostAddress(text)) return [{ ...tellForm(text), at }];
    const owner = draft.hosts.find((host) => endpoints(host).some(({ address }) => same(address, text)));
    if (owner === undefined && !isLoopback(text)) return [];
    return [
      {
        code: 'INV019' as const,
        what: `'${text}' cannot be a reference address: it ${owner ? `belongs to '${owner.name}'` : 'is a loopback address'}`,
        why: 'a host always reaches itself, so it would never see that it is cut off',
        fix: 'Write an address outside the cluster that answers as long as the network is up, for example that of a router.',
        at,
      },
    ];
  });
}
