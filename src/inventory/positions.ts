/**
 * Where a value or a key of the inventory stands in its file. Pure.
 * A path names keys and indexes from the root, such as ['hosts', 'server1', 'address'].
 */
import type { Position } from '../base/position.ts';
import { type Node, nodeAt } from '../base/yaml.ts';

type Path = readonly (string | number)[];

/** The place of the value itself; undefined when the path is not in the file, or has no value there. */
export function valuePosition(root: Node, path: Path): Position | undefined {
  const node = nodeAt(root, path);
  if (node === undefined) return undefined;
  if (node.kind === 'scalar') return node.value === null ? undefined : node.at;
  // A block that spans lines is best shown by its key.
  return path.length === 0 ? node.at : keyPosition(root, path);
}

/** The place of the key that a path ends in; of the nearest parent that is in the file otherwise. */
export function keyPosition(root: Node, path: Path): Position {
  for (let depth = path.length; depth > 0; depth -= 1) {
    const parent = nodeAt(root, path.slice(0, depth - 1));
    const step = path[depth - 1];
    if (parent?.kind === 'map') {
      const entry = parent.entries.findLast((one) => one.key === String(step));
      if (entry) return entry.keyAt;
    }
    if (parent?.kind === 'seq') {
      const item = parent.items[Number(step)];
      if (item) return item.at;
    }
  }
  return { ...root.at, length: 1 };
}
