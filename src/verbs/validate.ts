/** `pgduet validate`: everything that can be known to be wrong without contacting anybody. */

import { DiagnosticError } from '../base/diagnostic.ts';
import { exitCode } from '../base/exit-codes.ts';
import { preferredView } from '../observe/survey.ts';
import { jsonText, shown } from '../report/shown.ts';
import { shippedPlaybook } from '../shipped.ts';
import { inventory } from './inventory.ts';
import { compiler, playbook } from './load.ts';
import type { World } from './world.ts';

export async function validate(world: World): Promise<number> {
  const { cluster, warnings } = await inventory(world);
  const path = shippedPlaybook('provision');
  const compiled = compiler(
    world,
    cluster,
    playbook(path),
    path,
  )(preferredView(cluster), { kind: 'provision' });
  if (!compiled.ok) throw new DiagnosticError(compiled.diagnostics, exitCode.inputWrong);
  if (world.options.json) {
    world.print(
      jsonText(
        {
          schema: 1,
          verb: 'validate',
          cluster: cluster.name,
          exit: 0,
          hosts: cluster.hosts.map((host) => host.name),
          warnings: warnings.map((warning) => warning.what),
        },
        2,
      ),
    );
    return exitCode.done;
  }
  for (const warning of warnings) world.say(shown(`note: ${warning.what}: ${warning.why}`));
  world.print(
    `${world.options.inventory} is valid: cluster '${cluster.name}' with ${cluster.servers.map(({ name, preferredRole }) => `${name} (${preferredRole})`).join(', ')}`,
  );
  return exitCode.done;
}
