/**
 * A page of docs/runbooks as tests: each of its command blocks is run as it stands there, and what the page shows of an answer is looked for in
 * the answer. In: a page, and what happens to the hosts between its sections. Out: tests. It must never run what does not stand on the page.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { labTest } from '../harness/describe.ts';
import { sleep } from '../harness/run.ts';
import type { Desk } from './desk.ts';

export interface Block {
  readonly heading: string;
  readonly commands: string;
  /** Lines that the page shows of the answer; "…" stands for anything. */
  readonly shown: readonly string[];
}

/** What a test does with a section. */
export interface Section {
  readonly heading: string;
  /** What has happened to the hosts. */
  readonly before?: () => Promise<unknown>;
  /** Exit statuses other than 0, by the first line of a block. */
  readonly exits?: Readonly<Record<string, number>>;
  /** What is true only after a moment, as the page says, by the first line of a block: it is asked until it is. */
  readonly patient?: readonly string[];
  readonly after?: () => Promise<unknown>;
}

/** Indented lines are commands; the fenced lines behind them are what is answered. */
export function blocksOf(page: string): readonly Block[] {
  const text = readFileSync(join(import.meta.dirname, '../../../docs/runbooks', page), 'utf8');
  const blocks: { heading: string; commands: string[]; shown: string[] }[] = [];
  let heading = '';
  let inside: 'text' | 'commands' | 'answer' = 'text';
  for (const line of text.split('\n')) {
    const last = blocks.at(-1);
    if (line.startsWith('```')) inside = inside === 'answer' ? 'text' : 'answer';
    else if (inside === 'answer') last?.shown.push(line);
    else if (line.startsWith('    ')) {
      if (inside === 'commands') last?.commands.push(line.slice(4));
      else blocks.push({ heading, commands: [line.slice(4)], shown: [] });
      inside = 'commands';
    } else {
      inside = 'text';
      if (line.startsWith('#')) heading = line.replace(/^#+ /, '');
    }
  }
  return blocks.map(({ commands, ...rest }) => ({ ...rest, commands: commands.join('\n') }));
}

const matching = (line: string): RegExp =>
  new RegExp(
    line
      .trim()
      .split('…')
      .map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll(/\s+/g, '\\s+'))
      .join('.*'),
  );

export function runsSections(page: string, desk: () => Desk, sections: readonly Section[]): void {
  const blocks = blocksOf(page);
  for (const { heading, before, exits = {}, patient = [], after } of sections) {
    const mine = blocks.filter((block) => block.heading === heading);
    labTest(`${heading}: what has happened, and its ${mine.length} blocks`, async () => {
      expect(mine.length).toBeGreaterThan(0);
      await before?.();
    });
    for (const { commands, shown } of mine) {
      const [first = ''] = commands.split('\n');
      labTest(`${heading}: ${commands.replaceAll('\n', '; ').slice(0, 100)}`, async () => {
        const wanted = exits[first] ?? 0;
        let said = await desk().do(commands);
        for (let again = 0; again < 10 && patient.includes(first) && said.status !== wanted; again += 1) {
          await sleep(2000);
          said = await desk().do(commands);
        }
        const all = `${said.stdout}${said.stderr}`;
        expect(said.status, `of:\n${commands}\nsaid:\n${all}`).toBe(wanted);
        for (const line of shown.filter((it) => it.trim() !== '')) expect(all).toMatch(matching(line));
      });
    }
    if (after) labTest(`${heading}: as it was meant`, async () => void (await after()));
  }
}

/** Every block of a page is run by somebody. */
export const headingsOf = (page: string): readonly string[] => [
  ...new Set(blocksOf(page).map(({ heading }) => heading)),
];
