/**
 * runnable: a program that the controller starts as the instance administrator, such as its fencing command. It only looks: a command
 * that cannot run is told before anything relies on it.
 */
import { quote } from '../../base/shell.ts';
import { optional, text, wordList } from '../contract/field.ts';
import { type DesiredOf, serverFields } from '../contract/fields.ts';
import { gainingFunction } from '../contract/gaining.ts';
import {
  absent,
  type Difference,
  present,
  type ResourceKind,
  refuse,
  same,
  unknown,
} from '../contract/kind.ts';

const fields = serverFields({
  path: text('the program'),
  key: text('the key of the inventory that names it, for messages'),
  unit: optional(text('the unit that it runs in; without it nothing is taken from it')),
  allows: wordList('words of `multiplexing.unit_allows`'),
});
type Desired = DesiredOf<typeof fields>;

interface Seen {
  readonly may: boolean;
  /** "postgres:postgres 644", or what is wrong with it besides. */
  readonly found: string;
  /** What it gains privileges by, where it does: "sudo"; "itself". */
  readonly gains?: string;
}

export const runnable: ResourceKind<Desired, Seen> = {
  kind: 'runnable',
  summary: 'The instance administrator may execute a program. It is never changed.',
  fields,
  key: (desired) => desired.key,
  describe: (desired) => `${desired.key} ${desired.path}`,
  // A user that is not there yet may do what everybody may; another login cannot ask for it. What a script is run with has to be there, too.
  probe: ({ path, owner }) => ({
    shell: `p=${quote(path)}
if [ ! -e "$p" ]; then unseen "$p"; case $unseen in closed*) echo "no in $unseen, which is not open";; *) echo absent;; esac; exit; fi
whose=$(stat -L -c '%F, %U:%G %a' "$p") || exit 1
if [ ! -f "$p" ]; then echo "no $whose"; exit; fi
if [ -z "$OWNER_ENTRY" ]; then case $(stat -L -c %A "$p") in ?????????x) echo "yes $whose";; *) echo "no $whose";; esac; exit; fi
if [ -z "$ROOT" ] && [ "$ME" != ${quote(owner)} ]; then echo 'only root and the instance administrator can see that' >&2; exit 1; fi
if ! peek test -x "$p"; then echo "no $whose"; exit; fi
first=$(peek head -c 256 "$p" | tr -d '\\000' | head -n 1)
case $first in
  '#!'*) first=\${first#??}; set -f; set -- $first; set +f
    if [ -n "$1" ] && ! peek test -x "$1"; then echo "no its first line names $1, which cannot be executed"; exit; fi;;
esac
echo "yes $whose"
${gainingFunction}
by=$(gaining "$p")
if [ -n "$by" ]; then echo "gains $by"; fi`,
  }),
  read: (reply) => {
    const [, may, found = ''] = /^(yes|no) (.+)$/m.exec(reply.stdout) ?? [];
    if (reply.status !== 0) return unknown(reply.stderr.trim() || 'the program could not be looked at');
    if (reply.stdout.trim() === 'absent') return absent;
    const [, gains] = /^gains (\S+)$/m.exec(reply.stdout) ?? [];
    return may
      ? present({ may: may === 'yes', found, ...(gains === undefined ? {} : { gains }) })
      : unknown('the program could not be looked at');
  },
  diff: (desired, observed) => {
    if (observed.state === 'absent')
      return refuse(
        problem(
          desired,
          'is not there',
          'Bring it to the host first, open to the instance administrator, for example with a playbook of your own (pgduet run)',
        ),
      );
    const { may, found } = observed.value;
    return may
      ? same(`${desired.owner} may execute it`, barred(desired, observed.value))
      : refuse(
          problem(
            desired,
            `cannot be executed by ${desired.owner} (${found})`,
            `Let ${desired.owner} read and execute it (chmod 755, for example), and all directories above it`,
          ),
        );
  },
  steps: () => [],
};

/** It may do without, so that it is only told. */
const barred = ({ key, path, unit, allows }: Desired, { gains }: Seen): readonly Difference[] =>
  unit === undefined || gains === undefined || allows.includes('privileges')
    ? []
    : [
        {
          code: 'UNT011',
          object: key,
          declared: 'multiplexing.unit_allows without privileges',
          found: gains === 'itself' ? `${path} gains privileges` : `${path} calls ${gains}`,
        },
      ];

/** Without their yes nobody takes over. */
const asked: readonly string[] = ['fencing_command', 'arbitration_command'];

const problem = ({ path, key }: Desired, what: string, way: string) =>
  ({
    code: 'SAF095',
    what: `the program '${path}' of ${key} ${what}`,
    why: `the controller would find that out when it needs it${asked.includes(key) ? ', and nobody could take over' : ''}; nothing has been changed`,
    fix: `${way}; or remove ${key} from the inventory.`,
  }) as const;
