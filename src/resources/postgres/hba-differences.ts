/**
 * How the rules of a pg_hba.conf differ from the declared ones, rule by rule ("The pg_hba.conf File"). In: texts, and what
 * the server says of the file. Out: differences. Pure.
 */
import { authLines, authText, methodOf } from '../../postgres/hba-tokens.ts';
import { openRule, openRuleError } from '../../postgres/withheld.ts';
import type { Difference } from '../contract/kind.ts';

/** A row of pg_hba_file_rules that has an error, or that comes from another file. */
export interface HbaRow {
  /** Absent before PostgreSQL 16, which knows one file only. */
  readonly file?: string | null;
  readonly line: number;
  readonly method: string | null;
  readonly error: string | null;
}

/** A rule for connections that cannot come, since TLS is off, is told like an error, and is none. */
export const keepsFromStarting = ({ error }: Pick<HbaRow, 'error'>): boolean =>
  error !== null && !error.includes('cannot match because');

export interface Rule {
  readonly text: string;
  /** Counted from 1. */
  readonly line: number;
  readonly method: string | undefined;
}

/** The rules alone: comments, spacing and line ends do not matter to the server. */
export const hbaRules = (text: string): readonly Rule[] =>
  authLines(text).map((line) => ({ text: authText(line), line: line.line, method: methodOf(line) }));

export const rulesText = (text: string): string =>
  hbaRules(text)
    .map((rule) => rule.text)
    .join('\n');

export const isTrust = ({ method }: Rule): boolean => method === 'trust';

/** The rules of `some` that `others` lack; a rule that stands twice has to be there twice. */
function beyond(some: readonly Rule[], others: readonly Rule[]): readonly Rule[] {
  const left = new Map<string, number>();
  for (const { text } of others) left.set(text, (left.get(text) ?? 0) + 1);
  return some.filter(({ text }) => {
    const count = left.get(text) ?? 0;
    left.set(text, count - 1);
    return count <= 0;
  });
}

interface Observation {
  readonly path: string;
  readonly text: string;
  readonly written: number;
  readonly rows: readonly HbaRow[];
}

export function ruleDifferences(declared: string, observation: Observation): readonly Difference[] {
  const { path, written, rows } = observation;
  const [wanted, found] = [hbaRules(declared), hbaRules(observation.text)];
  const [missing, extra] = [beyond(wanted, found), beyond(found, wanted)];
  const broken = new Set(rows.filter((row) => row.error !== null && isOf(row, path)).map((row) => row.line));
  return [
    ...missing.map(({ text }): Difference => {
      const shown = openRule(text);
      return { code: 'HBA001', object: shown, declared: shown, found: '(not there)', since: written };
    }),
    ...extra
      .filter(({ line }) => !broken.has(line))
      .map(
        (rule): Difference => ({
          code: isTrust(rule) ? 'HBA002' : 'HBA001',
          object: openRule(rule.text),
          declared: '(not declared)',
          found: openRule(rule.text),
          source: `${path}:${rule.line}`,
          since: written,
        }),
      ),
    ...orderDifference(beyond(wanted, missing), beyond(found, extra), observation),
  ];
}

const isOf = ({ file }: HbaRow, path: string): boolean => !file || file === path;

/** The first rule that fits a client decides, so the order counts. Both lists hold the same rules. */
function orderDifference(
  wanted: readonly Rule[],
  found: readonly Rule[],
  observation: Observation,
): readonly Difference[] {
  const at = wanted.findIndex(({ text }, index) => text !== found[index]?.text);
  const [first, instead] = [wanted[at], found[at]];
  if (!first || !instead) return [];
  return [
    {
      code: 'HBA001',
      object: observation.path,
      declared: `first: ${openRule(first.text)}`,
      found: `only the order of the rules differs; first: ${openRule(instead.text)}`,
      source: `${observation.path}:${instead.line}`,
      since: observation.written,
    },
  ];
}

/** Errors, and what an included file lets in. `rewritten`: the file is about to be the declared one. */
export function rowDifferences(observation: Observation, rewritten: boolean): readonly Difference[] {
  const { path, rows, text } = observation;
  const byLine = new Map(hbaRules(text).map((rule) => [rule.line, rule.text]));
  return rows.flatMap((row): readonly Difference[] => {
    const place = `${row.file ?? path}:${row.line}`;
    if (row.error !== null)
      return [
        {
          code: 'HBA004',
          object: place,
          declared: 'a rule that the server can read',
          found: [isOf(row, path) ? openRule(byLine.get(row.line) ?? '') : '', openRuleError(row.error)]
            .filter(Boolean)
            .join(': '),
          source: place,
          ...(rewritten
            ? {}
            : {
                repair: `correct the rule where it is declared (postgres.hba in the inventory), and run: pgduet provision`,
              }),
        },
      ];
    if (isOf(row, path) || row.method !== 'trust') return [];
    return [
      {
        code: 'HBA002',
        object: place,
        declared: '(not declared)',
        found: 'trust in an included file',
        source: place,
      },
    ];
  });
}
