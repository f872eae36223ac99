/**
 * package: operating system packages. A program that is already there (`provides`) satisfies it, however it came;
 * nothing is upgraded or removed. A package that has lost files, and with them its program, is installed anew.
 */
import { quote, sh } from '../../base/shell.ts';
import { optional, text } from '../contract/field.ts';
import { type DesiredOf, fieldsOf } from '../contract/fields.ts';
import {
  absent,
  type Change,
  change,
  present,
  type ResourceKind,
  refuse,
  same,
  unknown,
} from '../contract/kind.ts';

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
  | { readonly by: 'remains'; readonly lost: string }
  | { readonly by: 'program'; readonly path: string }
  | { readonly by: 'nobody'; readonly manager: string };

interface PackageChange extends Change {
  /** Installed already, and incomplete. */
  readonly again: boolean;
}

export const packageKind: ResourceKind<Desired, Seen, PackageChange> = {
  kind: 'package',
  summary: 'An operating system package, or the program that it would bring.',
  fields,
  key: (desired) => desired.name,
  describe: (desired) => `package ${desired.name}`,
  probe: ({ name, provides = '' }) => ({
    shell: `p=${quote(provides.replace(/^pgbin:/, ''))}
${provides.startsWith('pgbin:') ? 'if [ -n "$PGBIN" ] && [ -x "$PGBIN/$p" ]; then echo "program $PGBIN/$p"; exit; fi' : 'if [ -n "$p" ] && command -v "$p"  >/dev/null; then echo "program $(command -v "$p")"; exit; fi'}
if ! command -v dpkg-query >/dev/null; then echo manager none; exit; fi
said=$(dpkg-query -W -f '\${Status}' ${quote(name)})
# 1: it knows no such package; anything above means that it could not look.
if [ $? -gt 1 ]; then exit 1; fi
case $said in *' installed') ;; *) echo manager apt; exit;; esac
# Only a program that is not there is a reason to compare the package with its list of files.
lost=
if [ -n "$p" ]; then lost=$(dpkg -V ${quote(name)} 2>/dev/null | sed -n 's/^missing  *\\(c \\)\\{0,1\\}\\(\\/.*\\)/\\2/p' | head -n 1); fi
if [ -n "$lost" ]; then echo "lost $lost"; else echo package; fi`,
  }),
  read: (reply) => {
    const [word, ...others] = reply.stdout.trim().split(' ');
    const rest = others.join(' ');
    if (word === 'package') return present({ by: 'package' });
    if (word === 'program') return present({ by: 'program', path: rest });
    if (word === 'lost') return present({ by: 'remains', lost: rest });
    if (word === 'manager') return rest === 'apt' ? absent : present({ by: 'nobody', manager: rest });
    return unknown(reply.stderr.trim() || 'the package manager gave no answer');
  },
  diff: (desired, observed) => {
    const { name } = desired;
    const told = { code: 'PKG001', object: name, declared: 'installed' } as const;
    if (observed.state === 'absent')
      return change({
        summary: `install package ${name}`,
        reason: 'it is not installed',
        again: false,
        differences: [{ ...told, found: 'not installed' }],
      });
    if (observed.value.by === 'remains')
      return change({
        summary: `install package ${name} again`,
        reason: `${observed.value.lost} is missing`,
        again: true,
        differences: [{ ...told, found: `${observed.value.lost} is missing` }],
      });
    if (observed.value.by === 'package') return same('it is installed');
    if (observed.value.by === 'program') return same(`${observed.value.path} is there`);
    return refuse({
      code: 'HST004',
      what: `'${desired.name}' is not there, and the host has no package manager that pgduet knows (apt)`,
      why: 'without it nothing that follows can work',
      fix: 'Install the program by hand, and name its directory in the inventory (postgres.bin_dir) if it is not in a usual place.',
    });
  },
  steps: ({ again }, { name }) => [
    {
      title: `package ${name}`,
      // The lists are fetched only if the package cannot be had without: a mirror may be slow or away.
      script: sh`export DEBIAN_FRONTEND=noninteractive
install() { apt-get install -y -q --no-install-recommends ${again ? ['--reinstall'] : []} -o Dpkg::Options::=--force-confold -o DPkg::Lock::Timeout=120 ${name}; }
if ! apt-get install -q -s ${again ? ['--reinstall'] : []} ${name} >/dev/null 2>&1; then apt-get update -q -o DPkg::Lock::Timeout=120; fi
install >&2`,
    },
  ],
};
