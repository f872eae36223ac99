/** The rows that a controller shows in the file that it renews at every heartbeat, above all that of its own server. Reading starts no program. Pure. */
import { quote } from '../../base/shell.ts';
import { absent, type Observed, type ProbeReply, present, unknown } from '../../resources/contract/kind.ts';

/** Fields that a controller of an earlier version does not show are missing. */
export interface Row {
  readonly server_id?: string;
  readonly disk_status?: string;
  readonly quiet_references?: readonly string[];
  readonly longest_silences_ms?: readonly number[];
  readonly silences_watched_s?: number;
}

const staleSeconds = 120;

/** Nothing where the file is older than two minutes: its controller does not run, which is a finding of its own. */
export function statusFileProbe(managementDir: string, server: string): string {
  const file = quote(`${managementDir}/${server}.status.json`);
  return `written=$(stat -c %.3Y ${file} 2>/dev/null) || written=0
if [ $((\${now:-$(date +%s)} - \${written%.*})) -lt ${staleSeconds} ]; then fresh_text ${file} "$written"; fi`;
}

export function readOwnRow(reply: ProbeReply, server: string): Observed<Row> {
  const rows = readRows(reply);
  return rows.state === 'present'
    ? present(rows.value.find(({ server_id }) => server_id === server) ?? {})
    : rows;
}

export function readRows(reply: ProbeReply): Observed<readonly Row[]> {
  if (reply.status !== 0) return unknown(reply.stderr.trim() || 'the status file could not be read');
  if (reply.stdout.trim() === '') return absent;
  try {
    const { servers } = JSON.parse(reply.stdout) as { servers?: readonly Row[] };
    return present(servers ?? []);
  } catch (error) {
    if (error instanceof SyntaxError) return unknown('the status file is no JSON');
    throw error;
  }
}
