/**
 * The table of docs/check.md that says what was tried: the mutations of the lab test, how each is reported, and who mends it.
 * In: the table of the test, and the document. Out: the document with its table made anew.
 */
import type { Expected, Mutation } from '../test/lab/check/mutations/mutation.ts';
import { rounds } from '../test/lab/check/mutations/rounds.ts';
import { table, withParts } from './markdown.ts';

const places = { primary: 'the primary', standby: 'a standby', both: 'both servers' } as const;
const effects = {
  nothing: '`provision`',
  reload: '`provision`, with a reload',
  controller: '`provision`; the controller reads its files or restarts',
  restart: '`provision`, with a restart of this server',
} as const;

const foundAs = ({ code, severity }: Expected): string => `${code} ${severity}`;
const mends = ({ mended }: Mutation): string =>
  mended.by === 'provision' ? effects[mended.costs] : 'a person, as the finding says';

const row = (mutation: Mutation): readonly string[] => [
  `${places[mutation.on]}: somebody ${mutation.title}`.replaceAll('|', '\\|'),
  mutation.expect.map(foundAs).join(', '),
  mends(mutation),
];

export function mutationsDocument(document: string): string {
  const rows = rounds.flatMap(({ mutations }) => mutations.map(row));
  return withParts(document, {
    mutations: table(['what was done by hand', 'found as', 'repaired by'], rows),
  });
}
