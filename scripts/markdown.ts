/** Markdown that is made from tables of the source. In: cells. Out: text. Pure. */

/** A table whose columns are as wide as their widest cell. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((name, column) =>
    Math.max(name.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]) =>
    `| ${cells.map((text, column) => text.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}

/** The document with what stands between the marks of each part made anew. */
export function withParts(document: string, parts: Readonly<Record<string, string>>): string {
  return Object.entries(parts).reduce((text, [name, made]) => {
    const begin = `<!-- ${name}: made by scripts/docs.mjs, do not edit -->`;
    const end = `<!-- end of ${name} -->`;
    const [before = ''] = text.split(begin);
    const after = text.split(end)[1] ?? '';
    return `${before}${begin}\n\n${made}\n\n${end}${after}`;
  }, document);
}
