/**
 * Many probes of one host become one script and one reply. Probes that ask the same thing are asked once.
 * In: probes and a nonce (random text of the caller, so that no output can look like a frame). Out: a script, and
 * from its reply one ProbeReply per probe. Pure.
 */
import { quote } from '../base/shell.ts';
import type { Probe, ProbeReply } from '../resources/kind.ts';
import type { Reply } from '../transport/port.ts';

export interface Question {
  readonly script: string;
  /** The replies in the order of the probes. */
  read(reply: Reply): readonly ProbeReply[];
}

/** The owner is the administrator of the instance that SQL goes to; the preamble defines `as`, PGBIN and the rest. */
export function ask(
  preamble: string,
  probes: readonly Probe[],
  nonce: string,
  instance: { owner: string; socketDir: string; port: number },
): Question {
  const shells = unique(probes.map((probe) => probe.shell));
  const queries = unique(probes.map((probe) => probe.sql));
  const sections = shells.map((shell, index) => section(nonce, `shell${index}`, shell));
  if (queries.length > 0) sections.push(section(nonce, 'sql', sqlSection(nonce, queries, instance)));
  return {
    script: `${preamble}\n${sections.join('\n')}`,
    read: (reply) => {
      const shellReplies = new Map(
        shells.map((shell, index) => [shell, readSection(reply, nonce, `shell${index}`)]),
      );
      const answers = readAnswers(readSection(reply, nonce, 'sql'), nonce, queries);
      return probes.map((probe) => combine(probe, shellReplies, answers));
    },
  };
}

const unique = (texts: readonly (string | undefined)[]): readonly string[] => [
  ...new Set(texts.filter((text) => text !== undefined)),
];

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

/** One psql for all queries. Each value is prefixed, so that an empty answer is never taken for "no rows". */
function sqlSection(
  nonce: string,
  queries: readonly string[],
  instance: { owner: string; socketDir: string; port: number },
): string {
  const text = queries
    .map((query, index) => `\\echo ${nonce} ${index}\nSELECT 'v' || coalesce((${query})::text, 'null');\n`)
    .join('');
  const psql = `as ${quote(instance.owner)} "$PGBIN/psql" -X -q -A -t -w -h ${quote(instance.socketDir)} -p ${instance.port} -d postgres`;
  return `if [ -z "$PGBIN" ]; then echo 'PostgreSQL is not installed'; exit 1; fi
if [ -z "$OWNER_HOME" ]; then echo ${quote(`there is no user ${instance.owner}`)}; exit 1; fi
export PGCONNECT_TIMEOUT=5 PGAPPNAME=pgduet
printf '%s' ${quote(`SET statement_timeout = '10s';\n${text}`)} | ${psql} 2>&1`;
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

function combine(
  probe: Probe,
  shells: ReadonlyMap<string, ProbeReply>,
  answers: ReadonlyMap<string, Answer>,
): ProbeReply {
  const shell = probe.shell === undefined ? { status: 0, stdout: '', stderr: '' } : shells.get(probe.shell);
  const answer = probe.sql === undefined ? undefined : answers.get(probe.sql);
  return {
    ...(shell ?? { status: 255, stdout: '', stderr: 'the probe was not asked' }),
    ...(answer && 'value' in answer ? { sql: answer.value } : {}),
    ...(answer?.problem !== undefined ? { sqlProblem: answer.problem } : {}),
  };
}
