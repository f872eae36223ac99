/**
 * The shell of a rebuild: stop what runs, put a copy aside, rewind, or take a base backup. The mark `<id>.making` is set
 * before the first byte is changed and taken away when all is finished, so that nothing half-made is ever started. Pure text.
 */
import type { Secret } from '../../base/secret.ts';
import { quote, sh } from '../../base/shell.ts';
import { serverConninfo } from '../../postgres/conninfo.ts';
import { pgpassLine } from '../../postgres/pgpass.ts';
import { outdated, type Step } from '../contract/kind.ts';
import { type Unlocking, unlocked } from '../contract/unlock.ts';
import { mcCtlCommand } from '../controller/controller-status.ts';
import { makingFile } from './data-directory.ts';
import { placeFunctions } from './data-places.ts';
import { endMaking } from './making.ts';
import { wipeFunctions } from './own-files.ts';
import { type RebuildPlace, recordFile, stillKnownFunction } from './rebuild-observation.ts';
import { basebackupProgress, copyScript } from './standby.ts';

export interface RebuildDesired extends RebuildPlace, Unlocking {
  readonly mcCtl: string;
  /** Name of the server that is primary. */
  readonly primary: string;
  readonly slot: string;
  readonly rewindUser: string;
  readonly password?: Secret;
  /** What the primary's data directory holds besides PostgreSQL's own. */
  readonly same?: readonly string[];
  /** Settings as the rebuilt server will start with them. */
  readonly configuration?: Readonly<Record<string, string>>;
  /** Libraries that a package brings before. */
  readonly brought?: readonly string[];
  /** A base backup in any case. */
  readonly copy: boolean;
  /** The copy that is put aside is called so, with the time behind it. */
  readonly keepAs: string;
  /** Random text of this run. */
  readonly run: string;
}

/** In place of words of the shell's own, which stand behind the plan that is made then. */
const changed = 'its data is not what it was at the plan';

/** A person may have promoted the standby since the plan: it goes on, and the next look says that there are two primaries. */
export const stopStep = (
  desired: RebuildDesired,
  planned: { readonly keep: boolean; readonly standby: boolean },
): Step => ({
  title: `stop the controller of ${desired.id}`,
  outdated: changed,
  script: `${planned.standby ? sh`if [ ! -e ${`${desired.dataDir}/standby.signal`} ]; then echo "it is no standby any more" >&2; exit ${outdated}; fi` : ':'}
${planned.keep ? ':' : stillKnown(desired)}
${mcCtlCommand(desired, 'stop')} >&2
n=0
while [ -e ${quote(`${desired.managementDir}/${desired.id}.sock`)} ] && [ $n -lt 200 ]; do n=$((n + 1)); sleep 0.05; done`,
});

/**
 * `noted` tells what is remembered of this rebuild behind a first word; `remember` adds a line, in place of the one with the same
 * word. A record that cannot be read is not written anew.
 */
const remember = (desired: RebuildDesired): string => `record=${quote(recordFile(desired))}
noted() { if [ -e "$record" ]; then peek sed -n "s/^$1 //p" "$record"; fi; }
remember() {
others=.
if [ -e "$record" ]; then others=$(peek sed "/^$1 /d" "$record" && echo .) || exit 1; fi
put "$record" 0600 ${quote(`${desired.owner}:`)} "\${others%.}$1 $2
"
}
noted kept >/dev/null || exit 1`;

/** Ends the step as outdated unless what was true in the plan is true still. */
const stillKnown = (desired: RebuildDesired): string => `${remember(desired)}
d=${quote(desired.dataDir)}
${wipeFunctions(desired)}
${placeFunctions(desired)}
${stillKnownFunction(desired)}
still_known`;

/** As the administrator, who may read all of it: links lead only to what he may see. */
const copyOf = `set -e; d=$1; k=$2
cp -a --reflink=auto "$d/." "$k/"
for l in "$d"/pg_wal "$d"/pg_tblspc/*; do
  if [ -L "$l" ]; then to=$k/\${l#"$d"/}; from=$(readlink -e "$l"); rm -f "$to"; mkdir "$to"; cp -a --reflink=auto "$from/." "$to/"; fi
done`;

/**
 * A whole copy, of the real directories: WAL and tablespaces that stand elsewhere are taken in. An unfinished one is made anew. Only
 * one that is proven to be whole gets its name.
 */
export const keepStep = (desired: RebuildDesired): Step => ({
  title: `keep the data of ${desired.id} as it is`,
  script: `${remember(desired)}
d=${quote(desired.dataDir)}; k=${quote(`${desired.keepAs}.unfinished`)}
act() { acting "$k" ${quote(desired.owner)} "$@"; }
if postmaster "$d"; then echo "a server runs in $d (process $pid)" >&2; exit 1; fi
real=$(readlink -e "$d") || { echo "$d leads nowhere" >&2; exit 1; }
if { [ -L "$real/pg_wal" ] || [ -e "$real/pg_wal" ]; } && ! peek ls -A "$real/pg_wal/" | grep -qxE '[0-9A-F]{24}'; then echo "no WAL is in $d/pg_wal: is a disk not mounted?" >&2; exit 1; fi
act mkdir -p ${quote(desired.keepIn)}
if [ -L "$k" ]; then act rm -f "$k"; elif [ -d "$k" ]; then as ${quote(desired.owner)} find "$k/" -xdev -mindepth 1 -delete; act rmdir "$k"; fi
act mkdir -m 0700 "$k"
act chown -h ${quote(`${desired.owner}:`)} "$k"
as ${quote(desired.owner)} sh -c ${quote(copyOf)} sh "$real" "$k"
sync -f "$k"
amount() { as ${quote(desired.owner)} find "$@" -type f -printf '%s\\n' | awk '{ n++; b += $1 } END { printf "%d files, %.0f bytes", n, b }'; }
was=$(amount -L "$real/"); is=$(amount "$k/")
links=$(as ${quote(desired.owner)} find "$k" -type l)
state=$(peek "$PGBIN/pg_controldata" -D "$k") || { echo "$k is no copy: its control file cannot be read" >&2; exit 1; }
if [ "$was" != "$is" ] || [ -n "$links" ] || [ "$state" != "$(peek "$PGBIN/pg_controldata" -D "$real")" ] || ! peek cmp "$k/global/pg_control" "$real/global/pg_control"; then
  echo "$k is not the same as $d: $is, not $was" >&2; exit 1
fi
kept=${quote(desired.keepAs)}-$(date -u +%Y%m%dT%H%M%SZ)
act mv -T "$k" "$kept"
remember kept "$kept"
echo "kept in $kept" >&2`,
});

/** There only while pg_rewind runs; one that a killed run has left is removed by the next. */
const rewindPassfile = (desired: RebuildDesired): string =>
  `${desired.managementDir}/${desired.id}.rewind-pass`;

/** From here on what stands in the directory is expendable: it is on the primary, or in the copy that was put aside. */
const mark = (desired: RebuildDesired, what: string): string => `d=${quote(desired.dataDir)}
if postmaster "$d"; then echo "a server runs in $d (process $pid)" >&2; exit 1; fi
as ${quote(desired.owner)} rm -f ${quote(rewindPassfile(desired))} "$d/postmaster.opts"
put ${quote(makingFile(desired))} 0600 ${quote(`${desired.owner}:`)} ${what}
sync -f ${quote(desired.managementDir)}`;

const done = (desired: RebuildDesired): string => `kept=$(noted kept) || exit 1
put "$record" 0600 ${quote(`${desired.owner}:`)} "done ${desired.run}
\${kept:+was-kept $kept
}"`;

export const rewindStep = (desired: RebuildDesired): Step => {
  const { owner, dataDir, managementDir, id } = desired;
  const passfile = rewindPassfile(desired);
  const source = serverConninfo({ ...desired, user: desired.rewindUser }, 'pgduet_rewind', {
    dbname: 'postgres',
    connect_timeout: 10,
    ...desired.demands,
  });
  const line = desired.password
    ? pgpassLine({
        host: desired.host,
        port: String(desired.port),
        database: 'postgres',
        user: desired.rewindUser,
        password: desired.password,
      })
    : '';
  return {
    title: `pg_rewind of ${dataDir}`,
    progress: basebackupProgress,
    outdated: changed,
    script: `${stillKnown(desired)}
only_own
${unlocked(desired)}
${mark(desired, 'rewind')}
trap ${quote(sh`as ${owner} rm -f ${passfile}`)} EXIT
put ${quote(passfile)} 0600 ${quote(`${owner}:`)} ${quote(`${line}\n`)}
export PGPASSFILE=${quote(passfile)}
${sh`as ${owner} cp -pT --remove-destination ${`${dataDir}/global/pg_control`} ${`${managementDir}/${id}.pg_control.before-rebuild`}`}
instead() { remember why "no rewind is possible: $(printf '%s' "$1" | tr '\\n' ' ' | tail -c 300)"; put ${quote(makingFile(desired))} 0600 ${quote(`${owner}:`)} copy; exit 0; }
rewind() { as ${quote(owner)} "$PGBIN/pg_rewind" -D "$d" --source-server=${quote(source)} "$@"; }
case $(peek "$PGBIN/pg_controldata" -D "$d" | sed -n 's/^Database cluster state: *//p') in
'shut down'*) ;;
*) # Crash recovery with its own WAL, since pg_rewind wants a server that was shut down; nobody can connect meanwhile.
  said=$(as ${quote(owner)} "$PGBIN/postgres" --single -D "$d" -c synchronous_standby_names= -c archive_mode=off -c logging_collector=off template1 </dev/null 2>&1) || instead "its crash recovery failed: $said" ;;
esac
said=$(rewind --dry-run 2>&1) || instead "$(printf '%s\\n' "$said" | grep -E 'error|fatal' | tail -n 2)"
rewind --progress >&2 || instead 'pg_rewind failed half-way'
need=
# There is none where nothing was to rewind.
if [ -e "$d/backup_label" ]; then need=$(peek sed -n 's/^START WAL LOCATION: .*(file \\([0-9A-F]*\\)).*/\\1/p' "$d/backup_label"); fi
if [ -n "$need" ] && [ ! -e "$d/pg_wal/$need" ]; then instead "the primary has removed WAL file $need"; fi
as ${quote(owner)} touch "$d/standby.signal"
as ${quote(owner)} rm -f "$d/postmaster.opts"
nosync=1
${endMaking(desired, owner, desired.walDir)}
${done(desired)}`,
  };
};

/**
 * All of its places are looked at again before the mark is set; from then on they are emptied, as often as it takes.
 */
export const copyStep = (desired: RebuildDesired, system?: string): Step => ({
  title: `base backup to ${desired.dataDir}`,
  progress: basebackupProgress,
  outdated: changed,
  script: `${stillKnown(desired)}
only_own
${sh`as ${desired.owner} rm -f ${rewindPassfile(desired)}`}
if [ ! -e "$making" ]; then
${mark(desired, 'copy')}
fi
${copyScript({ ...desired, systemIdentifier: system })}
${done(desired)}`,
});
