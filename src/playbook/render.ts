/**
 * The one home of Handlebars: templates and `{{…}}` in playbooks become text. A variable that does not exist is an error,
 * never an empty text. Nothing is escaped for HTML: the quoting helpers do what each file format needs.
 */
import Handlebars from 'handlebars';
import { failed, ok, type Result } from '../base/diagnostic.ts';
import type { Position } from '../base/position.ts';
import { quote } from '../base/shell.ts';
import { quoteSetting } from '../postgres/quote.ts';
import { precompiled } from './precompiled.ts';

const handlebars = Handlebars.create();
handlebars.registerHelper('setting', (value: unknown) => quoteSetting(String(value)));
handlebars.registerHelper('shell', (value: unknown) => quote(String(value)));
handlebars.registerHelper('concat', (...parts: unknown[]) => parts.slice(0, -1).join(''));
handlebars.registerHelper('eq', (left: unknown, right: unknown) => String(left) === String(right));

export const compileOptions = { noEscape: true, strict: true, preventIndent: true } as const;

const compiled = new Map<string, HandlebarsTemplateDelegate>();

function template(text: string): HandlebarsTemplateDelegate {
  const known = compiled.get(text);
  if (known) return known;
  const shipped = precompiled.get(text);
  const made = shipped ? handlebars.template(shipped) : handlebars.compile(text, compileOptions);
  compiled.set(text, made);
  return made;
}

/** `{{variable}}` and `{{a.variable}}`: nearly all that stands in playbooks. To compile each of them takes longer than all the rest. */
const plainVariable = /(?<![\\{])\{\{ *([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*) *\}\}(?!\})/g;

/** Nothing but variables stands in it, so that Handlebars is asked only to say what is wrong. */
export const isPlain = (text: string): boolean => !text.replaceAll(plainVariable, '').includes('{{');

/** Undefined where Handlebars has to be asked: for helpers and blocks, and to say what is wrong. */
function renderPlain(text: string, variables: object): string | undefined {
  let known = isPlain(text);
  const rendered = text.replaceAll(plainVariable, (_whole, path: string) => {
    const value = path in handlebars.helpers ? undefined : valueAt(variables, path);
    if (!['string', 'number', 'boolean'].includes(typeof value)) known = false;
    return String(value);
  });
  return known ? rendered : undefined;
}

const valueAt = (variables: object, path: string): unknown =>
  path
    .split('.')
    .reduce<unknown>(
      (value, name) =>
        typeof value === 'object' && value !== null && Object.hasOwn(value, name)
          ? (value as Record<string, unknown>)[name]
          : undefined,
      variables,
    );

/** `{{a.list}}` and nothing else: the list or map itself, which a text cannot hold. Undefined for every other text. */
export function structureIn(text: string, variables: object): object | undefined {
  const path = /^\{\{ *([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*) *\}\}$/.exec(text)?.[1];
  const value = path === undefined ? undefined : valueAt(variables, path);
  return typeof value === 'object' && value !== null ? value : undefined;
}

/** Text with its variables put in; PLY004 with the name of what could not be found. */
export function render(text: string, variables: object, name: string, at?: Position): Result<string> {
  if (!text.includes('{{')) return ok(text);
  const plain = renderPlain(text, variables);
  if (plain !== undefined) return ok(plain);
  try {
    return ok(template(text)(variables));
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    const inner = /Cannot read properties of \w+ \(reading '(.+)'\)/.exec(said)?.[1];
    const reason = inner === undefined ? said : `what '.${inner}' is asked of is not known`;
    return failed({
      code: 'PLY004',
      what: `'${name}' cannot be rendered: ${reason.split('\n')[0]}`,
      why: 'a variable in it is not known or its braces do not match',
      fix: 'Compare it with the variables listed in docs/playbooks.md.',
      ...(at ? { at } : {}),
    });
  }
}
