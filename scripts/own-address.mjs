// A plugin of esbuild: a bundled module that looks for files beside itself looks where it comes from, not where the bundle is.
import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { pathToFileURL } from 'node:url';
import { transform } from 'esbuild';

export const ownAddress = {
  name: 'own-address',
  setup({ onLoad }) {
    onLoad({ filter: /\.ts$/ }, async ({ path }) => {
      const define = {
        'import.meta.url': JSON.stringify(pathToFileURL(path).href),
        'import.meta.dirname': JSON.stringify(dirname(path)),
      };
      const { code } = await transform(readFileSync(path, 'utf8'), { loader: 'ts', format: 'esm', define });
      return { contents: code, loader: 'js' };
    });
  },
};
