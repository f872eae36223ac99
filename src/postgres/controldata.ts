/** What pg_controldata prints, as values ("pg_controldata"). Pure. */

export interface ControlData {
  readonly systemIdentifier: string;
  /** "in production", "in archive recovery", "shut down", "shut down in recovery" … */
  readonly state: string;
  readonly timeline: number;
  /** Location of the latest checkpoint, for example "0/3000060". */
  readonly checkpoint: string;
  readonly checksums: boolean;
  /** How far its data is known to reach: of a standby beyond its last checkpoint. With the timeline of that place. */
  readonly reached: { readonly position: string; readonly timeline: number };
}

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
  };
}
