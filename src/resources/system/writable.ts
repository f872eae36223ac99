/**
 * writable: a directory in which the instance administrator may make files, such as the one for the sockets. It only looks: who may
 * write into a directory of the system is for a person to say.
 */
import { quote } from '../../base/shell.ts';
import { text } from '../contract/field.ts';
import { type DesiredOf, serverFields } from '../contract/fields.ts';
import { absent, present, type ResourceKind, refuse, same, unknown } from '../contract/kind.ts';

const fields = serverFields({
  path: text('the directory'),
  for: text('its purpose, for messages'),
  key: text('the key of the inventory that names it, for messages'),
});
type Desired = DesiredOf<typeof fields>;

interface Seen {
  readonly may: boolean;
  /** "postgres:postgres 2775" */
  readonly whose: string;
}

/** The packages of PostgreSQL make it, for the administrator that they make, too. */
const ofPackages: readonly string[] = ['/var/run/postgresql', '/run/postgresql'];

export const writable: ResourceKind<Desired, Seen> = {
  kind: 'writable',
  summary: 'The instance administrator may make files in a directory. It is never changed.',
  fields,
  key: (desired) => desired.path,
  describe: (desired) => `${desired.path} for ${desired.for}`,
  // A user that is not there yet may do what everybody may; another login cannot ask for it.
  probe: ({ path, owner }) => ({
    shell: `p=${quote(path)}
if [ ! -d "$p" ]; then unseen "$p"; case $unseen in closed*) echo "$unseen" >&2; exit 1;; esac; echo absent; exit; fi
whose=$(stat -L -c '%U:%G %a' "$p") || exit 1
if [ -z "$OWNER_ENTRY" ]; then case $(stat -L -c %A "$p") in ????????w?) echo "yes $whose";; *) echo "no $whose";; esac; exit; fi
if [ -z "$ROOT" ] && [ "$ME" != ${quote(owner)} ]; then echo 'only root and the instance administrator can see that' >&2; exit 1; fi
if writes_in "$p"; then echo "yes $whose"; else echo "no $whose"; fi`,
  }),
  read: (reply) => {
    const [, may, whose = ''] = /^(yes|no) (.+)$/m.exec(reply.stdout) ?? [];
    if (reply.status !== 0) return unknown(reply.stderr.trim() || 'the directory could not be looked at');
    if (reply.stdout.trim() === 'absent') return absent;
    return may ? present({ may: may === 'yes', whose }) : unknown('the directory could not be looked at');
  },
  diff: (desired, observed) => {
    const { path, owner } = desired;
    if (observed.state === 'absent')
      return ofPackages.includes(path) && owner === 'postgres'
        ? same('the packages of PostgreSQL make it')
        : refuse(problem(desired, 'is not there'));
    if (observed.value.may) return same(`${owner} may write there`);
    return refuse(problem(desired, `is not open to ${owner} (${observed.value.whose})`));
  },
  steps: () => [],
};

const problem = ({ path, owner, managementDir, for: purpose, key }: Desired, what: string) =>
  ({
    code: 'SAF042',
    what: `the directory '${path}' for ${purpose} ${what}`,
    why: `${purpose} could not be made; nothing has been changed`,
    fix: `Write ${key} in the inventory: ${managementDir}, for example, which is ${owner}'s. Or let ${owner} write into that directory; one below /run has to be made anew at each boot (tmpfiles.d).`,
  }) as const;
