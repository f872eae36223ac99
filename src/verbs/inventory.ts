/**
 * The inventory, which every verb reads first. Problems are thrown as DiagnosticError before any host is contacted. A verb that needs
 * no playbook imports this alone: kinds of resources and templates are half of what there is to load.
 */
import { type Diagnostic, DiagnosticError } from '../base/diagnostic.ts';
import { exitCode } from '../base/exit-codes.ts';
import { nearest } from '../base/nearest.ts';
import type { Cluster } from '../inventory/cluster.ts';
import { loadInventory } from '../inventory/load.ts';
import type { NamedHost } from './verb.ts';
import type { World } from './world.ts';

export async function inventory(
  world: World,
  file = world.options.inventory,
): Promise<{ cluster: Cluster; warnings: readonly Diagnostic[] }> {
  const loaded = await loadInventory(file);
  if (!loaded.ok) throw new DiagnosticError(loaded.diagnostics, exitCode.inputWrong);
  for (const secret of loaded.value.secrets) world.mask.add(secret);
  for (const named of world.options.named) checkHost(loaded.value.cluster, named);
  return loaded.value;
}

/** Ends the run when the command line names a host that the inventory does not have. */
function checkHost(cluster: Cluster, { by, host }: NamedHost): void {
  const names = cluster.hosts.map(({ name }) => name);
  if (names.includes(host)) return;
  const near = nearest(host, names);
  const diagnostic: Diagnostic = {
    code: 'INV020',
    what: `${by} names '${host}', which is no host of the inventory`,
    why: 'nothing would be done',
    fix: near ? `Did you mean '${near}'?` : `Hosts: ${names.join(', ')}.`,
  };
  throw new DiagnosticError([diagnostic], exitCode.inputWrong);
}
