/**
 * package: operating system packages. A program or library that is already there (`provides`) satisfies it, however it came;
 * nothing is upgraded or removed. A package that has lost files, and with them its program, is installed anew.
 */
import type { Diagnostic } from '../../base/diagnostic.ts';
import { type PackageManager, platforms } from '../../base/platform.ts';
import { quote } from '../../base/shell.ts';
import { optional, text } from '../contract/field.ts';
import { type DesiredOf, fieldsOf } from '../contract/fields.ts';
import { type Change, change, present, type ResourceKind, refuse, same, unknown } from '../contract/kind.ts';
import { hasLibrary } from '../contract/library-directory.ts';

const fields = fieldsOf({
  name: text('name of the package'),
  provides: optional(
    text(
      'a program that makes the package unnecessary; `pgbin:postgres` is one of PostgreSQL itself, `pglib:pgaudit` a library where PostgreSQL looks for its own',
    ),
  ),
  asked_for: optional(
    text('what asks for it; the host is asked before the plan is shown whether a source has the package'),
  ),
});
type Desired = DesiredOf<typeof fields>;

const inLibraries = 'pglib:';

type Seen =
  | { readonly by: 'package' }
  /** Installed, and files of it are gone: the first of them. */
  | { readonly by: 'remains'; readonly lost: string; readonly manager: string }
  | { readonly by: 'program'; readonly path: string }
  /** Installed, for another PostgreSQL: this one does not find the library in its directory. */
  | { readonly by: 'elsewhere'; readonly directory: string }
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

const looks = (name: string): string => `${managers.map((manager) => lookWith(manager, name)).join('\n')}
echo manager none`;

const programScript = (name: string, provides: string): string => `p=${quote(provides.replace(/^pgbin:/, ''))}
${provides.startsWith('pgbin:') ? 'if [ -n "$PGBIN" ] && [ -x "$PGBIN/$p" ]; then echo "program $PGBIN/$p"; exit; fi' : 'if [ -n "$p" ] && command -v "$p"  >/dev/null; then echo "program $(command -v "$p")"; exit; fi'}
${looks(name)}`;

/** Where PostgreSQL is not installed yet, its libraries are nowhere. */
const libraryScript = (name: string, library: string): string => `p=${quote(library)}
if [ -n "$PGBIN" ]; then if ${hasLibrary(library)}; then echo "program $lib/$p.so"; exit; fi; fi
said=$(${looks(name)}
) || exit
if [ -n "$PGBIN" ] && [ "$said" = package ]; then echo "elsewhere $lib"; else echo "$said"; fi`;

export const packageKind: ResourceKind<Desired, Seen, PackageChange> = {
  kind: 'package',
  summary: 'An operating system package, or the program that it would bring.',
  fields,
  key: (desired) => desired.name,
  describe: (desired) => `package ${desired.name}`,
  probe: ({ name, provides = '' }) => ({
    shell: provides.startsWith(inLibraries)
      ? libraryScript(name, provides.slice(inLibraries.length))
      : programScript(name, provides),
  }),
  read: (reply) => {
    const [word, ...others] = reply.stdout.trim().split(' ');
    const rest = others.join(' ');
    if (word === 'package') return present({ by: 'package' });
    if (word === 'program') return present({ by: 'program', path: rest });
    if (word === 'elsewhere') return present({ by: 'elsewhere', directory: rest });
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
    if (seen.by === 'elsewhere') return refuse(forAnother(desired, seen.directory));
    return refuse(noManager(name));
  },
  tries: ({ again, manager }, { name, askedFor }) =>
    askedFor === undefined || again ? undefined : { shell: manager.asked(name) },
  objection: ({ stdout }, { manager }, desired) =>
    manager.notOffered.test(stdout) ? notOffered(desired) : undefined,
  steps: ({ again, manager }, { name }) => [
    {
      title: `package ${name}`,
      script: manager.install(name, again),
    },
  ],
};

const libraryIn = ({ name, provides = '' }: Desired): string =>
  provides.startsWith(inLibraries) ? `the library ${provides.slice(inLibraries.length)}` : name;

const notOffered = (desired: Desired): Diagnostic => ({
  code: 'HST004',
  what: `no package source of the host has '${desired.name}'`,
  why: `${desired.askedFor} needs ${libraryIn(desired)}: a server that is told to load it, and does not have it, does not start. Nothing has been changed on any server`,
  fix: `Add a source that has the package (the PostgreSQL project's has it for each version), or lay the library where PostgreSQL of the host looks for it (pg_config --pkglibdir). Or take ${desired.askedFor} out, and write what you want of it into postgres.settings (docs/security.md has all of it).`,
});

const forAnother = (desired: Desired, directory: string): Diagnostic => ({
  code: 'HST004',
  what: `'${desired.name}' is installed, and ${libraryIn(desired)} is not in ${directory}`,
  why: 'it is for another PostgreSQL than the one that runs here, which does not start with a library that it does not find',
  fix: `Build the library for this PostgreSQL and lay it there, or name the directory of the other one (postgres.bin_dir).`,
});

const noManager = (name: string): Diagnostic => ({
  code: 'HST004',
  what: `'${name}' is not there, and the host has no package manager that pgduet knows (${managers.map((manager) => manager.name).join(', ')})`,
  why: 'without it nothing that follows can work',
  fix: 'Install the program by hand, and name its directory in the inventory (postgres.bin_dir) if it is not in a usual place.',
});
