/**
 * init_script: a script of /etc/init.d that starts a service with the host, where systemd does not: its text, and whether the host starts
 * it. Whether the service runs is kind `controller`. What systemd does for a unit and an init script does not is told, once for each.
 */
import { type InitToolName, initScriptFile, initToolNames, initTools } from '../../base/service-managers.ts';
import { quote } from '../../base/shell.ts';
import { flag, oneOf, optional, template, text } from '../contract/field.ts';
import { type DesiredOf, fieldsOf } from '../contract/fields.ts';
import {
  type Change,
  change,
  type Difference,
  type Observed,
  type ProbeReply,
  present,
  type ResourceKind,
  same,
  unknown,
} from '../contract/kind.ts';
import { ownFile, putFile } from '../contract/preamble.ts';
import {
  notAFile,
  type Ownership,
  ownershipDifference,
  ownershipDifferences,
  readStat,
  type Stat,
} from '../contract/stat.ts';

const fields = fieldsOf(
  {
    name: text('name of the script'),
    tool: oneOf(initToolNames as readonly [InitToolName, ...InitToolName[]], 'what switches it on and off'),
    state: oneOf(['present', 'absent'], 'absent: it is removed', 'present'),
    template: optional(template('template of the script; needed where it is to be present')),
    enabled: flag('whether the host starts it at boot', true),
  },
  ({ template: content, ...rest }, _context, problem) => {
    if (rest.state === 'present' && content === undefined)
      problem('template', 'a script needs a template', "Write 'template: rc.hbs', or 'state: absent'.");
    return { ...rest, content: content ?? '' };
  },
);
type Desired = DesiredOf<typeof fields>;

interface Seen {
  /** Undefined where only links are left of it. */
  readonly stat?: Stat;
  readonly text: string;
  readonly levels: Levels;
}

/** Where the host starts it: in all levels that serve people, in some, in none. */
type Levels = 'on' | 'some' | 'off';

interface ScriptChange extends Change {
  readonly act: 'write' | 'own' | 'none' | 'remove';
}

const ownership: Ownership = { owner: 'root', group: 'root', mode: '0755' };

export const initScript: ResourceKind<Desired, Seen, ScriptChange> = {
  kind: 'init_script',
  summary: 'An init script from a template, on a host without systemd: its text, whether the host starts it.',
  fields,
  key: ({ name }) => name,
  describe: ({ name }) => `init script ${name}`,
  probe: ({ name, tool }) => ({
    shell: `f=${quote(initScriptFile(name))}
${initTools[tool].levels(name)}
observation "$f" || exit 1
if [ -f "$f" ] && [ ! -L "$f" ]; then cat "$f"; fi`,
  }),
  read: readScript,
  diff: (desired, observed) => {
    const seen = observed.state === 'present' ? observed.value : undefined;
    if (desired.state === 'absent') return judgeRemoval(desired, seen);
    return judge(desired, seen);
  },
  steps: ({ act, summary }, desired) => [{ title: summary, script: script(act, desired) }],
};

function readScript(reply: ProbeReply): Observed<Seen> {
  const [links, first = '', ...rest] = reply.stdout.split('\n');
  if (links !== 'on' && links !== 'some' && links !== 'off')
    return unknown(reply.stderr.trim() || 'the script could not be looked at');
  const stat = readStat(first, reply.stderr.trim() || 'the script could not be looked at');
  if (stat.state === 'unknown') return stat;
  if (stat.state === 'absent') return links === 'off' ? stat : present({ text: '', levels: links });
  return present({ stat: stat.value, text: rest.join('\n'), levels: links });
}

function judgeRemoval({ name }: Desired, seen: Seen | undefined) {
  if (!seen) return same('it is not there');
  return change<ScriptChange>({
    summary: `remove init script ${name}`,
    reason: 'it is there',
    act: 'remove',
  });
}

function judge(desired: Desired, seen: Seen | undefined) {
  const path = initScriptFile(desired.name);
  const { stat, text: before = '', levels = 'off' } = seen ?? {};
  const switched = levels === (desired.enabled ? 'on' : 'off');
  if (stat === undefined)
    return change<ScriptChange>({
      summary: `write and ${desired.enabled ? 'enable' : 'disable'} init script ${desired.name}`,
      reason: 'it is not there',
      text: { before: '', after: desired.content, name: path },
      act: 'write',
      differences: [{ code: 'INI001', object: desired.name, declared: path, found: 'missing' }],
    });
  if (stat.type === 'directory' || stat.type === 'other') return notAFile(path, stat);
  const written = stat.type === 'file' && before === desired.content;
  const owned = ownershipDifference(ownership, stat);
  const wrong: readonly Difference[] = [
    ...(written ? [] : [contentDiffers(desired, stat)]),
    ...(switched ? [] : [linkDiffers(desired, levels)]),
    ...(stat.type === 'file' && owned !== undefined
      ? ownershipDifferences(path, ownership, stat, { owner: 'INI004', mode: 'INI004', open: 'INI004' })
      : []),
  ];
  const notes = lessThanAUnit(desired);
  if (wrong.length === 0) return same(`${levelWords[levels]}, content is right`, notes);
  const reasons = [
    ...(written ? [] : ['its content differs']),
    ...(switched ? [] : [`it is ${levelWords[levels]}`]),
    ...(written && owned !== undefined ? [owned] : []),
  ];
  return change<ScriptChange>({
    summary: `${written ? `set init script ${desired.name} right` : `rewrite init script ${desired.name}`}`,
    reason: reasons.join('; '),
    ...(written ? {} : { text: { before, after: desired.content, name: path } }),
    act: written ? (owned === undefined ? 'none' : 'own') : 'write',
    differences: [...wrong, ...notes],
  });
}

const contentDiffers = ({ name }: Desired, { type, modified }: Stat): Difference => ({
  code: 'INI002',
  object: name,
  declared: 'as rendered',
  found: type === 'link' ? 'a symbolic link' : 'another content',
  since: modified,
});

const levelWords: Readonly<Record<Levels, string>> = {
  on: 'started at boot',
  some: 'started at boot in some levels only',
  off: 'not started at boot',
};

const linkDiffers = ({ name, enabled }: Desired, found: Levels): Difference => ({
  code: 'INI003',
  object: name,
  declared: levelWords[enabled ? 'on' : 'off'],
  found: levelWords[found],
});

/** Told where all else is right, too: a person who counts on systemd should know. */
const lessThanAUnit = ({ name, enabled }: Desired): readonly Difference[] =>
  enabled
    ? [
        {
          code: 'INI005',
          object: name,
          declared: 'a unit of systemd',
          found:
            'an init script, which starts it at boot and stops it at shutdown, and does nothing in between',
        },
      ]
    : [];

function script(act: ScriptChange['act'], { name, tool, enabled, content }: Desired): string {
  const file = { path: initScriptFile(name), ...ownership, content };
  const { on, off, remove } = initTools[tool];
  if (act === 'remove') return remove(name);
  return [
    ...(act === 'write' ? [putFile(file)] : act === 'own' ? [ownFile(file)] : []),
    `{ ${enabled ? on(name) : off(name)}; } >/dev/null`,
  ].join('\n');
}
