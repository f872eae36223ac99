/** Playbooks: what is wrong in one is reported at its place, and what is right becomes the resources of every host. */

import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Result } from '../../src/base/diagnostic.ts';
import { Secret } from '../../src/base/secret.ts';
import type { Cluster } from '../../src/inventory/cluster.ts';
import { preferredView, type View } from '../../src/observe/survey.ts';
import type { Resource } from '../../src/plan/plan.ts';
import { compile, type Materials } from '../../src/playbook/compile.ts';
import { parsePlaybook } from '../../src/playbook/playbook.ts';
import { cidr } from '../../src/playbook/variables/replication.ts';
import { copiedConfiguration } from '../../src/playbook/variables/single.ts';
import { variablesFor } from '../../src/playbook/variables.ts';
import { copySlotName } from '../../src/postgres/replication-names.ts';
import { kinds } from '../../src/resources/registry.ts';
import { included } from '../../src/verbs/playbook-files.ts';
import { clusterOf, pairInventory, serverNamed, threeInventory } from '../observe/cluster.ts';

const root = join(import.meta.dirname, '../..');
const shipped = (name: string): string | undefined =>
  existsSync(join(root, 'templates', name)) ? readFileSync(join(root, 'templates', name), 'utf8') : undefined;

const materials: Materials = {
  kinds,
  template: (name) => (name === 'own.hbs' ? '{{host.name}} {{no.such.word}}' : shipped(name)),
  asset: () => 'bundle',
  secret: (name) =>
    ['replication_password', 'rewind_password', 'cluster_key', 'arbiter_key'].includes(name)
      ? new Secret('canary-1')
      : undefined,
  entropy: '00'.repeat(16),
};

let pair: Cluster;
let three: Cluster;
beforeAll(async () => {
  pair = await clusterOf(pairInventory);
  three = await clusterOf(threeInventory);
});

function compiled(
  text: string,
  cluster: Cluster,
  view: View = preferredView(cluster),
): Result<readonly Resource[]> {
  const playbook = parsePlaybook({ path: 'my.yml', text }, [...kinds.keys()], included);
  return playbook.ok
    ? compile(playbook.value, { cluster, view, intent: { kind: 'run' } }, materials)
    : playbook;
}

/** "server1: directory /x" */
function ids(result: Result<readonly Resource[]>): readonly string[] {
  if (!result.ok) throw new Error(result.diagnostics.map(({ what }) => what).join('; '));
  return result.value.map(({ host, id }) => `${host}: ${id}`);
}

/** "PLY002 3:5 what" */
const problems = (result: Result<unknown>): readonly string[] =>
  result.ok
    ? []
    : result.diagnostics.map(({ code, what, at }) => `${code} ${at?.line}:${at?.column} ${what}`);

/** A playbook of one play for these resources, which begin in line 4. */
const play = (on: string, ...lines: readonly string[]): string =>
  ['plays:', `  - on: ${on}`, '    resources:', ...lines.map((line) => `      ${line}`)].join('\n');
const directory = (path: string, rest = ''): string =>
  `- { directory: { path: '${path}', owner: root }${rest} }`;

describe('a playbook that is wrong', () => {
  it.each([
    ['not YAML', 'plays: [', 'PLY001', /^PLY001 1:/],
    ['a list', '- a', 'PLY002', "1:1 a playbook is a map with 'title' and 'plays'"],
    ['without plays', 'title: x', 'PLY002', "1:1 a playbook is a map with 'title' and 'plays'"],
    [
      'with an unknown key',
      `${play('all', directory('/x'))}\ntitel: x`,
      'PLY002',
      "5:1 the key 'titel' is not known",
    ],
    ['with a play for nobody', 'plays:\n  - resources: []', 'PLY002', "2:5 a play needs 'on'"],
    [
      'with a play without resources',
      'plays:\n  - on: all',
      'PLY002',
      "2:5 a play needs a list of 'resources'",
    ],
    ['with an unknown kind', play('all', '- directry: {}'), 'PLY002', "4:9 there is no kind 'directry'"],
    [
      'with two kinds at once',
      play('all', '- { file: {}, line: {} }'),
      'PLY002',
      "4:9 two kinds in one resource: 'file', 'line'",
    ],
    ['with no kind', play('all', '- { as: x }'), 'PLY002', '4:9 a resource without a kind'],
    [
      'with text for a resource',
      play('all', '- directory'),
      'PLY002',
      '4:9 a resource is a map with one kind',
    ],
    [
      'with an unknown each',
      play('all', directory('/x', ', each: other')),
      'PLY002',
      "4:57 'each' cannot be 'other'",
    ],
    [
      'with an after without a host',
      play('all', directory('/x', ', after: controller')),
      'PLY002',
      "4:58 'after' must name a host and a resource",
    ],
    [
      'with a strange late',
      play('all', directory('/x', ', late: soon')),
      'PLY002',
      "4:57 'late' must be true or false, not 'soon'",
    ],
    [
      'with a field that its kind does not know',
      play('all', '- directory: { path: /x, owner: a, onwer: b }'),
      'PLY003',
      "4:42 directory: the field 'onwer' is not known",
    ],
    [
      'with a template that is missing',
      play('all', '- hba: { template: gone.hbs }'),
      'PLY003',
      "4:26 hba: there is no template 'gone.hbs'",
    ],
    ['with an unknown variable', play('all', directory('/{{host.nmae}}')), 'PLY004', '4:30'],
    [
      'with an unknown variable in when',
      play('all', directory('/x', ", when: '{{nobody.here}}'")),
      'PLY004',
      '4:11',
    ],
    ['with braces that do not match', play('all', directory('/{{host.name}')), 'PLY004', '4:30'],
    [
      'with an unknown variable in a template',
      play('all', '- hba: { template: own.hbs }'),
      'PLY003',
      "4:26 hba: 'own.hbs' cannot be rendered: what '.such' is asked of is not known",
    ],
    [
      'with an after that names nothing',
      play('all', directory('/x', ', after: all/nothing')),
      'PLY005',
      "4:58 'after' names 'nothing', which no resource is called",
    ],
    [
      'with an after on no host',
      play('all', directory('/x', ', as: a'), directory('/y', ', after: server9/a')),
      'INV020',
      "5:58 the playbook names 'server9'",
    ],
    ['with a play for no host', play('primry', directory('/x')), 'INV020', "2:9 the playbook names 'primry'"],
    [
      'with one thing declared twice',
      play('all', directory('/x'), directory('/x')),
      'PLY002',
      "5:11 'directory /x' is declared twice",
    ],
  ] satisfies [string, string, string, string | RegExp][])('%s', (_, text, code, expected) => {
    const found = problems(compiled(text, pair));
    const wanted = found.filter((problem) =>
      typeof expected === 'string' ? problem.startsWith(`${code} ${expected}`) : expected.test(problem),
    );
    expect(wanted, JSON.stringify(found)).toHaveLength(1);
  });

  it('has all its mistakes told at once, and each only once although it shows on every host', () => {
    const text = play('all', '- directory: { path: /x }', directory('/{{no}}'), '- group: { name: [a] }');
    expect(problems(compiled(text, three))).toHaveLength(3);
  });

  it('is helped with the nearest word', () => {
    const result = parsePlaybook(
      { path: 'my.yml', text: play('all', '- symlnk: {}') },
      [...kinds.keys()],
      included,
    );
    expect(result.ok ? '' : result.diagnostics[0]?.fix).toBe("Did you mean 'symlink'?");
  });
});

describe('an order that does not exist', () => {
  const chain = (first: string, second: string): string =>
    `plays:
  - on: server1
    resources:
      ${directory('/a', first)}
      ${directory('/b', ', as: b')}
  - on: server2
    resources:
      ${directory('/c', second)}
      ${directory('/d', ', as: d')}`;

  it.each([
    ['a thing that comes after itself', play('all', directory('/x', ', as: x, after: server1/x')), '4:'],
    [
      'a thing that comes after one further down',
      play('primary', directory('/x', ', after: primary/y'), directory('/y', ', as: y')),
      '4:',
    ],
    ['two hosts that wait for each other', chain(', after: server2/d', ', after: server1/b'), '4:'],
    ['every host after the same thing of all', play('all', directory('/x', ', as: x, after: all/x')), '4:'],
  ])('is %s', (_, text, place) => {
    const found = problems(compiled(text, pair));
    expect(found).not.toEqual([]);
    for (const problem of found)
      expect(problem).toMatch(/^PLY005 \d+:\d+ the resources wait for each other in a circle/);
    expect(found[0]).toContain(` ${place}`);
  });

  it('is told with the resources of the circle', () => {
    const result = compiled(chain(', after: server2/d', ', after: server1/b'), pair);
    expect(result.ok ? [] : result.diagnostics[0]?.evidence).toEqual([
      'server1: directory /a',
      'server2: directory /d',
      'server2: directory /c',
      'server1: directory /b',
    ]);
  });

  it('is not one that goes back and forth without a circle', () => {
    expect(compiled(chain('', ', after: server1/b'), pair).ok).toBe(true);
    expect(compiled(chain(', after: server2/d', ''), pair).ok).toBe(true);
  });
});

describe('a playbook that is right', () => {
  it('becomes the resources of each host, in the order of the file', () => {
    const text = `plays:
  - { on: all, resources: [ ${directory('/x').slice(2)}, { group: { name: '{{host.name}}' } } ] }
  - { on: standbys, resources: [ ${directory('/s').slice(2)} ] }
  - { on: server3, resources: [ ${directory('/3').slice(2)} ] }
  - { on: primary, resources: [ ${directory('/p').slice(2)} ] }`;
    expect(ids(compiled(text, three))).toEqual([
      'server1: directory /x',
      'server1: group server1',
      'server1: directory /p',
      'server2: directory /x',
      'server2: group server2',
      'server2: directory /s',
      'server3: directory /x',
      'server3: group server3',
      'server3: directory /s',
      'server3: directory /3',
    ]);
  });

  it('follows the roles that were seen, not those of the inventory', () => {
    const view: View = { hosts: new Map(), primary: 'server2' };
    expect(ids(compiled(play('primary', directory('/p')), pair, view))).toEqual(['server2: directory /p']);
    expect(ids(compiled(play('standbys', directory('/p')), pair, view))).toEqual(['server1: directory /p']);
  });

  it.each([
    ['others', ['server1: directory /server2', 'server1: directory /server3']],
    ['standbys', ['server1: directory /server2', 'server1: directory /server3']],
    [
      'servers',
      ['server1: directory /server1', 'server1: directory /server2', 'server1: directory /server3'],
    ],
  ])('repeats a resource for each of the %s', (each, expected) => {
    expect(ids(compiled(play('primary', directory('/{{item.name}}', `, each: ${each}`)), three))).toEqual(
      expected,
    );
  });

  it.each([
    ['true', true],
    ["'{{host.privileged}}'", true],
    ["'{{postgres.walDir}}'", false],
    ['false', false],
    ["''", false],
    [`'{{#if (eq host.role "primary")}}yes{{/if}}'`, true],
  ])('leaves out what is not wanted: when %s', (when, there) => {
    expect(ids(compiled(play('primary', directory('/x', `, when: ${when}`)), pair))).toHaveLength(
      there ? 1 : 0,
    );
  });

  it('asks for the programs and the directory of the configuration before it is written, where they are declared', async () => {
    const part = readFileSync(join(root, 'playbooks/parts/controller.yml'), 'utf8')
      .replace('  - include: arbiter.yml\n', '')
      .replace('        after: [arbiter/arbiter runs]\n', '')
      .replace(', arbiter/arbiter runs]', ']');
    const told = async (keys: string): Promise<readonly string[]> => {
      const cluster = await clusterOf(
        pairInventory.replace('on_heartbeat_loss', () => `${keys} on_heartbeat_loss`),
      );
      const on1 = ids(compiled(part, cluster)).filter((id) => id.startsWith('server1: '));
      return on1.filter((id) => /runnable|writable|server1\.conf/.test(id));
    };
    expect(await told('')).toEqual(['server1: file /mcdir/inst1/server1.conf']);
    expect(await told('fencing_command: /opt/fence --now, core_file_path: /var/crash,')).toEqual([
      'server1: runnable fencing_command',
      'server1: writable /var/crash',
      'server1: file /mcdir/inst1/server1.conf',
    ]);
    // It is made by pgduet itself.
    expect(await told('core_file_path: /mcdir/inst1,')).toEqual(['server1: file /mcdir/inst1/server1.conf']);
  });

  it('knows what comes after what, by name and by kind and key', () => {
    const text = `plays:
  - on: primary
    resources: [ { directory: { path: /p, owner: root }, as: base } ]
  - on: standbys
    resources: [ { directory: { path: /s, owner: root }, after: [primary/base, 'all/directory /p'], late: true } ]`;
    const result = compiled(text, three);
    expect(
      result.ok && result.value.filter(({ late }) => late).map(({ host, after }) => [host, after.length]),
    ).toEqual([
      ['server2', 2],
      ['server3', 2],
    ]);
  });

  it('may come after what was left out on this cluster', () => {
    const text = play('all', directory('/x', ", as: x, when: ''"), directory('/y', ', after: all/x'));
    expect(ids(compiled(text, pair))).toEqual(['server1: directory /y', 'server2: directory /y']);
  });

  it.each(readdirSync(join(root, 'playbooks')).filter((name) => name.endsWith('.yml')))(
    'is %s, for a pair and for three, whoever is primary',
    (name) => {
      const text = readFileSync(join(root, 'playbooks', name), 'utf8');
      for (const cluster of [pair, three])
        for (const { name: primary } of cluster.hosts)
          for (const systemIdentifier of [undefined, '77'])
            expect(
              problems(
                compiled(text, cluster, {
                  hosts: new Map(),
                  primary,
                  ...(systemIdentifier ? { systemIdentifier } : {}),
                }),
              ),
            ).toEqual([]);
    },
  );
});

describe('a playbook that includes another one', () => {
  const files = (texts: Readonly<Record<string, string>>) =>
    parsePlaybook({ path: 'main.yml', text: texts['main.yml'] ?? '' }, [...kinds.keys()], (name) => {
      const text = texts[name];
      return text === undefined ? { reason: 'no such file' } : { path: name, text };
    });
  const including = (...names: readonly string[]): string =>
    ['plays:', ...names.map((name) => `  - include: ${name}`)].join('\n');

  it('has its plays in that place', () => {
    const playbook = files({
      'main.yml': `${play('primary', directory('/a'))}\n  - include: b.yml\n${play('standbys', directory('/d')).slice(7)}`,
      'b.yml': `title: b\n${play('all', directory('/b'))}\n  - include: c.yml`,
      'c.yml': play('all', directory('/c')),
    });
    expect(playbook.ok && playbook.value.plays.map(({ on }) => on)).toEqual([
      'primary',
      'all',
      'all',
      'standbys',
    ]);
    expect(
      playbook.ok && playbook.value.plays.flatMap(({ entries }) => entries.map(({ at }) => at.file)),
    ).toEqual(['main.yml', 'b.yml', 'c.yml', 'main.yml']);
  });

  it.each([
    [
      'that is missing',
      { 'main.yml': including('gone.yml') },
      "PLY001 2:14 the playbook 'gone.yml' cannot be read",
    ],
    [
      'that is itself',
      { 'main.yml': including('main.yml') },
      'PLY002 2:14 a playbook includes itself: main.yml → main.yml',
    ],
    [
      'that includes the first one',
      { 'main.yml': including('a.yml'), 'a.yml': including('b.yml'), 'b.yml': including('a.yml') },
      'PLY002 2:14 a playbook includes itself: a.yml → b.yml → a.yml',
    ],
    [
      'without a name',
      { 'main.yml': 'plays: [{ include: [] }]' },
      "PLY002 1:9 'include' must name a playbook",
    ],
    [
      'for some hosts',
      { 'main.yml': 'plays: [{ include: a.yml, on: all }]', 'a.yml': play('all', directory('/x')) },
      "PLY002 1:27 the key 'on' is not known",
    ],
    [
      'with a mistake',
      { 'main.yml': including('a.yml'), 'a.yml': play('all', '- nothing: {}') },
      "PLY002 4:9 there is no kind 'nothing'",
    ],
    [
      'that is not YAML',
      { 'main.yml': including('a.yml'), 'a.yml': 'plays: [' },
      /^PLY001 1:9 this is not valid YAML/,
    ],
  ])('is told where one stands %s', (_, texts, expected) => {
    const [first, ...more] = problems(files(texts));
    expect(more).toEqual([]);
    if (typeof expected === 'string') expect(first?.startsWith(expected), first).toBe(true);
    else expect(first).toMatch(expected);
  });

  it('finds it beside itself, else among those that are shipped', () => {
    const folder = mkdtempSync(join(tmpdir(), 'pgduet-include-'));
    try {
      writeFileSync(join(folder, 'near.yml'), play('all', directory('/near')));
      const main = join(folder, 'main.yml');
      expect(included('near.yml', main)).toMatchObject({ path: join(folder, 'near.yml') });
      expect(included('parts/packages.yml', main)).toMatchObject({
        path: join(root, 'playbooks/parts/packages.yml'),
      });
      mkdirSync(join(folder, 'parts'));
      writeFileSync(join(folder, 'parts', 'packages.yml'), play('all', directory('/own')));
      expect(included('parts/packages.yml', main)).toMatchObject({
        path: join(folder, 'parts/packages.yml'),
      });
      expect(included('../package.json', main)).toHaveProperty('reason');
      expect(included('gone.yml', main)).toHaveProperty('reason');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('has no part that no shipped playbook includes', () => {
    const texts = readdirSync(join(root, 'playbooks'), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.yml'))
      .map((name) => readFileSync(join(root, 'playbooks', name), 'utf8'));
    const parts = readdirSync(join(root, 'playbooks/parts'));
    expect(
      parts.filter((name) => !texts.some((text) => new RegExp(`- include: (parts/)?${name}\n`).test(text))),
    ).toEqual([]);
  });
});

describe('the variables', () => {
  const view: View = { hosts: new Map(), primary: 'server1' };

  it('hold no secret', async () => {
    const secrets = `${pairInventory}secrets: { replication_password: !env PGDUET_SECRET }\n`;
    const cluster = await clusterOf(secrets);
    expect(cluster.replicationPassword?.reveal()).toBe('hunter2');
    expect(
      JSON.stringify(
        variablesFor({ cluster: cluster, view, intent: { kind: 'run' } }, serverNamed(cluster, 'server1')),
      ),
    ).not.toContain('hunter2');
  });

  it('name the other servers for commits to wait for, quoted where PostgreSQL wants it', async () => {
    const odd = await clusterOf(threeInventory.replace('server3', 'Server-3'));
    const any = await clusterOf(threeInventory.replace('server3', 'any'));
    expect(
      variablesFor({ cluster: any, view, intent: { kind: 'run' } }, serverNamed(any, 'server1')).replication
        .synchronousStandbyNames,
    ).toBe('FIRST 1 (server2, "any")');
    const names = (name: string) =>
      variablesFor({ cluster: odd, view, intent: { kind: 'run' } }, serverNamed(odd, name)).replication
        .synchronousStandbyNames;
    expect(names('server1')).toBe('FIRST 1 (server2, "Server-3")');
    expect(
      variablesFor({ cluster: pair, view, intent: { kind: 'run' } }, serverNamed(pair, 'server1')).replication
        .synchronousStandbyNames,
    ).toBe('server2');
    expect(
      variablesFor({ cluster: odd, view, intent: { kind: 'run' } }, serverNamed(odd, 'Server-3')).host
        .copySlot,
    ).toBe('pgduet_copy_server_3');
    // The server looks it up by so many bytes.
    const long = 'orders-postgresql-node-01.eu-central-1.db.internal.example.com';
    expect(copySlotName(long)).toBe('pgduet_copy_orders_postgresql_node_01_eu_central_1_db_internal_');
    expect(copySlotName(long)).toHaveLength(63);
  });

  it('let a standby follow the logical slots of its primary where that is asked for, and can be', async () => {
    const asked = async (version: number, words: string) => {
      const text = pairInventory.replace('version: 15,', `version: ${version}, settings: { ${words} },`);
      const cluster = await clusterOf(text);
      const all = variablesFor({ cluster, view, intent: { kind: 'run' } }, serverNamed(cluster, 'server2'));
      return { ...all.replication, staying: all.teardown.staying, slot: all.host.standbySlot };
    };
    const on = await asked(17, 'Sync_Replication_Slots: on');
    expect(on).toMatchObject({ failoverSlots: 'on', slot: 'pgduet_for_server2' });
    // A logical slot that is left needs it.
    expect(on.staying).toContain('wal_level');
    expect(on.conninfo).toMatch(/ dbname=postgres$/);
    for (const [version, words, answer] of [
      [17, "sync_replication_slots: 'off'", 'off'],
      [17, 'work_mem: 4MB', 'off'],
      [15, 'sync_replication_slots: on', ''],
    ] as const) {
      const variables = await asked(version, words);
      expect(variables.failoverSlots).toBe(answer);
      expect(variables.conninfo).not.toContain('dbname');
      expect(variables.staying).not.toContain('wal_level');
    }
  });

  it('let a standby follow the primary, and the primary one of the others', () => {
    const conninfo = (name: string) =>
      variablesFor({ cluster: pair, view, intent: { kind: 'run' } }, serverNamed(pair, name)).replication
        .conninfo;
    expect(conninfo('server2')).toContain('host=192.0.2.100');
    expect(conninfo('server2')).toContain('application_name=server2');
    expect(conninfo('server1')).toContain('host=192.0.2.110');
    expect(conninfo('server1')).not.toContain('password=');
  });

  it.each([
    ['192.0.2.1', '192.0.2.1/32'],
    ['2001:db8::1', '2001:db8::1/128'],
    ['db1.example.com', 'db1.example.com'],
  ])('write the address %s as pg_hba.conf wants it', (address, expected) => {
    expect(cidr(address)).toBe(expected);
  });
});

describe('the configuration that a copy is tried with', () => {
  const configured = { log_directory: '/mcdir/inst1/server1-log', ssl_cert_file: '/etc/ssl/one.crt' };
  const of = async (more: object): Promise<object> => {
    const cluster = await clusterOf(pairInventory);
    const hosts = new Map([['server1', { configured, ...more }]]);
    return copiedConfiguration({ hosts, primary: 'server1' }, serverNamed(cluster, 'server2'));
  };

  it("is the primary's, but each server has a log directory of its own", async () => {
    expect(await of({})).toMatchObject({ ssl_cert_file: '/etc/ssl/one.crt' });
    expect(await of({})).not.toHaveProperty('log_directory');
  });

  it('names the log directory that a server had before, since the copy keeps it', async () => {
    const adopted = { logging: 'theirs', carried: {}, hba: '' };
    expect(await of({ adopted })).toMatchObject({ log_directory: '/mcdir/inst1/server1-log' });
  });
});
