/**
 * Completions of the command line for bash, zsh and fish. In: the verbs with what they take. Out: the text of one file for
 * each shell. Pure. A completion asks nobody: it offers files, directories and fixed words, but no names of hosts.
 */
import { verbs as registry } from '../src/verbs/registry.ts';
import type { OptionSpec, Takes, Verb } from '../src/verbs/verb.ts';

export type Completed = Pick<Verb, 'name' | 'summary' | 'arguments' | 'options'>;

/** Before a verb. */
const general = [
  { short: 'V', name: 'version', summary: 'show the version' },
  { short: 'h', name: 'help', summary: 'show the verbs and options' },
];
const help = {
  short: 'h',
  name: 'help',
  takes: { kind: 'nothing' },
  summary: 'show the options of a verb',
} as const;

type Option = Omit<OptionSpec, 'name'> & { readonly name: string };
const optionsOf = (verb: Completed): readonly Option[] => [...verb.options, help];
const argumentOf = ({ arguments: [first] }: Completed): Takes => first?.takes ?? { kind: 'nothing' };

const dashed = ({ short, name }: { readonly short?: string; readonly name: string }): readonly string[] =>
  short === undefined ? [`--${name}`] : [`-${short}`, `--${name}`];

/** A word in single quotes, as bash and zsh read it. */
const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** By the name of the file. */
export function completionFiles(
  registered: readonly Completed[] = registry,
): Readonly<Record<string, string>> {
  const takes = { kind: 'word', words: registered.map(({ name }) => name) } as const;
  const verbs: readonly Completed[] = [
    ...registered,
    { name: 'help', summary: help.summary, arguments: [{ name: 'verb', takes }], options: [] },
  ];
  return {
    'pgduet.bash': bashCompletion(verbs),
    _pgduet: zshCompletion(verbs),
    'pgduet.fish': fishCompletion(verbs),
  };
}

/** What bash does with a value: an assignment that the end of its function reads; empty where nothing is known of it. */
function bashValue(takes: Takes): string {
  if (takes.kind === 'file') return 'files=-f';
  if (takes.kind === 'directory') return 'files=-d';
  return takes.kind === 'word' ? `words=${quoted(takes.words.join(' '))}` : '';
}

/** The cases of one verb: behind an option with a value, and elsewhere. */
function bashVerb(verb: Completed): readonly string[] {
  const behind = optionsOf(verb)
    .filter(({ takes }) => takes.kind !== 'nothing')
    .map((option) => {
      const joined = dashed(option)
        .filter((name) => name.startsWith('--'))
        .map((name) => `${name}=`);
      // Behind a value that may be left out there can be another option as well.
      const names = option.optional ? joined : [...dashed(option), ...joined];
      return `    ${names.map((name) => `${verb.name}:${name}`).join(' | ')}) ${bashValue(option.takes)} ;;`;
    });
  const options = `words=${quoted(optionsOf(verb).flatMap(dashed).join(' '))}`;
  const argument = bashValue(argumentOf(verb));
  const elsewhere = argument === '' ? options : `[[ $cur == -* ]] && ${options} || ${argument}`;
  return [...behind, `    ${verb.name}:*) ${elsewhere} ;;`];
}

function bashCompletion(verbs: readonly Completed[]): string {
  const names = verbs.map(({ name }) => name);
  return `# bash completion for pgduet
_pgduet() {
  local cur=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD - 1]} words='' files=''
  # --option=value comes as three words.
  if [[ $cur == = ]]; then
    cur='' before+='='
  elif [[ $before == = ]]; then
    before=\${COMP_WORDS[COMP_CWORD - 2]}=
  fi
  ((COMP_CWORD > 1)) || before=''
  case \${before:+\${COMP_WORDS[1]}:$before} in
    '') words=${quoted([...names, ...general.flatMap(dashed)].join(' '))} ;;
${verbs.flatMap(bashVerb).join('\n')}
  esac
  if [[ $files ]]; then
    compopt -o filenames 2>/dev/null
    mapfile -t COMPREPLY < <(compgen "$files" -- "$cur")
  else
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
  fi
}
complete -F _pgduet pgduet
`;
}

const zshValue = (takes: Takes): string => {
  if (takes.kind === 'file') return '_files';
  if (takes.kind === 'directory') return '_files -/';
  return takes.kind === 'word' ? `(${takes.words.join(' ')})` : ' ';
};

/** One specification for each name of the option, as _arguments reads it. */
function zshOption(option: Option): readonly string[] {
  const { takes, optional, repeated, summary, value } = option;
  const names = dashed(option);
  const once = repeated ? '*' : `(${names.join(' ')})`;
  const meaning = `[${summary.replaceAll(/[[\]\\]/g, '\\$&')}]`;
  const label = (value ?? takes.kind).replaceAll(':', '\\:');
  const behind = takes.kind === 'nothing' ? '' : `${optional ? '::' : ':'}${label}:${zshValue(takes)}`;
  return names.map((name) => {
    const joined = takes.kind !== 'nothing' && name.startsWith('--') ? '=' : '';
    return quoted(`${once}${name}${joined}${meaning}${behind}`);
  });
}

function zshVerb(verb: Completed): string {
  const [argument, next] = verb.arguments;
  const specs = [
    ...optionsOf(verb).flatMap(zshOption),
    ...(argument
      ? [
          quoted(
            `${argument.repeated ? '*' : '1'}${argument.optional ? ':' : ''}:${argument.name}:${zshValue(argument.takes)}`,
          ),
        ]
      : []),
    ...(next?.repeated ? [quoted(`*:${next.name}:${zshValue(next.takes)}`)] : []),
  ];
  return `        ${verb.name}) _arguments ${specs.join(' ')} ;;`;
}

function zshCompletion(verbs: readonly Completed[]): string {
  const described = verbs.map(({ name, summary }) => `      ${quoted(`${name}:${summary}`)}`);
  const options = general.flatMap((option) =>
    dashed(option).map((name) => quoted(`(- *)${name}[${option.summary}]`)),
  );
  return `#compdef pgduet
_pgduet() {
  local curcontext="$curcontext" state line
  typeset -A opt_args
  _arguments -C ${options.join(' ')} '1: :->verb' '*:: :->rest'
  case $state in
    verb)
      local -a verbs=(
${described.join('\n')}
      )
      _describe -t verbs verb verbs
      ;;
    rest)
      case $words[1] in
${verbs.map(zshVerb).join('\n')}
      esac
      ;;
  esac
}
_pgduet "$@"
`;
}

const fishQuoted = (text: string): string => `'${text.replaceAll(/['\\]/g, '\\$&')}'`;

const fishValue = (takes: Takes): string => {
  if (takes.kind === 'file') return ' -r -F';
  if (takes.kind === 'directory') return " -x -a '(__fish_complete_directories)'";
  if (takes.kind === 'word') return ` -x -a ${fishQuoted(takes.words.join(' '))}`;
  return takes.kind === 'nothing' ? '' : ' -x';
};

function fishVerb(verb: Completed): readonly string[] {
  const within = `complete -c pgduet -n ${fishQuoted(`__fish_seen_subcommand_from ${verb.name}`)}`;
  const options = optionsOf(verb).map(({ short, name, takes, optional, summary }) => {
    const names = `${short === undefined ? '' : ` -s ${short}`} -l ${name}`;
    return `${within}${names}${optional ? '' : fishValue(takes)} -d ${fishQuoted(summary)}`;
  });
  const argument = fishValue(argumentOf(verb));
  return argument === '' || argument === ' -x' ? options : [...options, `${within}${argument}`];
}

function fishCompletion(verbs: readonly Completed[]): string {
  const first = 'complete -c pgduet -n __fish_use_subcommand';
  return `# fish completion for pgduet
complete -c pgduet -f
${general.map(({ short, name, summary }) => `${first} -s ${short} -l ${name} -d ${fishQuoted(summary)}`).join('\n')}
${verbs.map(({ name, summary }) => `${first} -a ${name} -d ${fishQuoted(summary)}`).join('\n')}
${verbs.flatMap(fishVerb).join('\n')}
`;
}
