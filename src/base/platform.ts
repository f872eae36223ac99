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
  /**
   * Shell that prints what `install` would say of a package that no source has, also once the sources were read anew; else what it likes.
   * Nothing of that is kept on the host.
   */
  asked(name: string): string;
  /** The command that reads the package sources anew. */
  readonly refresh: string;
  /**
   * Shell that prints "have NAME INSTALLED OFFERED" for each package, "lists SECONDS" for the last time that the sources were read, then, by
   * a dry run, "new NAME VERSION" and "gone NAME" for all that would follow. Changes nothing.
   */
  offer(names: readonly string[]): string;
  /** Shell that fetches exactly these versions, and installs nothing. */
  fetch(pins: Readonly<Record<string, string>>): string;
  /**
   * Shell that installs exactly these versions, asks nothing, removes nothing, and restarts no service of others. What is there because another
   * package needs it stays so.
   */
  upgrade(pins: Readonly<Record<string, string>>): string;
  /** Shell that prints "NAME VERSION" of what is installed of them, and says "half-made" where an installation was cut off. */
  installed(names: readonly string[]): string;
}

export interface Platform {
  readonly name: string;
  /** As /etc/os-release calls the distribution and its relatives in ID and ID_LIKE. */
  readonly ids: readonly string[];
  readonly manager: PackageManager;
  readonly packages: {
    postgres(majorVersion: number): string;
    /** What brings a library that is no part of PostgreSQL. */
    library(name: string, majorVersion: number): string;
    /** Besides, what is of the same version and holds programs or libraries of it. */
    besidePostgres(majorVersion: number): readonly string[];
    readonly node: string;
    readonly ping: string;
  };
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

// What was read long ago, or never, says nothing against a package: the sources are read beside, in a place of their own. One that cannot
// be reached is no word about the package.
const aptAsked = (name: string): string => `export LC_ALL=C
if apt-get install -q -s ${quote(name)} >/dev/null 2>&1; then exit; fi
lists=$(mktemp -d /tmp/pgduet-lists.XXXXXXXXXX) || exit 0
trap 'rm -rf "$lists"' EXIT
trap 'exit 0' INT TERM HUP
chmod 755 "$lists"
mkdir -p "$lists/lists/partial" "$lists/cache/archives/partial"
beside="-o Dir::State::Lists=$lists/lists -o Dir::Cache=$lists/cache"
if timeout 120 apt-get update -q -o APT::Update::Error-Mode=any $beside >/dev/null 2>&1; then apt-get install -q -s $beside ${quote(name)} 2>&1 || :; fi`;

const aptPins = (pins: Readonly<Record<string, string>>): string =>
  Object.entries(pins)
    .map(([name, version]) => quote(`${name}=${version}`))
    .join(' ');

const aptUpdate = (pins: Readonly<Record<string, string>>, ...words: readonly string[]): string =>
  `apt-get install -y -q --no-remove -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold -o DPkg::Lock::Timeout=600 ${[...words, aptPins(pins)].join(' ')}`;

const names = (pins: Readonly<Record<string, string>>): string => Object.keys(pins).map(quote).join(' ');

const aptOffer = (names: readonly string[]): string => `export LC_ALL=C
found=
for name in ${names.map(quote).join(' ')}; do
  if ! dpkg-query -W -f '\${Status}' "$name" 2>/dev/null | grep -q ' installed$'; then echo "have $name - -"; continue; fi
  policy=$(apt-cache policy "$name") || exit 1
  echo "have $name $(echo "$policy" | sed -n 's/^  Installed: //p') $(echo "$policy" | sed -n 's/^  Candidate: //p')"
  found="$found $name"
done
echo "lists $(stat -c %Y /var/lib/apt/lists /var/cache/apt/pkgcache.bin 2>/dev/null | sort -n | head -n 1)"
if [ -z "$found" ]; then exit 0; fi
# With -y it refuses what the upgrade would refuse, such as a package that is held.
said=$(apt-get install -y -q -s --only-upgrade $found) || exit 1
echo "$said" | sed -n -e 's/^Inst \\([^ ]*\\).* (\\([^ ]*\\) .*/new \\1 \\2/p' -e 's/^Remv \\([^ ]*\\).*/gone \\1/p'`;

const quietly =
  'export DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=l NEEDRESTART_SUSPEND=1 APT_LISTCHANGES_FRONTEND=none';

const debianLibrary = (name: string, majorVersion: number): string =>
  `postgresql-${majorVersion}-${name.replaceAll('_', '-')}`;

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
    asked: aptAsked,
    refresh: 'apt-get update',
    offer: aptOffer,
    fetch: (pins) => `${quietly}\n${aptUpdate(pins, '--download-only')} >&2`,
    // dpkg does not wait for another one that is at work, and apt-get does.
    upgrade: (pins) => `${quietly}
auto=$(apt-mark showauto ${names(pins)} 2>/dev/null)
for name in ${names(pins)}; do if ! dpkg-query -W -f '\${Status}' "$name" 2>/dev/null | grep -q ' installed$'; then auto="$auto $name"; fi; done
apt-get check -q -o DPkg::Lock::Timeout=600 >/dev/null 2>&1
dpkg --configure -a && ${aptUpdate(pins)} || exit
# Who is named counts as asked for by a person, and would stay when nobody needs it any more.
if [ -n "$auto" ]; then apt-mark auto $auto >/dev/null || :; fi`,
    installed: (names) => `export LC_ALL=C
${names.length > 0 ? `dpkg-query -W -f '\${Package} \${Version}\\n' ${names.map(quote).join(' ')}` : ':'}
if dpkg-query -W -f '\${db:Status-Status} \${db:Status-Eflag}\\n' 2>/dev/null | grep -Eq '^(half-|unpacked|triggers-)| reinstreq$'; then echo half-made; fi`,
  },
  packages: {
    postgres: (majorVersion) => `postgresql-${majorVersion}`,
    library: debianLibrary,
    besidePostgres: (majorVersion) => [
      `postgresql-client-${majorVersion}`,
      `postgresql-contrib-${majorVersion}`,
      'libpq5',
    ],
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
