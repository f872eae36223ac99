/**
 * Builds the images with debootstrap, once for all runs, and finds them again.
 * In: names of images. Out: the directories of their layers, for overlayfs.
 * It must never leave a half-built layer under a layer's name, and never build one twice at once.
 */
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ImageName, imageLayers, type Layer, SUITES, type Suite } from './definition.ts';
import { buildLayer } from './layer.ts';
import { prepareMachine } from './machine.ts';
import { withLock } from './owner.ts';
import { imagesDir } from './places.ts';

export type Say = (line: string) => void;
const sayOnStderr: Say = (line) => process.stderr.write(`lab: ${line}\n`);

/** Directories of an image's layers, the lowest first; the image must exist. */
export function layerDirs(image: ImageName): string[] {
  return imageLayers(image).map((layer) => layerDir(layer));
}

const layerDir = (layer: Layer): string => join(imagesDir(), layer.name, 'root');

/** The library that shifts a host's clock lies beside the base layer, not in it: no server has it. */
export function timeLibrary(image: ImageName): string {
  return join(imagesDir(), imageLayers(image)[0].name, 'libfaketime.so.1');
}

export function imageExists(image: ImageName): boolean {
  return layerDirs(image).every((dir) => existsSync(dir));
}

/** Builds those of the images that do not exist yet; different suites are built side by side. */
export async function ensureImages(images: readonly ImageName[], say: Say = sayOnStderr): Promise<void> {
  const missing = images.filter((image) => !imageExists(image));
  if (missing.length === 0) return;
  await prepareMachine(say);
  const suites = new Map<Suite, ImageName[]>();
  for (const image of missing) {
    const { suite } = imageLayers(image)[0];
    suites.set(suite, [...(suites.get(suite) ?? []), image]);
  }
  await Promise.all([...suites].map(([suite, names]) => ensureSuite(suite, names, say)));
}

/** Layers of one suite share a cache of packages, so they are built one after the other. */
async function ensureSuite(suite: Suite, images: readonly ImageName[], say: Say): Promise<void> {
  await withLock(join(imagesDir(), `${suite}.lock`), async () => {
    for (const image of images) {
      const below: string[] = [];
      for (const layer of imageLayers(image)) {
        if (!existsSync(layerDir(layer))) await publish(layer, below, say);
        below.unshift(layerDir(layer));
      }
    }
  });
}

/** Gives a layer its name only when it is complete. */
async function publish(layer: Layer, below: readonly string[], say: Say): Promise<void> {
  const started = Date.now();
  const work = join(imagesDir(), `.building-${layer.name}`);
  say(`building ${layer.name} …`);
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  await buildLayer(layer, below, work);
  const packed = join(imagesDir(), layer.name);
  const about = { name: layer.name, suite: layer.suite, packages: layer.packages, builtAt: new Date() };
  writeFileSync(join(work, 'about.json'), `${JSON.stringify(about, undefined, 2)}\n`);
  rmSync(packed, { recursive: true, force: true });
  renameSync(work, packed);
  say(`built ${layer.name} in ${((Date.now() - started) / 1000).toFixed(1)} s`);
}

/** Removes layers that no definition names any more; a caller makes sure that no lab uses them. */
export async function removeOldImages(keep: readonly ImageName[]): Promise<string[]> {
  const wanted = new Set(keep.flatMap((image) => imageLayers(image).map((layer) => layer.name)));
  const suites = SUITES.map((suite) => join(imagesDir(), `${suite}.lock`));
  return suites.reduceRight<() => Promise<string[]>>(
    (inner, lock) => () => withLock(lock, inner),
    async () => {
      const entries = readdirSync(imagesDir(), { withFileTypes: true });
      const old = entries.filter((entry) => entry.isDirectory() && !wanted.has(entry.name));
      for (const { name } of old) rmSync(join(imagesDir(), name), { recursive: true, force: true });
      return old.map((entry) => entry.name);
    },
  )();
}
