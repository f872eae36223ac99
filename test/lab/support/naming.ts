/**
 * Files of a host that speak of something: by their names, and by lines of their texts. In: a host and a pattern. Out: one
 * line for each. It reads what has changed since the host was made, from outside, and starts nothing there.
 */
import { readFileSync } from 'node:fs';
import type { Host } from '../harness/lab.ts';

/** Where programs and people write texts. */
const texts =
  /^\/(etc|usr\/local|root|home|opt|srv|database|mcdir|var\/lib\/postgresql|var\/lib\/systemd|var\/spool|var\/tmp|tmp|run)\//;
/** A log tells what has happened, and stays true; deleted rows and old WAL keep words that nobody reads any more. */
const unread = /\.log(\.|$)|\/(base|global|pg_wal|pg_xact|pg_multixact|pg_stat|pg_stat_tmp|pg_tblspc)\//;

/** "file PATH" and "text PATH:LINE". */
export function filesNaming(host: Host, pattern: RegExp): string[] {
  // The journal's own files are reported by the machine's number.
  const changes = host.changes({ except: ['/var/log/journal'], contents: () => false });
  return [...changes]
    .filter(([, { how }]) => how !== 'removed')
    .flatMap(([path, { kind, file }]) => {
      const isText = kind === 'file' && texts.test(path) && !unread.test(path);
      const lines = isText ? (textIfThere(file) ?? '').split('\n').filter((line) => pattern.test(line)) : [];
      return [
        ...(pattern.test(path) ? [`file ${path}`] : []),
        ...lines.map((line) => `text ${path}:${line}`),
      ];
    });
}

/** The text of a file; undefined of a binary one, and of one that the host has removed meanwhile. */
export function textIfThere(file: string): string | undefined {
  try {
    const text = readFileSync(file, 'latin1');
    return text.includes('\0') ? undefined : text;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return undefined;
  }
}
