/**
 * arbiter: the arbiter of this host runs, and has read what stands there of this cluster. Its step starts, restarts or reloads
 * it, and waits until it has. One that serves other clusters at another place is not taken away from them.
 */
import { identitiesFile, identityFile } from '../../base/identities.ts';
import { quote, sh } from '../../base/shell.ts';
import { moment } from '../../base/units.ts';
import { flag, integer, text } from '../contract/field.ts';
import { type DesiredOf, fieldsOf } from '../contract/fields.ts';
import { hostService } from '../contract/host-service.ts';
import {
  type Change,
  change,
  type Difference,
  present,
  type ResourceKind,
  refuse,
  same,
  unknown,
} from '../contract/kind.ts';
import { closed } from '../contract/stat.ts';
import { arbiterPidFile, arbiterPlaceFields, clusterDir, findOthers, tellArbiter } from './place.ts';

const fields = fieldsOf({
  ...arbiterPlaceFields,
  port: integer('port that the controllers call'),
  address: text('address that they call'),
  bundle: text('path of its program; a running one that is older is restarted'),
  identities: flag('whether the keys by which it and the servers prove who they are stand there, too', false),
});
type Desired = DesiredOf<typeof fields>;

/** Seconds since 1970. What is not there is yet to be written, and then newer than all that was read. */
interface Running {
  readonly began: number;
  readonly read: number;
  readonly program: number;
  readonly conf: number;
  readonly cluster: number;
}

interface Seen {
  /** Other clusters that it knows, and where it answers them. */
  readonly others: readonly string[];
  readonly port: string;
  readonly address: string;
  /** Absent: it does not run. */
  readonly running?: Running;
}

type Act = 'start' | 'restart' | 'reload';
interface ArbiterChange extends Change {
  readonly act: Act;
}

export const arbiter: ResourceKind<Desired, Seen, ArbiterChange> = {
  kind: 'arbiter',
  summary: 'The arbiter of the host runs, and has read the files of the cluster as they are now.',
  fields,
  key: (desired) => desired.directory,
  describe: (desired) => `arbiter in ${desired.directory}`,
  probe: (desired) => ({ shell: probeScript(desired) }),
  read: (reply) => {
    const [first = '', place = '', times = ''] = reply.stdout.split('\n');
    const hidden = closed(first);
    if (hidden) return unknown(hidden);
    if (reply.status !== 0 || !first.startsWith('others'))
      return unknown(reply.stderr.trim() || 'the arbiter could not be looked at');
    const [port = '', address = ''] = place.split(' ');
    const running = readTimes(times);
    const others = first.split(' ').slice(1);
    return present({ others, port, address, ...(running ? { running } : {}) });
  },
  diff: (desired, observed) => {
    const seen = observed.state === 'present' ? observed.value : undefined;
    if (seen && isElsewhere(desired, seen)) return refuse(elsewhere(desired, seen));
    const running = seen?.running;
    if (!running)
      return change({
        summary: `start the arbiter in ${desired.directory}`,
        reason: 'it does not run',
        act: 'start',
        differences: [
          { code: 'ARB001', object: desired.directory, declared: 'running', found: 'not running' },
        ],
      });
    const { began, read, program, cluster } = running;
    const conf = isAt(desired, seen) ? running.conf : Number.POSITIVE_INFINITY;
    const differences = [...olderProgram(desired, running), ...olderFiles(desired, running)];
    if (Math.max(program, conf) > began) {
      const reason = `its ${program > began ? 'program' : 'configuration'} is newer than what runs`;
      return change({ summary: 'restart the arbiter', reason, act: 'restart', differences });
    }
    if (cluster > read)
      return change({
        summary: `make the arbiter read the files of ${desired.cluster}`,
        reason: 'they are newer than what it has read',
        act: 'reload',
        differences,
      });
    return same('it runs, with the files as they are');
  },
  steps: ({ act, summary }, desired) => [{ title: summary, script: actScript(act, desired) }],
};

function readTimes(line: string): Running | undefined {
  if (line === 'stopped') return undefined;
  const [began, read, program, conf, ...cluster] = line
    .split(' ')
    .map((word) => (word === '-' ? Number.POSITIVE_INFINITY : Number(word)));
  if (began === undefined || read === undefined || program === undefined || conf === undefined)
    return undefined;
  return { began, read, program, conf, cluster: Math.max(...cluster) };
}

/** As its file has it, which may be about to be written. */
const isAt = (desired: Desired, { port, address }: Pick<Seen, 'port' | 'address'>): boolean =>
  port === String(desired.port) && address === desired.address;

/** Where nobody else uses it, it just moves. */
const isElsewhere = (desired: Desired, seen: Seen): boolean =>
  seen.others.length > 0 && seen.port !== '' && !isAt(desired, seen);

const elsewhere = ({ directory, port, address }: Desired, seen: Seen) =>
  ({
    code: 'SAF033',
    what: `the arbiter in ${directory} answers ${seen.others.join(', ')} at ${seen.address}:${seen.port}, and would move to ${address}:${port}`,
    why: 'it would answer the other clusters no more',
    fix: `Write address ${seen.address} and port ${seen.port} for the arbiter in this inventory too, or give it a management_dir and a port of its own.`,
    evidence: seen.others.map((name) => `found: ${directory}/clusters/${name}`),
  }) as const;

const olderProgram = ({ bundle }: Desired, { began, program }: Running): readonly Difference[] =>
  Number.isFinite(program) && program > began
    ? [
        {
          code: 'ARB002',
          object: bundle,
          declared: `the program of ${moment(program)}`,
          found: `the one that was started ${moment(began)}`,
          since: program,
        },
      ]
    : [];

/** A file that is missing is told where it is declared. */
function olderFiles({ directory }: Desired, { began, read, conf, cluster }: Running): readonly Difference[] {
  const late = [
    { written: conf, taken: began },
    { written: cluster, taken: read },
  ].find(({ written, taken }) => Number.isFinite(written) && written > taken);
  if (!late) return [];
  return [
    {
      code: 'ARB003',
      object: directory,
      declared: `its files of ${moment(late.written)}`,
      found: `those that it read ${moment(late.taken)}`,
      since: late.written,
    },
  ];
}

const filesOf = (desired: Desired): readonly string[] =>
  ['network.conf', 'arbiter.key', ...(desired.identities ? [identityFile, identitiesFile] : [])].map(
    (name) => `${clusterDir(desired)}/${name}`,
  );

const written = (path: string): string => `$(stat -c %.3Y ${quote(path)} 2>/dev/null || echo -)`;

const probeScript = (desired: Desired): string => {
  const conf = quote(`${desired.directory}/arbitration.conf`);
  const pidFile = arbiterPidFile(desired);
  const value = (key: string): string =>
    `$(contents ${conf} 2>/dev/null | sed -n "s/^ *${key} *= *'*\\([^ '#]*\\).*/\\1/p")`;
  return `unseen ${quote(pidFile)}
case $unseen in closed*) echo "$unseen"; exit;; esac
${findOthers(desired)}
echo "others$others"
echo "${value('port')} ${value('my_address')}"
if ! controller ${quote(pidFile)}; then echo stopped; exit; fi
lines ${quote(pidFile)} pid ticks boot began
echo "$began ${[pidFile, desired.bundle, `${desired.directory}/arbitration.conf`, ...filesOf(desired)].map(written).join(' ')}"`;
};

const patienceSeconds = 20;

/** Until it has read what stands there: only then are the controllers told of it. */
const actScript = (act: Act, desired: Desired): string => {
  const pidFile = quote(arbiterPidFile(desired));
  const unit = hostService(desired.unit)?.unit;
  const log = unit
    ? sh`journalctl -u ${unit} -n 15 --no-pager -o cat`
    : sh`as ${desired.owner} tail -n 15 ${`${desired.directory}/arbiter.log`}`;
  const older = filesOf(desired).map((path) => `[ ${quote(path)} -nt ${pidFile} ]`);
  return `tell() { ${log} >&2 || :; }
( ${tellArbiter(desired, act)} ) || { tell; exit 1; }
n=0
until controller ${pidFile} && ! { ${older.join(' || ')}; }; do
  n=$((n + 1))
  if [ $n -gt ${patienceSeconds * 20} ]; then echo 'the arbiter has not read its files within ${patienceSeconds} s' >&2; tell; exit 1; fi
  sleep 0.05
done`;
};
