/**
 * Reads a file of `key = value` by a table of its keys: text → typed values, or every mistake at once with its line and fix. Never
 * throws, never touches a file. Pure.
 */
import { type Diagnostic, failed, ok, type Result } from '../base/diagnostic.ts';
import { nearest } from '../base/nearest.ts';
import { isEmpty, type Line, linesOf, problem, wholeFile } from './config-lines.ts';
import { defaultsOf, type KeySpec, type KeyTable, type Token } from './config-value.ts';

/** `key = value # comment` → its two sides; undefined when the line has another form. */
function assignment(text: string): { key: string; token: Token } | undefined {
  const match = /^\s*([A-Za-z_]\w*)\s*=\s*(?:'((?:[^'\\]|''|\\.)*)'|([^\s'#]+))\s*(?:#.*)?$/.exec(text);
  if (match?.[1] === undefined) return undefined;
  const quoted = match[2] !== undefined;
  const plain = quoted ? (match[2] ?? '').replace(/''|\\(.)/g, (_, escaped) => escaped ?? "'") : match[3];
  return { key: match[1], token: { text: plain ?? '', quoted } };
}

type Specs = ReadonlyMap<string, { readonly field: string; readonly spec: KeySpec<unknown> }>;

/** Looks at a value of the right form once more: what is wrong with it here. */
export type Doubt = (line: Line, key: string, value: unknown, text: string) => Diagnostic | undefined;

/** Reads a file of keys. Defaults are filled in; a warning is never needed: what is wrong is an error. */
export function parseKeys<T>(text: string, file: string, table: KeyTable<T>, doubt: Doubt): Result<T> {
  const specs: Specs = new Map(
    Object.entries<KeySpec<unknown>>(table).map(([field, spec]) => [spec.key, { field, spec }]),
  );
  const problems: Diagnostic[] = [];
  const values = new Map<string, unknown>();
  for (const line of linesOf(text, file)) {
    if (isEmpty(line)) continue;
    const parts = assignment(line.text);
    const mistake = parts === undefined ? notAnAssignment(line) : readKey(line, parts, values, specs, doubt);
    if (mistake) problems.push(mistake);
  }
  for (const { field, spec } of specs.values()) {
    const named = values.has(field) || problems.some((it) => it.what.includes(`'${spec.key}'`));
    if (spec.required && !named) problems.push(missingKey(wholeFile(text, file), spec));
  }
  if (problems.length > 0) return failed(...problems);
  // Each value was read by the spec of its own field, which is what KeyTable promises.
  return ok({ ...defaultsOf(table), ...(Object.fromEntries(values) as unknown as T) });
}

function notAnAssignment(line: Line): Diagnostic {
  return problem(
    'MCF003',
    line,
    line.text.trim(),
    `line ${line.number} is not of the form key = value`,
    'the controller does not start on a configuration that it understands only in part',
    "Write key = value; put text in single quotes, with '' for a quote inside, and comments behind '#'.",
  );
}

function missingKey(line: Line, spec: KeySpec<unknown>): Diagnostic {
  return problem(
    'MCF007',
    line,
    '',
    `the key '${spec.key}' is missing`,
    'there is no default for it that could be right',
    `Add a line ${spec.key} = … with ${spec.expected}.`,
  );
}

function readKey(
  line: Line,
  { key, token }: { key: string; token: Token },
  values: Map<string, unknown>,
  specs: Specs,
  doubt: Doubt,
): Diagnostic | undefined {
  const known = specs.get(key);
  if (!known) return unknownKey(line, key, specs);
  if (values.has(known.field)) {
    const why = 'only one of the two values would count, and it is not clear which';
    return problem('MCF008', line, key, `the key '${key}' stands twice`, why, 'Remove one of the two lines.');
  }
  const reading = known.spec.read(token);
  // A password must not come back in a message, whatever is wrong with it.
  const shown = key === 'db_instance_password' ? '(secret)' : token.text;
  switch (reading.kind) {
    case 'value':
      values.set(known.field, reading.value);
      return doubt(line, key, reading.value, token.text);
    case 'wrong-form': {
      const bare = !token.quoted && reading.expected.includes('single quotes');
      const what = `'${key}' cannot be ${bare ? `${shown} without quotes` : `'${shown}'`}`;
      return problem(
        'MCF005',
        line,
        token.text,
        what,
        `it must be ${reading.expected}`,
        correct(known.spec, reading),
      );
    }
    case 'out-of-range': {
      const what = `'${key}' cannot be ${shown}`;
      return problem(
        'MCF006',
        line,
        token.text,
        what,
        `it must be ${reading.expected}`,
        correct(known.spec, reading),
      );
    }
  }
}

function correct({ key, required }: KeySpec<unknown>, { expected }: { expected: string }): string {
  return `Set ${key} to ${expected}${!required ? ', or remove the line to get the default' : ''}.`;
}

function unknownKey(line: Line, key: string, specs: Specs): Diagnostic {
  const meant = nearest(key, [...specs.keys()]);
  return problem(
    'MCF004',
    line,
    key,
    `the key '${key}' is not known`,
    'a mistyped key would silently leave its default in force',
    meant ? `Did you mean '${meant}'? Otherwise remove the line.` : 'Remove the line.',
  );
}
