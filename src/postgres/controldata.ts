/** What pg_controldata prints, as values ("pg_controldata"). Pure. */

export interface ControlData {
  readonly systemIdentifier: string;
  /** "in production", "in archive recovery", "shut down", "shut down in recovery" … */
  readonly state: string;
  readonly timeline: number;
  /** Location of the latest checkpoint, for example "0/3000060". */
  readonly checkpoint: string;
  readonly checksums: boolean;
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
  if (!systemIdentifier || !state || !checkpoint || !timeline) return undefined;
  return {
    systemIdentifier,
    state,
    checkpoint,
    timeline: Number(timeline),
    checksums: (value('Data page checksum version') ?? '0') !== '0',
  };
}
