/**
 * memory: the management directory of a server that another one vouches for, made anew (ADR 25). It says whose data stands there, and that its
 * controller has forgotten what it had promised. No controller ever finds itself there without that mark: a directory is made beside its place
 * and renamed, and in one that is there the mark comes first. What stands there already is never written over.
 */
import type { Diagnostic } from '../../base/diagnostic.ts';
import { quote, sh } from '../../base/shell.ts';
import { quoteLiteral } from '../../postgres/quote.ts';
import { integer, text } from '../contract/field.ts';
import { type DesiredOf, serverFields } from '../contract/fields.ts';
import {
  change,
  outdated,
  present,
  type ResourceKind,
  refuse,
  type Step,
  same,
  unknown,
} from '../contract/kind.ts';
import { chownWord } from '../contract/stat.ts';
import { type DataDirectory, dataDirectoryProbe, isFinished, readDataDirectory } from './data-directory.ts';
import { unreadRecord } from './refusals.ts';

const fields = serverFields({
  system_identifier: text('whose data stands there, as the control file and the other server say it'),
  by: text('the server that vouches for this one: what both ends of a stream between the two show'),
  by_address: text('its address for replication'),
  by_port: integer('its port'),
  unit: text("the unit of the controller: root's file, which says that one was in charge here"),
});
type Desired = DesiredOf<typeof fields>;

interface Seen {
  readonly data: DataDirectory;
  /** Where the file system is mounted that the directory comes to stand on. */
  readonly mountedOn: string;
}

export const memory: ResourceKind<Desired, Seen> = {
  kind: 'memory',
  summary:
    'The management directory says whose data its server has; one that was lost is made anew, with the mark that its controller has forgotten.',
  fields,
  key: (desired) => desired.id,
  renews: (desired) => desired.managementDir,
  describe: (desired) => `memory of ${desired.id}`,
  probe: (desired) => ({
    shell: `m=${quote(desired.managementDir)}
until [ -d "$m/" ]; do m=\${m%/*}; done
echo "mounted $(df -P "$m/" | sed -n '$s/.*% //p')"
${dataDirectoryProbe(desired)}`,
  }),
  read: (reply) => {
    const data = readDataDirectory(reply);
    if (!data) return unknown(reply.stderr.trim() || 'the data directory could not be looked at');
    const [, mountedOn = ''] = /^mounted (.*)$/m.exec(reply.stdout) ?? [];
    return present({ data, mountedOn });
  },
  diff: (desired, observed) => {
    if (observed.state === 'absent') return same('nothing stands there');
    const { data, mountedOn } = observed.value;
    const { id, managementDir, systemIdentifier, by } = desired;
    const problem = unreadRecord(desired.dataDir, desired, data);
    if (problem) return refuse(problem);
    if (data.recorded === systemIdentifier) return same(`it is that of cluster ${data.recorded}`);
    if (!data.directoryLost || !isFinished(data) || data.control?.systemIdentifier !== systemIdentifier)
      return refuse(notAsSeen(desired, data));
    return change({
      summary: `make the management directory ${managementDir} anew`,
      reason: `it is lost; ${by} vouches for ${id}, of cluster ${systemIdentifier}`,
      differences: [
        {
          code: 'CTL016',
          object: id,
          declared: managementDir,
          found: `nothing that says whose data it has; ${by} vouches for it`,
        },
      ],
      notes: [
        `${managementDir} comes to stand on the file system that is mounted on ${mountedOn || '/'}. If it stood on another one, mount that first: over the new directory it would bring back an old record, and nobody could notice.`,
        `What the controller of ${id} alone knew is gone: a detach by a person, or automatic switching that was turned off, where no other controller had heard of it.`,
      ],
    });
  },
  steps: (_change, desired) => [makeAnew(desired)],
};

const notAsSeen = (
  { dataDir, systemIdentifier }: Desired,
  { recorded, control }: DataDirectory,
): Diagnostic => ({
  code: 'SAF001',
  what: `whose data stands in '${dataDir}' is not as it was a moment ago`,
  why: 'the other server vouches for what was seen then',
  fix: 'Run the same command again; it looks at everything anew.',
  evidence: [
    `vouched for: ${systemIdentifier}`,
    `in the control file: ${control?.systemIdentifier ?? 'none'}`,
    `recorded: ${recorded ?? 'nothing'}`,
  ],
});

const makeAnew = (desired: Desired): Step => ({
  title: `make ${desired.managementDir} anew`,
  outdated: 'it is not as it was seen',
  script: `${lookAgain(desired)}
${place(desired)}`,
});

const orLookAnew = `|| exit ${outdated}`;

/** Lost, running, of this cluster, and its own end of the stream; the other end was seen on the other host. */
const lookAgain = (desired: Desired): string => `seen=$(
${dataDirectoryProbe(desired)}
) ${orLookAnew}
says() { printf '%s\\n' "$seen" | grep -q "$1"; }
for word in '^directory lost$' '^running ' ${quote(`^Database system identifier: *${desired.systemIdentifier}$`)}; do says "$word" ${orLookAnew}; done
if says '^making ' || says '^recorded '; then exit ${outdated}; fi
seen=$(printf '%s\\n' ${quote(ownEnd(desired))} | sql) ${orLookAnew}
[ "$seen" = t ] ${orLookAnew}`;

/** Whether it streams with the other server, as it says itself. */
const ownEnd = ({ by, byAddress, byPort }: Desired): string =>
  `SELECT EXISTS (SELECT FROM pg_stat_wal_receiver WHERE status = 'streaming' AND sender_host = ${quoteLiteral(byAddress)} AND sender_port = ${byPort}) OR EXISTS (SELECT FROM pg_stat_replication WHERE state IN ('streaming', 'catchup') AND application_name = ${quoteLiteral(by)})`;

/** Where a directory stands, it is the administrator's: anybody else's may be the place of a mount. */
const place = (desired: Desired): string => {
  const { id, owner, managementDir, systemIdentifier } = desired;
  const words = [id, systemIdentifier, chownWord({ owner, mode: '0700' })];
  const name = managementDir.replace(/^.*\//, '');
  const parent = managementDir.slice(0, -name.length - 1) || '/';
  return `if [ -L ${quote(managementDir)} ]; then ${sh`echo ${`${managementDir} has become a symbolic link`} >&2`}; exit 1; fi
if [ -d ${quote(managementDir)} ]; then
  [ "$(stat -c %U ${quote(managementDir)})" = ${quote(owner)} ] ${orLookAnew}
  ${sh`acting ${`${managementDir}/${id}.system`} ${owner} sh -ec ${filling} sh ${managementDir} ${words}`}
else
  ${sh`acting ${managementDir} ${owner} sh -ec ${making} sh ${parent} ${name} ${words}`}
fi`;
};

/** Writes a file of the present directory that must not be there: nothing is written over, and no link is followed. */
const newFile = `new() { ( umask 077; set -C; printf %s "$2" > "$1" ) && chown -h "$owner" "$1" && sync "$1"; }`;

/** In a directory of the administrator's. Each file is there whole or not at all. Arguments: the directory, server, system identifier, owner. */
const filling = `cd "$1"
id=$2 system=$3 owner=$4
${newFile}
settle() {
  part=.$1.pgduet-tmp
  rm -f "$part"
  new "$part" "$2" && ln -T "$part" "$1" && rm -f "$part" || { rm -f "$part"; return 1; }
}
if [ -L "$id.state.json.torn" ] || [ ! -f "$id.state.json.torn" ]; then settle "$id.state.json.torn" ''; fi
sync .
if [ -e "$id.system" ] || [ -L "$id.system" ]; then exit ${outdated}; fi
settle "$id.system" "$system"
sync .`;

/**
 * Beside its place, and renamed. Arguments: the directory above, its name, server, system identifier, owner. What a run has left that was killed
 * meanwhile goes; all that is done in a directory is done from within, so that no name which another user could move leads elsewhere.
 */
const making = `if [ ! -d "$1/" ]; then ( umask 022; mkdir -p "$1" ); fi
cd "$1"
above=$(pwd -P); above=\${above%/}
name=$2 id=$3 system=$4 owner=$5
${newFile}
inside() { cd "$1" && [ "$(pwd -P)" = "$above/$1" ]; }
for left in ".$name.pgduet-"??????; do
  if [ -d "$left" ] && [ ! -L "$left" ]; then
    (
      inside "$left" && { [ -O . ] || [ "$(stat -c %U .)" = "\${owner%%:*}" ]; } && rm -f "$id.state.json.torn" "$id.system"
    ) && rmdir "$left" || echo "$above/$left is not ours, and stays" >&2
  fi
done
beside=$(mktemp -d ".$name.pgduet-XXXXXX") || { echo "root alone has not made the way to $above/$name; if it is right: install -d -o \${owner%%:*} -m 0700 $above/$name" >&2; exit 1; }
(
  inside "$beside"
  new "$id.state.json.torn" ''
  new "$id.system" "$system"
  chown -h "$owner" .
  chmod 0700 .
  sync .
)
if ! mv -T -- "$beside" "$name"; then
  ( inside "$beside" && rm -f "$id.state.json.torn" "$id.system" ) && rmdir "$beside"
  if [ -d "$name" ]; then exit ${outdated}; fi
  exit 1
fi
sync .`;
