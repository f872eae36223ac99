/**
 * Messages on a stream: one JSON value per line, of limited length. In: bytes. Out: values, or the one reason why the
 * stream cannot be trusted any further. Used by the admin link and the control socket.
 */

/** A heartbeat of a server with a hundred standbys fits into this. */
export const longestFrame = 64 * 1024;

export const frame = (value: unknown): string => `${JSON.stringify(value)}\n`;

/** Returns a function that takes bytes; `onBad` is called at most once, and nothing is read after it. */
export function frameReader(
  onValue: (value: Record<string, unknown>) => void,
  onBad: (why: string) => void,
): (chunk: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0);
  let bad = false;
  const refuse = (why: string): void => {
    bad = true;
    rest = Buffer.alloc(0);
    onBad(why);
  };
  return (chunk) => {
    if (bad) return;
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    for (let end = rest.indexOf(10); end >= 0 && !bad; end = rest.indexOf(10)) {
      const line = rest.subarray(0, end);
      rest = rest.subarray(end + 1);
      if (line.length > longestFrame) return refuse('a message is too long');
      const value = parse(line);
      if (value === undefined) return refuse('a message is not JSON');
      onValue(value);
    }
    if (rest.length > longestFrame) refuse('a message is too long');
  };
}

function parse(line: Buffer): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line.toString('utf8'));
    const object = typeof value === 'object' && value !== null && !Array.isArray(value);
    return object ? (value as Record<string, unknown>) : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
