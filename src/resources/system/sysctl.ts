/** sysctl: a parameter of the kernel, in force now and, by a file of its own in /etc/sysctl.d, after a reboot. */
import { quote, sh } from '../../base/shell.ts';
import { text } from '../contract/field.ts';
import { type DesiredOf, fieldsOf } from '../contract/fields.ts';
import { change, present, type ResourceKind, same, unknown } from '../contract/kind.ts';
import { putFile } from '../contract/preamble.ts';
import { ownershipDifference, readStat, type Stat } from '../contract/stat.ts';

const fields = fieldsOf(
  {
    name: text('name of the parameter, with dots: `net.ipv4.tcp_keepalive_time`'),
    value: text('its value'),
  },
  ({ name, value }, _context, problem) => {
    if (name !== '' && !/^[\w-]+(\.[\w-]+)+$/.test(name))
      problem(
        'name',
        `'${name}' is no kernel parameter`,
        "Write 'name: net.ipv4.tcp_keepalive_time', for example.",
      );
    return { name, value: oneLine(value) };
  },
);
type Desired = DesiredOf<typeof fields>;

interface Observation {
  /** The value in force. */
  readonly value: string;
  /** Undefined when there is no file. */
  readonly file?: { readonly stat: Stat; readonly content: string };
}

const ownership = { owner: 'root', group: 'root', mode: '0644' } as const;
const path = ({ name }: Desired): string => `/etc/sysctl.d/${name}.conf`;
const content = ({ name, value }: Desired): string => `# Written by pgduet.\n${name} = ${value}\n`;

/** The kernel separates several values by tabs. */
function oneLine(value: string): string {
  return value.trim().replace(/\s+/g, ' ');
}

export const sysctl: ResourceKind<Desired, Observation> = {
  kind: 'sysctl',
  summary: 'A parameter of the kernel, in force now and after a reboot.',
  fields,
  key: (desired) => desired.name,
  describe: (desired) => `kernel parameter ${desired.name}`,
  probe: (desired) => ({
    shell: `p=${quote(parameter(desired))}
if [ ! -e "$p" ]; then echo 'the kernel has no such parameter, or not yet: a module may bring it' >&2; exit 1; fi
value=$(cat "$p") || exit 1
printf '%s' "$value" | tr '\\n' ' '; echo
observation ${quote(path(desired))}
if [ -f ${quote(path(desired))} ]; then cat ${quote(path(desired))}; fi`,
  }),
  read: (reply) => {
    if (reply.status !== 0) return unknown(reply.stderr.trim() || 'the parameter could not be read');
    const [value = '', line = '', ...rest] = reply.stdout.split('\n');
    const stat = readStat(line, 'the file of the parameter could not be read');
    if (stat.state === 'unknown') return stat;
    const file = stat.state === 'present' ? { file: { stat: stat.value, content: rest.join('\n') } } : {};
    return present({ value: oneLine(value), ...file });
  },
  diff: (desired, observed) => {
    const reasons = observed.state === 'present' ? [...faults(desired, observed.value)] : [];
    if (reasons.length === 0) return same(`it is ${desired.value}, also after a reboot`);
    return change({ summary: `set ${desired.name} to ${desired.value}`, reason: reasons.join('; ') });
  },
  // The value first: what the kernel refuses does not get into the file.
  steps: (_change, desired) => [
    {
      title: `kernel parameter ${desired.name}`,
      script: `${sh`printf '%s\n' ${desired.value}`} > ${quote(parameter(desired))}
${putFile({ ...ownership, path: path(desired), content: content(desired) })}`,
    },
  ],
};

const parameter = ({ name }: Desired): string => `/proc/sys/${name.replaceAll('.', '/')}`;

function* faults(desired: Desired, { value, file }: Observation): Generator<string> {
  if (value !== desired.value) yield `it is ${value}`;
  if (file?.content !== content(desired))
    yield file ? `${path(desired)} has another content` : 'nothing sets it after a reboot';
  const difference = file && ownershipDifference(ownership, file.stat);
  if (difference) yield difference;
}
