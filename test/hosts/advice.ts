/**
 * What messages advise as data, and how it is done as a program would do it. In: documents of check and status, messages. Out: the commands, and
 * the words of one for pgduet. It must never read a sentence.
 */
import { execFileSync } from 'node:child_process';
import type { CommandData } from '../lab/support/pgduet.ts';

export type Command = CommandData;

interface Advises {
  readonly commands?: readonly Command[];
}

/** The first one that needs no judgement and was not done yet: whoever follows advice looks again behind each step. */
export function nextOf(all: readonly Advises[], done: readonly Command[]): Command | undefined {
  const known = done.map((one) => JSON.stringify(one));
  return all
    .flatMap(({ commands = [] }) => commands)
    .find((one) => one.only_if === null && !known.includes(JSON.stringify(one)));
}

/** Verbs that ask before they change something. */
const asking = ['provision', 'migrate', 'rebuild', 'switch', 'teardown'];

/** The words behind `pgduet`: with the inventory where it names none, and with the yes of the one who follows it. */
export function pgduetWords({ run }: Command, inventory: string): readonly string[] {
  const script = `set -- ${run}; for word; do printf '%s\\0' "$word"; done`;
  const [program, ...words] = execFileSync('sh', ['-c', script], { encoding: 'utf8' })
    .split('\0')
    .slice(0, -1);
  if (program !== 'pgduet') throw new Error(`'${run}' is for a host, and names none`);
  const where = words.includes('-i') ? [] : ['-i', inventory];
  return [...words, ...where, ...(asking.includes(words[0] ?? '') ? ['--yes'] : [])];
}
