/**
 * How regularly a peer is heard: the longest silences between two words of it in the last hour, and in the one before. By them
 * a person sees how much room the time to give up leaves. In: silences as they end. Out: the longest ones. Pure.
 */

export interface Rhythm {
  readonly beganAt: number;
  readonly hourAt: number;
  /** Milliseconds, the longest first: of this hour, and of the one before. */
  readonly longest: readonly number[];
  readonly before: readonly number[];
}

const hourMs = 3_600_000;
/** One may be an accident, such as a cable that was moved; three in an hour are how the peer answers. */
const kept = 3;

export const newRhythm = (now: number): Rhythm => ({ beganAt: now, hourAt: now, longest: [], before: [] });

const longestOf = (silences: readonly number[]): readonly number[] =>
  [...silences].sort((one, other) => other - one).slice(0, kept);

/** A silence has ended by a word of the peer. */
export function withSilence(rhythm: Rhythm, now: number, silenceMs: number): Rhythm {
  const hours = Math.floor((now - rhythm.hourAt) / hourMs);
  if (hours > 0) {
    const before = hours === 1 ? rhythm.longest : [];
    return withSilence(
      { ...rhythm, hourAt: rhythm.hourAt + hours * hourMs, longest: [], before },
      now,
      silenceMs,
    );
  }
  const { longest } = rhythm;
  return longest.length === kept && silenceMs <= (longest[kept - 1] ?? 0)
    ? rhythm
    : { ...rhythm, longest: longestOf([...longest, silenceMs]) };
}

export const watchedSeconds = ({ beganAt, hourAt }: Rhythm, now: number): number =>
  Math.round((now - Math.max(beganAt, hourAt - hourMs)) / 1000);

export const longestSilences = ({ longest, before }: Rhythm): readonly number[] =>
  longestOf([...longest, ...before]);
