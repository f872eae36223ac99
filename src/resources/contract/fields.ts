/**
 * The fields of a kind, and what they become: a table of fields as data, and where a kind needs more than their values a
 * function that builds what is desired. In: a YAML node whose templates are expanded. Out: what is desired, or every
 * mistake at once, each with its place. Never throws. Pure.
 */
import { type Diagnostic, failed, ok, type Result } from '../../base/diagnostic.ts';
import { nearest } from '../../base/nearest.ts';
import type { Position } from '../../base/position.ts';
import type { MapNode, Node } from '../../base/yaml.ts';
import type { ParseContext, ServerContext, ServerPlace } from './context.ts';
import { type Field, former } from './field.ts';

export type FieldTable = Readonly<Record<string, Field<unknown>>>;

/** The fields of a kind, from which its resources are read. */
export interface Fields<D> {
  readonly table: FieldTable;
  parse(node: Node, context: ParseContext, kind: string): Result<D>;
}

/** What a resource with these fields desires. */
export type DesiredOf<F> = F extends Fields<infer D> ? D : never;

/** data_dir → dataDir */
type Camel<N extends string> = N extends `${infer Head}_${infer Rest}`
  ? `${Head}${Capitalize<Camel<Rest>>}`
  : N;

type Value<F> = F extends Field<infer T> ? T : never;
type Always<F extends FieldTable> = {
  [N in keyof F]: undefined extends Value<F[N]> ? never : N;
}[keyof F];

/** The values of a table, by their names in TypeScript. A field without a value is left out. */
export type ValuesOf<F extends FieldTable> = {
  readonly [N in Always<F> as Camel<N & string>]: Value<F[N]>;
} & {
  readonly [N in Exclude<keyof F, Always<F>> as Camel<N & string>]?: Exclude<Value<F[N]>, undefined>;
};

/** Reports a mistake at the value of a field. */
export type Problem<F extends FieldTable> = (name: keyof F & string, what: string, fix: string) => void;

export type Build<F extends FieldTable, D, C = ParseContext> = (
  values: ValuesOf<F>,
  context: C,
  problem: Problem<F>,
) => D;

/** The fields of a kind for any host. */
export function fieldsOf<F extends FieldTable>(table: F): Fields<ValuesOf<F>>;
export function fieldsOf<F extends FieldTable, D>(table: F, build: Build<F, D>): Fields<D>;
export function fieldsOf<F extends FieldTable>(
  table: F,
  build: Build<F, unknown> = (values) => values,
): Fields<unknown> {
  return { table, parse: (node, context, kind) => readNode(table, build, node, context, kind) };
}

/** The fields of a kind that is about the server of its host; on a host without one there is nothing that it could mean. */
export function fieldsOnServer<F extends FieldTable>(table: F): Fields<ValuesOf<F>>;
export function fieldsOnServer<F extends FieldTable, D>(
  table: F,
  build: Build<F, D, ServerContext>,
): Fields<D>;
export function fieldsOnServer<F extends FieldTable>(
  table: F,
  build: Build<F, unknown, ServerContext> = (values) => values,
): Fields<unknown> {
  return {
    table,
    parse: (node, context, kind) => {
      const { server } = context;
      if (server === undefined) return failed(noServer(kind, node.at));
      return readNode(table, build, node, { ...context, server }, kind);
    },
  };
}

const noServer = (kind: string, at: Position): Diagnostic => ({
  code: 'PLY003',
  what: `${kind}: the host carries no server`,
  why: 'this kind is about the PostgreSQL server of its host',
  fix: `Move it to a play for servers, such as 'on: all' or the name of one.`,
  at,
});

function readNode<F extends FieldTable, C extends ParseContext>(
  table: F,
  build: Build<F, unknown, C>,
  node: Node,
  context: C,
  kind: string,
): Result<unknown> {
  const problems: Diagnostic[] = [];
  const say = (at: Position, what: string, fix: string) =>
    problems.push({
      code: 'PLY003',
      what: `${kind}: ${what}`,
      why: 'the resource cannot be understood, so nothing is done with it',
      fix,
      at,
    });
  if (node.kind !== 'map') {
    say(node.at, 'a map of fields is expected here', `Write the fields of '${kind}' as "name: value" lines.`);
    return failed(...problems);
  }
  const values = readTable(table, node, context, say) as ValuesOf<F>;
  const problem: Problem<F> = (name, what, fix) => say(nodeOf(node, name)?.at ?? node.at, what, fix);
  const desired = build(values, context, problem);
  rejectUnknown(table, node, say);
  return problems.length > 0 ? failed(...problems) : ok(desired);
}

/** Fields that playbooks passed to these kinds until 0.1; they go with the next release. */
const formerFields = {
  id: former('id'),
  data_dir: former('dataDir'),
  wal_dir: former('walDir'),
  management_dir: former('managementDir'),
  owner: former('owner'),
  version: former('version'),
  mc_ctl: former('mcCtl'),
};

/** The fields of a kind that is about the server of the host, whose place comes from the inventory. */
export function serverFields<F extends FieldTable>(table: F): Fields<ServerPlace & ValuesOf<F>>;
export function serverFields<F extends FieldTable, D>(table: F, build: Build<F, D, ServerContext>): Fields<D>;
export function serverFields<F extends FieldTable>(
  table: F,
  build: Build<F, unknown, ServerContext> = (values, { server }) => ({ ...server, ...values }),
): Fields<unknown> {
  return fieldsOnServer({ ...table, ...formerFields }, build as Build<FieldTable, unknown, ServerContext>);
}

/** A list of maps that have these fields. */
export const mapsOf = <F extends FieldTable>(table: F, meaning: string): Field<readonly ValuesOf<F>[]> => ({
  shape: { type: 'maps', table },
  meaning,
  absent: 'optional',
  read: ({ name, node, context, problem }) => {
    if (node === undefined || (node.kind === 'scalar' && node.value === null)) return [];
    const items = node.kind === 'seq' ? node.items : [node];
    return items.flatMap((item) => {
      if (item.kind === 'map') {
        const say: Say = (at, what, fix) => problem(`${name}: ${what}`, fix, at);
        rejectUnknown(table, item, say);
        return [readTable(table, item, context, say) as ValuesOf<F>];
      }
      problem(
        `'${name}' must be a list of maps`,
        `Write '${name}: [{ ${Object.keys(table).join(': …, ')}: … }]'.`,
        item.at,
      );
      return [];
    });
  },
});

type Say = (at: Position, what: string, fix: string) => void;

const nodeOf = (node: MapNode, name: string): Node | undefined =>
  node.entries.find((entry) => entry.key === name)?.value;

function readTable(table: FieldTable, map: MapNode, context: ParseContext, say: Say): object {
  const values = Object.entries(table).map(([name, field]) => {
    const node = nodeOf(map, name);
    const value = field.read({
      name,
      node,
      context,
      problem: (what, fix, at = node?.at ?? map.at) => say(at, what, fix),
      missing: () => say(map.at, `the field '${name}' is missing or empty`, `Add '${name}: …'.`),
    });
    return [camel(name), value] as const;
  });
  return Object.fromEntries(values.filter(([, value]) => value !== undefined));
}

const camel = (name: string): string =>
  name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());

function rejectUnknown(table: FieldTable, node: MapNode, say: Say): void {
  const known = Object.keys(table);
  for (const { key, keyAt } of node.entries) {
    if (known.includes(key)) continue;
    const near = nearest(key, known);
    say(
      keyAt,
      `the field '${key}' is not known`,
      near ? `Did you mean '${near}'?` : `Known fields: ${known.join(', ')}.`,
    );
  }
}
