/** Quoting for a POSIX shell: the only place where a value becomes shell text. Pure. */

const plain = /^[A-Za-z0-9_@%+=:,./-]+$/;

/** One shell word that stands for exactly this string. NUL bytes cannot be passed to a shell and are refused. */
export function quote(value: string): string {
  if (value.includes('\0')) throw new Error('a NUL byte cannot stand in a shell word');
  if (plain.test(value)) return value;
  return `'${value.replaceAll("'", "'\\''")}'`;
}

/** A shell template: `sh\`mv ${from} ${to}\`` quotes what is put in; arrays become several words. */
export function sh(parts: TemplateStringsArray, ...values: (string | number | readonly string[])[]): string {
  return parts.reduce((text, part, index) => {
    const value = values[index - 1];
    const words = typeof value === 'object' ? value.map(quote).join(' ') : quote(String(value));
    return text + words + part;
  });
}

/** An assignment in front of a command: the command has the value in its environment, and the shell keeps nothing of it. */
export const assigned = ([name, value]: readonly [string, string]): string => `${name}=${quote(value)}`;
