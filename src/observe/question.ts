/**
 * Many probes of one host become one script and one reply. Probes that ask the same thing are asked once.
 * In: probes and a nonce (random text of the caller, so that no output can look like a frame). Out: a script, and
 * from its reply one ProbeReply per probe. Pure.
 */
import { quote } from '../base/shell.ts';
import { sessionOptions } from '../postgres/session.ts';
import type { Probe, ProbeReply } from '../resources/contract/kind.ts';
import { statLines, statProbe, sumLines, sumProbe } from '../resources/contract/stat.ts';
import type { Reply } from '../transport/port.ts';

export interface Question {
  readonly script: string;
  /** The replies in the order of the probes. */
  read(reply: Reply): readonly ProbeReply[];
}

/** Where SQL goes, and the administrator that it goes there as. */
interface SqlPlace {
  readonly owner: string;
  readonly socketDir: string;
  readonly port: number;
}

/** What only the instance administrator may see and several probes are about, as words of the shell. */
export interface Shared {
  readonly dataDir: string;
  readonly socketDir: string;
  readonly files: readonly string[];
}

/**
 * The preamble defines `as`, PGBIN and the rest. Without a place, SQL is answered with why there is none. What several probes are about (`shared`)
 * is read once, before all of them.
 */
export function ask(
  preamble: string,
  probes: readonly Probe[],
  nonce: string,
  place: SqlPlace | undefined,
  shared?: Shared,
): Question {
  const shells = unique(probes.map((probe) => probe.shell));
  const queries = unique(probes.map((probe) => probe.sql));
  const sections = shells.map((shell, index) => section(nonce, `shell${index}`, shell));
  const stats = unique(probes.map((probe) => probe.stat));
  const sums = unique(probes.map((probe) => probe.sum));
  if (stats.length > 0) sections.push(section(nonce, 'stat', statProbe(stats)));
  if (sums.length > 0) sections.push(section(nonce, 'sum', sumProbe(sums)));
  if (queries.length > 0)
    sections.push(section(nonce, 'sql', place ? sqlSection(nonce, queries, place) : noServer));
  // A probe may say a path in two parts; the last one it has to name.
  const called = (word: string): string => word.replace(/^.*\/|['"]/g, '');
  const glances = (shared?.files ?? []).filter((word) =>
    shells.some((shell) => shell.includes(called(word))),
  );
  const glance =
    shared && glances.length > 0
      ? `glance ${[shared.dataDir, shared.socketDir, ...glances].join(' ')}\n`
      : '';
  return {
    script: `${preamble}\n${glance}${sections.join('\n')}`,
    read: (reply) => {
      const shellReplies = new Map(
        shells.map((shell, index) => [shell, readSection(reply, nonce, `shell${index}`)]),
      );
      const answers = readAnswers(readSection(reply, nonce, 'sql'), nonce, queries);
      const paths = readPaths(reply, nonce);
      return probes.map((probe) => combine(probe, shellReplies, answers, paths));
    },
  };
}

const unique = (texts: readonly (string | undefined)[]): readonly string[] => [
  ...new Set(texts.filter((text) => text !== undefined)),
];

const noServer = `echo 'the host carries no server'; exit 1`;

/** Output stands between two lines of the nonce on both streams; the exit status is in the second one. */
const section = (
  nonce: string,
  name: string,
  shell: string,
): string => `printf '%s\\n' '${nonce} ${name} begin'; printf '%s\\n' '${nonce} ${name}' >&2
(
${shell}
)
printf '\\n%s %d\\n' '${nonce} ${name} end' $?`;

// A notice would stand among the answers.
const harmless = ['default_transaction_read_only=on', 'statement_timeout=10s', 'client_min_messages=error'];

/**
 * For a superuser, who may say so: a look writes nothing to the server's log, whatever it logs, and cannot write at all.
 * Messages of the level LOG count as less than an error here, so the last of these holds for every kind of logging.
 */
const quietly = [
  ...harmless,
  'log_statement=none',
  'log_min_duration_statement=-1',
  'log_disconnections=off',
  'log_min_messages=panic',
];

/**
 * One psql for all queries. Each value is prefixed, so that an empty answer is never taken for "no rows". Who is neither
 * root nor the administrator asks under a name of his own, and sees what that role may see.
 */
function sqlSection(nonce: string, queries: readonly string[], place: SqlPlace): string {
  const text = queries
    .map((query, index) => `\\echo ${nonce} ${index}\nSELECT 'v' || coalesce((${query})::text, 'null');\n`)
    .join('');
  const owner = quote(place.owner);
  const psql = `"$PGBIN/psql" -X -q -A -t -w -h ${quote(place.socketDir)} -p ${place.port} -d postgres 2>&1`;
  return `if [ -z "$PGBIN" ]; then echo 'PostgreSQL is not installed'; exit 1; fi
if [ -z "$OWNER_HOME" ]; then echo ${quote(`there is no user ${place.owner}`)}; exit 1; fi
export PGCONNECT_TIMEOUT=5 PGAPPNAME=pgduet PGOPTIONS
PGOPTIONS=${quote(sessionOptions(quietly))}
queries=${quote(text)}
if [ "$ME" != ${owner} ] && [ "$ME" != root ] && [ "$(id -u)" != 0 ]; then
PGOPTIONS=${quote(sessionOptions(harmless))}
printf '%s' "$queries" | ${psql}
else
printf '%s' "$queries" | reader ${psql}
fi`;
}

function readSection(reply: Reply, nonce: string, name: string): ProbeReply {
  const begin = `${nonce} ${name} begin\n`;
  const start = reply.stdout.indexOf(begin);
  const stop = new RegExp(`\\n${nonce} ${name} end (\\d+)\\n`).exec(reply.stdout);
  if (start < 0 || !stop)
    return { status: 255, stdout: '', stderr: reply.stderr.trim() || 'the host gave no answer' };
  const noise = reply.stderr.split(`${nonce} `).find((part) => part.startsWith(`${name}\n`)) ?? '';
  return {
    status: Number(stop[1]),
    stdout: reply.stdout.slice(start + begin.length, stop.index),
    stderr: noise.slice(name.length + 1),
  };
}

interface Answer {
  readonly value?: unknown;
  readonly problem?: string;
}

function readAnswers(
  reply: ProbeReply,
  nonce: string,
  queries: readonly string[],
): ReadonlyMap<string, Answer> {
  const parts = `\n${reply.stdout}`.split(`\n${nonce} `);
  const general = (parts[0] ?? '').trim() || reply.stderr.trim();
  return new Map(
    queries.map((query, index) => {
      const part = parts.find((text) => text.startsWith(`${index}\n`) || text === String(index));
      return [query, readAnswer(part?.slice(String(index).length + 1), general)];
    }),
  );
}

function readAnswer(text: string | undefined, general: string): Answer {
  if (text === undefined) return { problem: general || 'the server gave no answer' };
  if (!text.startsWith('v')) return { problem: text.trim() || general || 'the query gave no answer' };
  try {
    return { value: JSON.parse(text.slice(1)) as unknown };
  } catch {
    return { problem: text.slice(1).trim() };
  }
}

/** What one program said of all paths together. */
interface PathReplies {
  readonly stat: ReadonlyMap<string, string>;
  readonly statProblem: string;
  readonly sum: ReadonlyMap<string, string>;
  readonly sumProblem: string;
}

function readPaths(reply: Reply, nonce: string): PathReplies {
  const stat = readSection(reply, nonce, 'stat');
  const sum = readSection(reply, nonce, 'sum');
  return {
    stat: statLines(stat.stdout),
    statProblem: stat.stderr,
    sum: sumLines(sum.stdout),
    sumProblem: sum.stderr,
  };
}

/** The lines about the paths of a probe, or why there are none. Complaints about other paths are left out. */
function pathLines(probe: Probe, paths: PathReplies): { lines: string } | { problem: string } {
  const about = (path: string, problem: string): { problem: string } => ({
    problem: problem.split('\n').find((text) => text.includes(path)) ?? problem,
  });
  const stat = probe.stat === undefined ? '' : paths.stat.get(probe.stat);
  if (stat === undefined) return about(probe.stat ?? '', paths.statProblem);
  const isFile = probe.sum !== undefined && stat.includes('regular');
  const sum = isFile ? paths.sum.get(probe.sum ?? '') : '';
  if (sum === undefined) return about(probe.sum ?? '', paths.sumProblem);
  return { lines: [stat, sum].map((text) => (text === '' ? '' : `${text}\n`)).join('') };
}

function combine(
  probe: Probe,
  shells: ReadonlyMap<string, ProbeReply>,
  answers: ReadonlyMap<string, Answer>,
  paths: PathReplies,
): ProbeReply {
  const nothing = { status: 0, stdout: '', stderr: '' };
  const shell = (probe.shell === undefined ? nothing : shells.get(probe.shell)) ?? {
    status: 255,
    stdout: '',
    stderr: 'the probe was not asked',
  };
  const answer = probe.sql === undefined ? undefined : answers.get(probe.sql);
  const about = pathLines(probe, paths);
  return {
    ...('lines' in about
      ? { ...shell, stdout: `${about.lines}${shell.stdout}` }
      : { status: 1, stdout: '', stderr: about.problem }),
    ...(answer && 'value' in answer ? { sql: answer.value } : {}),
    ...(answer?.problem !== undefined ? { sqlProblem: answer.problem } : {}),
  };
}
