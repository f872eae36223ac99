/**
 * The manual pages man/mc_ctl.1, man/mc_arb.1 and man/pgduet.1, and the table of verbs in README.md. In: the help texts of the
 * commands and the registry of verbs, which `--help` shows, too. Out: roff (man macros) and Markdown. Pure.
 */
import { exitCode, meaningOfExit } from '../src/base/exit-codes.ts';
import { arbiterHelp, arbiterModes } from '../src/controller/arbiter/help.ts';
import { serverKeys } from '../src/controller/config.ts';
import { arbiterKeys } from '../src/controller/config-arbiter.ts';
import type { KeySpec } from '../src/controller/config-value.ts';
import { helpText, modes } from '../src/controller/ctl-help.ts';
import { programSummary, verbs } from '../src/verbs/registry.ts';
import { argumentText, flagsOf, meaningOf, type Verb } from '../src/verbs/verb.ts';
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
  ['identity.key', 'the key by which this server proves itself to the others; it is on this host alone'],
  ['identities.json', 'the public parts of the keys of all servers'],
  ['<id>.proven.json', 'which of them have been proven to this controller; it demands those'],
  ['renewal.json', 'the old and the new secrets, while they are renewed'],
  ['etcd.cell', 'by what the cell in etcd is named, once the cluster key was renewed'],
  ['<id>.stopped', 'who has stopped this server with pgduet stop, and when, until it is started'],
  ['<id>.state.json', 'what the controller must remember'],
  ['<id>.status.json', 'the status, renewed at every heartbeat'],
  ['<id>.pid', 'the lock of a running controller'],
  ['<id>.sock', 'the control socket of a running controller'],
  ['<id>.log', 'messages, where there is no systemd'],
  ['<id>.startup.log', 'what postgres said when it started'],
];

/** The same of an arbiter, as docs/mc_arb.md names them. */
export const arbiterManagementFiles: readonly (readonly [string, string])[] = [
  ['arbitration.conf', 'how the arbiter listens, and its times: key = value'],
  ['clusters/CLUSTER/network.conf', 'that of the servers; its line of kind arbiter is this one'],
  [
    'clusters/CLUSTER/arbiter.key',
    'the key of the link to the servers of the cluster, made from their cluster.key',
  ],
  ['clusters/CLUSTER/cell.json', 'what the arbiter must remember'],
  ['arbiter.pid', 'the lock of a running arbiter'],
  ['arbiter.sock', 'the control socket of a running arbiter'],
  ['arbiter.log', 'messages, where there is no systemd'],
];

const examples: readonly (readonly [string, string])[] = [
  ['The state of the pair:', 'runuser -u postgres -- mc_ctl status -M /mcdir/inst1'],
  [
    'The standby becomes primary before its host is maintained, and the old primary follows it:',
    'mc_ctl switch -M /mcdir/inst1',
  ],
  [
    'The host of the primary is surely down, and heartbeat_error_action is message; on the host of the standby that is to be primary:',
    'mc_ctl switch --force -M /mcdir/inst1',
  ],
  [
    'The host of the standby server2 is worked on: no commit waits for it, and no reboot starts it, from begin to end:',
    "mc_ctl maintenance begin --server server2 --reason 'new disks' --for 2h -M /mcdir/inst1\nmc_ctl maintenance end --server server2 -M /mcdir/inst1",
  ],
  ['All servers stop, standbys first:', 'mc_ctl stop -a -M /mcdir/inst1'],
  ['For a program:', 'mc_ctl status --json -M /mcdir/inst1 | jq -r .mirroring_status'],
];

/** A command of a host, as its help texts, its document and its manual page tell of it. */
interface HostCommand {
  readonly command: string;
  readonly modes: readonly string[];
  readonly help: (mode: string | undefined) => string;
  readonly keys: readonly KeySpec<unknown>[];
}

const mcCtl: HostCommand = {
  command: 'mc_ctl',
  modes,
  help: (mode) => helpText(modes.find((it) => it === mode)),
  keys: Object.values<KeySpec<unknown>>(serverKeys),
};

const mcArb: HostCommand = {
  command: 'mc_arb',
  modes: arbiterModes,
  help: (mode) => arbiterHelp(arbiterModes.find((it) => it === mode)),
  keys: Object.values<KeySpec<unknown>>(arbiterKeys),
};

type Pairs = readonly (readonly [string, string])[];

/** What its manual page says besides the help texts. */
interface ManualFacts {
  readonly title: string;
  readonly name: string;
  readonly variable: string;
  readonly filesAre: string;
  readonly files: Pairs;
  readonly messages: string;
  readonly examples: Pairs;
  readonly seeAlso: string;
}

function hostManual({ command, modes: all, help }: HostCommand, facts: ManualFacts): string {
  const general = help(undefined).split('\n');
  const from = (start: RegExp, end: RegExp): string => {
    const first = general.findIndex((line) => start.test(line));
    const length = general.slice(first).findIndex((line) => end.test(line));
    return general.slice(first, first + length).join('\n');
  };
  const synopsis = general
    .filter((line) => line.startsWith(`  ${command} `))
    .map((line) => line.trim().replace(/ +/g, ' '));
  const files = facts.files.map(([name, what]) => `.TP\n.I ${plain(name)}\n${plain(what)}`).join('\n');
  const modesText = all.map(
    (mode) => `.SS ${plain(mode)}\n${roffOfHelp(help(mode).replace(/^mc_\w+ \S+: /, ''))}`,
  );
  const environment = `.TP\n.B ${facts.variable}\nthe management directory, where \\-M is not given`;
  return page(command.toUpperCase(), facts.title, [
    section('NAME', facts.name),
    section('SYNOPSIS', `.nf\n${synopsis.map(plain).join('\n')}\n.fi`),
    section('DESCRIPTION', plain(general[0] ?? '')),
    section('OPTIONS', roffOfHelp(from(/^ {2}-M/, /^Exit status/))),
    section('MODES', modesText.join('\n')),
    section('EXIT STATUS', roffOfHelp(from(/^ {2}0 /, /^`mc_\w+ MODE/))),
    section('ENVIRONMENT', environment),
    section('FILES', `${facts.filesAre}\n${files}`),
    section('MESSAGES', plain(facts.messages)),
    section(
      'EXAMPLES',
      facts.examples
        .map(([what, text]) => `.PP\n${plain(what)}\n${example(text)}`)
        .join('\n')
        .replace(/^\.PP\n/, ''),
    ),
    section('SEE ALSO', facts.seeAlso),
  ]);
}

/** man/mc_ctl.1 */
export const mcCtlManual = (): string =>
  hostManual(mcCtl, {
    title: 'Mirroring Controller',
    name: 'mc_ctl \\- control the Mirroring Controller of a PostgreSQL server',
    variable: 'MCCONTROLDIR',
    filesAre: 'They stand in the management directory; <id> is the server identifier.',
    files: managementFiles,
    messages:
      'Messages go to the system log, each with a number such as MCA00062. docs/messages.md says of each what caused it, what the controller did, and what to do. docs/mc_ctl.md has every configuration key and the commands that the controller calls.',
    examples,
    seeAlso: '.BR mc_arb (1),\n.BR pgduet (1)',
  });

/** man/mc_arb.1 */
export const mcArbManual = (): string =>
  hostManual(mcArb, {
    title: 'Mirroring Controller',
    name: 'mc_arb \\- control the arbiter of PostgreSQL clusters',
    variable: 'ARBCONTROLDIR',
    filesAre: 'They stand in the management directory.',
    files: arbiterManagementFiles,
    messages:
      'Messages go to the system log, each with a number such as MCR00001. docs/messages.md says of each what caused it, what the arbiter did, and what to do. docs/mc_arb.md has every configuration key.',
    examples: [
      ['Which servers are online, and who has the last term:', 'mc_arb status -M /mcarb/arbiter'],
      ['A cluster was added, changed or removed:', 'mc_arb reload -M /mcarb/arbiter'],
      ['For a program:', 'mc_arb status --json -M /mcarb/arbiter | jq -r ".clusters[].holder"'],
    ],
    seeAlso: '.BR mc_ctl (1),\n.BR pgduet (1)',
  });

const tagged = (tag: string, body: string): string => `.TP\n.B ${plain(tag)}\n${plain(body)}`;

function verbText(verb: Verb): string {
  const usage = ['pgduet', verb.name, '[options]', ...verb.arguments.map(argumentText)].join(' ');
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
export const mcCtlText = (before: string): string => commandText(before, mcCtl);

/** The same of docs/mc_arb.md. */
export const mcArbText = (before: string): string => commandText(before, mcArb);

function commandText(before: string, { command, modes: all, help, keys }: HostCommand): string {
  const fenced = '```\n';
  const texts = [undefined, ...all].reduce<string>((text, mode) => {
    // A mode may have words of its own before the colon.
    const first = mode === undefined ? `${command} controls` : `${command} ${mode}(?=[ :])`;
    const start = text.search(new RegExp(`${fenced}${first}`));
    const end = text.indexOf(`\n${fenced}`, start);
    if (start < 0 || end < 0) throw new Error(`docs/${command}.md has no block for ${mode ?? command}`);
    return `${text.slice(0, start)}${fenced}${help(mode).trimEnd()}${text.slice(end)}`;
  }, before);
  const rows = keys.map((spec) => {
    const fallback = spec.fallback === undefined ? undefined : spec.write(spec.fallback);
    const shown = spec.required ? 'required' : fallback === undefined ? 'none' : `\`${fallback}\``;
    return `| \`${spec.key}\` | ${spec.expected} | ${shown} |`;
  });
  const head = '| key | value | default |\n| --- | --- | --- |\n';
  const start = texts.indexOf(head) + head.length;
  const end = texts.indexOf('\n\n', start);
  return `${texts.slice(0, start)}${rows.join('\n')}${texts.slice(end)}`;
}
