/** What `pgduet recover` declares: a role on its way is ended by all controllers at once, and who follows whom is looked at behind that. */
import { readFileSync } from 'node:fs';
import { beforeAll, expect, it } from 'vitest';
import { Secret } from '../../src/base/secret.ts';
import { recoverSurvey, settleRecover } from '../../src/intent/recover.ts';
import type { Cluster } from '../../src/inventory/cluster.ts';
import type { HostView } from '../../src/observe/survey.ts';
import { compile } from '../../src/playbook/compile.ts';
import { parsePlaybook } from '../../src/playbook/playbook.ts';
import { kinds } from '../../src/resources/registry.ts';
import { shippedPlaybook, shippedTemplate } from '../../src/shipped.ts';
import { included } from '../../src/verbs/playbook-files.ts';
import { clusterOf, pairInventory } from '../observe/cluster.ts';
import {
  counting,
  first,
  given,
  hostsOf,
  one,
  promise,
  shows,
  taking,
  two,
} from '../observe/servers-down.ts';

let pair: Cluster;
beforeAll(async () => {
  pair = await clusterOf(pairInventory);
});

const giver = () => one({ record: promise('server1', counting(['server2'], 1, given('server2'))) });
const taken = promise('server1', counting(['server2'], 1, taking('server1')));
const standby = () => shows(first, taken, { data: { standbySignal: true } });

/** Each as "server kind"; what it says of itself behind that. */
function declared(a: HostView, b: HostView): ReadonlyMap<string, unknown> {
  const found = recoverSurvey({ kind: 'recover' }, pair, hostsOf(a, b));
  if ('refused' in found) throw new Error(found.refused.what);
  const { view } = found;
  const intent = settleRecover({ kind: 'recover' }, pair, view);
  const path = shippedPlaybook('recover');
  const parsed = parsePlaybook({ path, text: readFileSync(path, 'utf8') }, [...kinds.keys()], included);
  if (!parsed.ok) throw new Error('it does not load');
  const materials = {
    kinds,
    template: shippedTemplate,
    asset: () => 'bundle',
    secret: (name: string) => new Secret(`some ${name}`),
    entropy: '00'.repeat(16),
  };
  const result = compile(parsed.value, { cluster: pair, view, intent }, materials);
  if (!result.ok) throw new Error(result.diagnostics.map(({ what }) => what).join('; '));
  return new Map(result.value.map(({ host, kind, desired }) => [`${host} ${kind.kind}`, desired]));
}

it('of two that may get the role both controllers end the switch, and nothing is said of who follows', () => {
  const all = declared(giver(), standby());
  expect([...all.keys()].sort()).toEqual([
    'server1 settlement',
    'server1 stopped',
    'server2 settlement',
    'server2 stopped',
  ]);
  expect(all.get('server1 settlement')).toMatchObject({ heirs: ['server1', 'server2'] });
});

it('behind the promotion of the receiver the giver is started, too, and has to hold nothing more', () => {
  const all = declared(giver(), two({ record: taken }));
  expect([...all.keys()].sort()).toEqual([
    'server1 alone',
    'server1 settlement',
    'server1 stopped',
    'server2 settlement',
    'server2 stopped',
  ]);
  expect(all.get('server1 alone')).toMatchObject({ joins: true, decides: true });
  expect(all.get('server1 settlement')).toMatchObject({ heirs: ['server2'] });
});

it('a former primary that gave nothing away stays as it is', () => {
  const all = declared(one(), two());
  expect([...all.keys()].sort()).toEqual(['server1 alone', 'server2 controller', 'server2 stopped']);
});

it('where nothing is on its way, the primary and its standby start', () => {
  const plain = shows(first, promise('server1'), { data: { standbySignal: true } });
  expect([...declared(one(), plain).keys()]).toContain('server1 replication');
});
