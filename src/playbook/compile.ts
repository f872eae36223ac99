/**
 * Playbook + Cluster + View → the ordered resources of every host. Words are put in, conditions and repetitions are
 * resolved, every resource is parsed by its kind, `after` becomes references. All errors at once; never throws. Pure.
 */
import { type Diagnostic, failed, ok, type Result } from '../base/diagnostic.ts';
import { nearest } from '../base/nearest.ts';
import type { Secret } from '../base/secret.ts';
import { type Node, nodeOf } from '../base/yaml.ts';
import type { Cluster, Server } from '../inventory/cluster.ts';
import type { View } from '../observe/survey.ts';
import type { Ref, Resource } from '../plan/plan.ts';
import type { AnyKind, ParseContext } from '../resources/contract/kind.ts';
import { orderProblems } from './order.ts';
import type { Entry, Playbook } from './playbook.ts';
import { render, structureIn } from './render.ts';
import { type Words, wordsFor } from './words.ts';

/** What the edge provides: files that pgduet ships, and values that must not be guessed. */
export interface Materials {
  readonly kinds: ReadonlyMap<string, AnyKind>;
  template(name: string): string | undefined;
  asset(name: string): string | undefined;
  secret(name: string): Secret | undefined;
  /** 16 random bytes as hex, new for every run. */
  readonly entropy: string;
}

interface Draft {
  readonly resource: Resource;
  readonly entry: Entry;
}

export function compile(
  playbook: Playbook,
  cluster: Cluster,
  view: View,
  materials: Materials,
): Result<readonly Resource[]> {
  const problems: Diagnostic[] = [...strangers(playbook, cluster)];
  const drafts = presentServers(cluster, view).flatMap((server) => {
    const words = wordsFor(cluster, server, view);
    return playbook.plays
      .filter((play) => isFor(play.on, words))
      .flatMap((play) => play.entries)
      .flatMap((entry) => compileEntry(entry, server, words, materials, problems));
  });
  const named = nameIndex(drafts, playbook);
  const resources = drafts.map((draft) => ({
    ...draft.resource,
    after: references(draft, cluster, view, named, problems),
  }));
  problems.push(
    ...orderProblems(
      resources.flatMap((resource, index) => ({ resource, after: drafts[index]?.entry.after ?? [] })),
    ),
  );
  // One mistake in a playbook shows on every host; it is told once.
  return problems.length > 0 ? failed(...distinct(problems)) : ok(resources);
}

const isFor = (on: string, words: Words): boolean =>
  on === 'all' ||
  on === words.host.name ||
  (on === 'target' && words.host.name === words.target.name) ||
  (on === 'kept' && !words.teardown.drops) ||
  (on === 'dropped' && words.teardown.drops) ||
  (on === 'primary' && words.host.role === 'primary') ||
  (on === 'standbys' && words.host.role === 'standby');

export const selectors: readonly string[] = ['all', 'primary', 'standbys', 'target', 'kept', 'dropped'];

/** Nothing is declared for a host that could not be reached. */
const presentServers = (cluster: Cluster, view: View): readonly Server[] =>
  cluster.servers.filter((server) => !view.absent?.has(server.name));

/** A play or an `after` for a host that the inventory does not have would be left out without a word. */
function strangers(playbook: Playbook, cluster: Cluster): readonly Diagnostic[] {
  const known = [...selectors, ...cluster.hosts.map((host) => host.name)];
  const places = playbook.plays.flatMap((play) => [
    { on: play.on, at: play.onAt },
    ...play.entries.flatMap((entry) => entry.after),
  ]);
  return places
    .filter(({ on }) => !known.includes(on))
    .map(({ on, at }): Diagnostic => {
      const near = nearest(on, known);
      return {
        code: 'INV020',
        what: `the playbook names '${on}', which is no host of the inventory`,
        why: 'what it says would be done nowhere',
        fix: near ? `Did you mean '${near}'?` : `Write one of: ${known.join(', ')}.`,
        at,
      };
    });
}

function compileEntry(
  entry: Entry,
  server: Server,
  words: Words,
  materials: Materials,
  problems: Diagnostic[],
): readonly Draft[] {
  const rounds: readonly Words[] = entry.each
    ? words[entry.each].map((item) => ({ ...words, item }))
    : [words];
  return rounds.flatMap((round) => {
    if (!wanted(entry, round, problems)) return [];
    const expanded = expand(entry.node, round, problems);
    const kind = materials.kinds.get(entry.kind);
    if (!kind) return [];
    const parsed = kind.fields.parse(expanded, parseContext(server, round, materials), entry.kind);
    if (!parsed.ok) {
      problems.push(...parsed.diagnostics);
      return [];
    }
    const id = `${entry.kind} ${kind.key(parsed.value)}`;
    return [
      {
        entry,
        resource: {
          host: server.host.name,
          id,
          kind,
          desired: parsed.value,
          after: [],
          late: entry.late,
          expect: entry.expect,
          at: entry.at,
        },
      },
    ];
  });
}

function wanted(entry: Entry, words: Words, problems: Diagnostic[]): boolean {
  if (entry.when === undefined) return true;
  const text = render(entry.when, words, 'when', entry.at);
  if (!text.ok) problems.push(...text.diagnostics);
  return text.ok && text.value !== '' && text.value !== 'false';
}

/** The node with words put into every text; places stay, so that errors point into the playbook. */
function expand(node: Node, words: Words, problems: Diagnostic[]): Node {
  if (node.kind === 'map')
    return {
      ...node,
      entries: node.entries.map((entry) => ({ ...entry, value: expand(entry.value, words, problems) })),
    };
  if (node.kind === 'seq') return { ...node, items: node.items.map((item) => expand(item, words, problems)) };
  if (typeof node.value !== 'string') return node;
  const structure = structureIn(node.value, words);
  if (structure !== undefined) return nodeOf(structure, node.at);
  const text = render(node.value, words, node.value, node.at);
  if (!text.ok) problems.push(...text.diagnostics);
  return text.ok ? { ...node, value: text.value, source: text.value } : node;
}

function parseContext(server: Server, words: Words, materials: Materials): ParseContext {
  const { dataDir, socketDir, port, owner } = server.postgres;
  return {
    host: server.host.name,
    instance: { dataDir, socketDir, port, owner },
    secret: materials.secret,
    asset: materials.asset,
    entropy: materials.entropy,
    render: (name) => {
      const text = materials.template(name);
      if (text === undefined)
        return failed({
          code: 'PLY004',
          what: `there is no template '${name}'`,
          why: 'the file cannot be written without it',
          fix: 'Put the template beside the playbook, or name one of templates/.',
        });
      return render(text, templateWords(name, words), name);
    },
  };
}

/** The controller's own files are rendered from the types that the controller reads them back with. */
function templateWords(name: string, words: Words): object {
  if (name === 'server.conf.hbs') return words.serverConf;
  if (name === 'network.conf.hbs') return words.networkConf;
  if (name === 'mcoi.service.hbs') return words.unit;
  return words;
}

type NameIndex = ReadonlyMap<string, readonly Draft[]>;

/** Holds the names of what was left out by `when` too: to come after that is no mistake. */
function nameIndex(drafts: readonly Draft[], playbook: Playbook): NameIndex {
  const names = playbook.plays.flatMap((play) => play.entries.flatMap((entry) => entry.as ?? []));
  const index = new Map<string, Draft[]>(names.map((name) => [name, []]));
  for (const draft of drafts) {
    for (const name of new Set([draft.entry.as, draft.resource.id].filter((text) => text !== undefined))) {
      index.set(name, [...(index.get(name) ?? []), draft]);
    }
  }
  return index;
}

function references(
  draft: Draft,
  cluster: Cluster,
  view: View,
  named: NameIndex,
  problems: Diagnostic[],
): readonly Ref[] {
  return draft.entry.after.flatMap((after) => {
    const hosts = presentServers(cluster, view)
      .filter((server) => isFor(after.on, wordsFor(cluster, server, view)))
      .map((server) => server.host.name);
    const found = (named.get(after.name) ?? []).filter((other) => hosts.includes(other.resource.host));
    if (!named.has(after.name))
      problems.push({
        code: 'PLY005',
        what: `'after' names '${after.name}', which no resource is called`,
        why: 'the order cannot be kept',
        fix: "Give the resource that is meant the name with 'as:'.",
        at: after.at,
      });
    return found.map((other) => ({ host: other.resource.host, id: other.resource.id }));
  });
}

function distinct(problems: readonly Diagnostic[]): readonly Diagnostic[] {
  const seen = new Map(
    problems.map((problem) => [
      `${problem.code} ${problem.what} ${problem.at?.line}:${problem.at?.column}`,
      problem,
    ]),
  );
  return [...seen.values()];
}
