/**
 * What a single server was before it became multiplexed, so that the way back is exact: two files. `<id>.before.json` in
 * the management directory of that server holds everything as it was. `pgduet.json` in its data directory holds the little
 * that every later run needs; base backups and pg_rewind take it along, so it says the same on every server. Both can be
 * written by the instance administrator: what may follow from them is settled in ADR 13. Pure.
 */
import { quote } from '../../base/shell.ts';
import { startDropIn } from '../contract/drop-ins.ts';

/** A file as it was. Paths are absolute. */
export interface FileBefore {
  readonly path: string;
  /** Octal, as stat prints it: "644". */
  readonly mode: string;
  /** "user:group" */
  readonly owner: string;
  /** Absent: the file was not there. */
  readonly text?: string;
}

/** A setting that multiplexing changes, as it was. */
export interface SettingBefore {
  readonly name: string;
  readonly value: string;
  /** "/etc/postgresql/15/main/postgresql.conf:64", "ALTER SYSTEM", "command line", "default". */
  readonly place: string;
  /** A line for it stood in postgresql.conf behind a '#'. */
  readonly commentedOut: boolean;
}

/** Who started the server. */
export type Starter =
  | {
      readonly kind: 'unit';
      /** With its suffix: "postgresql@15-main.service". */
      readonly unit: string;
      /** What `systemctl is-enabled` says. */
      readonly enabled: string;
    }
  /**
   * `options`: the command line of the postmaster behind the program's name, as postmaster.opts has it. `log`: the file that
   * it wrote to; absent where that was none.
   */
  | { readonly kind: 'hand'; readonly options: string; readonly log?: string };

export interface Before {
  readonly schema: 1;
  /** Seconds since 1970, by the host's clock. */
  readonly at: number;
  readonly systemIdentifier: string;
  readonly version: number;
  readonly starter: Starter;
  /** postgresql.conf as the server read it; outside of the data directory in Debian's form. */
  readonly configFile: string;
  readonly hbaFile: string;
  readonly identFile: string;
  readonly files: readonly FileBefore[];
  readonly settings: readonly SettingBefore[];
  /** Paths that pgduet makes and that were not there: they go at the way back. */
  readonly made: readonly string[];
  /** Roles with the names of ours that were there already: they stay. */
  readonly roles: readonly string[];
  /** Of a server that was one of a pair: what it was there. Absent: it was alone. */
  readonly pair?: PairBefore;
}

export interface PairBefore {
  readonly role: 'primary' | 'standby';
}

/** What provision, check and rebuild have to know of a cluster whose first server was there before it. */
export interface Adopted {
  readonly schema: 1;
  /** The server identifier of the original. */
  readonly server: string;
  /** Whether the server's log goes where pgduet says, or stays where it went before. */
  readonly logging: 'ours' | 'theirs';
  /** Settings that stood on the command line of the postmaster. */
  readonly carried: Readonly<Record<string, string>>;
  /** pg_hba.conf as it was, every byte. */
  readonly hba: string;
  /** Of a server of a pair: slots through which the standbys streamed. They are dropped meanwhile, and made again on the way back. */
  readonly slots?: readonly string[];
}

interface Place {
  readonly managementDir: string;
  readonly id: string;
}

export const beforeFile = ({ managementDir, id }: Place): string => `${managementDir}/${id}.before.json`;
export const adoptedFile = (dataDir: string): string => `${dataDir}/pgduet.json`;

/** Settings that say where the configuration is; the whole of it stands in the data directory while multiplexed. */
export const placeSettings: readonly string[] = [
  'config_file',
  'data_directory',
  'hba_file',
  'ident_file',
  'external_pid_file',
];

/** Shell: "primary", "standby" or "single" into word, as the record in $b says. */
export const roleBefore = `word=$(peek sed -n '/^ "pair": {/,/^ }/s/^  "role": "\\([a-z]*\\)".*/\\1/p' "$b" | head -n 1)
  case $word in primary | standby) ;; *) word=single;; esac`;

/** Shell: prints "before primary", "before standby" or "before single" where there is a record. */
export const beforeProbe = (place: Place): string => `b=${quote(beforeFile(place))}
if [ -f "$b" ]; then
  ${roleBefore}
  echo "before $word"
fi`;

/** As long as this file stands, the former unit or a person is in charge of the server, and not the controller. */
export const formerMark = ({ managementDir, id }: Place): string => `${managementDir}/${id}.former`;

/** What keeps a former unit from starting a server that the controller is in charge of. */
export const formerDropIn = (unit: string): string => `/etc/systemd/system/${unit}.d/${startDropIn}`;

/** "/etc/systemd/system/pg.service.d/pgduet.conf" → "pg.service" */
export const unitOfDropIn = (path: string): string => path.replace(/^.*\/([^/]+)\.d\/[^/]+$/, '$1');

/** Its line. Root alone can have written it: it confirms what a record says of the unit. */
export const formerCondition = (place: Place): string => `ConditionPathExists=${formerMark(place)}`;

/** The same for the unit of the controller: it starts nothing as long as the mark stands. */
export const guardCondition = (place: Place): string => `ConditionPathExists=!${formerMark(place)}`;

/** Shell: prints the paths of the drop-ins that ask for our mark, whichever unit they belong to. */
export const findDropIns = (place: Place): string =>
  `grep -lsxF ${quote(formerCondition(place))} /etc/systemd/system/*.d/${startDropIn}`;

/** Shell: prints "record BASE64", or "unread WHY" where something stands in its place that nobody can read. */
export const recordProbe = (place: Place): string => `r=${quote(beforeFile(place))}; record=
${recordText}`;

/** Shell: the same of the path in r. */
export const recordText = `if [ -L "$r" ] || { [ -e "$r" ] && [ ! -f "$r" ]; }; then echo 'unread it is no plain file'
elif [ -e "$r" ]; then
  if record=$(peek cat "$r"); then echo "record $(printf '%s' "$record" | base64 -w 0)"; else echo 'unread its owner may not read it'; fi
fi`;
