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

/** What of the settings in our block goes on. */
export interface Staying {
  readonly names: readonly string[];
  /** Values that count in any case, also where the controller has commented the line out. */
  readonly given?: Readonly<Record<string, string>>;
}

/** The lines that stay. */
function stayingLines(text: string, { names, given = {} }: Staying): readonly string[] {
  const values = effectiveConf(text);
  const ours = new Set(namesInBlock(text, ourHeading));
  const lines = names.flatMap((name) => {
    const line = values.get(name.toLowerCase());
    return line && ours.has(line.name) && !(line.name in given) ? [confLine(line.name, line.value)] : [];
  });
  return [...lines, ...Object.entries(given).map(([name, value]) => confLine(name, value))];
}

/** A text without empty lines at its end, and the lines that stay behind it. */
function withStaying(lines: readonly string[], kept: readonly string[]): string {
  const body = [...lines];
  while (body.length > 0 && plainLine(body.at(-1) ?? '') === '') body.pop();
  return [...body, ...(kept.length > 0 ? ['', stayingHeading, ...kept] : []), ''].join('\n');
}

/**
 * `original` with what stays of the block in `text` behind it, in the place of what stood there before by this function: a server that goes on
 * replicating, and reads a file of its own again.
 */
export function replicatingConf(original: string, text: string, staying: Staying): string {
  return withStaying(withoutBlock(original.split('\n'), stayingHeading), stayingLines(text, staying));
}

/**
 * Our block is taken out; the lines in it for the names that stay are written at the end. What another server's file was
 * put together from stays as plain text: the files that it came from are not here.
 */
export function singleConf(text: string, staying: Staying): string {
  const kept = stayingLines(text, staying);
  const lines = withoutBlock(text.split('\n'), ourHeading).flatMap((line) => {
    if (line.startsWith('#pgduet begin ') || plainLine(line) === '#pgduet end') return [];
    if (!line.startsWith(replaced)) return [line];
    const former = line.slice(replaced.length);
    const name = /^\s*([a-z_]+)/i.exec(former)?.[1]?.toLowerCase() ?? '';
    return name.startsWith('include') || places.includes(name) ? [] : [former];
  });
  return withStaying(lines, kept);
}
