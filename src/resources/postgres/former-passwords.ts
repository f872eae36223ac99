/**
 * former_passwords: the password file has no line for an address that a server of the cluster had before, as the configuration of the controller still
 * says it. So it stands in front of that: when it is written anew, nothing says any more whose address that was. Lines of others stay.
 */
import { Secret } from '../../base/secret.ts';
import { quote } from '../../base/shell.ts';
import { type PgpassEntry, parsePgpassLine } from '../../postgres/pgpass.ts';
import { text, wordList } from '../contract/field.ts';
import { type DesiredOf, serverFields } from '../contract/fields.ts';
import { type Change, change, present, type ResourceKind, same, unknown } from '../contract/kind.ts';
import { withoutEntry } from './passfile.ts';

const fields = serverFields({
  user: text('the role that the standbys log in with'),
  addresses: wordList('those that the servers have now', 'logTransferAddress'),
  ports: wordList('ports of the servers: a line with another one is of another cluster', 'port'),
});
type Desired = DesiredOf<typeof fields>;

interface Seen {
  /** As the configuration of the controller names them. */
  readonly addresses: readonly string[];
  /** Lines of the role, without the password. */
  readonly entries: readonly PgpassEntry[];
}

interface Removal extends Change {
  readonly former: readonly PgpassEntry[];
}

const marker = 'log_transfer_addresses';

export const formerPasswords: ResourceKind<Desired, Seen, Removal> = {
  kind: 'former_passwords',
  summary: 'The password file has no line for an address that a server of the cluster had before.',
  fields,
  key: ({ user }) => user,
  describe: ({ user }) => `no password of ${user} for former addresses`,
  probe: ({ managementDir, id, user }) => {
    const conf = quote(`${managementDir}/${id}.conf`);
    return {
      shell: `if [ -f ${conf} ]; then text_of ${conf} | sed -n 's/^${marker} *= */${marker} /p'; fi
if [ -f "$PASSFILE" ] && [ -r "$PASSFILE" ]; then text_of "$PASSFILE" | LC_ALL=C grep -F ${quote(`:${user}:`)} | sed 's/^/line /'; fi; echo looked`,
    };
  },
  read: (reply, { user }) => {
    const lines = reply.stdout.split('\n');
    if (!lines.includes('looked')) return unknown(reply.stderr.trim() || 'its files could not be looked at');
    const entries = lines.flatMap((line) => {
      const entry = line.startsWith('line ') ? parsePgpassLine(line.slice('line '.length)) : undefined;
      return entry?.user === user ? [{ ...entry, password: new Secret('') }] : [];
    });
    return present({ addresses: lines.flatMap(addressesIn), entries });
  },
  diff: (desired, observed) => {
    const former = observed.state === 'present' ? formerOf(desired, observed.value) : [];
    if (former.length === 0) return same('it has none');
    const hosts = [...new Set(former.map(({ host }) => host))].join(', ');
    return change({
      summary: `remove the password of ${desired.user} for ${hosts} from the password file`,
      reason: 'no server of the cluster has that address any more',
      former,
      differences: former.map(({ host, port }) => ({
        code: 'PWD005' as const,
        object: `${host}:${port}`,
        declared: '(not declared)',
        found: `a line for ${desired.user}`,
      })),
    });
  },
  steps: ({ former }, { owner }) =>
    former.map((entry) => ({
      title: `password for the former address ${entry.host}`,
      script: withoutEntry(owner, entry),
    })),
};

/** `log_transfer_addresses = 'server2=192.0.2.2, server3=192.0.2.3'` */
function addressesIn(line: string): readonly string[] {
  if (!line.startsWith(`${marker} `)) return [];
  const list = /^'([^']*)'/.exec(line.slice(marker.length + 1))?.[1] ?? '';
  return list.split(',').flatMap((part) => part.split('=')[1]?.trim() ?? []);
}

/** Another cluster of this machine may have the address: its lines name another port. */
function formerOf(desired: Desired, { addresses, entries }: Seen): readonly PgpassEntry[] {
  const former = addresses.filter((address) => !desired.addresses.includes(address));
  return entries.filter(({ host, port }) => former.includes(host) && desired.ports.includes(port));
}
