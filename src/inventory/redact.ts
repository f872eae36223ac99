/**
 * What of an inventory may be shown in an excerpt: the same text line for line, but cut off where something
 * begins that looks like a secret in clear text; not even its length is shown. It works on text and not on
 * nodes, because an excerpt is shown for files that are not even YAML. It rather hides too much than too
 * little. Pure.
 */

import { isSecretName } from '../base/withheld.ts';
import { openSetting, withoutSecrets } from '../postgres/withheld.ts';

/**
 * A key that sounds like a secret, mistyped or not. `passfile`, `password_encryption` and the map `secrets`
 * hold none themselves.
 */
const secretKey =
  /(?:^|[\s{,"'-])(?!password_encryption\b)([\w-]*(?:pass(?!file)|pasw|word|phrase|pwd|secret(?!s["']?\s*:)|token|ca_key)[\w-]*)["']?\s*:/gi;

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
  return secretInValue(line);
}

/** Keys that sound so are judged above, with what may stand behind them. */
const isKey = (name: string): boolean => isSecretName(name) && !name.includes('.');
const sample = 'two words';

/** "key: value" or "- value", in quotes or not. */
const entry = /^(\s*(?:-\s+)*(?:["']?([\w.]+)["']?\s*:(?:\s+|$))?)(["']?)(.*)$/;

/** Values of settings and client rules may hold a secret under a harmless key: commands, addresses, options. */
function secretInValue(line: string): number | undefined {
  const [, lead = '', name, quote = '', rest = ''] = entry.exec(line) ?? [];
  const value = quote !== '' && rest.trimEnd().endsWith(quote) ? rest.trimEnd().slice(0, -1) : rest;
  const flow = /[{,]\s*["']?([\w.]+)["']?\s*:\s*(?=[^\s}\]])/g;
  for (const match of line.matchAll(flow))
    if (!isKey(match[1] ?? '') && openSetting(match[1] ?? '', sample) !== sample)
      return match.index + match[0].length;
  const isSetting = name !== undefined && !isKey(name);
  // What a block holds stands on the lines below.
  if (isSetting && /^[|>]/.test(value) && openSetting(name, sample) !== sample) return line.length;
  const shown = isSetting ? openSetting(name, value) : withoutSecrets(value);
  if (shown === value) return undefined;
  const same = [...value].findIndex((char, index) => char !== shown[index]);
  return lead.length + quote.length + (same < 0 ? value.length : same);
}

const blank = (line: string, from: number): string =>
  line.slice(from).trim() === '' ? line : `${line.slice(0, from)}***`;
