/**
 * forgotten: the management directory is not there any more, with all that it remembers; the last thing of a teardown on a
 * host. What says whose data stands there goes first and the record of a former server last, so that a run that is
 * interrupted never takes a server for something that it is not.
 */
import { quote } from '../../base/shell.ts';
import { namesOfLog, usualLog } from '../../postgres/log-names.ts';
import { optional, text } from '../contract/field.ts';
import { type DesiredOf, serverFields } from '../contract/fields.ts';
import { absent, change, present, type ResourceKind, refuse, same, unknown } from '../contract/kind.ts';
import { makingFile, systemFile } from '../data/data-directory.ts';
import { beforeFile } from '../data/record.ts';
import {
  deleteOurs,
  literally,
  type OwnTree,
  onlyOurs,
  ownProgram,
  strangers,
  unfinishedFiles,
} from '../system/own-tree.ts';
import { vacating } from '../system/vacate.ts';

const fields = serverFields({
  log_filename: optional(
    text(
      '`log_filename` of the server, where it is not the usual one: files of that name in its log directory go',
    ),
  ),
  stays: optional(
    text(
      'the server stays, and the directory with it where its sockets are there: `declared` by its configuration, or only `seen`',
    ),
  ),
});
type Desired = DesiredOf<typeof fields>;

interface Seen {
  /** It is gone, and the empty directory that it stood in is not. */
  readonly orphan: boolean;
  readonly ours: boolean;
  readonly empty: boolean;
  /** What a server that stays needs is there, sockets or a pair for TLS, and nothing of ours besides (`alone`), or more. */
  readonly sockets?: 'alone' | 'more' | undefined;
  readonly mount: boolean;
  /** A symbolic link stands in its place. */
  readonly link: boolean;
  /** What is not pgduet's. */
  readonly files: readonly string[];
}

/** A pair for TLS has the name of its certificate. */
const pairName = '[0-9a-f]{16}';

/** Behind the server identifier, of this version and of earlier ones; `.torn`: a record that could not be trusted. */
const records = [
  'conf|environment|proven\\.json|system|making|spaces|former|stopped|before\\.json|rebuild|rewind-pass|pg_control\\.before-rebuild',
  '(state|status)\\.json(\\.torn|(\\.[0-9]+)?\\.tmp)?|pid(\\.(stale\\.)?[0-9]+)?|(startup\\.)?log',
].join('|');

/**
 * What pgduet and the controller of this server write there, and the log of the instance, by its names; without systemd the sockets of the instance may
 * stand there, too.
 */
export function managementTree({
  id,
  port,
  logFilename,
}: Pick<Desired, 'id' | 'port' | 'logFilename'>): OwnTree {
  const name = literally(id);
  const declared = namesOfLog(logFilename ?? '');
  const logs = declared === undefined ? usualLog : `${usualLog}|${declared}`;
  const socket = `\\.s\\.PGSQL\\.${port}`;
  const files = [
    ownProgram,
    'network\\.conf',
    'renewal\\.json',
    'cluster\\.key',
    'identity\\.key',
    'identities\\.json',
    'etcd\\.cell',
    'etcd\\.password',
    'etcd-ca\\.pem',
    'tls/(ca\\.pem|next)',
    `tls/(request|${pairName})/server\\.(key|pem)`,
    unfinishedFiles,
    `tls/(${unfinishedFiles})`,
    `tls/request/(${unfinishedFiles})`,
  ];
  const own = `${name}\\.(${records})|${name}-log/(${logs})|${socket}\\.lock`;
  return {
    f: [...files, own].join('|'),
    d: `${name}-log|tls|tls/(request|${pairName})`,
    s: `${name}\\.sock|${socket}`,
  };
}

/** By its name alone nobody tells the log of former settings from a file of a person. */
function fixOf({ id, logFilename }: Desired, files: readonly string[]): string {
  const logs = files.filter((path) => path.startsWith(`${id}-log/`));
  const others = 'Look at them; move them away, or correct multiplexing.management_dir in the inventory.';
  if (logs.length === 0) return others;
  const known = `'postgresql-%a.log', PostgreSQL's own default${logFilename ? ` and '${logFilename}'` : ''}`;
  return `${others} In ${id}-log only files by these values of log_filename are taken for the server's log: ${known}. If another or an earlier value made the others, they are logs, too: delete them, or move away what you want to keep.`;
}

const place = ({ managementDir, id, dataDir }: Desired) => ({ managementDir, id, dataDir });

export const forgotten: ResourceKind<Desired, Seen> = {
  kind: 'forgotten',
  summary: 'The management directory is gone, with all that stands in it.',
  fields,
  key: (desired) => desired.managementDir,
  touches: (desired) => desired.managementDir,
  describe: (desired) => `no management directory ${desired.managementDir}`,
  probe: (desired) => ({
    shell: `m=${quote(desired.managementDir)}
${vacating}
if [ -L "$m" ]; then echo link; exit; fi
if [ ! -d "$m" ]; then if orphan "$m"; then echo orphan; else echo absent; fi; exit; fi
walks "$m" ${quote(desired.owner)}
names=$($walker ls -A "$m") || exit 1
if mountpoint -q "$m"; then echo mount; else echo directory; fi
${socketsStay(desired)}
${pairStays(desired)}
stay=
if sockets_stay; then stay=${quote(socketNames(desired))}; fi
if pair_stays; then stay="\${stay:+$stay|}tls"; fi
if [ -n "$stay" ]; then
  if [ -n "$names" ] && printf '%s\\n' "$names" | grep -qvxE "$stay"; then echo served; else echo sockets; exit; fi
elif [ -z "$names" ]; then echo empty; elif [ -e "$m/network.conf" ] || [ -e "$m/cluster.key" ] || [ -e ${quote(systemFile(place(desired)))} ] || [ -e ${quote(makingFile(place(desired)))} ] || [ -e ${quote(beforeFile(desired))} ]; then echo ours; else echo foreign; fi
seen=$(${strangers(desired.managementDir, managementTree(desired), desired.owner)}) || exit 1
printf '%s\\n' "$seen" | head -n 8`,
  }),
  read: (reply) => {
    const [type = '', whose = '', ...files] = reply.stdout.trim().split('\n');
    const said =
      ['absent', 'orphan', 'link'].includes(type) ||
      ['ours', 'empty', 'foreign', 'served', 'sockets'].includes(whose);
    if (reply.status !== 0 || !said)
      return unknown(reply.stderr.trim() || 'the management directory could not be looked at');
    if (type === 'absent') return absent;
    return present({
      orphan: type === 'orphan',
      ours: whose !== 'foreign',
      empty: whose === 'empty',
      sockets: whose === 'sockets' ? 'alone' : whose === 'served' ? 'more' : undefined,
      mount: type === 'mount',
      link: type === 'link',
      files,
    });
  },
  diff: (desired, observed) => {
    if (observed.state === 'absent') return same(`${desired.managementDir} is not there`);
    const { orphan, empty, mount, link, files, sockets } = observed.value;
    if (sockets === 'alone')
      return same(`${desired.managementDir} holds nothing but what the server that stays needs`);
    if (link)
      return refuse({
        code: 'SAF002',
        what: `'${desired.managementDir}' should be the management directory and is a symbolic link`,
        why: "what it leads to may be somebody else's, and would be deleted",
        fix: 'Name the directory itself in the inventory (multiplexing.management_dir), or put it back in the place of the link.',
      });
    if (orphan)
      return change({
        summary: `remove the empty directory that ${desired.managementDir} stood in`,
        reason: 'nothing else is in it',
      });
    if (mount && empty) return same(`${desired.managementDir} is an empty mount point`);
    if (!observed.value.ours || files.length > 0)
      return refuse({
        code: 'SAF002',
        what: `the management directory '${desired.managementDir}' holds files that are not pgduet's`,
        why: 'they would be deleted with it',
        fix: fixOf(desired, files),
        evidence: files.map((name) => `found: ${name}`),
      });
    if (sockets === 'more')
      return change({
        summary: `empty the management directory ${desired.managementDir}, but for what the server that stays needs`,
        reason: 'no controller runs here any more',
      });
    return change({
      summary: `delete the management directory ${desired.managementDir}`,
      reason: 'no controller runs here any more',
    });
  },
  steps: (_change, desired) => [{ title: `delete ${desired.managementDir}`, script: script(desired) }],
};

/** The directory is emptied by its owner: whatever a name in it leads to, it is no way to something of root's. */
const script = (desired: Desired): string => `${vacating}
m=${quote(desired.managementDir)}
if [ ! -d "$m" ]; then vacate_above "$m"; exit 0; fi
mc=$(peek head -n 1 "$m"/${quote(`${desired.id}.pid`)} 2>/dev/null | tr -dc 0-9)
if [ -n "$mc" ] && tr '\\0' ' ' < "/proc/$mc/cmdline" 2>/dev/null | grep -qF -- ${quote(` daemon -M ${desired.managementDir} `)}; then echo "the controller (process $mc) still runs" >&2; exit 1; fi
${onlyOurs(desired.managementDir, managementTree(desired), desired.owner)}
${socketsStay(desired)}
${pairStays(desired)}
stay=
if sockets_stay; then stay=sockets; fi
if pair_stays; then stay="$stay pair"; fi
case $stay in
sockets) as ${quote(desired.owner)} sh -ec ${quote(emptying(desired, socketFiles(desired)))}; exit 0;;
' pair') as ${quote(desired.owner)} sh -ec ${quote(emptying(desired, pairFiles))}; exit 0;;
'sockets pair') as ${quote(desired.owner)} sh -ec ${quote(emptying(desired, [...socketFiles(desired), ...pairFiles]))}; exit 0;;
esac
as ${quote(desired.owner)} sh -ec ${quote(emptying(desired))}
if ! mountpoint -q "$m"; then acting "$m" ${quote(desired.owner)} rmdir "$m"; vacate_above "$m"; fi`;

const socketFiles = ({ port }: Desired): readonly string[] => [`.s.PGSQL.${port}`, `.s.PGSQL.${port}.lock`];

const socketNames = (desired: Desired): string => socketFiles(desired).map(literally).join('|');

/** Shell: defines whether the directory, `$m`, stays, since clients find the server that stays there. Of one that does not run its configuration decides. */
const socketsStay = ({ stays, dataDir, port }: Desired): string =>
  stays === undefined
    ? 'sockets_stay() { false; }'
    : `sockets_stay() { if postmaster ${quote(dataDir)}; then [ -S "$m/.s.PGSQL.${port}" ]; else ${stays === 'declared' ? ':' : 'false'}; fi; }`;

const pairFiles = ['tls', 'tls/*'];

/** Shell: defines whether postgresql.conf goes on naming certificates and keys of the directory, `$m`: without them the server would not start again. */
const pairStays = ({ dataDir }: Desired): string =>
  `pair_stays() { [ -d "$m/tls" ] && peek sh -c 'if [ ! -e "$1" ]; then exit 1; fi; grep -qF "$2" "$1" || [ $? -ne 1 ]' sh ${quote(`${dataDir}/postgresql.conf`)} "$m/tls/"; }`;

const emptying = (desired: Desired, but: readonly string[] = []): string => `m=${quote(desired.managementDir)}
rm -f ${quote(systemFile(place(desired)))}; sync -f "$m"
${deleteOurs(desired.managementDir, managementTree(desired), ['network.conf', `${desired.id}.before.json`, ...but])}
rm -f "$m/network.conf"; sync -f "$m"
rm -f ${quote(beforeFile(desired))}`;
