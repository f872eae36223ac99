/** Quoting for SQL text ("Lexical Structure") and for values of configuration files. Pure. */

export const quoteLiteral = (value: string): string =>
  value.includes('\\')
    ? `E'${value.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`
    : `'${value.replaceAll("'", "''")}'`;

export const quoteIdentifier = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** A value as it stands in postgresql.conf: plain numbers and words bare, all else in quotes. */
export function quoteSetting(value: string): string {
  if (/^-?\d+(\.\d+)?$/.test(value) || /^(on|off|true|false|[a-z_]+)$/.test(value)) return value;
  return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
}
