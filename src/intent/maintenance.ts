/**
 * What a command does about servers that a person has in maintenance: it leaves them alone, is about one of them, or needs all servers and
 * waits. In: the intent and the view. Out: who is left alone, or why the command cannot go on. Pure.
 */
import { advised } from '../base/command.ts';
import type { Diagnostic } from '../base/diagnostic.ts';
import { maintenanceWords } from '../base/maintenance-words.ts';
import type { Cluster } from '../inventory/cluster.ts';
import { endCommand, type MaintenanceSeen } from '../observe/maintenance.ts';
import type { View } from '../observe/survey.ts';
import type { Intent } from './intent.ts';
import { means } from './operating.ts';

/** Whether the command works on a server although, or because, it is in maintenance. A stop is meant for it, too. */
function isAbout(intent: Intent, name: string): boolean {
  if (intent.kind === 'stop') return means(intent, name);
  if (intent.kind === 'replace' || intent.kind === 'run') return intent.host === name;
  return intent.kind === 'maintenance' && intent.goal === 'end' && intent.host === name;
}

/** The command names a server, and can do nothing for it before the maintenance is over: its controller starts no instance. */
function isVain(intent: Intent, name: string): boolean {
  switch (intent.kind) {
    case 'switch':
      return intent.to === name;
    case 'rebuild':
      return intent.host === name;
    case 'start':
    case 'restart':
    case 'reload':
      return intent.hosts.includes(name);
    default:
      return false;
  }
}

/** Servers for which nothing is declared as long as they are in maintenance. */
export function leftAlone(intent: Intent, { maintained }: Pick<View, 'maintained'>): readonly string[] {
  if (!maintained) return [];
  return [...maintained.keys()].filter((name) => !isAbout(intent, name));
}

/** The same, by name in the order of the inventory, with why. */
export function leftAloneWith(
  intent: Intent,
  view: View,
  { servers }: Cluster,
): ReadonlyMap<string, MaintenanceSeen> {
  const out = leftAlone(intent, view);
  return new Map(
    servers.flatMap(({ name }) => {
      const seen = out.includes(name) ? view.maintained?.get(name) : undefined;
      return seen ? [[name, seen] as const] : [];
    }),
  );
}

/** Why the command has to wait for the end of a maintenance; nothing where it need not. */
export function maintenanceObstacles(intent: Intent, { maintained, absent }: View): readonly Diagnostic[] {
  if (!maintained) return [];
  const needsAll = intent.kind === 'renew' || intent.kind === 'migrate' || intent.kind === 'teardown';
  return [...maintained].flatMap(([name, seen]): Diagnostic[] => {
    const isTarget = isVain(intent, name);
    // A teardown that is forced goes on without a host that is lost.
    if (!isTarget && (!needsAll || absent?.has(name))) return [];
    return [
      {
        code: 'SAF015',
        what: `${name} is ${maintenanceWords(seen)}`,
        why: isTarget
          ? 'it takes no role meanwhile, and its controller starts no instance'
          : 'this command changes every server, and nobody works on that one meanwhile but who has it in maintenance',
        ...advised`${endCommand(name, seen)}; then run the same command again.`,
        host: name,
      },
    ];
  });
}
