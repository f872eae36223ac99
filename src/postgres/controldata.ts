/** What pg_controldata prints, as values ("pg_controldata"). Pure. */

export interface ControlData {
  readonly systemIdentifier: string;
  /** "in production", "in archive recovery", "shut down", "shut down in recovery" … */
  readonly state: string;
  readonly timeline: number;
  /** Location of the latest checkpoint, for example "0/3000060". */
  readonly checkpoint: string;
  readonly checksums: boolean;
  /** Nobody has ever made an object there: initdb stays below the first OID of users. */
  readonly unused?: true;
  /** How far its data is known to reach: of a standby beyond its last checkpoint. With the timeline of that place. */
  readonly reached: { readonly position: string; readonly timeline: number };
}

/** OIDs below this one are initdb's. */
const firstUserOid = 16384;

/** How many OIDs a checkpoint of a server that runs takes in advance. */
const oidsAhead = 8192;

/** As long as the next OID is below it, nobody has made an object: initdb itself runs a server, and may be killed meanwhile. */
export const unusedBelow = { shutDown: firstUserOid, otherwise: firstUserOid + oidsAhead } as const;

/** A WAL position as a number, to compare it with others. */
export function walNumber(position: string): bigint {
  const [high = '0', low = '0'] = position.split('/');
  return (BigInt(`0x${high}`) << 32n) + BigInt(`0x${low}`);
}

/** Undefined when a line that is needed is missing: a broken or foreign control file. */
export function parseControlData(text: string): ControlData | undefined {
  const value = (label: string): string | undefined =>
    text
      .split('\n')
      .find((line) => line.startsWith(`${label}:`))
      ?.slice(label.length + 1)
      .trim();
  const systemIdentifier = value('Database system identifier');
  const state = value('Database cluster state');
  const checkpoint = value('Latest checkpoint location');
  const timeline = value("Latest checkpoint's TimeLineID");
  const recovered = value('Minimum recovery ending location') ?? '0/0';
  const recoveredOn = Number(value("Min recovery ending loc's timeline") ?? 0);
  if (!systemIdentifier || !state || !checkpoint || !timeline) return undefined;
  const last = { position: checkpoint, timeline: Number(timeline) };
  const reached =
    walNumber(recovered) > walNumber(checkpoint) ? { position: recovered, timeline: recoveredOn } : last;
  return {
    systemIdentifier,
    state,
    checkpoint,
    timeline: Number(timeline),
    reached,
    checksums: (value('Data page checksum version') ?? '0') !== '0',
    ...(Number(value("Latest checkpoint's NextOID")) <
    unusedBelow[state === 'shut down' ? 'shutDown' : 'otherwise']
      ? { unused: true }
      : {}),
  };
}
