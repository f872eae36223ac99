/**
 * Playbook + Situation → the ordered resources of every host: the same arguments give the same resources. Variables are put in,
 * conditions and repetitions are resolved, every resource is parsed by its kind, `after` becomes references. All errors at once; never throws. Pure.
 */
import { type Diagnostic, failed, ok, type Result } from '../base/diagnostic.ts';
import { nearest } from '../base/nearest.ts';
import { ownValue } from '../base/own-value.ts';
import type { Secret } from '../base/secret.ts';
import { type Node, nodeOf } from '../base/yaml.ts';
import type { Situation } from '../intent/intent.ts';
import { leftAlone } from '../intent/maintenance.ts';
import { type Cluster, type Server, serverOn } from '../inventory/cluster.ts';
import type { Ref, Resource } from '../plan/plan.ts';
import type { ParseContext, ServerPlace } from '../resources/contract/context.ts';
import type { AnyKind } from '../resources/contract/kind.ts';
import { orderProblems } from './order.ts';
import type { Entry, Playbook } from './playbook.ts';
import { render, structureIn } from './render.ts';
import { ownTemplates } from './variables/controller.ts';
import { type BareVariables, bareVariables, type Variables, variablesFor } from './variables.ts';

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
  situation: Situation,
  materials: Materials,
): Result<readonly Resource[]> {
  const problems: Diagnostic[] = [...unknownHosts(playbook, situation.cluster)];
  const present = presentHosts(situation);
  const drafts = present.flatMap((place) =>
    playbook.plays
      .filter((play) => isFor(play.on, place))
      .flatMap((play) => play.entries)
      .flatMap((entry) => compileEntry(entry, place, materials, problems)),
  );
  const named = nameIndex(drafts, playbook);
  const resources = drafts.map((draft) => ({
    ...draft.resource,
    after: references(draft, present, named, problems),
  }));
  problems.push(
    ...orderProblems(
      resources.flatMap((resource, index) => ({ resource, after: drafts[index]?.entry.after ?? [] })),
    ),
  );
  // One mistake in a playbook shows on every host; it is reported once.
  return problems.length > 0 ? failed(...distinct(problems)) : ok(resources);
}

/** A host, and what is known of the server on it; a host without one is meant by its name alone, or as the arbiter. */
type Place =
  | { readonly variables: BareVariables; readonly server?: undefined }
  | { readonly variables: Variables; readonly server: ServerPlace };

const isFor = (on: string, { variables, server }: Place): boolean =>
  on === 'arbiter'
    ? variables.arbiter.name === variables.host.name
    : on === variables.host.name || (server !== undefined && isForServer(on, variables));

const isForServer = (on: string, variables: Variables): boolean =>
  on === 'all' ||
  (on === 'target' && variables.host.name === variables.target.name) ||
  (on === 'kept' && !variables.teardown.drops) ||
  (on === 'dropped' && variables.teardown.drops) ||
  (on === 'primary' && variables.host.role === 'primary') ||
  (on === 'standbys' && variables.host.role === 'standby');

export const selectors: readonly string[] = [
  'all',
  'primary',
  'standbys',
  'target',
  'kept',
  'dropped',
  'arbiter',
];

/** Nothing is declared for a host that could not be reached, or whose server is in maintenance. */
function presentHosts(situation: Situation): readonly Place[] {
  const out = leftAlone(situation.intent, situation.view);
  return situation.cluster.hosts
    .filter(({ name }) => !situation.view.absent?.has(name) && !out.includes(name))
    .map((host): Place => {
      const server = serverOn(situation.cluster, host.name);
      if (!server) return { variables: bareVariables(situation, host) };
      const variables = variablesFor(situation, server);
      return { variables, server: placeOf(server, variables) };
    });
}

/** A play or an `after` for a host that the inventory does not have would be left out without a word. */
function unknownHosts(playbook: Playbook, cluster: Cluster): readonly Diagnostic[] {
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
  { variables, server }: Place,
  materials: Materials,
  problems: Diagnostic[],
): readonly Draft[] {
  const rounds: readonly AnyVariables[] = entry.each
    ? variables[entry.each].map((item) => ({ ...variables, item }))
    : [variables];
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
          host: variables.host.name,
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

type AnyVariables = Variables | BareVariables;

/** A file of the controller or of the arbiter is rendered from what it is read back as. */
function ownContext(name: string, variables: AnyVariables): object | undefined {
  const own = ownValue(ownTemplates, name);
  if (own === undefined) return undefined;
  if (own === 'networkConf' || own === 'initScript') return variables[own];
  return 'serverConf' in variables ? variables[own] : undefined;
}

function wanted(entry: Entry, variables: AnyVariables, problems: Diagnostic[]): boolean {
  if (entry.when === undefined) return true;
  const text = render(entry.when, variables, 'when', entry.at);
  if (!text.ok) problems.push(...text.diagnostics);
  return text.ok && text.value !== '' && text.value !== 'false';
}

/** The node with variables put into every text; places stay, so that errors point into the playbook. */
function expand(node: Node, variables: AnyVariables, problems: Diagnostic[]): Node {
  if (node.kind === 'map')
    return {
      ...node,
      entries: node.entries.map((entry) => ({ ...entry, value: expand(entry.value, variables, problems) })),
    };
  if (node.kind === 'seq')
    return { ...node, items: node.items.map((item) => expand(item, variables, problems)) };
  if (typeof node.value !== 'string') return node;
  const structure = structureIn(node.value, variables);
  if (structure !== undefined) return nodeOf(structure, node.at);
  const text = render(node.value, variables, node.value, node.at);
  if (!text.ok) problems.push(...text.diagnostics);
  return text.ok ? { ...node, value: text.value, source: text.value } : node;
}

function parseContext(
  server: ServerPlace | undefined,
  variables: AnyVariables,
  materials: Materials,
): ParseContext {
  return {
    ...(server ? { server } : {}),
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
      return render(text, ownContext(name, variables) ?? variables, name);
    },
  };
}

function placeOf({ name, postgres, multiplexing }: Server, { mcCtl }: Variables): ServerPlace {
  const { version, dataDir, walDir, socketDir, port, owner } = postgres;
  const { managementDir } = multiplexing;
  const wal = walDir ? { walDir } : {};
  return { id: name, version, dataDir, ...wal, socketDir, port, owner, managementDir, mcCtl };
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
  present: readonly Place[],
  named: NameIndex,
  problems: Diagnostic[],
): readonly Ref[] {
  return draft.entry.after.flatMap((after) => {
    const hosts = present.filter((one) => isFor(after.on, one)).map(({ variables }) => variables.host.name);
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
