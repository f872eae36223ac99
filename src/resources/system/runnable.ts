/**
 * runnable: a program that the controller starts as the instance administrator, such as its fencing command. It only looks: a command
 * that cannot run is told before anything relies on it.
 */
import { quote } from '../../base/shell.ts';
import { text } from '../contract/field.ts';
import { type DesiredOf, serverFields } from '../contract/fields.ts';
import { absent, present, type ResourceKind, refuse, same, unknown } from '../contract/kind.ts';

const fields = serverFields({
  path: text('the program'),
  key: text('the key of the inventory that names it, for messages'),
});
type Desired = DesiredOf<typeof fields>;

interface Seen {
  readonly may: boolean;
  /** "postgres:postgres 644", or what is wrong with it besides. */
  readonly found: string;
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
echo "yes $whose"`,
  }),
  read: (reply) => {
    const [, may, found = ''] = /^(yes|no) (.+)$/m.exec(reply.stdout) ?? [];
    if (reply.status !== 0) return unknown(reply.stderr.trim() || 'the program could not be looked at');
    if (reply.stdout.trim() === 'absent') return absent;
    return may ? present({ may: may === 'yes', found }) : unknown('the program could not be looked at');
  },
  diff: (desired, observed) => {
    if (observed.state === 'absent') return refuse(problem(desired, 'is not there'));
    const { may, found } = observed.value;
    return may
      ? same(`${desired.owner} may execute it`)
      : refuse(problem(desired, `cannot be executed by ${desired.owner} (${found})`));
  },
  steps: () => [],
};

const problem = ({ path, key }: Desired, what: string) =>
  ({
    code: 'SAF095',
    what: `the program '${path}' of ${key} ${what}`,
    why: 'the controller would find that out when it needs it: a fencing or arbitration command that does not run lets nobody take over; nothing has been changed',
    fix: `Bring it to the host first, open to the instance administrator, for example with a playbook of your own (pgduet run); or remove ${key} from the inventory.`,
  }) as const;
