/**
 * Hosts in a state that takes long to reach, as one more layer above their image: made once, then there at each boot.
 * In: a recipe. Out: running hosts in that state, after a power cycle. It must never leave a half-made layer under a
 * layer's name, make one twice at once, or remove one that a lab uses.
 */
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { type Addresses, moved, namesLab, obstacleIn } from './addresses.ts';
import { type ImageName, imageLayers } from './definition.ts';
import type { DiskImage, StoredDisks } from './disk.ts';
import { type Host, Lab } from './lab.ts';
import { withLock } from './owner.ts';
import { preparedDir } from './places.ts';
import { run } from './run.ts';

/** Goes up when a layer looks different for another reason than its recipe. */
const FORMAT = 2;

/** So many layers are kept; those that were not used for the longest time go first. */
const KEPT = 30;

export interface Recipe<Notes = void> {
  /** Begins the directory's name, for people. */
  readonly name: string;
  readonly image: ImageName;
  readonly hosts: readonly string[];
  /** All that the state follows from beside the image: when one of these texts changes, it is made anew. */
  readonly ingredients: readonly string[];
  /**
   * Brings fresh hosts into the state. They are shut down in order afterwards, all at once. What is returned is kept as JSON
   * with the layer.
   */
  make(lab: Lab, hosts: readonly Host[]): Promise<Notes>;
}

export interface PreparedOptions {
  /** Names in place of the recipe's, for hosts on which nothing depends on the name. */
  readonly names?: readonly string[];
  readonly store?: string;
}

interface StoredHost {
  readonly small: readonly DiskImage[];
  /** Files that name hosts of the lab in which the layer was made. */
  readonly naming: readonly string[];
}

/** Hosts that run, and what the making has returned. */
export interface Prepared<Notes> {
  readonly hosts: Host[];
  readonly notes: Notes;
}

interface About {
  readonly notes: unknown;
  readonly addresses: Addresses;
  readonly hosts: Readonly<Record<string, StoredHost>>;
}

/** Starts hosts of a lab in the state of the recipe. What runs by units runs; a caller waits until it is ready. */
export async function prepared<Notes>(
  lab: Lab,
  recipe: Recipe<Notes>,
  options: PreparedOptions = {},
): Promise<Prepared<Notes>> {
  const { names = recipe.hosts, store = preparedDir() } = options;
  const dir = await ensureLayer(recipe, store);
  const about = JSON.parse(readFileSync(aboutFile(dir), 'utf8')) as About;
  const now = new Date();
  utimesSync(aboutFile(dir), now, now);
  const hosts = await lab.start(
    recipe.hosts.map((made, at) => {
      const { small = [], naming = [] } = about.hosts[made] ?? {};
      const above = { layer: join(dir, made, 'root'), small };
      const settle = (host: Host, addresses: Addresses) => move(host, naming, about.addresses, addresses);
      return { name: names[at] ?? made, image: recipe.image, above, settle };
    }),
  );
  return { hosts, notes: about.notes as Notes };
}

/** Removes the layers that no lab uses, but for those that were used last. */
export async function removeOldLayers(keep = KEPT, store = preparedDir()): Promise<string[]> {
  return withLock(join(store, 'removing.lock'), async () => {
    const mounts = readFileSync('/proc/self/mountinfo', 'utf8');
    const layers = readdirSync(store).filter((name) => !name.startsWith('.') && !name.endsWith('.lock'));
    const usedAt = (name: string): number => statSync(aboutFile(join(store, name))).mtimeMs;
    const old = layers.sort((one, other) => usedAt(other) - usedAt(one)).slice(keep);
    const unused = old.filter((name) => !mounts.includes(`${join(store, name)}/`));
    for (const name of unused) {
      // Under another name it is no layer any more, also when only half of it is gone.
      const leaving = join(store, `.leaving-${name}`);
      renameSync(join(store, name), leaving);
      rmSync(leaving, { recursive: true });
    }
    return unused;
  });
}

const aboutFile = (dir: string): string => join(dir, 'about.json');

async function ensureLayer<Notes>(recipe: Recipe<Notes>, store: string): Promise<string> {
  const { name, image, hosts, ingredients } = recipe;
  const below = imageLayers(image).map((layer) => layer.name);
  const text = JSON.stringify([FORMAT, below, hosts, ingredients]);
  const key = createHash('sha256').update(text).digest('hex').slice(0, 12);
  const dir = join(store, `${name}-${key}`);
  if (existsSync(dir)) return dir;
  await withLock(join(store, `${name}.lock`), async () => {
    if (existsSync(dir)) return;
    const work = join(store, `.making-${name}`);
    rmSync(work, { recursive: true, force: true });
    mkdirSync(work);
    await make(recipe, work, dir);
    await run('sync', ['--file-system', work], { check: true });
    renameSync(work, dir);
  });
  await removeOldLayers(KEPT, store);
  return dir;
}

async function make<Notes>(recipe: Recipe<Notes>, work: string, dir: string): Promise<void> {
  const lab = await Lab.open();
  try {
    const { image, hosts: names } = recipe;
    const hosts = await lab.hosts(names.length, { image, names });
    const notes = await recipe.make(lab, hosts);
    await Promise.all(hosts.map((host) => host.shutdown()));
    const addresses = lab.addressesOf(hosts);
    const stored: Record<string, StoredHost> = {};
    for (const host of hosts) {
      const naming = filesThatName(host, addresses);
      mkdirSync(join(work, host.name));
      const { small } = await host.store(join(work, host.name));
      stored[host.name] = { naming, small: placedIn(small, work, dir) };
    }
    const about: About = { notes, addresses, hosts: stored };
    writeFileSync(aboutFile(work), `${JSON.stringify(about, undefined, 2)}\n`);
  } finally {
    await lab.close();
  }
}

const placedIn = (small: StoredDisks['small'], work: string, dir: string): DiskImage[] =>
  small.map(({ mountpoint, file }) => ({ mountpoint, file: file.replace(work, dir) }));

/** Logs tell what was, also which addresses. */
const LOGS = /^\/var\/log\//;

function filesThatName(host: Host, addresses: Addresses): string[] {
  const written = [...host.changes({ contents: () => false })].filter(
    ([path, { how, kind }]) => kind === 'file' && how !== 'removed' && !LOGS.test(path),
  );
  const found = written
    .map(([path, { file }]) => ({ path, content: readFileSync(file) }))
    .filter(({ content }) => namesLab(content, addresses));
  for (const { path, content } of found) {
    const obstacle = obstacleIn(content, addresses);
    if (obstacle !== undefined) throw new Error(`${host.name} cannot be kept: ${path} ${obstacle}`);
  }
  return found.map(({ path }) => path);
}

/** Writes the addresses of the new lab in place of those of the old one. Times stay: nobody has edited the file. */
function move(host: Host, paths: readonly string[], from: Addresses, to: Addresses): void {
  for (const path of paths) {
    const file = host.at(path);
    const { atime, mtime } = statSync(file);
    writeFileSync(file, moved(readFileSync(file, 'latin1'), from, to), 'latin1');
    utimesSync(file, atime, mtime);
  }
}
