/**
 * The table of nftables of one unit as text, and where its files are: shared by the kinds `firewall` and `reached`. A port that is not in it is not
 * judged. Pure text.
 */
import { quote } from '../../base/shell.ts';

export interface FirewallTable {
  /** Of the unit, without `.service`. */
  readonly name: string;
  readonly cluster: string;
  /** Who reaches a port: networks and addresses; `all`: it is not judged. */
  readonly ports: ReadonlyMap<string, readonly string[] | 'all'>;
}

const directory = '/etc/pgduet/firewall';

export const tableFile = (name: string): string => `${directory}/${name}.nft`;
export const triedFile = (name: string): string => `${directory}/${name}.tried`;
/** What one run has proven, until all keep their tables. */
export const reachedFile = (name: string): string => `${directory}/${name}.reached`;
export const provenFile = (name: string): string => `${directory}/${name}.proven`;
/** What loads it at boot, and behind each start and reload of a service that flushes everything. */
export const loaderUnit = (name: string): string => `${name}-firewall`;
export const loaderDropIn = (name: string): string =>
  `/etc/systemd/system/nftables.service.d/pgduet-${name}.conf`;
export const trialTimer = (name: string): string => `${name}-firewall-trial`;

/** The name of the unit holds letters, digits and underscores; a host name may hold more. */
export const tableName = (name: string): string => `pgduet_${name.replace(/[^A-Za-z0-9_]/g, '_')}`;

const isV6 = (source: string): boolean => source.includes(':');

/** An empty set lets nobody in. */
function setText(port: string, family: 4 | 6, sources: readonly string[]): string {
  const elements = sources.filter((source) => isV6(source) === (family === 6));
  return `	set port_${port}_${family} {
		type ipv${family}_addr
		flags interval
		auto-merge
${elements.length > 0 ? `		elements = { ${elements.join(', ')} }\n` : ''}	}
`;
}

/** Only what begins a connection is judged: what stands goes on, and the kernel has to follow no connection. */
const ruleText = (port: string, family: 4 | 6): string =>
  `		tcp dport ${port} tcp flags & (fin | syn | rst | ack) == syn ${family === 4 ? 'ip' : 'ip6'} saddr != @port_${port}_${family} counter drop\n`;

/** In place of the table that is there, at once. */
export function tableText({ name, cluster, ports }: FirewallTable): string {
  const table = `table inet ${tableName(name)}`;
  const judged = [...ports].flatMap(([port, sources]) =>
    sources === 'all' ? [] : [{ port, sources: [...new Set(sources)] }],
  );
  const head = judged.map(({ port, sources }) => `# port ${port}: ${sources.join(' ')}\n`).join('');
  return `# Written by pgduet for the cluster ${cluster}.
${head}${table}
delete ${table}
${table} {
${judged.flatMap(({ port, sources }) => [setText(port, 4, sources), setText(port, 6, sources)]).join('')}	chain input {
		type filter hook input priority -5; policy accept;
		iif "lo" accept
${judged.flatMap(({ port }) => [ruleText(port, 4), ruleText(port, 6)]).join('')}	}
}
`;
}

/** What a file of ours lets in; undefined where it is no such text. */
export function readTable(name: string, text: string): FirewallTable | undefined {
  const cluster = /^# Written by pgduet for the cluster (\S+)\.\n/.exec(text)?.[1];
  if (cluster === undefined) return undefined;
  const lines = [...text.matchAll(/^# port (\d+): ?(.*)$/gm)];
  const ports = lines.map(
    ([, port = '', sources = '']) => [port, sources.split(' ').filter((word) => word !== '')] as const,
  );
  return { name, cluster, ports: new Map(ports) };
}

/** Who is declared and not let in by a table that stands, by port; a port that it does not judge is open. */
export function missingIn(
  kept: FirewallTable,
  { ports }: FirewallTable,
): ReadonlyMap<string, readonly string[]> {
  const missing = new Map<string, readonly string[]>();
  for (const [port, sources] of kept.ports) {
    const declared = ports.get(port) ?? [];
    const more =
      sources === 'all'
        ? []
        : declared === 'all'
          ? ['everybody']
          : declared.filter((one) => !sources.includes(one));
    if (more.length > 0) missing.set(port, more);
  }
  return missing;
}

/** A table that stands, and who is declared besides. Nobody is kept out by it who was not before. */
export const widened = (kept: FirewallTable, declared: FirewallTable): FirewallTable => ({
  ...kept,
  ports: new Map(
    [...kept.ports].map(([port, sources]) => {
      const more = declared.ports.get(port) ?? [];
      return [port, sources === 'all' || more === 'all' ? 'all' : [...sources, ...more]] as const;
    }),
  ),
});

/** Shell: the programs of the system administrator are in the way of everybody. */
export const systemPath = 'PATH="$PATH:/usr/sbin:/sbin"';

/** Shell: what was before is there again, and nothing of a trial. */
export const takenBack = (name: string): string =>
  `if [ -f ${quote(tableFile(name))} ]; then nft -f ${quote(tableFile(name))}; else nft delete table inet ${tableName(name)}; fi`;
