/**
 * The command mc_ctl: argv → a request to the controller of this machine → what the user sees and the exit status.
 * Only `start` may create a process. It never touches the instance itself, except for `stop -e` with a hung controller.
 */
import { resolve } from 'node:path';
import type { Diagnostic } from '../base/diagnostic.ts';
import { exitCode } from '../base/exit-codes.ts';
import { withoutVainStart } from '../base/vain-start.ts';
import { renderArbiters } from './core/arbiter-rows.ts';
import type { ControlRequest } from './core/event.ts';
import { renderStatus, type StatusReport } from './core/status.ts';
import { act } from './ctl-ask.ts';
import { helpText, type Mode, modes } from './ctl-help.ts';
import { maintenanceRequest, wrongMaintenance } from './ctl-maintenance.ts';
import { notAnswering, type Target } from './ctl-target.ts';
import { callController } from './io/control-socket.ts';
import { checkAdministrator, findLocalServer } from './io/files.ts';
import { unmade, whyDown } from './io/unmade.ts';
import { parseWords, unknownMode } from './usage.ts';

const options = {
  mcdir: { type: 'string', short: 'M' },
  'local-server': { type: 'string' },
  wait: { type: 'boolean', short: 'w' },
  'no-wait': { type: 'boolean', short: 'W' },
  failover: { type: 'boolean', short: 'f' },
  'no-failover': { type: 'boolean', short: 'F' },
  'mc-only': { type: 'boolean' },
  all: { type: 'boolean', short: 'a' },
  emergency: { type: 'boolean', short: 'e' },
  json: { type: 'boolean' },
  arbiter: { type: 'boolean' },
  force: { type: 'boolean' },
  to: { type: 'string' },
  'no-fencing': { type: 'boolean' },
  'max-wait': { type: 'string' },
  abort: { type: 'boolean' },
  'force-start': { type: 'boolean' },
  'without-unit': { type: 'boolean' },
  server: { type: 'string' },
  reason: { type: 'string' },
  for: { type: 'string' },
  by: { type: 'string' },
  of: { type: 'string' },
  replace: { type: 'boolean' },
  alone: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

type Flag = keyof typeof options;

/** Which options each mode knows; another one is an error, not ignored. */
const allowed: Readonly<Record<Mode, readonly Flag[]>> = {
  start: ['wait', 'no-wait', 'failover', 'no-failover', 'mc-only', 'force-start', 'without-unit'],
  stop: ['all', 'emergency', 'mc-only'],
  status: ['json', 'arbiter'],
  switch: ['to', 'force', 'no-fencing', 'max-wait', 'abort'],
  detach: ['no-fencing', 'server'],
  attach: ['server'],
  maintenance: ['server', 'reason', 'for', 'by', 'of', 'replace', 'alone'],
  'enable-failover': [],
  'disable-failover': [],
};

const everywhere: readonly Flag[] = ['mcdir', 'local-server', 'help'];

function usageError(text: string): number {
  process.stderr.write(`mc_ctl: ${text}\nTry: mc_ctl --help\n`);
  return exitCode.inputWrong;
}

const flagName = (flag: Flag): string => ('short' in options[flag] ? `-${options[flag].short}` : `--${flag}`);

/** Runs one command and returns its exit status. Throws DiagnosticError for a wrong configuration. */
export async function runCtl(args: string[], bundle: string): Promise<number> {
  const parsed = parseWords(args, options);
  if (typeof parsed === 'string') return usageError(parsed);
  const { values, positionals } = parsed;
  const [word, extra, more] = positionals;
  const mode = modes.find((it) => it === word);
  if (values.help || (word === undefined && args.length === 0)) {
    process.stdout.write(helpText(mode));
    return exitCode.done;
  }
  if (mode === undefined) return usageError(unknownMode(word, modes));
  if (mode === 'maintenance') {
    const wrong = wrongMaintenance(extra, more, values);
    if (wrong !== undefined) return usageError(wrong);
  } else if (extra !== undefined) return usageError(`'${extra}' is too much; ${mode} takes only options`);
  const flags = Object.keys(values) as Flag[];
  const foreign = flags.find((flag) => !allowed[mode].includes(flag) && !everywhere.includes(flag));
  if (foreign) return usageError(`${mode} does not know ${flagName(foreign)}`);
  const clash = contradiction(mode, values);
  if (clash) return usageError(clash);
  return perform(mode, values, { bundle, goal: extra });
}

type Values = Exclude<ReturnType<typeof parseWords<typeof options>>, string>['values'];

function contradiction(mode: Mode, values: Values): string | undefined {
  if (values.wait && values['no-wait']) return '-w and -W contradict each other';
  if (values['force-start'] && values['mc-only']) return '--force-start and --mc-only contradict each other';
  if (values.failover && values['no-failover']) return '-f and -F contradict each other';
  if (mode === 'attach' && !values.server) return 'attach needs --server ID';
  if (mode === 'switch' && values['no-fencing'] && !values.force) return '--no-fencing needs --force';
  if (values.abort && (values.to !== undefined || values.force || values['max-wait'] !== undefined))
    return '--abort ends a switch, and takes no other option';
  if (values['max-wait'] !== undefined && secondsOf(values['max-wait']) === undefined)
    return `--max-wait '${values['max-wait']}' is no number of seconds, 0 to 86400`;
  return undefined;
}

/** Whole seconds, a day at most. */
function secondsOf(text: string): number | undefined {
  const seconds = Number(text);
  return /^\d+$/.test(text) && seconds <= 86_400 ? seconds : undefined;
}

function switchRequest(values: Values): ControlRequest {
  if (values.abort) return { kind: 'abort-switch' };
  const seconds = secondsOf(values['max-wait'] ?? '');
  return {
    kind: 'switch',
    force: values.force ?? false,
    noFencing: values['no-fencing'] ?? false,
    ...(values.to === undefined ? {} : { to: values.to }),
    ...(seconds === undefined ? {} : { maxWaitMs: 1000 * seconds }),
  };
}

async function perform(
  mode: Mode,
  values: Values,
  { bundle, goal }: { readonly bundle: string; readonly goal: string | undefined },
): Promise<number> {
  const given = values.mcdir ?? process.env.MCCONTROLDIR;
  if (given === undefined)
    return usageError('the management directory is missing: -M DIR, or MCCONTROLDIR in the environment');
  const dir = resolve(given);
  const id = findLocalServer(dir, values['local-server']);
  await checkAdministrator(dir);
  process.chdir(dir);
  const target = { dir, id };
  switch (mode) {
    case 'start': {
      const failover = values.failover ? true : values['no-failover'] ? false : null;
      const forced = values['force-start'] ?? false;
      const options = {
        mcOnly: values['mc-only'] ?? false,
        wait: !values['no-wait'],
        failover,
        forced,
        withoutUnit: values['without-unit'] ?? false,
      };
      // Loaded here, and `stop` below, so that `status` does not pay for what reads the configuration and starts programs.
      const { startController } = await import('./ctl-start.ts');
      return startController(target, options, bundle);
    }
    case 'stop': {
      const { stopController } = await import('./ctl-stop.ts');
      return stopController(target, {
        all: values.all ?? false,
        force: values.emergency ?? false,
        mcOnly: values['mc-only'] ?? false,
      });
    }
    case 'status':
      return status(target, values.json ?? false, values.arbiter ?? false);
    case 'enable-failover':
    case 'disable-failover':
      return act(target, { kind: 'set-failover', enabled: mode === 'enable-failover' }, statusTimeoutMs);
    case 'switch':
      return act(target, switchRequest(values));
    case 'detach':
      return act(target, {
        kind: 'detach',
        noFencing: values['no-fencing'] ?? false,
        ...(values.server === undefined ? {} : { server: values.server }),
      });
    case 'attach':
      return act(target, { kind: 'attach', server: values.server ?? '' });
    case 'maintenance':
      return act(target, maintenanceRequest(goal, values));
  }
}

const statusTimeoutMs = 5000;

async function status(target: Target, json: boolean, arbiter: boolean): Promise<number> {
  const result = await callController(target.id, { kind: 'status' }, statusTimeoutMs);
  if (result.kind !== 'reply' || !result.reply.status) {
    const silent = result.kind === 'reply' ? ({ kind: 'no-answer' } as const) : result;
    process.stderr.write(notAnswering(silent, target, whyDown(target.dir, target.id)));
    return exitCode.hostFailed;
  }
  const report = await possible(result.reply.status, target);
  const text = arbiter ? renderArbiters(report.arbiters ?? []) : renderStatus(report);
  process.stdout.write(json ? `${JSON.stringify(report, null, 2)}\n` : text);
  return exitCode.done;
}

/** What the others have or lack only their own hosts show. */
async function possible(report: StatusReport, { dir, id }: Target): Promise<StatusReport> {
  const { advice } = report;
  if (!advice?.includes(`on ${id}: mc_ctl start`)) return report;
  const way = await unmade(dir, id);
  return way === null
    ? report
    : { ...report, advice: withoutVainStart(advice, (server) => (server === id ? way : undefined)) };
}

/** Plain text of diagnostics, in the form that the whole project uses. */
export function renderDiagnostics(diagnostics: readonly Diagnostic[]): string {
  const one = (it: Diagnostic): string => {
    const head = it.at
      ? `${it.at.file}:${it.at.line}:${it.at.column}  ${it.code}  ${it.what}\n${excerpt(it.at)}`
      : `${it.code}  ${it.what}\n`;
    return `${head}why: ${it.why}\nfix: ${it.fix}\n`;
  };
  return diagnostics.map(one).join('\n');
}

function excerpt({ line, text, column, length }: NonNullable<Diagnostic['at']>): string {
  const margin = ' '.repeat(String(line).length);
  return `  ${line} | ${text}\n  ${margin} | ${' '.repeat(column - 1)}${'^'.repeat(length)}\n`;
}
