/**
 * Files that say what a server is, beside what it is; whether the management directory lies inside of the data; checksums.
 * Builtins of the shell only: no process is started. Pure.
 */

import { quote } from '../../base/shell.ts';
import { absent, type Observed, type ProbeReply, present, unknown } from '../../resources/contract/kind.ts';
import { replyLines } from '../../resources/contract/replies.ts';
import type { Audit, AuditContext } from '../audit.ts';
import type { Reported } from '../finding.ts';

interface Facts {
  readonly files: ReadonlySet<string>;
  /** Undefined when the server does not answer. */
  readonly recovery: boolean | undefined;
  /** Where the management directory leads to, if that is inside of the data directory. */
  readonly inside: string | undefined;
}

const signals = ['standby.signal', 'recovery.signal', 'backup_label'];

/** Says 'unseen' where this login may not look into the data directory: no file that it cannot see is missing. */
const script = (
  dataDir: string,
  managementDir: string,
): string => `if [ ! -e ${quote(`${dataDir}/PG_VERSION`)} ]; then if [ -d ${quote(dataDir)} ] && [ ! -x ${quote(dataDir)} ]; then echo unseen; else echo absent; fi; exit; fi
for n in ${signals.join(' ')}; do if [ -e ${quote(dataDir)}/"$n" ]; then echo "file $n"; fi; done
cd -P ${quote(dataDir)} 2>/dev/null || { echo unseen; exit; }
d=$PWD
if [ ! -e ${quote(managementDir)} ]; then exit 0; fi
cd -P ${quote(managementDir)} 2>/dev/null || { echo unseen; exit; }
case "$PWD/" in "$d"/*) echo "inside $PWD" ;; esac`;

export const dataDirectory: Audit<Facts> = {
  name: 'files of the data directory',
  probe: ({ postgres, multiplexing }) => ({
    shell: script(postgres.dataDir, multiplexing.managementDir),
    sql: 'select to_json(pg_is_in_recovery())',
  }),
  read: readFacts,
  judge: (context, seen) => [
    ...[...seen].flatMap(([host, facts]) => [
      ...judgeSignals(host, facts),
      ...judgePlace(context, host, facts),
    ]),
    ...judgeChecksums(context),
  ],
};

function readFacts(reply: ProbeReply): Observed<Facts> {
  const lines = replyLines(reply.stdout);
  if (reply.status !== 0) return unknown(reply.stderr.trim() || 'the shell could not look');
  if (lines.has('unseen'))
    return unknown('this login may not look into the data directory or the management directory');
  if (lines.has('absent'))
    return reply.sql === undefined ? absent : unknown('this login may not look into the data directory');
  return present({
    files: new Set(lines.all('file')),
    recovery: typeof reply.sql === 'boolean' ? reply.sql : undefined,
    inside: lines.first('inside'),
  });
}

function judgeSignals(host: string, { files, recovery }: Facts): readonly Reported[] {
  const told = (object: string, declared: string, found: string, repair: string): Reported => ({
    code: 'REP012',
    host,
    object,
    declared,
    found,
    repair,
  });
  const remove = 'see what the server is meant to be, and remove {object} from its data directory on {host}';
  return [
    ...(files.has('recovery.signal')
      ? [told('recovery.signal', 'not there', 'the next start ends with a promotion', remove)]
      : []),
    ...(files.has('standby.signal') && recovery === false
      ? [told('standby.signal', 'not there', 'it stands, and the server runs as primary', remove)]
      : []),
    ...(!files.has('standby.signal') && recovery === true
      ? [
          told(
            'standby.signal',
            'there',
            'it is missing, and the server runs as standby',
            'make the empty file again in the data directory on {host}, as the instance administrator, before the next start',
          ),
        ]
      : []),
    ...(files.has('backup_label') && recovery === false
      ? [told('backup_label', 'not there', 'it stands, and the server runs as primary', remove)]
      : []),
  ];
}

function judgePlace({ cluster }: AuditContext, host: string, { inside }: Facts): readonly Reported[] {
  const place = cluster.servers.find(({ name }) => name === host);
  if (inside === undefined || !place) return [];
  return [
    {
      code: 'DIR005',
      host,
      object: place.multiplexing.managementDir,
      declared: `outside of ${place.postgres.dataDir}`,
      found: inside,
    },
  ];
}

/** The survey has read the control file of every server, also of one that does not run. */
function judgeChecksums({ view, cluster }: AuditContext): readonly Reported[] {
  return cluster.servers.flatMap(({ name }) => {
    if (view.hosts.get(name)?.data?.control?.checksums !== false) return [];
    // Of a server that was there before nobody has declared them.
    const code = view.hosts.get(name)?.adopted ? ('SUM002' as const) : ('SUM001' as const);
    return [{ code, host: name, object: 'data checksums', declared: 'on', found: 'off' }];
  });
}
