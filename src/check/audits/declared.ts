/**
 * Declared settings on a server whose files this login may not look into: the values in force are all that can be compared
 * then. Where the files can be seen, kind `settings` says more, and nothing is told here. Pure.
 */

import { isControlled } from '../../postgres/controlled-settings.ts';
import { placeOf } from '../../postgres/setting-row.ts';
import { sameValue } from '../../postgres/setting-value.ts';
import { openSetting } from '../../postgres/withheld.ts';
import type { AuditContext } from '../audit.ts';
import type { Reported } from '../finding.ts';
import { type InForce, shown } from './in-force.ts';

export function judgeDeclared(
  context: AuditContext,
  seen: ReadonlyMap<string, InForce>,
): readonly Reported[] {
  return [...seen].flatMap(([host, inForce]) =>
    context.view.hosts.get(host)?.data === undefined ? judgeServer(context, host, inForce) : [],
  );
}

function judgeServer(context: AuditContext, host: string, { settings, whole }: InForce): readonly Reported[] {
  return [...context.declaredSettings(host)].flatMap(([name, declared]): readonly Reported[] => {
    const found = settings.get(name);
    // What a login may not see looks as if it stood at its default.
    // The controller comments its settings out and in; without the file nobody can say whether that is so now.
    if (isControlled(name) || (!found && !whole)) return [];
    if (found && sameValue(declared, { ...found, value: found.raw })) return [];
    const source = found ? { source: placeOf(found) } : {};
    return [
      {
        code: 'SET016',
        host,
        object: name,
        declared: openSetting(name, declared),
        found: found ? shown(name, found) : 'the default',
        ...source,
      },
    ];
  });
}
