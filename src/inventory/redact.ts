/**
 * What of an inventory may be shown in an excerpt: the same text line for line, but cut off where something
 * begins that looks like a secret in clear text; not even its length is shown. It works on text and not on
 * nodes, because an excerpt is shown for files that are not even YAML. It rather hides too much than too
 * little. Pure.
 */

/**
 * A key that sounds like a secret, mistyped or not. `passfile`, `password_encryption` and the map `secrets`
 * hold none themselves.
 */
const secretKey =
  /(?:^|[\s{,"'-])(?!password_encryption\b)([\w-]*(?:pass(?!file)|pasw|word|phrase|pwd|secret(?!s["']?\s*:)|token)[\w-]*)["']?\s*:/gi;

/** References are no secrets: a reader of the message must see them. */
const reference = /^\s*!(?:env\s+[A-Za-z_]\w*(?=\s*(?:$|[,}]|\s#))|file\s|age\s|env\s*$|file\s*$|age\s*$)/;

export function redact(text: string): string {
  let hiddenBelow: number | undefined;
  const lines = text.split('\n').map((line) => {
    const indent = line.length - line.trimStart().length;
    if (hiddenBelow !== undefined && (line.trim() === '' || indent > hiddenBelow)) return blank(line, indent);
    hiddenBelow = undefined;
    const from = firstSecret(line);
    if (from === undefined) return line;
    hiddenBelow = indent;
    return blank(line, from);
  });
  return lines.join('\n');
}

/** The column where a clear text begins, or where it would begin on the next lines. */
function firstSecret(line: string): number | undefined {
  for (const match of line.matchAll(secretKey)) {
    const end = match.index + match[0].length;
    const rest = line.slice(end);
    if (!reference.test(rest)) return end + (rest.length - rest.trimStart().length);
  }
  return undefined;
}

const blank = (line: string, from: number): string =>
  line.slice(from).trim() === '' ? line : `${line.slice(0, from)}***`;
