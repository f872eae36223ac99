/**
 * How old the secrets are, and whether a renewal of them was left unfinished (ADR 16). A file is written when its secret is made, or later:
 * so the earliest time over all servers is one since which the secret has been there. Pure.
 */
import { renewalFile } from '../../base/renewal.ts';
import { quote } from '../../base/shell.ts';
import { present, unknown } from '../../resources/contract/kind.ts';
import { closed } from '../../resources/contract/stat.ts';
import type { Audit, AuditContext } from '../audit.ts';
import type { Reported } from '../finding.ts';

/** Seconds since 1970; what is not there is null. */
export interface SecretTimes {
  readonly now: number;
  readonly key: number | null;
  readonly password: number | null;
  readonly renewal: number | null;
}

const daySeconds = 86_400;
const oldDays = 365;

export const secretsAudit: Audit<SecretTimes> = {
  name: 'the age of the secrets',
  probe: ({ multiplexing }, { replicationUser }) => {
    const place = (name: string): string => quote(`${multiplexing.managementDir}/${name}`);
    return {
      shell: `unseen ${place('cluster.key')}
case $unseen in closed*) echo "$unseen"; exit;; esac
p=; case $(text_of "$PASSFILE" 2>/dev/null) in *${quote(`:replication:${replicationUser}:`)}*) p=$PASSFILE;; esac
stat -c '%Y %n' ${place('cluster.key')} ${place(renewalFile)} \${p:+"$p"} 2>/dev/null | {
  key=- renewal=- password=-
  while read -r time file; do
    case $file in ${place('cluster.key')}) key=$time;; ${place(renewalFile)}) renewal=$time;; *) password=$time;; esac
  done
  echo "\${now:-$(date +%s)} $key $password $renewal"
}`,
    };
  },
  read: (reply) => {
    const hidden = closed(reply.stdout.trim());
    if (hidden) return unknown(hidden);
    const [now, key, password, renewal] = reply.stdout.trim().split(' ').map(timeOf);
    if (typeof now !== 'number' || key === undefined || password === undefined || renewal === undefined)
      return unknown(reply.stderr.trim() || 'the files could not be looked at');
    return present({ now, key, password, renewal });
  },
  judge: (context, seen) => {
    const { key, password } = secretDates(seen);
    const now = Math.max(...[...seen.values()].map((times) => times.now));
    return [
      ...old('cluster key', key, now),
      ...old('replication password', password, now),
      ...unfinished(context, seen),
    ];
  },
};

/** Undefined of what is no time. */
const timeOf = (word: string): number | null | undefined =>
  word === '-' ? null : /^\d+$/.test(word) ? Number(word) : undefined;

/** Since when each secret has been there at least. */
export function secretDates(seen: ReadonlyMap<string, SecretTimes>): {
  readonly key: number | null;
  readonly password: number | null;
} {
  const earliest = (name: 'key' | 'password'): number | null => {
    const times = [...seen.values()].flatMap((each) => each[name] ?? []);
    return times.length === 0 ? null : Math.min(...times);
  };
  return { key: earliest('key'), password: earliest('password') };
}

function old(object: string, since: number | null, now: number): readonly Reported[] {
  const days = since === null ? 0 : Math.floor((now - since) / daySeconds);
  if (since === null || days < oldDays) return [];
  const told = { declared: `renewed within ${oldDays} days`, found: `at least ${days} days old` };
  return [{ code: 'SEC001', host: null, object, ...told, since }];
}

function unfinished({ cluster }: AuditContext, seen: ReadonlyMap<string, SecretTimes>): readonly Reported[] {
  const open = cluster.servers.flatMap(({ name }) => {
    const since = seen.get(name)?.renewal;
    return typeof since === 'number' ? [{ name, since }] : [];
  });
  if (open.length === 0) return [];
  const found = `${open.map(({ name }) => name).join(', ')} accept${open.length === 1 ? 's' : ''} the old values still`;
  const since = Math.min(...open.map((one) => one.since));
  return [
    { code: 'SEC002', host: null, object: 'secrets', declared: 'one value of each secret', found, since },
  ];
}
