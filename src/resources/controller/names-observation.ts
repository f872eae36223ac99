/**
 * What the names and addresses of a cluster mean on a host: asked there, since /etc/hosts and DNS may say something else on
 * each of them. In: words of the inventory. Out: a probe that only reads, and from its answer what was seen. Pure.
 */
import { quote } from '../../base/shell.ts';
import type { Probe, ProbeReply } from '../contract/kind.ts';

/** The words by which the hosts of a cluster are called. */
export interface CalledBy {
  readonly names: readonly string[];
  /** In the spelling that a host shows. */
  readonly addresses: readonly string[];
}

export interface NamesSeen {
  /** Addresses of the network interfaces; none where the host has no program that tells them. */
  readonly interfaces: readonly string[];
  /** By name: its addresses, none where it means nothing. Names that could not be looked up in time are missing. */
  readonly meant: Readonly<Record<string, readonly string[]>>;
  /** By name: the lines of /etc/hosts that it stands in. */
  readonly lines: Readonly<Record<string, readonly string[]>>;
  /** By address of another host: the own one that a connection to it comes from. */
  readonly from: Readonly<Record<string, string>>;
}

/** A resolver that does not answer holds up a look no longer than this. */
const patienceSeconds = 5;

/** Names are asked for all at once, and each answer is one line, so that two of them never mix. */
export const namesProbe = ({ names, addresses }: CalledBy): Probe => ({
  shell: `${names.length === 0 ? '' : lookUp}# What \`ip route get\` says of an address of another host; an own one needs no route.
routed() {
  case "$line_end$own$line_end" in *"\${line_end}interface $1$line_end"*) echo "from $1 $1"; return;; esac
  while [ $# -gt 2 ]; do if [ "$2" = src ]; then echo "from $1 $3"; break; fi; to=$1; shift 2; set -- "$to" "$@"; done
}
from() { routed "$1" $(ip -o route get "$1" 2>/dev/null); }
# All of it by one program. That of busybox knows no such thing, and is asked one by one.
said=$(ip -force -o -batch - 2>/dev/null <<'asked'
addr show
${addresses.map((address) => `route get ${address}`).join('\n')}
asked
) || :
by_one=
if [ -z "$said" ]; then by_one=yes said=$(ip -o addr show 2>/dev/null); fi
own=
set -f
while IFS= read -r line; do
  set -- $line
  case $3 in inet | inet6) own="$own\${own:+$line_end}interface \${4%%/*}"; continue;; esac
  case $1 in local | unicast | broadcast | multicast | anycast) shift;; esac
  if [ $# -gt 2 ]; then routed "$@"; fi
done <<said
$said
said
set +f
if [ -n "$own" ]; then printf '%s\\n' "$own"; fi
${names.map((name) => `named ${quote(name)} &`).join('\n')}
if [ -n "$by_one" ]; then
:
${addresses.map((address) => `from ${quote(address)}`).join('\n')}
fi
${names.length === 0 ? '' : `for name in ${names.map(quote).join(' ')}; do export name; awk ${quote(hostsLines)} /etc/hosts 2>/dev/null; done\nwait`}`,
});

/** Status 2 of getent: there is no such name. Anything else but 0 says nothing. */
const lookUp = `named() {
  found=$(timeout ${patienceSeconds} getent ahosts "$1" </dev/null); status=$?
  case $status in 0 | 2) ;; *) return;; esac
  addresses=$(printf '%s\\n' "$found" | awk 'NF { print $1 }' | sort -u)
  echo "name $1" $addresses
  for address in $addresses; do from "$address"; done
}
`;

const hostsLines = `{ sub(/#.*/, "") }
{ for (i = 2; i <= NF; i++) if (tolower($i) == tolower(ENVIRON["name"])) { print "line " ENVIRON["name"] " " NR ": " $1; next } }`;

export function readNames({ status, stdout }: ProbeReply): NamesSeen | undefined {
  if (status !== 0) return undefined;
  const words = stdout.split('\n').map((line) => line.split(' '));
  const all = (kind: string): string[][] =>
    words.filter(([first]) => first === kind).map(([, ...rest]) => rest);
  const lines = all('line').map(([name = '', ...rest]) => ({ name, text: rest.join(' ') }));
  return {
    interfaces: all('interface').flatMap(([address = '']) => address),
    meant: Object.fromEntries(all('name').map(([name = '', ...addresses]) => [name, addresses])),
    lines: Object.fromEntries(
      lines.map(({ name }) => [name, lines.filter((one) => one.name === name).map(({ text }) => text)]),
    ),
    from: Object.fromEntries(all('from').map(([address = '', source = '']) => [address, source])),
  };
}
