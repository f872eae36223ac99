/** Who may take over when the heartbeat is lost: the policy and what it needs. Pure. */
import type { Diagnostic } from '../../base/diagnostic.ts';
import { fewestForMajority } from '../../base/majority.ts';
import { nodeAt } from '../../base/yaml.ts';
import type { HeartbeatLossPolicy } from '../cluster.ts';
import { arbiterOf, type Draft, type Path, serversOf } from '../draft.ts';
import { machineOf, pairs } from '../machines.ts';
import { canArbitrate, policyOf } from '../policy.ts';

export function checkPolicy(draft: Draft, mistyped: ReadonlySet<string>): Diagnostic[] {
  const policy = policyOf(draft);
  if (policy === undefined) return hasToChoose(draft, mistyped) ? [tellUnchosen(draft)] : [];
  return checkChoice(draft, policy);
}

const path = ['multiplexing', 'on_heartbeat_loss'] as const;

/** What is wrong otherwise is told by others: a word that is none, a key that was mistyped, a host without an address. */
function hasToChoose(draft: Draft, mistyped: ReadonlySet<string>): boolean {
  if (draft.data.multiplexing === undefined || mistyped.has(path.join('.'))) return false;
  const node = nodeAt(draft.root, path);
  if (node !== undefined && !(node.kind === 'scalar' && node.value === null)) return false;
  return pairs(serversOf(draft)).some((pair) => {
    const [one, other] = pair.map(machineOf);
    return one !== undefined && other !== undefined && one !== other;
  });
}

const tellUnchosen = (draft: Draft): Diagnostic => ({
  code: 'INV004',
  what: 'the inventory does not say who decides when the heartbeat is lost (on_heartbeat_loss)',
  why: `a host that hears nothing cannot know whether the other one is dead or only the network between them; what is right then is your choice${
    serversOf(draft).length < fewestForMajority
      ? ''
      : ' (an asynchronous copy does not vote, so that there is no majority)'
  }`,
  fix: [
    'Add a third host with role: arbiter, which needs no PostgreSQL: then one side goes on,',
    'never both, and nobody has to be called. Or write one of these under multiplexing:',
    'on_heartbeat_loss: message   a person decides; commits wait, none is lost',
    'on_heartbeat_loss: command   your arbitration_command says who has failed',
    'on_heartbeat_loss: fallback  each host decides: goes on when a host dies,',
    '                             and on both sides when only the network fails;',
    '                             reference_addresses tell a host it is cut off.',
  ].join('\n'),
  at: draft.keyAt(...path),
});

function checkChoice(draft: Draft, policy: HeartbeatLossPolicy): Diagnostic[] {
  const policyAt = draft.valueAt('multiplexing', 'on_heartbeat_loss');
  if (policy === 'arbitration' && !canArbitrate(draft)) return [tellNobody(policyAt)];
  const idle = arbiterOf(draft)?.name ?? (draft.data.arbiter && 'etcd');
  if (idle !== undefined && policy !== 'arbitration') return [tellUnasked(idle, policy, policyAt)];
  if (policy === 'command') return undecided(draft).map((servers) => tellUndecided(servers, policyAt));
  return commandPlaces(draft).map((path) => tellIdle(policy, draft.valueAt(...path)));
}

/** Where a command stands, for all servers or for one. */
const commandPlaces = (draft: Draft): Path[] =>
  [[], ...serversOf(draft).map(({ name }) => ['hosts', name])]
    .map((place) => [...place, 'multiplexing', 'arbitration_command'])
    .filter((path) => draft.has(...path));

/** The servers that have no command, as one text; none: every server has one. */
function undecided(draft: Draft): string[] {
  if (draft.has('multiplexing', 'arbitration_command')) return [];
  const servers = serversOf(draft).map(({ name }) => name);
  const without = servers.filter((name) => !draft.has('hosts', name, 'multiplexing', 'arbitration_command'));
  if (without.length === 0) return [];
  return [without.length === servers.length ? '' : ` for ${without.join(', ')}`];
}

const tellUndecided = (servers: string, at: NonNullable<Diagnostic['at']>): Diagnostic => ({
  code: 'INV004',
  what: `on_heartbeat_loss is command, but there is no arbitration_command${servers}`,
  why: 'nobody could decide, and no host would take over',
  fix: 'Add arbitration_command under multiplexing: a command whose exit status 0 means that the other host has failed.',
  at,
});

const tellNobody = (at: NonNullable<Diagnostic['at']>): Diagnostic => ({
  code: 'INV008',
  what: 'on_heartbeat_loss is arbitration, and there is neither an arbiter, nor an etcd, nor a third server that votes',
  why: 'of two servers that do not hear each other nobody could say which one goes on',
  fix: 'Add a third host with role: arbiter (it needs no PostgreSQL), an etcd under arbiter, or one more host with role: standby (an asynchronous copy does not vote); or write message, command or fallback.',
  at,
});

const tellUnasked = (arbiter: string, policy: string, at: NonNullable<Diagnostic['at']>): Diagnostic => ({
  code: 'INV005',
  what: `the arbiter '${arbiter}' would never be asked, since on_heartbeat_loss is ${policy}`,
  why: 'whoever reads the inventory would believe that it decides',
  fix: `Write on_heartbeat_loss: arbitration, or leave it out; or remove '${arbiter}'.`,
  at,
});

const tellIdle = (policy: string, at: NonNullable<Diagnostic['at']>): Diagnostic => ({
  code: 'INV005',
  what: `arbitration_command would never be asked, since on_heartbeat_loss is ${policy}`,
  why: 'whoever reads the inventory would believe that it decides',
  fix: 'Write on_heartbeat_loss: command, or remove arbitration_command.',
  at,
});
