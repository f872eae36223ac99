/**
 * Brings a program of this machine to a lab host that does not have it, such as a login shell: the program, the libraries that it is
 * linked with and what they are loaded by, in a directory of its own. In: a host and the path of a program here. It must never replace
 * anything that the host has.
 */
import { copyFileSync, cpSync, existsSync, mkdirSync, realpathSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Host } from '../harness/lab.ts';
import { text } from '../harness/run.ts';

/** "libc.so.6 => /lib/libc.so.6 (0x7f…)" and "/lib64/ld-linux-x86-64.so.2 (0x7f…)". */
const libraryLine = /(?:=> )?(\/\S+) \(0x/;

/** Afterwards `/usr/bin/NAME` of the host runs it, and people may have it as their shell. */
export async function carryShell(host: Host, program: string, ...files: readonly string[]): Promise<void> {
  const name = basename(program);
  const place = `/opt/${name}`;
  mkdirSync(join(host.disk, place), { recursive: true });
  const linked = await text('ldd', program);
  const libraries = linked.split('\n').flatMap((line) => libraryLine.exec(line)?.[1] ?? []);
  const loader = libraries.find((path) => basename(path).startsWith('ld-'));
  if (loader === undefined) throw new Error(`${program} has no loader:\n${linked}`);
  for (const path of [program, ...libraries])
    copyFileSync(realpathSync(path), join(host.disk, place, basename(path)));
  for (const path of files.filter((one) => !existsSync(join(host.disk, one))))
    cpSync(path, join(host.disk, path), { recursive: true });
  await host.sh(
    `cat > /usr/bin/${name}; chmod 755 /usr/bin/${name} ${place}/*; echo /usr/bin/${name} >> /etc/shells`,
    {
      input: `#!/bin/sh\nexec ${place}/${basename(loader)} --library-path ${place} ${place}/${name} "$@"\n`,
      check: true,
    },
  );
}
