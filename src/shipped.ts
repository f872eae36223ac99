/** The files that pgduet ships beside its program: playbooks, templates, inventories, the controller's bundle. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The root of the package: this file is in src/, and in dist/ or one of its folders once it is built. */
const root = rootAbove(dirname(fileURLToPath(import.meta.url)));

function rootAbove(folder: string): string {
  const above = dirname(folder);
  return existsSync(`${above}/package.json`) || above === folder ? `${above}/` : rootAbove(above);
}

function readIfThere(path: string): string | undefined {
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
}

/** A plain name: shipped files are never addressed by a path. */
const isName = (name: string): boolean => /^[A-Za-z0-9_.-]+$/.test(name) && !name.startsWith('.');

export const shippedTemplate = (name: string): string | undefined =>
  isName(name) ? readIfThere(`${root}templates/${name}`) : undefined;
export const shippedAsset = (name: string): string | undefined =>
  isName(name) ? readIfThere(`${root}dist/${name}`) : undefined;
export const shippedInventory = (name: string): string | undefined =>
  isName(name) ? readIfThere(`${root}inventories/${name}`) : undefined;
export const shippedPlaybook = (verb: string): string => `${root}playbooks/${verb}.yml`;
/** Where a part that shipped playbooks include would be; its name is a plain path below playbooks/. */
export const shippedPart = (path: string): string | undefined =>
  path.split('/').every(isName) ? `${root}playbooks/${path}` : undefined;
export const shippedVersion = (): string =>
  (JSON.parse(readIfThere(`${root}package.json`) ?? '{}') as { version?: string }).version ?? 'unknown';
