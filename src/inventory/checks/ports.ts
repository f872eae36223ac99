/** Ports: on one address every server listens on a port of its own. Pure. */
import type { Diagnostic } from '../../base/diagnostic.ts';
import { ports } from '../defaults.ts';
import { type Draft, type DraftHost, isArbiter } from '../draft.ts';
import { areTwins, pairs, sharesMachine } from '../machines.ts';

interface Listener {
  readonly host: DraftHost;
  readonly kind: 'instance' | 'controller' | 'arbiter';
  readonly port: number;
}

const listeners = (host: DraftHost): Listener[] => [
  ...(host.port === undefined ? [] : [{ host, kind: 'instance', port: host.port } as const]),
  { host, kind: isArbiter(host) ? 'arbiter' : 'controller', port: host.controllerPort },
];

export function checkPorts(draft: Draft): Diagnostic[] {
  const own = draft.hosts
    .filter((host) => host.port === host.controllerPort)
    .map((host) => tellOwn(draft, host));
  const between = pairs(draft.hosts)
    .filter(([one, other]) => sharesMachine(one, other) && !areTwins(one, other))
    .flatMap(([one, other]) =>
      listeners(other).flatMap((later) =>
        listeners(one)
          .filter((earlier) => earlier.port === later.port)
          .map((earlier) => tellTwo(draft, earlier, later)),
      ),
    );
  return [...own, ...between];
}

/** Ports that are in use on the machine of a host, by any host of the inventory. */
function usedPorts(draft: Draft, host: DraftHost): Set<number> {
  const here = draft.hosts.filter((other) => other === host || sharesMachine(host, other));
  return new Set(here.flatMap((other) => listeners(other).map((listener) => listener.port)));
}

function nextFree(port: number, used: ReadonlySet<number>): number {
  for (let next = port + 1; next <= ports.highest; next += 1) if (!used.has(next)) return next;
  return nextFree(ports.lowest - 1, used);
}

const keyOf = (kind: Listener['kind']): 'postgres' | 'multiplexing' =>
  kind === 'instance' ? 'postgres' : 'multiplexing';

function tellOwn(draft: Draft, host: DraftHost): Diagnostic {
  const free = nextFree(host.controllerPort, usedPorts(draft, host));
  const written = draft.has('multiplexing', 'port') || draft.has('hosts', host.name, 'multiplexing', 'port');
  return {
    code: 'INV007',
    what: `port ${host.port} is given to the instance and to its controller`,
    why: 'two servers cannot listen on one port; the one that starts second would fail',
    fix: `Give the controller a port of its own, for example multiplexing: { port: ${free} }.`,
    at: draft.hostValueAt(host.name, written ? 'multiplexing' : 'postgres', 'port'),
  };
}

const wording = ({ kind, host: { name } }: Listener): string =>
  kind === 'arbiter' ? `the arbiter '${name}'` : `the ${kind} of '${name}'`;

function tellTwo(draft: Draft, earlier: Listener, later: Listener): Diagnostic {
  const [one, other] = [earlier.host.name, later.host.name];
  const free = nextFree(later.port, usedPorts(draft, later.host));
  const where =
    earlier.host.connection === 'local' && later.host.connection === 'local' ? 'this machine' : 'one address';
  const whom = {
    instance: 'two instances cannot listen on one port; the second would not start',
    controller: 'two controllers cannot listen on one port; the second would not start',
    arbiter: 'two arbiters cannot listen on one port; the second would not start',
    mixed: `${wording(earlier)} and ${wording(later)} cannot listen on one port`,
  };
  return {
    code: 'INV007',
    what: `port ${later.port} is given to '${one}' and '${other}' on ${where}`,
    why: earlier.kind === later.kind ? whom[later.kind] : whom.mixed,
    fix: `Give '${other}' a port of its own, for example ${keyOf(later.kind)}: { port: ${free} }.`,
    at: draft.hostValueAt(other, keyOf(later.kind), 'port'),
  };
}
