/** A text that is one variable and nothing else takes the variable as it is: a list stays a list, and no entry is taken apart. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { Secret } from '../../src/base/secret.ts';
import type { Cluster } from '../../src/inventory/cluster.ts';
import { preferredView, type View } from '../../src/observe/survey.ts';
import { compile } from '../../src/playbook/compile.ts';
import { parsePlaybook } from '../../src/playbook/playbook.ts';
import { kinds } from '../../src/resources/registry.ts';
import { shippedTemplate } from '../../src/shipped.ts';
import { included } from '../../src/verbs/playbook-files.ts';
import { clusterOf, pairInventory } from '../observe/cluster.ts';
import { b64, live, observation, running } from '../resources/single.ts';

const spaces = ['/space/my table space', '/space2'];
const shipped = (name: string): string =>
  readFileSync(join(import.meta.dirname, '../../playbooks', name), 'utf8');

let cluster: Cluster;
beforeAll(async () => {
  cluster = await clusterOf(pairInventory);
});

function resources(text: string, view: View) {
  const playbook = parsePlaybook({ path: 'my.yml', text }, [...kinds.keys()], included);
  return playbook.ok
    ? compile(
        playbook.value,
        { cluster, view, intent: { kind: 'run' } },
        {
          kinds,
          template: shippedTemplate,
          asset: () => 'bundle',
          secret: () => new Secret('some secret'),
          entropy: '00'.repeat(16),
        },
      )
    : playbook;
}

/** What the one resource of a kind desires. */
function desired(kind: string, text: string, view: View): unknown {
  const result = resources(text, view);
  if (!result.ok) throw new Error(result.diagnostics.map(({ what }) => what).join('; '));
  const found = result.value.filter((resource) => resource.kind.kind === kind);
  expect(found).toHaveLength(1);
  return found[0]?.desired;
}

const withSpaces = (): View => ({
  ...preferredView(cluster),
  hosts: new Map([
    [
      'server1',
      { data: { content: 'cluster', files: [], standbySignal: false, running: true, tablespaces: spaces } },
    ],
  ]),
});

describe('a tablespace whose path has a blank', () => {
  it('is copied to its place by provision, and made there first', () => {
    const text = shipped('provision.yml');
    expect(desired('standby', text, withSpaces())).toMatchObject({ tablespaces: spaces });
    const made = resources(text, withSpaces());
    const ids = made.ok ? made.value.flatMap(({ host, id }) => (host === 'server2' ? [id] : [])) : [];
    expect(ids).toEqual(expect.arrayContaining(spaces.map((path) => `directory ${path}`)));
  });

  it('is where the primary itself says, whatever its links say; where it was not asked its links tell', () => {
    const text = shipped('provision.yml');
    const view = withSpaces();
    const said = { ...view.hosts.get('server1'), tablespaces: ['/said'] };
    const asked = { ...view, hosts: new Map([...view.hosts, ['server1', said] as const]) };
    expect(desired('standby', text, asked)).toMatchObject({ tablespaces: ['/said'] });
    const made = resources(text, asked);
    const directories = made.ok ? made.value.filter(({ id }) => id === 'directory /said') : [];
    expect(directories.map(({ desired }) => desired)).toMatchObject([{ fromAnotherHost: true }]);
  });

  it('counts as one place, with its size, for a migration', () => {
    const tablespaces = spaces.map((path, index) => ({ path, bytes: 1000 + index }));
    const sizes = tablespaces.map(({ path, bytes }) => `space ${bytes} ${b64(path)}`);
    const single = observation([...running, ...sizes], live({ tablespaces }));
    const view = { ...preferredView(cluster), hosts: new Map([['server1', { single }]]) };
    expect(desired('copy_target', shipped('migrate.yml'), view)).toMatchObject({
      tablespaces: spaces,
      rooms: [{ path: '/database/inst1', bytes: 50_000_000 - 2001 }, ...tablespaces],
    });
  });
});

describe('what a copy is started with', () => {
  it('is what stands in the files of the server, and over that its command line and the inventory', () => {
    const configured = { ssl_cert_file: '/etc/ssl/db1.crt', work_mem: '1MB', 'my.x': "it's {{one}}" };
    const single = observation([...running], live({ configured }));
    const view = { ...preferredView(cluster), hosts: new Map([['server1', { single }]]) };
    expect(desired('copy_target', shipped('migrate.yml'), view)).toMatchObject({
      configuration: { ...configured, work_mem: '7MB' },
    });
  });
});

describe('a variable alone in a text', () => {
  const one = (fields: string): string =>
    `plays:\n  - on: server2\n    resources:\n      - standby: { ${fields}, user: repl, slot: s, host: a, port: 1 }\n`;

  it.each([
    ["tablespaces: '{{tablespaces}}'", spaces],
    ["tablespaces: '{{ tablespaces }}'", spaces],
    ["tablespaces: ['{{postgres.dataDir}} x', /y]", ['/database/inst1 x', '/y']],
    // As playbooks wrote it before there were lists: paths without blanks.
    ["tablespaces: '{{#each standbys}}/space/{{name}} {{/each}}/y'", ['/space/server2', '/y']],
  ])('%s', (fields, tablespaces) => {
    expect(desired('standby', one(fields), withSpaces())).toMatchObject({ tablespaces });
  });

  it('is a mistake, at its place, where one value is needed', () => {
    const result = resources(one("system_identifier: '{{standbys}}'"), withSpaces());
    const told = result.ok
      ? []
      : result.diagnostics.map(({ code, what, at }) => [code, what, at?.line, at?.column]);
    expect(told).toEqual([['PLY003', "standby: 'system_identifier' must be a single value", 4, 39]]);
  });

  it('is a mistake where a map has not what the list is made of', () => {
    const result = resources(one("tablespaces: '{{servers}}'"), withSpaces());
    const told = result.ok ? [] : result.diagnostics.map(({ what }) => what);
    expect(told[0]).toBe("standby: 'tablespaces' must be a list of single values");
  });
});
