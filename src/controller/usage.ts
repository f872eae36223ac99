/** What mc_ctl and mc_arb share of reading a command line. In: words. Out: values, or a sentence about what is wrong. Pure. */
import { type ParseArgsConfig, parseArgs } from 'node:util';
import { nearest } from '../base/nearest.ts';

type Options = NonNullable<ParseArgsConfig['options']>;

export function parseWords<const Known extends Options>(args: string[], options: Known) {
  try {
    return parseArgs({ args, options, allowPositionals: true });
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

export function unknownMode(word: string | undefined, modes: readonly string[]): string {
  if (word === undefined) return `a mode is missing: ${modes.join(', ')}`;
  const meant = nearest(word, modes);
  return `'${word}' is no mode${meant ? `; did you mean '${meant}'?` : `: ${modes.join(', ')}`}`;
}
