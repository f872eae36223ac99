/**
 * The shell of the way back to a single server. The mark `<id>.former` moves the responsibility in one act: before it the
 * controller's unit starts the server at a reboot, behind it the former unit, or a person. Every step may be done again. Pure text.
 */

import { createHash } from 'node:crypto';
import { environmentFile } from '../../base/environment-file.ts';
import { quote, sh } from '../../base/shell.ts';
import { quoteIdentifier, quoteLiteral } from '../../postgres/quote.ts';
import { startDropIn } from '../contract/drop-ins.ts';
import { outdated, type Step } from '../contract/kind.ts';
import { controllerPidFile, untilGone } from '../contract/preamble.ts';
import { haltProgram, stopServer } from '../contract/stop-server.ts';
import { type Unlocking, unlocked } from '../contract/unlock.ts';
import { mcCtlCommand } from '../controller/controller-status.ts';
import { formerCondition, formerDropIn, formerMark, guardCondition, type Starter } from '../data/record.ts';
import { checksum } from '../postgres/configuration-file.ts';
import { removeUnit, unitFile } from '../system/unit-files.ts';
import { isOfUnit, moveInto } from './control-group.ts';
import { liveSql } from './holds.ts';
import { confirmUnit } from './record-trust.ts';
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

/** Where a unit of ours finds what the server is started with besides: root's, and readable by nobody else. */
export const plainEnvironment = (unit: string): string => `/etc/default/${unit.replace(/\.service$/, '')}`;

/** A unit with a text of ours has its name from the inventory, any other one from the record. */
const confirmed = (place: SinglePlace, keeper: Keeper): string =>
  keeper.kind === 'unit' && keeper.text === undefined ? confirmUnit(place, keeper.unit) : ':';

/** Waiting for a standby that is gone would hang; nobody is there to wait for. */
export const dropStep = (place: SinglePlace, roles: readonly string[]): Step => ({
  title: 'drop the role and the slots of replication',
  script: `${liveSql(place.dataDir, place.owner)}
printf '%s' ${quote(`SET synchronous_commit = local;
SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name IN (${['', ...place.slots].map(quoteLiteral).join(', ')}) AND NOT active;
${roles.map((role) => `SELECT ${quoteLiteral(`DROP OWNED BY ${quoteIdentifier(role)}; DROP ROLE ${quoteIdentifier(role)}`)} WHERE EXISTS (SELECT FROM pg_roles WHERE rolname = ${quoteLiteral(role)}) \\gexec`).join('\n')}
`)} | live >/dev/null`,
});

export const stopStep = (
  place: Pick<SinglePlace, 'id' | 'unit' | 'managementDir' | 'mcCtl' | 'owner'>,
): Step => ({
  title: `stop the Mirroring Controller of ${place.id}, the instance goes on`,
  script: `if controller ${quote(controllerPidFile(place))}; then ${mcCtlCommand(place, 'stop --mc-only')} >&2; fi
${untilGone(place.unit && `${place.unit}.service`)}`,
});

/** A file that somebody has edited, or made, since it was looked for is not touched: all is looked at anew. */
const unchanged = (path: string, seen: SeenFile | undefined): string =>
  seen
    ? `if [ "$(peek cat ${quote(path)} | sha256sum)" != ${quote(checksum(seen.text))} ]; then exit ${outdated}; fi`
    : `if peek test -f ${quote(path)} -a ! -L ${quote(path)}; then exit ${outdated}; fi`;

const edited = 'somebody has edited one of them since the plan';

export const writeStep = (
  place: SinglePlace,
  acts: readonly FileAct[],
  seen: ReadonlyMap<string, SeenFile>,
): Step => ({
  title: `files as they are for a single server: ${acts.map(({ path }) => path).join(', ')}`,
  outdated: edited,
  script: [
    ...acts.map(({ path }) => unchanged(path, seen.get(path))),
    ...acts.map(({ path, file }) => (file ? written(place, path, file) : '')),
  ].join('\n'),
});

/** By the instance administrator, as a whole. */
const received = (
  { owner: user }: SinglePlace,
  to: string,
  { owner, text }: SeenFile,
  mode: string,
): string =>
  `printf '%s\\004' ${quote(text)} | ${sh`acting_as ${user} received place ${to} ${mode} ${owner}`}`;

/** By the instance administrator, wherever the record says that the file lies. A server must always find one that it can start with. */
function written(place: SinglePlace, path: string, file: SeenFile): string {
  const { dataDir, owner: user } = place;
  const { mode } = file;
  const whole = (to: string, bits: string): string => received(place, to, file, bits);
  if (path !== `${dataDir}/postgresql.conf`) return whole(path, mode);
  const trial = `${dataDir}/.postgresql.conf.trial`;
  return `${whole(trial, '0600')}
if ! ${sh`as ${user} "$PGBIN/postgres" -D ${dataDir} -C port -c ${`config_file=${trial}`}`} >/dev/null; then ${sh`as ${user} rm -f ${trial}`}; exit 1; fi
${sh`as ${user} rm -f ${trial}`}
${whole(path, mode)}`;
}

/** What nobody has looked into is a file of ours, or one that a base backup has left. */
export const removeStep = (
  place: SinglePlace,
  acts: readonly FileAct[],
  seen: ReadonlyMap<string, SeenFile>,
): Step => ({
  title: 'remove files that nobody reads any more',
  outdated: edited,
  script: acts
    .flatMap(({ path, keepAs, file }) => [
      ...(seen.has(path) ? [unchanged(path, seen.get(path))] : []),
      ...(keepAs ? [sh`as ${place.owner} mv -f -T ${path} ${keepAs}`] : []),
      ...(file ? [received(place, path, file, file.mode)] : []),
      ...(keepAs || file ? [] : [sh`as ${place.owner} rm -f ${path}`]),
    ])
    .join('\n'),
});

/** Systemd knows both conditions before the mark is made; from then on exactly one of the two units starts the server. */
export const markStep = (place: SinglePlace, keeper: Keeper, guarded: boolean): Step => {
  const mark = formerMark(place);
  const dropIn = keeper.kind === 'unit' ? formerDropIn(keeper.unit) : undefined;
  const guard = place.unit ? `${unitFile(place.unit)}.d/${startDropIn}` : undefined;
  const conditional = (path: string, condition: string): string =>
    sh`mkdir -p ${path.replace(/\/[^/]*$/, '')}
put ${path} 0644 root:root ${`[Unit]\n${condition}\n`}`;
  return {
    title: `${keeper.kind === 'unit' ? keeper.unit : 'a person'} is in charge of the server`,
    script: [
      confirmed(place, keeper),
      ...(dropIn
        ? [
            `if ! grep -qsxF ${quote(formerCondition(place))} ${quote(dropIn)}; then\n${conditional(dropIn, formerCondition(place))}\nfi`,
          ]
        : []),
      ...(guard && !guarded ? [conditional(guard, guardCondition(place))] : []),
      ...(keeper.kind === 'unit' && keeper.text !== undefined
        ? [
            sh`put ${`/etc/systemd/system/${keeper.unit}`} 0644 root:root ${keeper.text}
systemctl --quiet --no-reload enable ${keeper.unit}`,
            environmentMoves(place, plainEnvironment(keeper.unit)),
          ]
        : []),
      'systemctl daemon-reload',
      sh`put ${mark} 0600 ${`${place.owner}:`} ''
sync -f ${place.managementDir}`,
    ].join('\n'),
  };
};

/** What a later start of the server has to know stands in the management directory, which goes. */
const environmentMoves = (place: SinglePlace, to: string): string => {
  const from = quote(environmentFile(place));
  return `if [ -s ${from} ]; then text=$(peek cat ${from}) && put ${quote(to)} 0600 root:root "$text
"; fi`;
};

const readySeconds = 60;

/** The line that the postmaster writes into its file tells more than the unit: connections are taken. */
const untilReady = (dataDir: string): string => `n=0
until serving ${quote(dataDir)}; do
  n=$((n + 1)); if [ $n -gt ${readySeconds * 50} ]; then echo 'the server did not take connections within ${readySeconds} s' >&2; exit 1; fi
  sleep 0.02
done`;

/** A standby that has to go on as one, behind its restart: only then is the next server restarted. */
const untilFollows = (place: SinglePlace): string => `${liveSql(place.dataDir, place.owner)}
follows() { [ "$(echo "SELECT count(*) FROM pg_stat_wal_receiver WHERE status = 'streaming'" | live 2>/dev/null)" = 1 ]; }
n=0
until follows; do
  n=$((n + 1)); if [ $n -gt ${readySeconds * 10} ]; then printf '%s\\n' ${quote(`${place.id} runs and did not follow its primary within ${readySeconds} s. Commits may wait for it: see the server's log, or take its name out of synchronous_standby_names on the primary and reload`)} >&2; exit 1; fi
  sleep 0.1
done`;

type RestartPlace = SinglePlace & Unlocking;

/** Two checkpoints: the second one has little left to write, so that the shutdown is short. */
export const restartStep = (place: RestartPlace, keeper: Keeper, follows: boolean): Step => ({
  title: `restart under ${keeper.kind === 'unit' ? keeper.unit : 'pg_ctl'}`,
  // A unit that was there before opens what it needs itself.
  script: `${confirmed(place, keeper)}
${keeper.kind === 'hand' || keeper.text !== undefined ? unlocked(place) : ':'}
${liveSql(place.dataDir, place.owner)}
if [ -n "$pid" ]; then echo 'CHECKPOINT; CHECKPOINT;' | live; fi
${keeper.kind === 'unit' ? underUnit(place, keeper.unit) : byHand(place, keeper)}
${untilReady(place.dataDir)}
${follows ? untilFollows(place) : ':'}`,
});

const stopAndStart =
  'if [ -n "$1" ]; then runuser -u "$2" -- sh -c "$3" sh "$4" "$5" 600; fi; systemctl start "$6"';

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
systemd-run --quiet --collect --unit="$job" sh -c ${quote(stopAndStart)} sh "$pid" ${quote(place.owner)} ${quote(haltProgram)} "$PGBIN/pg_ctl" ${quote(place.dataDir)} ${quote(unit)} >&2
over
systemctl --quiet is-active ${quote(unit)} || { systemctl status --no-pager -n 15 ${quote(unit)} >&2; exit 1; }`;
}

const byHand = (
  place: SinglePlace,
  keeper: Extract<Starter, { kind: 'hand' }>,
): string => `if [ -n "$pid" ]; then ${stopServer(place.owner, place.dataDir, 600)}; fi
${startByHand(place, keeper)}`;

const startByHand = (place: SinglePlace, { options, log }: Extract<Starter, { kind: 'hand' }>): string =>
  `cd /
${sh`as ${place.owner} sh -c ${withEnvironment} sh ${environmentFile(place)} "$PGBIN/pg_ctl" start -s -w -D ${place.dataDir} -l ${log ?? `${place.dataDir}/startup.log`} -o ${withoutDataDir(options)}`} >&2`;

/** The file of the administrator is read as the administrator; it says what the person had set who started the server. */
const withEnvironment = 'if [ -s "$1" ]; then set -a; . "$1"; set +a; fi; shift; exec "$@"';

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
export const unitStep = (place: SinglePlace, unit: string): Step => ({
  title: `remove unit ${unit}.service`,
  script: `postmaster ${quote(place.dataDir)} || :
group=
if ${isOfUnit(unit)}; then group=$(sed -n 's/^0:://p' /proc/self/cgroup); fi
${moveInto(place)}
${removeUnit(unit)}`,
});

/**
 * Behind the end of the controller's unit: nothing but the former unit is left, so it needs no condition. That goes last: it
 * confirms the unit to a run that was interrupted here.
 */
export const releaseStep = (place: SinglePlace, keeper: Extract<Keeper, { kind: 'unit' }>): Step => ({
  title: `${keeper.unit} as it was`,
  script: `${confirmed(place, keeper)}
${released(keeper)}`,
});

const released = ({
  unit,
  enabled,
}: Extract<
  Keeper,
  { kind: 'unit' }
>): string => sh`${enabled === 'untouched' ? [':'] : ['systemctl', '--quiet', '--no-reload', enabled === 'enabled' ? 'enable' : 'disable', unit]}
rm -f ${formerDropIn(unit)}
rmdir ${`/etc/systemd/system/${unit}.d`} 2>/dev/null || :
systemctl daemon-reload`;
