/** What a shipped playbook declares. In: a cluster, a view of it, an intent whose kind is the name of the playbook. Out: its resources. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Secret } from '../../src/base/secret.ts';
import type { Intent } from '../../src/intent/intent.ts';
import type { Cluster } from '../../src/inventory/cluster.ts';
import type { View } from '../../src/observe/survey.ts';
import type { Resource } from '../../src/plan/plan.ts';
import { compile } from '../../src/playbook/compile.ts';
import { parsePlaybook } from '../../src/playbook/playbook.ts';
import { kinds } from '../../src/resources/registry.ts';
import { shippedTemplate } from '../../src/shipped.ts';
import { included } from '../../src/verbs/playbook-files.ts';

export function declaredBy(intent: Intent, cluster: Cluster, view: View): readonly Resource[] {
  const path = join(import.meta.dirname, '../../playbooks', `${intent.kind}.yml`);
  const playbook = parsePlaybook({ path, text: readFileSync(path, 'utf8') }, [...kinds.keys()], included);
  if (!playbook.ok) throw new Error(playbook.diagnostics.map(({ what }) => what).join('; '));
  const result = compile(
    playbook.value,
    { cluster, view, intent },
    {
      kinds,
      template: shippedTemplate,
      asset: () => 'bundle',
      secret: () => new Secret('canary-1'),
      entropy: '00'.repeat(16),
    },
  );
  if (!result.ok) throw new Error(result.diagnostics.map(({ what }) => what).join('; '));
  return result.value;
}
