/**
 * Makes one file of the scenario and the core, with or without a mutation, for workers to load.
 * In: a folder and perhaps a mutation. Out: the path. Throws when the text of a mutation is not in the source.
 */
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { build, type Plugin } from 'esbuild';
import type { Mutation } from './mutations.ts';

function mutate({ file, find, replace, folder = 'controller/core' }: Mutation): Plugin {
  const path = join(folder, file);
  const core = new RegExp(`/src/${path.replaceAll('.', '\\.')}$`);
  let met = false;
  return {
    name: 'mutation',
    setup(it) {
      it.onEnd(() => (met ? {} : { errors: [{ text: `no file ${path} is part of the simulation` }] }));
      it.onLoad({ filter: core }, ({ path }) => {
        met = true;
        const text = readFileSync(path, 'utf8');
        if (text.split(find).length !== 2)
          return { errors: [{ text: `this does not stand exactly once in ${file}: ${find}` }] };
        return { contents: text.replace(find, () => replace), loader: 'ts' };
      });
    },
  };
}

/** What the file begins with: scenarios for workers, the search, or power cuts of all hosts. */
type Entry = 'worker.ts' | 'exhaustive/search.ts' | 'recovering.ts';

export async function bundle(
  root: string,
  folder: string,
  mutation?: Mutation,
  entry: Entry = 'worker.ts',
): Promise<string> {
  const name = mutation ? mutation.rule.replaceAll(/\W+/g, '-') : 'whole';
  const outfile = join(folder, `${basename(entry, '.ts')}-${name}.mjs`);
  await build({
    entryPoints: [join(root, 'test/sim', entry)],
    bundle: true,
    platform: 'node',
    format: 'esm',
    outfile,
    logLevel: 'silent',
    plugins: mutation ? [mutate(mutation)] : [],
  });
  return outfile;
}
