/**
 * What a rolling update keeps and starts on a host, as shell text: root's own directory, the order, the row, the mark of the end, and jobs that
 * outlive the connection. In: names and texts. Out: scripts, and what their answers mean. Pure.
 */
import { quote, sh } from '../base/shell.ts';

/** Of one server of one cluster; root's alone, since what stands there is what root does next. */
export const directoryOf = (cluster: string, server: string): string =>
  `/var/lib/pgduet/${cluster}.${server}`;

/** A command that ends with "KEY BASE64" for what a pipe brings: texts of any form come back whole. */
const told = (key: string, command: string): string =>
  `printf '%s ' ${key}; { ${command}; } 2>/dev/null | base64 -w0; echo`;

export interface Asked {
  readonly directory: string;
  readonly dataDir: string;
  readonly walDir?: string;
}

/** Which start of the machine this is. In a container of somebody else's the kernel, and its boot, may be shared. */
export const bootScript = "cat /proc/sys/kernel/random/boot_id; cut -d' ' -f22 /proc/1/stat";

/** As it is compared. */
export const readBoot = (text: string): string => text.trim().replaceAll('\n', ' ');

export const lookScript = ({ directory, dataDir, walDir }: Asked): string =>
  [
    told('uid', 'id -u'),
    told('systemd', '[ -d /run/systemd/system ] && systemctl is-system-running'),
    told('machine', 'cat /etc/machine-id'),
    told('boot', bootScript),
    told(
      'mounts',
      [dataDir, ...(walDir ? [walDir] : [])]
        // Names of disks may change with a reboot; what is on them does not.
        .map(
          (path) =>
            sh`findmnt -n -o UUID,FSROOT,TARGET -T ${path} | grep -E '^[^ ]+ +/' || findmnt -n -o SOURCE,TARGET -T ${path}`,
        )
        .join('; '),
    ),
    told(
      'units',
      "systemctl list-units --type=service --state=active --no-legend --plain 'mcoi_*' 'mcarb_*' 'etcd*' 'patroni*'",
    ),
    ...['order', 'row', 'ended', 'skipped'].map((name) =>
      told(name, `{ ${isOwn(directory)}; } && ${sh`cat ${`${directory}/${name}`}`}`),
    ),
  ].join('\n');

export interface HostSeen {
  readonly isRoot: boolean;
  /** The word of `systemctl is-system-running`; empty where systemd does not run. */
  readonly systemd: string;
  readonly machineId: string;
  readonly boot: string;
  readonly mounts: string;
  /** Services beside that of the server that serve others, too. */
  readonly units: readonly string[];
  readonly order: string;
  readonly row: string;
  /** "ID done" or "ID aborted". */
  readonly ended: string;
  /** "ID SERVER" of each one that is left out. */
  readonly skipped: readonly string[];
}

export function readHost(stdout: string): HostSeen {
  const texts = new Map(
    stdout.split('\n').map((line) => {
      const [key = '', text = ''] = line.split(' ');
      return [key, Buffer.from(text, 'base64').toString('utf8').trim()] as const;
    }),
  );
  const text = (key: string): string => texts.get(key) ?? '';
  return {
    isRoot: text('uid') === '0',
    systemd: text('systemd'),
    machineId: text('machine'),
    boot: readBoot(text('boot')),
    mounts: text('mounts'),
    units: text('units')
      .split('\n')
      .flatMap((line) => line.split(' ')[0] || []),
    order: text('order'),
    row: text('row'),
    ended: text('ended'),
    skipped: text('skipped')
      .split('\n')
      .filter((line) => line !== ''),
  };
}

/** Nobody else can have put something there, or in its place: a home of that name, for example. */
const isOwn = (directory: string): string => {
  const parent = directory.slice(0, directory.lastIndexOf('/'));
  return `odd=; for d in ${quote(parent)} ${quote(directory)}; do if [ -L "$d" ] || [ ! -O "$d" ] || [ -n "$(find "$d" -maxdepth 0 -perm /022)" ]; then odd=$d; fi; done; if [ -n "$odd" ]; then echo "$odd is not a directory of root's that nobody else can write to" >&2; false; fi`;
};

const makeDirectory = (directory: string): string =>
  `${sh`mkdir -p -m 0755 /var/lib/pgduet && mkdir -p -m 0700 ${directory}`} && { ${isOwn(directory)}; } && ${sh`chmod 0700 ${directory}`}`;

/** Whole or not at all, and on the disk. */
const put = (path: string, text: string): string =>
  `(umask 077; printf '%s' ${quote(text)} > ${quote(`${path}.new`)}) && sync ${quote(`${path}.new`)} && mv ${quote(`${path}.new`)} ${quote(path)} && sync ${quote(path)}`;

/** Of an update that is over nothing stays but the last order with its mark. */
export const orderScript = (directory: string, text: string): string =>
  `${makeDirectory(directory)} && cd ${quote(directory)} && rm -f ${fileNames.filter((name) => name !== 'order' && name !== 'ended').join(' ')} && ${put(`${directory}/order`, text)}`;

export const rowScript = (directory: string, text: string): string => put(`${directory}/row`, text);

/** Who is left out is known to every host: the own one of such a server may be gone for good. */
export const skipScript = (directory: string, lines: readonly string[]): string =>
  `if [ -d ${quote(directory)} ]; then ${put(`${directory}/skipped`, lines.map((line) => `${line}\n`).join(''))}; fi`;

export const endScript = (directory: string, id: string, how: 'done' | 'aborted'): string =>
  `if [ -d ${quote(directory)} ]; then ${put(`${directory}/ended`, `${id} ${how}\n`)}; fi`;

export interface Job {
  readonly directory: string;
  readonly id: string;
  readonly step: string;
}

const jobFiles = ['sh', 'unit', 'out', 'rc', 'begun', 'told'] as const;
type JobFile = (typeof jobFiles)[number];

export const jobSteps = ['packages', 'command', 'validate'] as const;

const kept: readonly string[] = [
  'order',
  'row',
  'ended',
  'skipped',
  ...jobSteps.flatMap((step) => jobFiles.map((end) => `${step}.${end}`)),
];

/** All that such a directory ever holds, also where a write was cut off; a teardown takes it away. */
export const fileNames: readonly string[] = [...kept, ...kept.map((name) => `${name}.new`)];

const unitOf = ({ id, step }: Job): string => `pgduet-update-${id}-${step}`;
const fileOf = ({ directory, step }: Job, end: JobFile): string => `${directory}/${step}.${end}`;
export const outputOf = (job: Job): string => fileOf(job, 'out');

/** What has to be so on the host at that moment: it is the one that was meant, and its instance leads nobody. */
export interface Guard {
  readonly machineId: string;
  readonly dataDir: string;
}

export const guardStatus = 73;

export const guardScript = ({ machineId, dataDir }: Guard): string =>
  `if [ "$(cat /etc/machine-id)" != ${quote(machineId)} ]; then echo 'this is another machine than the one that the update began with' >&2; exit ${guardStatus}; fi
if [ -e ${quote(`${dataDir}/PG_VERSION`)} ] && [ ! -e ${quote(`${dataDir}/standby.signal`)} ]; then echo 'the data directory is that of a primary' >&2; exit ${guardStatus}; fi`;

/**
 * Starts the text as a unit of its own: what is begun goes on when the connection, or pgduet, is gone, and ends by itself. Its end is written
 * by the unit; a begin without an end, and without the unit, is "not known".
 */
export function startScript(job: Job, guard: Guard, text: string): string {
  const [script, unit, output, rc, begun] = jobFiles.map((end) => fileOf(job, end)) as [
    string,
    string,
    string,
    string,
    string,
  ];
  const wrapper = sh`sh ${script} > ${output} 2>&1 < /dev/null; echo $? > ${`${rc}.new`}; sync ${`${rc}.new`}; mv ${`${rc}.new`} ${rc}`;
  return `${guardScript(guard)}
${put(script, text)} && ${put(unit, `${wrapper}\n`)} && rm -f ${quote(rc)} ${quote(fileOf(job, 'told'))} && ${put(begun, '')} || exit 1
systemd-run --quiet --collect --unit=${unitOf(job)} --setenv=HOME=/root --setenv=LC_ALL=C.UTF-8 --setenv=PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin sh ${quote(unit)}`;
}

/** Prints the steps whose unit has not ended. */
export const runningScript = (jobs: readonly Job[]): string =>
  jobs
    .map(
      (job) =>
        `case $(systemctl show -p ActiveState --value ${unitOf(job)} 2>/dev/null) in inactive|failed|'') ;; *) echo ${job.step};; esac`,
    )
    .join('\n');

/** A person has read how it ended. */
export const toldScript = (job: Job): string => put(fileOf(job, 'told'), '');

/** Waits for its end; prints "KNOWN|UNKNOWN|NONE STATUS TOLD", then the last lines of its output. */
export const waitScript = (job: Job): string => `mute=0
while [ ! -f ${quote(fileOf(job, 'rc'))} ]; do
case $(systemctl show -p ActiveState --value ${unitOf(job)} 2>/dev/null) in
inactive|failed) break;;
# systemd itself may be replaced by what runs.
'') mute=$((mute + 1)); if [ $mute -gt 150 ]; then break; fi;;
*) mute=0;;
esac
sleep 0.2; done
if [ -f ${quote(fileOf(job, 'rc'))} ]; then echo "known $(cat ${quote(fileOf(job, 'rc'))})$(if [ -f ${quote(fileOf(job, 'told'))} ]; then echo ' told'; fi)"; elif [ -f ${quote(fileOf(job, 'begun'))} ]; then echo unknown; else echo none; fi
if [ -f ${quote(fileOf(job, 'out'))} ]; then tail -n 12 ${quote(fileOf(job, 'out'))} | cut -c 1-500; fi`;

export type JobState =
  | { readonly kind: 'none' }
  | { readonly kind: 'unknown'; readonly said: readonly string[] }
  | {
      readonly kind: 'known';
      readonly status: number;
      readonly told: boolean;
      readonly said: readonly string[];
    };

export function readJob(stdout: string): JobState {
  const [first = '', ...said] = stdout.split('\n').filter((line) => line !== '');
  const [kind, status, told] = first.split(' ');
  if (kind === 'known') return { kind, status: Number(status), told: told === 'told', said };
  return kind === 'unknown' ? { kind, said } : { kind: 'none' };
}

export const rebootScript = (guard: Guard): string => `${guardScript(guard)}
sync; systemctl --no-block reboot`;
