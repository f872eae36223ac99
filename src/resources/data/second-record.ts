/**
 * The second record: what a server was before pgduet, once more, in its data directory, for the day on which the management directory is lost
 * (ADR 25). A copy or a rewind takes it to other servers, so its name says whose it is: the server, and the machine on which it was written. Pure text.
 */
import { quote, sh } from '../../base/shell.ts';
import { beforeFile, recordText, roleBefore } from './record.ts';

interface Place {
  readonly dataDir: string;
  readonly managementDir: string;
  readonly id: string;
}

/** Of this server, on whichever machine. */
const begins = ({ id }: Place): string => `pgduet.before.${id}.`;

/**
 * Defines `second_record`, which puts the path of the second record on this machine into second; it is empty where the machine has no number of
 * its own. Of the number a sum is told, and of that a part: it is nobody else's business. And `any_record`: one is there, of this machine or of another one.
 */
export const secondRecordFunctions = (place: Place): string => `second_record() {
  second=
  if { read -r second; } 2>/dev/null < /etc/machine-id && [ -n "$second" ]; then
    second=$(printf %s "$second" | sha256sum)
    second=${quote(`${place.dataDir}/${begins(place)}`)}\${second%"\${second#????????????}"}.json
  fi
}
any_record() { case $line_end$(listing ${quote(place.dataDir)}) in *"$line_end"${quote(begins(place))}*) ;; *) return 1;; esac; }`;

/** Shell: prints "second primary", "second standby" or "second single" where the record is not there, and the second one is. */
export const secondProbe = (place: Place): string => `${secondRecordFunctions(place)}
b=${quote(beforeFile(place))}
if [ ! -e "$b" ] && [ ! -L "$b" ] && any_record; then
  second_record; b=$second
  if [ -f "$b" ] && [ ! -L "$b" ]; then
  ${roleBefore}
  echo "second $word"
  fi
fi`;

/** Shell: prints of the second record what `recordProbe` prints of the first, each word with "second" in front. */
export const secondText = `r=$second
( ${recordText} ) | sed 's/^/second/'`;

/** Shell, for a step: writes it. */
export const putSecond = (
  place: Place,
  owner: string,
  content: string,
): string => `${secondRecordFunctions(place)}
second_record
if [ -n "$second" ]; then put "$second" 0600 ${quote(`${owner}:`)} ${quote(content)}; fi`;

/** Shell, for a step: none is left, of whichever server and machine. */
export const dropSeconds = ({ dataDir }: Pick<Place, 'dataDir'>, owner: string): string =>
  sh`as ${owner} sh -c ${'cd "$1" && rm -f ./pgduet.before.*.json'} sh ${dataDir}`;
