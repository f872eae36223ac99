/**
 * How far a run over many seeds has come, so that the same command goes on there after an interruption. It counts only for the
 * same program: what an earlier core did says nothing about this one. In: a folder, a range, a bundle. Out: numbers, in a file.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Range } from './pool.ts';

export interface Progress {
  /** All seeds below this one are done. */
  readonly next: number;
  readonly scenarios: number;
  readonly failed: number;
  readonly promotions: number;
  readonly acknowledged: number;
  readonly ms: number;
}

const digest = (content: string | Buffer): string => createHash('sha256').update(content).digest('hex');

export class ProgressFile {
  readonly #path: string;
  readonly #program: string;

  constructor(folder: string, { from, count, kinds = [], worlds = 'all' }: Range, bundle: string) {
    const chosen = [...kinds, ...(worlds === 'all' ? [] : [worlds])];
    // The words of many kinds are longer than a name may be.
    const choice = chosen.length > 0 ? [digest(chosen.join('\n')).slice(0, 16)] : [];
    const name = [from, count, ...choice].join('-');
    this.#path = join(folder, `${name}.json`);
    this.#program = digest(readFileSync(bundle));
  }

  /** Null when the range was not begun, or with another program. */
  read(): Progress | null {
    let text: string;
    try {
      text = readFileSync(this.#path, 'utf8');
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
      throw error;
    }
    const { program, ...progress }: Progress & { program: string } = JSON.parse(text);
    return program === this.#program ? progress : null;
  }

  write(progress: Progress): void {
    mkdirSync(dirname(this.#path), { recursive: true });
    writeFileSync(`${this.#path}.new`, JSON.stringify({ program: this.#program, ...progress }));
    renameSync(`${this.#path}.new`, this.#path);
  }

  remove(): void {
    rmSync(this.#path, { force: true });
  }
}
