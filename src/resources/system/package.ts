/**
 * package: operating system packages. A program that is already there (`provides`) satisfies it, however it came;
 * nothing is upgraded or removed. A package that has lost files, and with them its program, is installed anew.
 */
import type { Diagnostic } from '../../base/diagnostic.ts';
import { type PackageManager, platforms } from '../../base/platform.ts';
import { quote } from '../../base/shell.ts';
import { optional, text } from '../contract/field.ts';
import { type DesiredOf, fieldsOf } from '../contract/fields.ts';
import { type Change, change, present, type ResourceKind, refuse, same, unknown } from '../contract/kind.ts';

const fields = fieldsOf({
  name: text('name of the package'),
  provides: optional(
    text('a program that makes the package unnecessary; `pgbin:postgres` is one of PostgreSQL itself'),
  ),
});
type Desired = DesiredOf<typeof fields>;

type Seen =
  | { readonly by: 'package' }
  /** Installed, and files of it are gone: the first of them. */
  | { readonly by: 'remains'; readonly lost: string; readonly manager: string }
  | { readonly by: 'program'; readonly path: string }
  /** "none": the host has no package manager that pgduet knows. */
  | { readonly by: 'nobody'; readonly manager: string };

interface PackageChange extends Change {
  readonly manager: PackageManager;
  /** Installed already, and incomplete. */
  readonly again: boolean;
}

const managers: readonly PackageManager[] = platforms.map(({ manager }) => manager);
const managerNamed = (name: string): PackageManager | undefined =>
  managers.find((manager) => manager.name === name);

/** Shell: the answer of this manager, on a host that has it. */
const lookWith = (
  { query, look }: PackageManager,
  name: string,
): string => `if command -v ${query} >/dev/null; then
${look(name)}
exit
fi`;

export const packageKind: ResourceKind<Desired, Seen, PackageChange> = {
  kind: 'package',
  summary: 'An operating system package, or the program that it would bring.',
  fields,
  key: (desired) => desired.name,
  describe: (desired) => `package ${desired.name}`,
  probe: ({ name, provides = '' }) => ({
    shell: `p=${quote(provides.replace(/^pgbin:/, ''))}
${provides.startsWith('pgbin:') ? 'if [ -n "$PGBIN" ] && [ -x "$PGBIN/$p" ]; then echo "program $PGBIN/$p"; exit; fi' : 'if [ -n "$p" ] && command -v "$p"  >/dev/null; then echo "program $(command -v "$p")"; exit; fi'}
${managers.map((manager) => lookWith(manager, name)).join('\n')}
echo manager none`,
  }),
  read: (reply) => {
    const [word, ...others] = reply.stdout.trim().split(' ');
    const rest = others.join(' ');
    if (word === 'package') return present({ by: 'package' });
    if (word === 'program') return present({ by: 'program', path: rest });
    if (word === 'lost')
      return present({ by: 'remains', manager: others[0] ?? '', lost: others.slice(1).join(' ') });
    if (word === 'manager') return present({ by: 'nobody', manager: rest });
    return unknown(reply.stderr.trim() || 'the package manager gave no answer');
  },
  diff: (desired, observed) => {
    const { name } = desired;
    const told = { code: 'PKG001', object: name, declared: 'installed' } as const;
    if (observed.state === 'absent') return refuse(noManager(name));
    const seen = observed.value;
    const manager = seen.by === 'nobody' || seen.by === 'remains' ? managerNamed(seen.manager) : undefined;
    if (seen.by === 'nobody' && manager)
      return change({
        summary: `install package ${name}`,
        reason: 'it is not installed',
        manager,
        again: false,
        differences: [{ ...told, found: 'not installed' }],
      });
    if (seen.by === 'remains' && manager)
      return change({
        summary: `install package ${name} again`,
        reason: `${seen.lost} is missing`,
        manager,
        again: true,
        differences: [{ ...told, found: `${seen.lost} is missing` }],
      });
    if (seen.by === 'package') return same('it is installed');
    if (seen.by === 'program') return same(`${seen.path} is there`);
    return refuse(noManager(name));
  },
  steps: ({ again, manager }, { name }) => [
    {
      title: `package ${name}`,
      script: manager.install(name, again),
    },
  ],
};

const noManager = (name: string): Diagnostic => ({
  code: 'HST004',
  what: `'${name}' is not there, and the host has no package manager that pgduet knows (${managers.map((manager) => manager.name).join(', ')})`,
  why: 'without it nothing that follows can work',
  fix: 'Install the program by hand, and name its directory in the inventory (postgres.bin_dir) if it is not in a usual place.',
});
