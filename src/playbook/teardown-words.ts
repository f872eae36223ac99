/** The words of a teardown: who is kept, who goes, and what was seen of their data. Values for playbooks, no judgement. Pure. */
import type { Server } from '../inventory/cluster.ts';
import type { View } from '../observe/survey.ts';
import type { ServerWords } from './words.ts';

/** A server that goes, and how far its data reaches. Empty where there is no data, or what is there is unfinished. */
export interface DroppedWords extends ServerWords {
  readonly systemIdentifier: string;
  readonly position: string;
  readonly timeline: string;
  readonly runs: boolean;
}

export interface TeardownWords {
  /** This server goes. */
  readonly drops: boolean;
  /** It goes when all others are gone. */
  readonly last: boolean;
  readonly keepData: boolean;
  readonly allData: boolean;
  /** The server that stays is not primary yet. */
  readonly switches: boolean;
  /** The roles change, or have just been changed: the others have to follow before one is stopped. */
  readonly settles: boolean;
  /** Of the data of the server that stays; empty as long as it is not known. */
  readonly systemIdentifier: string;
  /** It runs, and is no standby. */
  readonly serves: boolean;
  /** The server that stays is down, and no other one can have become primary: all of them are stopped standbys, or gone. */
  readonly revives: boolean;
  /** Settings that clients rely on: they stay where there was no single server before. */
  readonly staying: readonly string[];
  /** Shell text that succeeds as long as another cluster of this machine has a controller. */
  readonly othersNeedIt: string;
}

const relied = ['listen_addresses', 'port', 'unix_socket_directories', 'password_encryption'];

export function teardownWords(
  server: Server,
  me: ServerWords,
  target: ServerWords,
  view: View,
): TeardownWords {
  const allData = view.teardown?.allData ?? false;
  const switches = view.teardown !== undefined && !allData && target.name !== view.primary;
  const data = view.hosts.get(target.name)?.data;
  return {
    drops: view.teardown !== undefined && (allData || me.name !== target.name),
    last: allData && me.name === view.primary,
    keepData: view.teardown?.keepData ?? false,
    allData,
    switches,
    settles: switches || (view.teardown?.settles ?? false),
    systemIdentifier: data?.control?.systemIdentifier ?? '',
    serves: data?.running === true && !data.standbySignal,
    revives: view.teardown !== undefined && !allData && revives(target.name, view),
    staying: [...relied, ...Object.keys(server.postgres.settings)],
    othersNeedIt: `ls /etc/systemd/system/mcoi_*.service | grep -vxF /etc/systemd/system/${server.unit}.service`,
  };
}

function revives(kept: string, view: View): boolean {
  const mine = view.hosts.get(kept)?.data;
  const down =
    mine?.content === 'cluster' &&
    mine.making === undefined &&
    mine.recorded !== undefined &&
    !mine.standbySignal &&
    !mine.running;
  const others = [...view.hosts].filter(([name]) => name !== kept);
  return (
    down &&
    view.absent === undefined &&
    others.every(([, { data }]) => {
      const harmless = data?.content !== 'cluster' || data.making !== undefined || data.standbySignal;
      return data !== undefined && !data.running && harmless;
    })
  );
}

export function droppedWords(
  servers: readonly ServerWords[],
  target: ServerWords,
  view: View,
): readonly DroppedWords[] {
  if (view.teardown === undefined) return [];
  return servers
    .filter((server) => view.teardown?.allData || server.name !== target.name)
    .map((server) => {
      const data = view.hosts.get(server.name)?.data;
      const control = data?.content === 'cluster' && data.making === undefined ? data.control : undefined;
      return {
        ...server,
        systemIdentifier: control?.systemIdentifier ?? '',
        position: control?.reached.position ?? '',
        timeline: String(control?.reached.timeline ?? ''),
        runs: data?.running ?? false,
      };
    });
}
