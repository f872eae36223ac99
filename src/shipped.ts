/** The files that pgduet ships beside its program: playbooks, templates, the controller's bundle. Read once each. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Both src/ and dist/ stand one level below the root of the package. */
const root = fileURLToPath(new URL('..', import.meta.url));

function readIfThere(path: string): string | undefined {
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
}

/** A plain name: shipped files are never addressed by a path. */
const isName = (name: string): boolean => /^[A-Za-z0-9_.-]+$/.test(name) && !name.startsWith('.');

export const shippedTemplate = (name: string): string | undefined =>
  isName(name) ? readIfThere(`${root}templates/${name}`) : undefined;
export const shippedAsset = (name: string): string | undefined =>
  isName(name) ? readIfThere(`${root}dist/${name}`) : undefined;
export const shippedPlaybook = (verb: string): string => `${root}playbooks/${verb}.yml`;
export const shippedVersion = (): string =>
  (JSON.parse(readIfThere(`${root}package.json`) ?? '{}') as { version?: string }).version ?? 'unknown';
