/**
 * The manual pages man/mc_ctl.1 and man/pgduet.1, and the table of verbs in README.md. In: the help texts of mc_ctl and the
 * registry of verbs, which `--help` shows, too. Out: roff (man macros) and Markdown. Pure.
 */
import { exitCode, meaningOfExit } from '../src/base/exit-codes.ts';
import { serverKeys } from '../src/controller/config.ts';
import type { KeySpec } from '../src/controller/config-value.ts';
import { helpText, modes } from '../src/controller/ctl-help.ts';
import { programSummary, verbs } from '../src/verbs/registry.ts';
import { flagsOf, meaningOf, type Verb } from '../src/verbs/verb.ts';
import { table, withParts } from './markdown.ts';

/** Text that roff must not read as a request or an escape. */
const plain = (text: string): string =>
  text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/^([.'])/, '\\&$1');

const option = /^ {2}(-\S.*?|\d+)(?: {2,}(\S.*))?$/;

/** Help text as roff: option lines become tagged paragraphs, the rest stays text. */
export function roffOfHelp(text: string): string {
  const lines: string[] = [];
  let tagged = false;
  for (const line of text.trimEnd().split('\n')) {
    const tag = option.exec(line);
    if (tag) {
      lines.push('.TP', `.B ${plain(tag[1] ?? '')}`, plain(tag[2] ?? ''));
      tagged = true;
    } else if (line.trim() === '') {
      tagged = false;
      if (!/^\.(PP|SH)/.test(lines.at(-1) ?? '.PP')) lines.push('.PP');
    } else if (tagged && /^ {3}/.test(line)) lines.push(plain(line.trim()));
    else if (/^ {2}\S/.test(line)) lines.push('.br', plain(line.trim()));
    else {
      if (tagged) lines.push('.PP');
      tagged = false;
      lines.push(plain(line.trim()));
    }
  }
  while (lines.at(-1) === '.PP') lines.pop();
  return lines.filter((line) => line !== '').join('\n');
}

const section = (title: string, body: string): string => `.SH ${title}\n${body}`;
const example = (text: string): string =>
  `.PP\n.nf\n.RS 4\n${text.split('\n').map(plain).join('\n')}\n.RE\n.fi`;
const page = (name: string, title: string, parts: readonly string[]): string =>
  `.\\" Made by scripts/docs.mjs from the help texts; do not edit.\n.TH ${name} 1 "" "pgduet" "${title}"\n${parts.join('\n')}\n`;

/** Files of the management directory, as both the manual page and docs/mc_ctl.md name them. */
export const managementFiles: readonly (readonly [string, string])[] = [
  ['network.conf', 'a line per server: serverIdentifier host port'],
  ['<id>.conf', 'how this server is watched: key = value'],
  ['cluster.key', 'the key of the admin link, the same on all servers of the cluster'],
  ['<id>.state.json', 'what the controller must remember'],
  ['<id>.status.json', 'the status, renewed at every heartbeat'],
  ['<id>.pid', 'the lock of a running controller'],
  ['<id>.sock', 'the control socket of a running controller'],
  ['<id>.log', 'messages, where there is no systemd'],
  ['<id>.startup.log', 'what postgres said when it started'],
];

const examples: readonly (readonly [string, string])[] = [
  ['The state of the pair:', 'runuser -u postgres -- mc_ctl status -M /mcdir/inst1'],
  [
    'The standby becomes primary before its host is maintained, and the old primary follows it:',
    'mc_ctl switch -M /mcdir/inst1',
  ],
  [
    'The host of the primary is surely down, and heartbeat_error_action is message:',
    'mc_ctl switch --force -M /mcdir/inst1',
  ],
  ['The host of the standby is maintained; commits do not wait for it:', 'mc_ctl stop -M /mcdir/inst1'],
  ['All servers stop, standbys first:', 'mc_ctl stop -a -M /mcdir/inst1'],
  ['For a program:', 'mc_ctl status --json -M /mcdir/inst1 | jq -r .mirroring_status'],
];

/** man/mc_ctl.1 */
export function mcCtlManual(): string {
  const general = helpText(undefined).split('\n');
  const from = (start: RegExp, end: RegExp): string => {
    const first = general.findIndex((line) => start.test(line));
    const length = general.slice(first).findIndex((line) => end.test(line));
    return general.slice(first, first + length).join('\n');
  };
  const synopsis = general
    .filter((line) => /^ {2}mc_ctl /.test(line))
    .map((line) => line.trim().replace(/ +/g, ' '));
  const files = managementFiles.map(([name, what]) => `.TP\n.I ${plain(name)}\n${plain(what)}`).join('\n');
  const modesText = modes.map(
    (mode) => `.SS ${plain(mode)}\n${roffOfHelp(helpText(mode).replace(/^mc_ctl \S+: /, ''))}`,
  );
  return page('MC_CTL', 'Mirroring Controller', [
    section('NAME', 'mc_ctl \\- control the Mirroring Controller of a PostgreSQL server'),
    section('SYNOPSIS', `.nf\n${synopsis.map(plain).join('\n')}\n.fi`),
    section('DESCRIPTION', plain(general[0] ?? '')),
    section('OPTIONS', roffOfHelp(from(/^ {2}-M/, /^Exit status/))),
    section('MODES', modesText.join('\n')),
    section('EXIT STATUS', roffOfHelp(from(/^ {2}0 /, /^`mc_ctl MODE/))),
    section('ENVIRONMENT', '.TP\n.B MCCONTROLDIR\nthe management directory, where \\-M is not given'),
    section('FILES', `They stand in the management directory; <id> is the server identifier.\n${files}`),
    section(
      'MESSAGES',
      plain(
        'Messages go to the system log, each with a number such as MCA00062. docs/messages.md says of each what caused it, what the controller did, and what to do. docs/mc_ctl.md has every configuration key and the commands that the controller calls.',
      ),
    ),
    section(
      'EXAMPLES',
      examples
        .map(([what, text]) => `.PP\n${plain(what)}\n${example(text)}`)
        .join('\n')
        .replace(/^\.PP\n/, ''),
    ),
    section('SEE ALSO', '.BR pgduet (1)'),
  ]);
}

const tagged = (tag: string, body: string): string => `.TP\n.B ${plain(tag)}\n${plain(body)}`;

function verbText(verb: Verb): string {
  const usage = ['pgduet', verb.name, '[options]', ...verb.arguments.map(({ name }) => `<${name}>`)].join(
    ' ',
  );
  const options = verb.options.map((one) => tagged(flagsOf(one), meaningOf(one)));
  return `.SS ${plain(verb.name)}\n.B ${plain(usage)}\n.PP\n${plain(verb.summary)}\n${options.join('\n')}`;
}

/** man/pgduet.1 */
export function pgduetManual(): string {
  const exits = Object.values(exitCode).map((status) => tagged(String(status), meaningOfExit(status)));
  return page('PGDUET', 'PostgreSQL pairs', [
    section('NAME', 'pgduet \\- set up and look after a synchronously replicated pair of PostgreSQL servers'),
    section('SYNOPSIS', '.B pgduet\n.I verb\n[\\fIoptions\\fR]'),
    section('DESCRIPTION', plain(programSummary)),
    section('VERBS', verbs.map(verbText).join('\n')),
    section('EXIT STATUS', exits.join('\n')),
    section('ENVIRONMENT', '.TP\n.B NO_COLOR\nset and not empty: no colours'),
    section(
      'FILES',
      '.TP\n.I inventory.yml\nthe inventory, where \\-i is not given; docs/inventory.md says what it may hold\n.TP\n.I ~/.ssh/config, ~/.ssh/known_hosts\nread as ssh does',
    ),
    section('MESSAGES', plain('Every message has a code; docs/errors.md says what each of them means.')),
    section('SEE ALSO', '.BR mc_ctl (1),\n.BR ssh (1)'),
  ]);
}

/** README.md with its table of the verbs as they are now. */
export const readmeText = (before: string): string =>
  withParts(before, {
    verbs: table(
      ['verb', 'what it does'],
      verbs.map(({ name, summary }) => [`\`${name}\``, summary]),
    ),
  });

/** docs/mc_ctl.md with its fenced help texts and its table of keys as they are now. */
export function mcCtlText(before: string): string {
  const fenced = '```\n';
  const texts = [undefined, ...modes].reduce((text, mode) => {
    const help = helpText(mode);
    const first = mode === undefined ? 'mc_ctl controls' : `mc_ctl ${mode}:`;
    const start = text.indexOf(`${fenced}${first}`);
    const end = text.indexOf(`\n${fenced}`, start);
    if (start < 0 || end < 0) throw new Error(`docs/mc_ctl.md has no block for ${mode ?? 'mc_ctl'}`);
    return `${text.slice(0, start)}${fenced}${help.trimEnd()}${text.slice(end)}`;
  }, before);
  const keys = Object.values(serverKeys).map((spec) => {
    const fallback =
      spec.fallback === undefined ? undefined : (spec as KeySpec<unknown>).write(spec.fallback);
    const shown = spec.required ? 'required' : fallback === undefined ? 'none' : `\`${fallback}\``;
    return `| \`${spec.key}\` | ${spec.expected} | ${shown} |`;
  });
  const head = '| key | value | default |\n| --- | --- | --- |\n';
  const start = texts.indexOf(head) + head.length;
  const end = texts.indexOf('\n\n', start);
  return `${texts.slice(0, start)}${keys.join('\n')}${texts.slice(end)}`;
}
