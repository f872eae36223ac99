/**
 * A lab host on which names of the instance administrator are links to things of root's, as that administrator could make them. In: a
 * host, the directories that are the administrator's. Out: links, their way back, and what of root's has changed or come into the
 * administrator's hands.
 */
import { watch } from 'node:fs';
import { join } from 'node:path';
import { type Changes, differences } from '../harness/changes.ts';
import type { Host } from '../harness/host.ts';

/** What only root may read or write: files, directories with something in them and without, and names of which nothing is there. */
const own = '/srv/own';
const aside = '/srv/aside';
const kinds = ['file', 'directory', 'empty', 'missing'] as const;
const each = 90;
/** Stands in each of root's files, and never anywhere else. */
const canary = 'what only root may read';

/** What the system writes by itself, and what another one may. */
const restless = ['/run', '/tmp', '/dev', '/var/log', '/var/tmp', '/var/lib/systemd', '/var/cache', '/root'];

export class LinkedHost {
  readonly host: Host;
  readonly #directories: readonly string[];
  readonly #owner: string;
  /** Its number among the things of root's; whether something stood there before. */
  readonly #linked = new Map<string, number>();
  #before: Changes = new Map();

  constructor(host: Host, directories: readonly string[], owner = 'postgres') {
    this.host = host;
    this.#directories = directories;
    this.#owner = owner;
  }

  async begin(): Promise<void> {
    this.#linked.clear();
    await this.host.sh(
      `rm -rf ${own} ${aside}; mkdir -p ${own} ${aside}
for n in $(seq 0 ${each - 1}); do
  ( umask 077; echo '${canary}' > ${own}/file$n )
  mkdir ${own}/directory$n ${own}/empty$n
  ( umask 077; echo '${canary}' > ${own}/directory$n/inside )
done`,
      { check: true },
    );
    this.#before = this.#changes();
  }

  get linked(): readonly string[] {
    return [...this.#linked.keys()];
  }

  /** What `find` prints with these words. */
  async names(words: string): Promise<readonly string[]> {
    const { stdout } = await this.host.sh(`find ${words} 2>/dev/null`);
    return stdout.split('\n').filter((path) => path !== '');
  }

  /** Names that come to be in the administrator's directories until the answer is called, however short they are there. */
  watching(): () => readonly string[] {
    const seen = new Set<string>();
    const watchers = this.#directories.map((directory) =>
      watch(this.host.at(directory), (_, name) => {
        if (name !== null) seen.add(join(directory, name));
      }).on('error', () => undefined),
    );
    return () => {
      for (const each of watchers) each.close();
      return [...seen];
    };
  }

  /**
   * Each of these names becomes a link of the administrator's, also where nothing stands. Which kind of thing it leads to goes round, and
   * begins at `shift`.
   */
  async link(paths: readonly string[], shift: number): Promise<void> {
    const lines = paths.map((path, index) => {
      const kind = kinds[(index + shift) % kinds.length];
      const place = this.#linked.size;
      this.#linked.set(path, place);
      return `if [ -e '${path}' ] || [ -L '${path}' ]; then mv -T '${path}' ${aside}/${place}; fi; ln -sT ${own}/${kind}${place} '${path}' && chown -h ${this.#owner}: '${path}'`;
    });
    await this.host.sh(lines.join('\n'));
  }

  /** Where a link stands still, what stood there before comes back; what was written in its place stays. */
  async restore(paths: readonly string[]): Promise<void> {
    const lines = paths.map((path) => {
      const was = `${aside}/${this.#linked.get(path)}`;
      this.#linked.delete(path);
      return `if [ -L '${path}' ]; then rm '${path}'; fi
if [ -e '${path}' ] || [ ! -e ${was} ]; then rm -rf ${was}; else mkdir -p "$(dirname '${path}')" && mv -T ${was} '${path}'; fi`;
    });
    await this.host.sh(lines.join('\n'));
  }

  /** What of root's is not as it was; `elsewhere`: also what no link leads to. */
  touched(elsewhere: boolean): readonly string[] {
    const his = (path: string): boolean =>
      this.#directories.includes(path) || restless.some((one) => path.startsWith(`${one}/`));
    return [...differences(this.#before, this.#changes())]
      .filter(([path]) => path.startsWith(own) || (elsewhere && !his(path)))
      .map(([path, words]) => `${path}: ${words}`);
  }

  /** Files of the administrator's that hold what only root may read. */
  async told(): Promise<readonly string[]> {
    const { stdout } = await this.host.sh(
      `find ${this.#directories.join(' ')} -type f -exec grep -lF '${canary}' {} + 2>/dev/null`,
    );
    return stdout.split('\n').filter((line) => line !== '');
  }

  #changes(): Changes {
    return this.host.changes({ except: [...restless, aside, ...this.#directories] });
  }
}
