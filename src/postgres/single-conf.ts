/**
 * postgresql.conf of a server that was made multiplexed from the beginning, as it is for a single server: what replication and
 * the controller needed goes, what clients rely on stays. In: the text and the names that stay. Out: the new text. Pure.
 */
import { confLine, effectiveConf, namesInBlock, ourHeading, withoutBlock } from './conf-file.ts';
import { plainLine } from './conf-lines.ts';

/** Above the lines that stay. */
export const stayingHeading = '# Settings from the time when this server was multiplexed.';

const replaced = '#pgduet: ';

/** Settings that only make sense where another server's configuration stood. */
const places = ['data_directory', 'hba_file', 'ident_file', 'external_pid_file', 'stats_temp_directory'];

/**
 * Our block is taken out; the lines in it for the names that stay are written at the end. What another server's file was
 * put together from stays as plain text: the files that it came from are not here.
 */
export function singleConf(text: string, staying: readonly string[]): string {
  const values = effectiveConf(text);
  const ours = new Set(namesInBlock(text, ourHeading));
  const kept = staying.flatMap((name) => {
    const line = values.get(name.toLowerCase());
    return line && ours.has(line.name) ? [confLine(line.name, line.value)] : [];
  });
  const lines = withoutBlock(text.split('\n'), ourHeading).flatMap((line) => {
    if (line.startsWith('#pgduet begin ') || plainLine(line) === '#pgduet end') return [];
    if (!line.startsWith(replaced)) return [line];
    const former = line.slice(replaced.length);
    const name = /^\s*([a-z_]+)/i.exec(former)?.[1]?.toLowerCase() ?? '';
    return name.startsWith('include') || places.includes(name) ? [] : [former];
  });
  while (lines.length > 0 && plainLine(lines.at(-1) ?? '') === '') lines.pop();
  return [...lines, ...(kept.length > 0 ? ['', stayingHeading, ...kept] : []), ''].join('\n');
}
