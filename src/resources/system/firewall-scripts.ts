/** What the kind `firewall` asks a host, and does there, as shell. Pure text. */
import { quote, sh } from '../../base/shell.ts';
import type { Change } from '../contract/kind.ts';
import { makeDirectory, putFile } from '../contract/preamble.ts';
import {
  type FirewallTable,
  loaderDropIn,
  loaderUnit,
  provenFile,
  reachedFile,
  systemPath,
  tableFile,
  tableName,
  tableText,
  takenBack,
  trialTimer,
  triedFile,
} from './firewall-table.ts';
import { unitFile } from './unit-files.ts';

export interface FirewallDesired {
  readonly table: FirewallTable;
  readonly state: 'opened' | 'tried' | 'kept' | 'absent';
  /** Whether the inventory says that there is one. */
  readonly declared: boolean;
  readonly problem: string;
  /** Of an arbiter: where the clusters are that it serves. */
  readonly clusters?: string;
  /** Its PostgreSQL can be asked who is in. */
  readonly asks: boolean;
  /** A word of this run: the trial of an earlier one is taken back. */
  readonly run: string;
}

export interface FirewallChange extends Change {
  /** What stands, and who is declared besides. */
  readonly wider?: FirewallTable;
}

/** What stands in files everybody may read; what is in force is for root alone. */
export function firewallLook({ table, state, clusters }: FirewallDesired): string {
  const { name } = table;
  const here = [
    tableFile(name),
    triedFile(name),
    provenFile(name),
    reachedFile(name),
    unitFile(loaderUnit(name)),
    loaderDropIn(name),
  ];
  return `${systemPath}
rests=; for f in ${here.map(quote).join(' ')}; do if [ -e "$f" ]; then rests=yes; fi; done
${state === 'tried' ? needs('true') : state === 'absent' ? needs('[ -n "$rests" ]') : ''}
${inForce(table, state)}
if [ -n "$rests" ]; then echo rests; fi
if [ -f ${quote(triedFile(name))} ]; then echo "trial $(tail -n 1 ${quote(triedFile(name))})"; fi
${clusters === undefined ? '' : others(clusters, table.cluster)}
if [ -f ${quote(tableFile(name))} ]; then echo kept; cat ${quote(tableFile(name))}; fi
:`;
}

const needs = (when: string): string => `if ${when}; then
if [ -z "$ROOT" ]; then echo 'only root may look at the rules of a firewall' >&2; exit 1; fi
if ! command -v nft >/dev/null; then echo 'nft is not there' >&2; exit 1; fi
fi`;

/** A table without files is what a trial leaves that was broken off as it began. */
function inForce(table: FirewallTable, state: FirewallDesired['state']): string {
  if (state === 'tried') return compare(table);
  if (state !== 'absent') return 'echo live unseen';
  return `if nft list table inet ${tableName(table.name)} >/dev/null 2>&1; then echo live other; else echo live none; fi`;
}

/** The declared text becomes a table in an empty network namespace, so that this host's nft spells both. */
const compare = (table: FirewallTable): string => {
  const list = `nft -s list table inet ${tableName(table.name)}`;
  const apart = `printf '%s' "$1" | nft -f - && ${list}`;
  return `if ! live=$(${list} 2>/dev/null); then echo live none
elif ! want=$(unshare -n sh -c ${quote(apart)} sh ${quote(tableText(table))}); then echo 'the declared table could not be made in a network namespace of its own' >&2; exit 1
elif [ "$live" = "$want" ]; then echo live same; else echo live other; fi`;
};

const others = (clusters: string, own: string): string => `for o in ${quote(clusters)}/*/network.conf; do
o=\${o%/network.conf}
if [ -d "$o" ] && [ "\${o##*/}" != ${quote(own)} ]; then echo "other \${o##*/}"; fi
done`;

const directory = (): string =>
  makeDirectory({ path: '/etc/pgduet/firewall', owner: 'root', group: 'root', mode: '0755' });

const file = (path: string, content: string): string =>
  putFile({ path, owner: 'root', group: 'root', mode: '0644', content });

/** The timer, and what it would have taken back. */
const endOfTrial = (
  name: string,
): string => `systemctl --quiet stop ${quote(`${trialTimer(name)}.timer`)} 2>/dev/null || :
${removed(triedFile(name))}`;

const removed = (path: string): string => sh`acting ${path} '' rm -f ${path}`;

const trialSeconds = 90;

/** The timer first: a host that is left alone in the next moment finds back. */
function onTrial({ table, run }: FirewallDesired): string {
  const { name } = table;
  const back = `${takenBack(name)}; rm -f ${quote(triedFile(name))}`;
  return `if [ "$(cat ${quote(tableFile(name))} 2>/dev/null; echo .)" = ${quote(`${tableText(table)}.`)} ]; then nft -f ${quote(tableFile(name))}; exit; fi
${endOfTrial(name)}
${directory()}
${file(triedFile(name), `${tableText(table)}# run ${run}\n`)}
nft -c -f ${quote(triedFile(name))}
systemd-run --quiet --collect --unit=${quote(trialTimer(name))} --on-active=${trialSeconds} --timer-property=AccuracySec=1s sh -c ${quote(back)}
nft -f ${quote(triedFile(name))}`;
}

/**
 * Where the timer was first, all that was proven since is that nothing was closed. A table that is in force without one is none of a trial: keeping it
 * changes nothing.
 */
const kept = ({ table }: FirewallDesired): string => {
  const { name } = table;
  return `if ! systemctl --quiet is-active ${quote(`${trialTimer(name)}.timer`)} && [ "$(${compare(table)})" != 'live same' ]; then echo 'the trial has come to its end before it was proven; the ports are as before it. Run the same command again' >&2; exit 1; fi
${directory()}
${file(tableFile(name), tableText(table))}
${endOfTrial(name)}
nft -f ${quote(tableFile(name))}`;
};

/** A trial that nobody has kept ends; then what stands lets in who is declared. */
function widening({ table: { name } }: FirewallDesired, { wider }: FirewallChange): string {
  return `if [ -f ${quote(triedFile(name))} ]; then
${endOfTrial(name)}
{ ${takenBack(name)}; } || :
fi
${wider ? `${file(tableFile(name), tableText(wider))}\nnft -f ${quote(tableFile(name))}` : ''}`;
}

const gone = ({ table: { name } }: FirewallDesired): string => {
  const loader = unitFile(loaderUnit(name));
  return `${endOfTrial(name)}
if [ -e ${quote(loader)} ]; then systemctl --quiet --no-reload disable ${quote(loaderUnit(name))}.service; fi
${[loader, loaderDropIn(name), tableFile(name), provenFile(name), reachedFile(name)].map(removed).join('\n')}
for path in /etc/systemd/system/nftables.service.d /etc/pgduet/firewall /etc/pgduet; do
  if [ -d "$path" ] && [ -z "$(ls -A "$path")" ]; then acting "$path" '' rmdir "$path"; fi
done
systemctl daemon-reload
if nft list table inet ${tableName(name)} >/dev/null 2>&1; then nft delete table inet ${tableName(name)}; fi`;
};

export const firewallScripts: Readonly<
  Record<FirewallDesired['state'], (desired: FirewallDesired, decided: FirewallChange) => string>
> = {
  opened: widening,
  tried: onTrial,
  kept,
  absent: gone,
};
