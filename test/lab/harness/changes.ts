/**
 * What on a host's disks differs from its image. An overlay keeps all that a host has written in a directory of its own, so
 * this reads some hundred files from outside where a look from inside reads thirty thousand.
 * In: the trees of a host. Out: its changes by path, and the difference between two such lists. It only reads, and starts
 * nothing on the host. A changed extended attribute shows in the times alone.
 */
import { createHash } from 'node:crypto';
import { type BigIntStats, lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

/** A file system of a host. */
export interface Tree {
  /** Where the host sees it; '' for its root. */
  readonly at: string;
  /** Where this machine sees it. */
  readonly now: string;
  /** Of an overlay: the image, and the directories that hold what was written above it. Elsewhere all is new. */
  readonly above?: { readonly image: string; readonly written: readonly string[] };
}

export type Kind = 'file' | 'directory' | 'link' | 'socket' | 'fifo' | 'device';

export interface Change {
  /**
   * `new`: was not there. `changed`: another kind, content or target. `attributes`: mode or owner alone. `untouched`: times
   * or extended attributes at most. `removed`: was there; what was below it is not listed.
   */
  readonly how: 'new' | 'changed' | 'attributes' | 'untouched' | 'removed';
  readonly kind: Kind;
  /** Octal, without the kind. */
  readonly mode: string;
  /** Numbers of user and group. */
  readonly owner: string;
  readonly size: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
  /** Of a link its target, of a file the SHA-256 of its content, where it was asked for. */
  readonly content: string;
  /** Where this machine can read it; of a removed one, as it was. */
  readonly file: string;
}

export type Changes = ReadonlyMap<string, Change>;

export interface ChangesOptions {
  /** Directories of the host: they are listed, what is in them is not. */
  readonly except?: readonly string[];
  /** Whether the content of a file counts; of every file when not given. */
  readonly contents?: (path: string) => boolean;
}

/** All changes of all trees. A later tree hides what an earlier one has at the same path, as a mount does. */
export function changesIn(trees: readonly Tree[], options: ChangesOptions = {}): Changes {
  const found = new Map<string, Change>();
  for (const tree of trees) {
    const top = lstat(tree.now);
    if (top === undefined) continue;
    found.set(tree.at === '' ? '/' : tree.at, changeOf(tree, '', top, options));
    walk(tree, '', top.dev, options, found);
  }
  return found;
}

/** Paths that differ between two lists, with what they were and are. Without `times`, only what a person would see. */
export function differences(
  before: Changes,
  after: Changes,
  look: { times?: boolean } = {},
): Map<string, string> {
  const text = (change: Change | undefined): string =>
    (change && facts(change, look.times ?? false)) ?? 'as in the image';
  const paths = [...new Set([...before.keys(), ...after.keys()])].sort();
  const lines = paths.map((path) => [path, text(before.get(path)), text(after.get(path))] as const);
  return new Map(
    lines.filter(([, was, is]) => was !== is).map(([path, was, is]) => [path, `${was} → ${is}`]),
  );
}

/** One line about a change; undefined where nothing can be seen of it. */
export function facts(change: Change, times: boolean): string | undefined {
  const { how, kind, mode, owner, size, mtimeNs, ctimeNs, content } = change;
  if (how === 'removed') return 'removed';
  if (how === 'untouched' && !times) return undefined;
  const text = `${kind} ${mode} ${owner} ${content}`.trim();
  // The size of a directory says nothing about it.
  return times ? `${text} ${kind === 'directory' ? '' : size} ${mtimeNs} ${ctimeNs}` : text;
}

function walk(
  tree: Tree,
  dir: string,
  device: bigint,
  options: ChangesOptions,
  found: Map<string, Change>,
): void {
  for (const name of writtenNames(tree, dir)) {
    const path = `${dir}/${name}`;
    const state = lstat(join(tree.now, path));
    // What was written and is gone again, or an overlay's mark for what was removed.
    if (state === undefined) continue;
    found.set(tree.at + path, changeOf(tree, path, state, options));
    const isExcluded = options.except?.includes(tree.at + path) ?? false;
    if (state.isDirectory() && state.dev === device && !isExcluded) walk(tree, path, device, options, found);
  }
  for (const name of removedNames(tree, dir)) {
    const file = join(tree.above?.image ?? '', dir, name);
    const was = lstat(file);
    if (was) found.set(`${tree.at}${dir}/${name}`, { ...attributes(was), how: 'removed', content: '', file });
  }
}

function writtenNames({ now, above }: Tree, dir: string): Set<string> {
  const places = above?.written ?? [now];
  return new Set(places.flatMap((place) => names(join(place, dir))));
}

/** What a directory of the image has and the host's has no more, however the overlay keeps that in mind. */
function removedNames({ now, above }: Tree, dir: string): string[] {
  if (above === undefined) return [];
  const left = new Set(names(join(now, dir)));
  return names(join(above.image, dir)).filter((name) => !left.has(name));
}

function changeOf(tree: Tree, path: string, state: BigIntStats, options: ChangesOptions): Change {
  const file = join(tree.now, path);
  const wanted = options.contents?.(tree.at + path) ?? true;
  const about = { ...attributes(state), file, content: contentOf(file, state, wanted) };
  const image = tree.above && join(tree.above.image, path);
  const was = image === undefined ? undefined : lstat(image);
  if (image === undefined || was === undefined) return { ...about, how: 'new' };
  const before = attributes(was);
  const isSame =
    before.kind === about.kind &&
    (about.kind === 'directory' ||
      (before.size === about.size && contentOf(file, state, true) === contentOf(image, was, true)));
  if (!isSame) return { ...about, how: 'changed' };
  const isKept = before.mode === about.mode && before.owner === about.owner;
  return { ...about, how: isKept ? 'untouched' : 'attributes' };
}

const attributes = (state: BigIntStats): Omit<Change, 'how' | 'content' | 'file'> => ({
  kind: kindOf(state),
  mode: (state.mode & 0o7777n).toString(8),
  owner: `${state.uid}:${state.gid}`,
  size: state.size,
  mtimeNs: state.mtimeNs,
  ctimeNs: state.ctimeNs,
});

function kindOf(state: BigIntStats): Kind {
  if (state.isFile()) return 'file';
  if (state.isDirectory()) return 'directory';
  if (state.isSymbolicLink()) return 'link';
  if (state.isSocket()) return 'socket';
  return state.isFIFO() ? 'fifo' : 'device';
}

function contentOf(file: string, state: BigIntStats, wanted: boolean): string {
  if (state.isSymbolicLink()) return unlessGone(() => readlinkSync(file)) ?? '';
  if (!state.isFile() || !wanted) return '';
  return unlessGone(() => createHash('sha256').update(readFileSync(file)).digest('hex')) ?? '';
}

const lstat = (path: string): BigIntStats | undefined => unlessGone(() => lstatSync(path, { bigint: true }));

const names = (dir: string): string[] => unlessGone(() => readdirSync(dir)) ?? [];

/** A host goes on while it is read: what it removes meanwhile, or makes a file of, is not there. */
function unlessGone<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
}
