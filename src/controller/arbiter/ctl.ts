/**
 * The command mc_arb: argv → a request to the arbiter of this directory → what the user sees and the exit status. Only `start` makes
 * a process, and only `stop -e` ends one by force.
 */
import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { exitCode } from '../../base/exit-codes.ts';
import {
  arbiterAdministrator,
  arbiterName,
  mistakesOf,
  readArbiterFiles,
  refuseMistakes,
} from '../io/arbiter-files.ts';
import { type CallResult, callSocket } from '../io/control-socket.ts';
import { checkAdministrator, errorText, refuse } from '../io/files.ts';
import { lockHolder } from '../io/lock.ts';
import { sendSignal } from '../io/processes.ts';
import { launchDaemon } from '../launch.ts';
import { parseWords, unknownMode } from '../usage.ts';
import { type ArbiterMode, arbiterHelp, arbiterModes } from './help.ts';
import type { ArbiterReply, ArbiterRequest } from './request.ts';
import { renderArbiterStatus } from './status.ts';

const options = {
  mcdir: { type: 'string', short: 'M' },
  wait: { type: 'boolean', short: 'w' },
  'no-wait': { type: 'boolean', short: 'W' },
  emergency: { type: 'boolean', short: 'e' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

type Flag = keyof typeof options;

/** Which options each mode knows; another one is an error, not ignored. */
const allowed: Readonly<Record<ArbiterMode, readonly Flag[]>> = {
  start: ['wait', 'no-wait'],
  stop: ['emergency'],
  status: ['json'],
  reload: [],
};

function usageError(text: string): number {
  process.stderr.write(`mc_arb: ${text}\nTry: mc_arb --help\n`);
  return exitCode.inputWrong;
}

function failure(text: string): number {
  process.stderr.write(`mc_arb: ${text}\n`);
  return exitCode.hostFailed;
}

/** Runs one command and returns its exit status. Throws DiagnosticError for a wrong configuration. */
export async function runArbiterCtl(args: string[], bundle: string): Promise<number> {
  const parsed = parseWords(args, options);
  if (typeof parsed === 'string') return usageError(parsed);
  const { values, positionals } = parsed;
  const [word, extra] = positionals;
  const mode = arbiterModes.find((it) => it === word);
  if (values.help || args.length === 0) {
    process.stdout.write(arbiterHelp(mode));
    return exitCode.done;
  }
  if (mode === undefined) return usageError(unknownMode(word, arbiterModes));
  if (extra !== undefined) return usageError(`'${extra}' is too much; ${mode} takes only options`);
  const flags = Object.keys(values) as Flag[];
  const foreign = flags.find((flag) => flag !== 'mcdir' && !allowed[mode].includes(flag));
  if (foreign) return usageError(`${mode} does not know --${foreign}`);
  if (values.wait && values['no-wait']) return usageError('-w and -W contradict each other');
  const given = values.mcdir ?? process.env.ARBCONTROLDIR;
  if (given === undefined)
    return usageError('the management directory is missing: -M DIR, or ARBCONTROLDIR in the environment');
  return perform(mode, values, resolve(given), bundle);
}

type Values = Exclude<ReturnType<typeof parseWords<typeof options>>, string>['values'];

async function perform(mode: ArbiterMode, values: Values, dir: string, bundle: string): Promise<number> {
  checkReadable(dir);
  await checkAdministrator(dir, arbiterAdministrator);
  process.chdir(dir);
  switch (mode) {
    case 'start':
      return start(dir, !values['no-wait'], bundle);
    case 'stop':
      return stop(dir, values.emergency ?? false);
    case 'status':
      return status(dir, values.json ?? false);
    case 'reload':
      return reload(dir);
  }
}

function checkReadable(dir: string): void {
  try {
    readdirSync(dir);
  } catch (error) {
    const fix = 'Give the management directory with -M or ARBCONTROLDIR, as the user that owns it.';
    throw refuse('MCF001', `${dir} cannot be read`, errorText(error), fix);
  }
}

/** An arbiter that cannot tell its status in this time is hung. */
const aliveWithinMs = 5000;
const goneWithinMs = 5000;

type Result = CallResult<ArbiterReply>;

const ask = (request: ArbiterRequest): Promise<Result> => callSocket(arbiterName, request, aliveWithinMs);

const notAnswering = ({ kind }: Exclude<Result, { kind: 'reply' }>, dir: string): string =>
  kind === 'not-running'
    ? `the arbiter is not running (mc_arb start -M ${dir})`
    : `the arbiter does not answer (mc_arb stop -e -M ${dir} ends it by force)`;

async function start(dir: string, wait: boolean, bundle: string): Promise<number> {
  // Every mistake of the files is shown here, on the terminal, and not only in the log of the daemon.
  refuseMistakes(mistakesOf(readArbiterFiles(dir)));
  const holder = lockHolder(dir, arbiterName);
  if (holder) return failure(`the arbiter is already running (process ${holder.pid})`);
  const words = [bundle, 'arbiter-daemon', '-M', dir];
  const answers = async (): Promise<boolean> => !wait || (await ask({ kind: 'status' })).kind === 'reply';
  const logFile = join(dir, 'arbiter.log');
  const problem = await launchDaemon({ words, logFile, command: 'mc_arb', what: 'the arbiter', answers });
  if (problem === null) return exitCode.done;
  process.stderr.write(problem);
  return exitCode.hostFailed;
}

async function stop(dir: string, force: boolean): Promise<number> {
  const result = await ask({ kind: 'stop' });
  if (result.kind === 'reply') {
    const gone = await isGone(dir);
    if (gone) return exitCode.done;
    if (!force) return failure('the arbiter has not ended in time (mc_arb stop -e ends it by force)');
  }
  const holder = lockHolder(dir, arbiterName);
  if (!force || !holder)
    return failure(notAnswering(result.kind === 'reply' ? { kind: 'no-answer' } : result, dir));
  const sent = sendSignal(holder.pid, 'SIGKILL');
  if (sent instanceof Error) return failure(`the arbiter cannot be ended: ${sent.message}`);
  await isGone(dir);
  process.stderr.write('mc_arb: the arbiter did not answer and was ended by force\n');
  return exitCode.done;
}

/** Afterwards a new start must find nothing in its way. */
async function isGone(dir: string): Promise<boolean> {
  for (let waited = 0; waited < goneWithinMs && lockHolder(dir, arbiterName); waited += 10) await sleep(10);
  return lockHolder(dir, arbiterName) === undefined;
}

async function status(dir: string, json: boolean): Promise<number> {
  const result = await ask({ kind: 'status' });
  const report = result.kind === 'reply' ? result.reply.status : undefined;
  if (!report) return failure(notAnswering(result.kind === 'reply' ? { kind: 'no-answer' } : result, dir));
  process.stdout.write(json ? `${JSON.stringify(report, null, 2)}\n` : renderArbiterStatus(report));
  return exitCode.done;
}

async function reload(dir: string): Promise<number> {
  const result = await ask({ kind: 'reload' });
  if (result.kind !== 'reply') return failure(notAnswering(result, dir));
  const { ok, text } = result.reply;
  if (!ok) return failure(text);
  process.stdout.write(`${text}\n`);
  return exitCode.done;
}
