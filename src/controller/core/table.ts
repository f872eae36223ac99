/** Rows in columns as wide as their widest word, with a line under the head. Pure. */
export function tableLines(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = head.map((_, column) =>
    Math.max(...[head, ...rows].map((row) => (row[column] ?? '').length)),
  );
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  const width = widths.reduce((sum, each) => sum + each, 0) + 2 * (widths.length - 1);
  return [line(head), '-'.repeat(width), ...rows.map(line)];
}
