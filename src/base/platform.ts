/**
 * What a distribution is, as a table: its package manager, the names of its packages, its places. Code elsewhere names no
 * distribution; another one is another row here, with hosts in the lab to prove it. Text and data only. Pure.
 */
import { quote, sh } from './shell.ts';

export interface PackageManager {
  /** For messages: "apt". */
  readonly name: string;
  /** The program that knows what is installed; where it stands, this manager is the host's. */
  readonly query: string;
  /**
   * Shell that prints "manager NAME" where the package is not installed, "lost NAME PATH" where it has lost a file, else "package".
   * Files are compared only if $p is set: the program that the package would bring, and that is not there.
   */
  look(name: string): string;
  /** Shell that installs the package; `again`: over an installation that is incomplete. */
  install(name: string, again: boolean): string;
  /** Shell condition: the path in $1 belongs to a package. */
  readonly owns: string;
  /** What `install` says when no source has the package, and when a source cannot be reached. */
  readonly notOffered: RegExp;
  readonly unreachable: RegExp;
  /** The command that reads the package sources anew, for a person. */
  readonly refresh: string;
}

export interface Platform {
  readonly name: string;
  /** As /etc/os-release calls the distribution and its relatives in ID and ID_LIKE. */
  readonly ids: readonly string[];
  readonly manager: PackageManager;
  readonly packages: { postgres(majorVersion: number): string; readonly node: string; readonly ping: string };
  /** Directory of PostgreSQL's programs; %v stands for the major version. */
  readonly binDir: string;
  /** A file that keeps the packages of PostgreSQL from creating and starting a cluster of their own. */
  readonly noOwnCluster?: { readonly directory: string; readonly path: string; readonly content: string };
}

const aptQuery = (name: string): string => `said=$(dpkg-query -W -f '\${Status}' ${quote(name)})
# 1: it knows no such package; anything above means that it could not look.
if [ $? -gt 1 ]; then exit 1; fi
case $said in *' installed') ;; *) echo manager apt; exit;; esac
lost=
if [ -n "$p" ]; then lost=$(dpkg -V ${quote(name)} 2>/dev/null | sed -n 's/^missing  *\\(c \\)\\{0,1\\}\\(\\/.*\\)/\\2/p' | head -n 1); fi
if [ -n "$lost" ]; then echo "lost apt $lost"; else echo package; fi`;

// The lists are fetched only if the package cannot be had without: a mirror may be slow or away.
const aptInstall = (name: string, again: boolean): string => sh`export DEBIAN_FRONTEND=noninteractive
install() { apt-get install -y -q --no-install-recommends ${again ? ['--reinstall'] : []} -o Dpkg::Options::=--force-confold -o DPkg::Lock::Timeout=120 ${name}; }
if ! apt-get install -q -s ${again ? ['--reinstall'] : []} ${name} >/dev/null 2>&1; then apt-get update -q -o DPkg::Lock::Timeout=120; fi
install >&2`;

const ownClusters = '/etc/postgresql-common/createcluster.d';

export const debian: Platform = {
  name: 'Debian',
  ids: ['debian'],
  manager: {
    name: 'apt',
    query: 'dpkg-query',
    look: aptQuery,
    install: aptInstall,
    owns: 'dpkg-query -S "$1" >/dev/null 2>&1',
    notOffered: /Unable to locate package|has no installation candidate|Couldn't find any package/i,
    unreachable:
      /Temporary failure resolving|Failed to fetch|Could not connect to|Unable to fetch some archives/i,
    refresh: 'apt-get update',
  },
  packages: {
    postgres: (majorVersion) => `postgresql-${majorVersion}`,
    node: 'nodejs',
    ping: 'iputils-ping',
  },
  binDir: '/usr/lib/postgresql/%v/bin',
  noOwnCluster: {
    directory: ownClusters,
    path: `${ownClusters}/pgduet.conf`,
    content: `# Written by pgduet: clusters are made by pgduet, not by the installation of a package.
create_main_cluster = false
`,
  },
};

/** Every distribution that pgduet installs packages on. Elsewhere the programs have to be there. */
export const platforms: readonly Platform[] = [debian];

/**
 * The platform of a host by the ids of its distribution. Of one that is not in the table, or not known yet, the names are
 * Debian's: they stand in messages only, since there is no package manager that would install them.
 */
export const platformOf = (ids: readonly string[]): Platform =>
  platforms.find((platform) => platform.ids.some((id) => ids.includes(id))) ?? debian;
