/**
 * logins: from this server to the others, with the very string that replication will use. It proves names, CA, channel binding, rule and
 * password at once, with the libpq that needs them, before a standby depends on it.
 */
import { quote } from '../../base/shell.ts';
import { map } from '../contract/field.ts';
import { type DesiredOf, serverFields } from '../contract/fields.ts';
import { change, present, type ResourceKind, same, unknown } from '../contract/kind.ts';

const fields = serverFields({ to: map('connection strings by the name of the server') });
type Desired = DesiredOf<typeof fields>;

/** What a login said that failed, by the name of the server. */
type Failed = Readonly<Record<string, string>>;

const login = (source: string): string =>
  `glimpse timeout 15 "$PGBIN/psql" -X -q -A -t -w -d ${quote(source)} -c IDENTIFY_SYSTEM`;

export const logins: ResourceKind<Desired, Failed> = {
  kind: 'logins',
  summary:
    'Logins from one server to the others with the connection string of replication: looked at, never changed.',
  fields,
  key: () => 'of replication',
  describe: ({ to }) => `logins to ${Object.keys(to).join(', ') || 'nobody'}`,
  probe: (desired) => ({
    shell: `export PGPASSFILE="$PASSFILE"
${Object.entries(desired.to)
  .map(
    ([name, source]) =>
      `if ! said=$(${login(source)} 2>&1 >/dev/null); then printf '%s %s\\n' ${quote(name)} "$(printf %s "$said" | tr '\\n' ' ')"; fi`,
  )
  .join('\n')}
:`,
  }),
  read: (reply) =>
    reply.status === 0
      ? present(Object.fromEntries(reply.stdout.split('\n').flatMap(wordAndRest)))
      : unknown(reply.stderr.trim() || 'no login could be tried'),
  diff: ({ to }, observed) => {
    const failed = observed.state === 'present' ? Object.entries(observed.value) : [];
    if (failed.length === 0) return same(`logged in to ${Object.keys(to).join(', ') || 'nobody'}`);
    return change({
      summary: `log in to ${failed.map(([name]) => name).join(', ')} as a standby will`,
      reason: failed.map(([name, said]) => `${name}: ${said.trim()}`).join('; '),
    });
  },
  steps: (_planned, desired) => [
    {
      title: 'the servers reach each other by TLS',
      script: `export PGPASSFILE="$PASSFILE"
${Object.values(desired.to)
  .map(
    (source) => `n=0
until said=$(${login(source)} 2>&1 >/dev/null); do n=$((n + 1)); if [ $n -gt 25 ]; then printf '%s\\n' "$said" >&2; exit 1; fi; sleep 0.2; done`,
  )
  .join('\n')}`,
    },
  ],
};

const wordAndRest = (line: string): readonly (readonly [string, string])[] => {
  const at = line.indexOf(' ');
  return at > 0 ? [[line.slice(0, at), line.slice(at + 1)]] : [];
};
