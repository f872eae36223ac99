/** Words in texts: what is rendered without the compiler has to be what the compiler would have made of it. */
import { describe, expect, it } from 'vitest';
import { render } from '../../src/playbook/render.ts';

const words = { name: 'server1', port: 27500, on: true, host: { name: "it's", eq: 'word' }, none: null };
/** A block around it that does nothing sends a text through the compiler. */
const compiled = (text: string) => render(`{{#if on}}${text}{{/if}}`, words, 'a text');

describe('plain words', () => {
  it.each([
    ['{{name}}'],
    ['{{ name }}:{{port}}'],
    ["a {{host.name}} 'b' {{on}}"],
    ['{{host.eq}}'],
    ['{"a": {"b": "{{name}}"}}'],
    ['\\{{name}}'],
    ['{{{name}}}'],
    ['{{none}}'],
    ['{{setting host.name}} {{name}}'],
  ])('%s', (text) => {
    const made = render(text, words, 'a text');
    expect(made).toEqual(compiled(text));
    expect(made.ok).toBe(true);
  });

  it.each([['{{nme}}'], ['{{host.nme}}'], ['{{name.length}}'], ['{{name}} {{oops']])(
    '%s is no word, and that is said',
    (text) => {
      expect(render(text, words, 'a text')).toMatchObject({ ok: false, diagnostics: [{ code: 'PLY004' }] });
    },
  );
});
