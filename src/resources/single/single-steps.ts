/**
 * The shell of the way back to a single server. The mark `<id>.former` moves the responsibility in one act: before it the
 * controller's unit starts the server at a reboot, behind it the former unit, or a person. Every step may be done again. Pure text.
 */

import { createHash } from 'node:crypto';
import { quote, sh } from '../../base/shell.ts';
import { quoteIdentifier, quoteLiteral } from '../../postgres/quote.ts';
import { outdated, type Step } from '../contract/kind.ts';
import { controllerPidFile, untilGone } from '../contract/preamble.ts';
import { mcCtlCommand } from '../controller/controller-status.ts';
import { formerDropIn, formerMark, type Starter } from '../data/record.ts';
import { removeUnit, unitFile } from '../system/unit-files.ts';
import { liveSql } from './holds.ts';
import type { FileAct } from './single-files.ts';
import type { SeenFile, SinglePlace } from './single-observation.ts';

/** Who is in charge of the server from now on. */
export type Keeper =
  | {
      readonly kind: 'unit';
      readonly unit: string;
      /** What `systemctl is-enabled` has to say; other words than these two are left as they are. */
      readonly enabled: 'enabled' | 'disabled' | 'untouched';
      /** Its text, where it is ours to write. */
      readonly text?: string;
    }
  | Extract<Starter, { kind: 'hand' }>;

/** Waiting for a standby that is gone would hang; nobody is there to wait for. */
export const dropStep = (place: SinglePlace, roles: readonly string[]): Step => ({
  title: 'drop the role and the slots of replication',
  script: `${liveSql(place.dataDir, place.owner)}
printf '%s' ${quote(`SET synchronous_commit = local;
SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name IN (${['', ...place.slots].map(quoteLiteral).join(', ')}) AND NOT active;
${roles.map((role) => `SELECT ${quoteLiteral(`DROP OWNED BY ${quoteIdentifier(role)}; DROP ROLE ${quoteIdentifier(role)}`)} WHERE EXISTS (SELECT FROM pg_roles WHERE rolname = ${quoteLiteral(role)}) \\gexec`).join('\n')}
`)} | live >/dev/null`,
});

export const stopStep = (place: SinglePlace): Step => ({
  title: `stop the Mirroring Controller of ${place.id}, the instance goes on`,
  script: `if controller ${quote(controllerPidFile(place))}; then ${mcCtlCommand(place, 'stop --mc-only')} >&2; fi
${untilGone(place.unit && `${place.unit}.service`)}`,
});

const sum = (text: string): string => `${createHash('sha256').update(text).digest('hex')}  -`;

/** A file that somebody has edited since it was seen is not touched: all is looked at anew. */
const unchanged = (path: string, seen: SeenFile | undefined): string =>
  seen ? `if [ "$(sha256sum < ${quote(path)})" != ${quote(sum(seen.text))} ]; then exit ${outdated}; fi` : '';

export const writeStep = (
  place: SinglePlace,
  acts: readonly FileAct[],
  seen: ReadonlyMap<string, SeenFile>,
): Step => ({
  title: `files as they are for a single server: ${acts.map(({ path }) => path).join(', ')}`,
  script: [
    ...acts.map(({ path }) => unchanged(path, seen.get(path))),
    ...acts.map(({ path, file }) => {
      if (!file) return '';
      const trial = `${place.dataDir}/.postgresql.conf.trial`;
      const owner = file.owner;
      if (path !== `${place.dataDir}/postgresql.conf`)
        return sh`put ${path} ${file.mode} ${owner} ${file.text}`;
      // A server must always find a file that it can start with.
      return sh`put ${trial} 0600 ${`${place.owner}:`} ${file.text}
if ! as ${place.owner} "$PGBIN/postgres" -D ${place.dataDir} -C port -c ${`config_file=${trial}`} >/dev/null; then rm -f ${trial}; exit 1; fi
rm -f ${trial}
put ${path} ${file.mode} ${owner} ${file.text}`;
    }),
  ].join('\n'),
});

export const removeStep = (acts: readonly FileAct[]): Step => ({
  title: 'remove files that nobody reads any more',
  script: acts
    .map(({ path, keepAs }) => (keepAs ? sh`mv -f ${path} ${keepAs}` : sh`rm -f ${path}`))
    .join('\n'),
});

/** Systemd knows both conditions before the mark is made; from then on exactly one of the two units starts the server. */
export const markStep = (place: SinglePlace, keeper: Keeper, guarded: boolean): Step => {
  const mark = formerMark(place);
  const dropIn = keeper.kind === 'unit' ? formerDropIn(keeper.unit) : undefined;
  const guard = place.unit ? `${unitFile(place.unit)}.d/pgduet.conf` : undefined;
  const conditional = (path: string, condition: string): string =>
    sh`mkdir -p ${path.replace(/\/[^/]*$/, '')}
put ${path} 0644 root:root ${`[Unit]\nConditionPathExists=${condition}\n`}`;
  return {
    title: `${keeper.kind === 'unit' ? keeper.unit : 'a person'} is in charge of the server`,
    script: [
      ...(dropIn ? [`if [ ! -e ${quote(dropIn)} ]; then\n${conditional(dropIn, mark)}\nfi`] : []),
      ...(guard && !guarded ? [conditional(guard, `!${mark}`)] : []),
      ...(keeper.kind === 'unit' && keeper.text !== undefined
        ? [
            sh`put ${`/etc/systemd/system/${keeper.unit}`} 0644 root:root ${keeper.text}
systemctl --quiet --no-reload enable ${keeper.unit}`,
          ]
        : []),
      'systemctl daemon-reload',
      sh`put ${mark} 0600 ${`${place.owner}:`} ''
sync -f ${place.managementDir}`,
    ].join('\n'),
  };
};

const readySeconds = 60;

/** The line that the postmaster writes into its file tells more than the unit: connections are taken. */
const untilReady = (dataDir: string): string => `n=0
until [ "$(sed -n 8p ${quote(`${dataDir}/postmaster.pid`)} 2>/dev/null | tr -d ' ')" = ready ]; do
  n=$((n + 1)); if [ $n -gt ${readySeconds * 50} ]; then echo 'the server did not take connections within ${readySeconds} s' >&2; exit 1; fi
  sleep 0.02
done`;

/** Two checkpoints: the second one has little left to write, so that the shutdown is short. */
export const restartStep = (place: SinglePlace, keeper: Keeper): Step => ({
  title: `restart under ${keeper.kind === 'unit' ? keeper.unit : 'pg_ctl'}`,
  script: `${liveSql(place.dataDir, place.owner)}
if [ -n "$pid" ]; then echo 'CHECKPOINT; CHECKPOINT;' | live; fi
${keeper.kind === 'unit' ? underUnit(place, keeper.unit) : byHand(place, keeper)}
${untilReady(place.dataDir)}`,
});

const stopAndStart =
  'if [ -n "$1" ]; then runuser -u "$2" -- "$3" stop -s -w -t 600 -m fast -D "$4"; fi; systemctl start "$5"';

/**
 * The stop and the start belong together: a unit of its own does both, so that a connection that breaks in between, or a run
 * that is killed, leaves no server that is down.
 */
function underUnit(place: SinglePlace, unit: string): string {
  const job = `pgduet-restart-${createHash('sha256').update(place.dataDir).digest('hex').slice(0, 8)}`;
  return `job=${quote(job)}
over() { n=0; while systemctl --quiet is-active "$job"; do n=$((n + 1)); if [ $n -gt 30000 ]; then echo "$job does not end" >&2; exit 1; fi; sleep 0.02; done; }
over
postmaster ${quote(place.dataDir)} || :
systemctl reset-failed "$job" ${quote(unit)} 2>/dev/null || :
systemd-run --quiet --collect --unit="$job" sh -c ${quote(stopAndStart)} sh "$pid" ${quote(place.owner)} "$PGBIN/pg_ctl" ${quote(place.dataDir)} ${quote(unit)} >&2
over
systemctl --quiet is-active ${quote(unit)} || { systemctl status --no-pager -n 15 ${quote(unit)} >&2; exit 1; }`;
}

const byHand = (
  place: SinglePlace,
  keeper: Extract<Starter, { kind: 'hand' }>,
): string => `if [ -n "$pid" ]; then ${sh`as ${place.owner} "$PGBIN/pg_ctl" stop -s -w -t 600 -m fast -D ${place.dataDir}`} >&2; fi
${startByHand(place, keeper)}`;

const startByHand = (place: SinglePlace, { options, log }: Extract<Starter, { kind: 'hand' }>): string =>
  `cd /
${sh`as ${place.owner} "$PGBIN/pg_ctl" start -s -w -D ${place.dataDir} -l ${log ?? `${place.dataDir}/startup.log`} -o ${withoutDataDir(options)}`} >&2`;

/** As postmaster.opts has them, each in double quotes; pg_ctl adds the data directory itself. */
export const withoutDataDir = (options: string): string =>
  options
    .trim()
    .replace(/"-D"\s+"[^"]*"\s*/g, '')
    .trim();

export const reloadStep = (place: SinglePlace): Step => ({
  title: 'reload PostgreSQL',
  script: `${liveSql(place.dataDir, place.owner)}
loaded() { echo 'SELECT pg_conf_load_time()' | live; }
before=$(loaded)
${sh`as ${place.owner} "$PGBIN/pg_ctl" reload -s -D ${place.dataDir}`}
n=0
while [ "$(loaded)" = "$before" ] && [ $n -lt 100 ]; do sleep 0.05; n=$((n + 1)); done`,
});

/**
 * A server that goes on without a restart belongs to the controller's unit until here. It moves to where it would be had a
 * person started it in this login: a control group keeps the name of its unit as long as one process is in it.
 */
export const unitStep = ({ dataDir }: SinglePlace, unit: string): Step => ({
  title: `remove unit ${unit}.service`,
  script: `postmaster ${quote(dataDir)} || :
group=$(sed -n 's/^0:://p' /proc/self/cgroup)
move() { for p in "$@"; do echo "$p" > "/sys/fs/cgroup$group/cgroup.procs" 2>/dev/null || :; done; }
if [ -n "$pid" ] && grep -q ${quote(`/${unit}.service$`)} "/proc/$pid/cgroup" && [ -w "/sys/fs/cgroup$group/cgroup.procs" ]; then
  move "$pid" $(pgrep -P "$pid")
  move $(pgrep -P "$pid")
fi
${removeUnit(unit)}`,
});

/** Behind the end of the controller's unit: nothing but the former unit is left, so it needs no condition. */
export const releaseStep = ({ unit, enabled }: Extract<Keeper, { kind: 'unit' }>): Step => ({
  title: `${unit} as it was`,
  script: sh`rm -f ${formerDropIn(unit)}
rmdir ${`/etc/systemd/system/${unit}.d`} 2>/dev/null || :
${enabled === 'untouched' ? [':'] : ['systemctl', '--quiet', '--no-reload', enabled === 'enabled' ? 'enable' : 'disable', unit]}
systemctl daemon-reload`,
});
