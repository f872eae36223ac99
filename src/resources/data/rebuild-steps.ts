/**
 * The shell of a rebuild: stop what runs, put a copy aside, rewind, or take a base backup. The mark `<id>.making` is set
 * before the first byte is changed and taken away when all is finished, so that nothing half-made is ever started. Pure text.
 */
import type { Secret } from '../../base/secret.ts';
import { quote, sh } from '../../base/shell.ts';
import { serverConninfo } from '../../postgres/conninfo.ts';
import { pgpassLine } from '../../postgres/pgpass.ts';
import type { Step } from '../contract/kind.ts';
import { mcCtlCommand } from '../controller/controller-status.ts';
import { endMaking, makingFile } from './data-directory.ts';
import { type RebuildPlace, recordFile } from './rebuild-observation.ts';
import { basebackupProgress, copyScript } from './standby.ts';

export interface RebuildDesired extends RebuildPlace {
  readonly walDir?: string;
  readonly version: number;
  readonly mcCtl: string;
  /** Name of the server that is primary. */
  readonly primary: string;
  readonly slot: string;
  readonly rewindUser: string;
  readonly password?: Secret;
  /** A base backup in any case. */
  readonly copy: boolean;
  /** The copy that is put aside is called so, with the time behind it. */
  readonly keepAs: string;
  /** Random text of this run. */
  readonly run: string;
}

export const stopStep = (desired: RebuildDesired): Step => ({
  title: `stop the controller of ${desired.id}`,
  script: `${mcCtlCommand(desired, 'stop')} >&2
n=0
while [ -e ${quote(`${desired.managementDir}/${desired.id}.sock`)} ] && [ $n -lt 200 ]; do n=$((n + 1)); sleep 0.05; done`,
});

/**
 * `noted` tells what is remembered of this rebuild behind a first word; `remember` adds a line, in place of the one with the same
 * word. A record that cannot be read is not written anew.
 */
const remember = (desired: RebuildDesired): string => `record=${quote(recordFile(desired))}
noted() { if [ -e "$record" ]; then sed -n "s/^$1 //p" "$record"; fi; }
remember() {
others=.
if [ -e "$record" ]; then others=$(sed "/^$1 /d" "$record" && echo .) || exit 1; fi
put "$record" 0600 ${quote(`${desired.owner}:`)} "\${others%.}$1 $2
"
}`;

/** A whole copy: WAL and tablespaces that stand elsewhere are taken in. An unfinished one is made anew. */
export const keepStep = (desired: RebuildDesired): Step => ({
  title: `keep the data of ${desired.id} as it is`,
  script: `${remember(desired)}
d=${quote(desired.dataDir)}; k=${quote(`${desired.keepAs}.unfinished`)}
mkdir -p ${quote(desired.keepIn)}
rm -rf "$k"
cp -a --reflink=auto "$d" "$k"
for l in "$d"/pg_wal "$d"/pg_tblspc/*; do
  if [ -L "$l" ]; then to=$k/\${l#"$d"/}; rm -f "$to"; cp -a --reflink=auto "$(readlink -f "$l")" "$to"; fi
done
sync -f "$k"
kept=${quote(desired.keepAs)}-$(date -u +%Y%m%dT%H%M%SZ)
mv "$k" "$kept"
remember kept "$kept"
echo "kept in $kept" >&2`,
});

/** There only while pg_rewind runs; one that a killed run has left is removed by the next. */
const rewindPassfile = (desired: RebuildDesired): string =>
  `${desired.managementDir}/${desired.id}.rewind-pass`;

/** From here on what stands in the directory is expendable: it is on the primary, or in the copy that was put aside. */
const mark = (desired: RebuildDesired, what: string): string => `d=${quote(desired.dataDir)}
if postmaster "$d"; then echo "a server runs in $d (process $pid)" >&2; exit 1; fi
rm -f ${quote(rewindPassfile(desired))} "$d/postmaster.opts"
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
    script: `${remember(desired)}
${mark(desired, 'rewind')}
trap ${quote(sh`rm -f ${passfile}`)} EXIT
put ${quote(passfile)} 0600 ${quote(`${owner}:`)} ${quote(`${line}\n`)}
export PGPASSFILE=${quote(passfile)}
cp -p "$d/global/pg_control" ${quote(`${managementDir}/${id}.pg_control.before-rebuild`)}
instead() { remember why "no rewind is possible: $(printf '%s' "$1" | tr '\\n' ' ' | tail -c 300)"; put ${quote(makingFile(desired))} 0600 ${quote(`${owner}:`)} copy; exit 0; }
rewind() { as ${quote(owner)} "$PGBIN/pg_rewind" -D "$d" --source-server=${quote(source)} "$@"; }
case $("$PGBIN/pg_controldata" -D "$d" | sed -n 's/^Database cluster state: *//p') in
'shut down'*) ;;
*) # Crash recovery with its own WAL, since pg_rewind wants a server that was shut down; nobody can connect meanwhile.
  said=$(as ${quote(owner)} "$PGBIN/postgres" --single -D "$d" -c synchronous_standby_names= -c archive_mode=off -c logging_collector=off template1 </dev/null 2>&1) || instead "its crash recovery failed: $said" ;;
esac
said=$(rewind --dry-run 2>&1) || instead "$(printf '%s\\n' "$said" | grep -E 'error|fatal' | tail -n 2)"
rewind --progress >&2 || instead 'pg_rewind failed half-way'
need=$(sed -n 's/^START WAL LOCATION: .*(file \\([0-9A-F]*\\)).*/\\1/p' "$d/backup_label" 2>/dev/null)
if [ -n "$need" ] && [ ! -e "$d/pg_wal/$need" ]; then instead "the primary has removed WAL file $need"; fi
as ${quote(owner)} touch "$d/standby.signal"
rm -f "$d/postmaster.opts"
nosync=1
${endMaking(desired, owner, desired.walDir)}
${done(desired)}`,
  };
};

/** Of a tablespace the files of this version go, and the controller's disk check, the directory stays. Its place is remembered before the links are gone. */
export const copyStep = (desired: RebuildDesired): Step => ({
  title: `base backup to ${desired.dataDir}`,
  progress: basebackupProgress,
  script: `${remember(desired)}
d=${quote(desired.dataDir)}
places=$(noted tablespaces) || exit 1
places=$({ printf '%s\\n' "$places" | tr : '\\n'; for l in "$d"/pg_tblspc/*; do if [ -L "$l" ]; then readlink "$l"; fi; done; } | sort -u | grep . | tr '\\n' : || :)
if [ -n "$places" ]; then remember tablespaces "$places"; fi
${mark(desired, 'copy')}
printf '%s' "$places" | tr : '\\n' | while IFS= read -r place; do rm -rf "$place"/PG_${desired.version}_* "$place/pgsql_tmp_mc_disk_check"; done
${copyScript(desired)}
${done(desired)}`,
});
