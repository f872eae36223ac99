/** XML 1.0 as text. In: names of ours and texts of anybody. Out: elements that every parser takes. Pure. */

/** What XML 1.0 forbids, even escaped: most controls, half characters, and two that are none. */
const forbidden = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|[\ud800-\udfff]/gu;

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\r': '&#13;',
};

/** Text between tags; ']]>' cannot come out of it. */
export const xmlText = (text: string): string =>
  text.replace(forbidden, '').replace(/[&<>"\r]/g, (char) => entities[char] ?? char);

/** In an attribute a parser makes spaces of line breaks and tabs, unless they are written as numbers. */
const attributeText = (text: string): string =>
  xmlText(text).replace(/[\n\t]/g, (char) => `&#${char.charCodeAt(0)};`);

/** Lines, indented by their depth; an element without children is closed at once. Texts are children as they are. */
export function element(
  name: string,
  attributes: Readonly<Record<string, string | number>>,
  children: readonly (readonly string[])[] | string = [],
): readonly string[] {
  const written = Object.entries(attributes).map(
    ([key, value]) => ` ${key}="${attributeText(String(value))}"`,
  );
  const open = `<${name}${written.join('')}`;
  if (typeof children === 'string') return [`${open}>${xmlText(children)}</${name}>`];
  if (children.length === 0) return [`${open}/>`];
  return [`${open}>`, ...children.flat().map((line) => `  ${line}`), `</${name}>`];
}
