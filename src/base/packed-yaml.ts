/**
 * Nodes of a text that was read before, as JSON: to make nodes of that takes a tenth of the time that reading YAML does. Places are
 * kept as numbers; the lines are those of the text, which is at hand. Pure.
 */
import type { Position } from './position.ts';
import type { Node, ScalarNode } from './yaml.ts';

type Place = readonly [line: number, column: number, length: number];

interface Placed {
  readonly p: Place;
  /** The tag. */
  readonly t?: string;
}

/** `v` and `s`: value and source of a scalar, the source only where it is another text; `i`: items; `e`: entries. */
export type Packed =
  | (Placed & { readonly v: ScalarNode['value']; readonly s?: string })
  | (Placed & { readonly i: readonly Packed[] })
  | (Placed & { readonly e: readonly (readonly [key: string, at: Place, value: Packed])[] });

const placeOf = ({ line, column, length }: Position): Place => [line, column, length];

export function pack(node: Node): Packed {
  const placed = { p: placeOf(node.at), ...(node.tag === undefined ? {} : { t: node.tag }) };
  if (node.kind === 'seq') return { ...placed, i: node.items.map(pack) };
  if (node.kind === 'map')
    return { ...placed, e: node.entries.map(({ key, keyAt, value }) => [key, placeOf(keyAt), pack(value)]) };
  const { value, source } = node;
  return { ...placed, v: value, ...(source === String(value ?? '') ? {} : { s: source }) };
}

/** `text` is what was read then, word for word; `file` is where it stands now. */
export function unpack(packed: Packed, text: string, file: string): Node {
  const lines = text.split(/\r?\n/);
  const at = ([line, column, length]: Place): Position => ({
    file,
    line,
    column,
    length,
    text: lines[line - 1] ?? '',
  });
  const nodeOf = (one: Packed): Node => {
    const tag = one.t === undefined ? {} : { tag: one.t };
    if ('i' in one) return { kind: 'seq', at: at(one.p), items: one.i.map(nodeOf), ...tag };
    if ('e' in one) {
      const entries = one.e.map(([key, place, value]) => ({ key, keyAt: at(place), value: nodeOf(value) }));
      return { kind: 'map', at: at(one.p), entries, ...tag };
    }
    return { kind: 'scalar', at: at(one.p), value: one.v, source: one.s ?? String(one.v ?? ''), ...tag };
  };
  return nodeOf(packed);
}
