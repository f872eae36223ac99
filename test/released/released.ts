/** The programs of the last release, unpacked. In: which of them. Out: its text and its version. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

export interface Released {
  readonly version: string;
  readonly text: string;
}

/** A bundle of this file lies elsewhere; whoever makes one runs in the project's root. */
const beside = existsSync(join(import.meta.dirname, 'released.ts'));
const folder = beside ? import.meta.dirname : join(process.cwd(), 'test/released');

export function released(program: 'mc' | 'core'): Released {
  const names = readdirSync(folder).filter((it) => it.startsWith(`${program}-`));
  const [name = ''] = names;
  const version = /^\w+-(.+)\.[cm]js\.gz$/.exec(name)?.[1];
  if (names.length !== 1 || version === undefined)
    throw new Error(`test/released has not exactly one ${program}-VERSION, but: ${names.join(', ')}`);
  return { version, text: gunzipSync(readFileSync(join(folder, name))).toString() };
}
