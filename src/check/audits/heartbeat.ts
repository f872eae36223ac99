/**
 * Whether the time to give up has room above the silences that the controllers have measured, as each shows it in the file that it
 * renews at every heartbeat; and whether shorter times had. Pure.
 */
import { giveUpMs, type Heartbeat } from '../../base/heartbeat.ts';
import { formatDuration } from '../../base/units.ts';
import { serverOn } from '../../inventory/cluster.ts';
import { hasRoom, timesOfProfile } from '../../inventory/heartbeat.ts';
import { type ProbeReply, present } from '../../resources/contract/kind.ts';
import type { Audit, AuditContext } from '../audit.ts';
import type { Reported } from '../finding.ts';
import { readRows, statusFileProbe } from './status-file.ts';

/** What a controller has measured of another server. */
interface Measured {
  readonly server: string;
  /** The longest first. */
  readonly silencesMs: readonly number[];
  readonly watchedSeconds: number;
}

type Silences = readonly Measured[];

/** Before so long was watched nobody is told to be quicker. */
const hourSeconds = 3600;
/** One or two may be accidents; the third longest silence is how a server answers. */
const telling = 2;

export const heartbeat: Audit<Silences> = {
  name: 'the silences that the controllers have measured',
  probe: ({ name, multiplexing }) => ({ shell: statusFileProbe(multiplexing.managementDir, name) }),
  read: (reply: ProbeReply, { name }) => {
    const rows = readRows(reply);
    return rows.state === 'present'
      ? present(
          rows.value
            .filter(({ server_id }) => server_id !== name)
            .map((row) => ({
              server: row.server_id ?? '',
              silencesMs: row.longest_silences_ms ?? [],
              watchedSeconds: row.silences_watched_s ?? 0,
            })),
        )
      : rows;
  },
  judge: (context, seen) => {
    const narrow = [...seen].flatMap(([host, silences]) => tooLittleRoom(context, host, silences));
    return narrow.length > 0 ? narrow : roomForFast(context, seen);
  },
};

const givenUp = (times: Heartbeat): string => `given up after ${formatDuration(giveUpMs(times))}`;

function tooLittleRoom({ cluster }: AuditContext, host: string, silences: Silences): readonly Reported[] {
  const times = serverOn(cluster, host)?.multiplexing.heartbeat;
  if (!times) return [];
  return silences.flatMap(({ server, silencesMs }): Reported[] => {
    const third = silencesMs[telling];
    if (third === undefined || hasRoom(times, third, times)) return [];
    const normal = timesOfProfile('normal');
    const words = silencesMs.map((ms) => (ms / 1000).toFixed(1)).join(', ');
    const room = hasRoom(normal, third, times) ? 'has' : 'has no';
    return [
      {
        code: 'CTL011',
        host,
        object: server,
        declared: `${givenUp(times)} of silence, half of it as room`,
        found: `silent for ${words} s in the last hours; heartbeat: normal ${room} room for that`,
      },
    ];
  });
}

/** Said where nobody has chosen the times, once every server has measured every other one for an hour. */
function roomForFast({ cluster }: AuditContext, seen: ReadonlyMap<string, Silences>): readonly Reported[] {
  const [first] = cluster.servers;
  const all = [...seen.values()].flat();
  const whole = cluster.servers.length * (cluster.servers.length - 1);
  if (!first || first.multiplexing.heartbeatChosen || first.multiplexing.failover === 'manual') return [];
  if (all.length < whole || all.some(({ watchedSeconds }) => watchedSeconds < hourSeconds)) return [];
  const { heartbeat: times } = first.multiplexing;
  const fast = timesOfProfile('fast');
  const longest = Math.max(...all.map(({ silencesMs }) => silencesMs[0] ?? Number.POSITIVE_INFINITY));
  if (!hasRoom(fast, longest, times)) return [];
  return [
    {
      code: 'CTL012',
      host: null,
      object: 'heartbeat',
      declared: `a silent server is ${givenUp(times)}`,
      found: `no silence was longer than ${formatDuration(longest)}: heartbeat: fast (${formatDuration(giveUpMs(fast))}) has room for that`,
    },
  ];
}
