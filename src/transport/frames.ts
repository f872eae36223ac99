/**
 * Cuts a stream of bytes at its boundaries. In: chunks, cut anywhere. Out: the bytes between boundaries, exactly
 * as they were written, and the word that each boundary carries.
 * A boundary is the marker, a word, a newline; the marker holds a random nonce, so that no output can look like one.
 */

export interface FrameEvents {
  data(bytes: Buffer): void;
  boundary(word: string): void;
}

/** How many bytes at the end may be the beginning of a marker whose rest has not arrived. */
function unfinished(bytes: Buffer, marker: Buffer): number {
  const first = marker[0] ?? 0;
  let at = bytes.indexOf(first, Math.max(0, bytes.length - marker.length + 1));
  while (at !== -1) {
    const length = bytes.length - at;
    if (bytes.compare(marker, 0, length, at) === 0) return length;
    at = bytes.indexOf(first, at + 1);
  }
  return 0;
}

/** Returns the function that takes the chunks. Bytes are handed on as soon as they cannot be part of a boundary. */
export function splitFrames(marker: Buffer, events: FrameEvents): (chunk: Buffer) => void {
  let held: Buffer = Buffer.alloc(0);
  const emit = (bytes: Buffer) => {
    if (bytes.length > 0) events.data(bytes);
  };
  return (chunk) => {
    let rest: Buffer = held.length > 0 ? Buffer.concat([held, chunk]) : chunk;
    for (;;) {
      const at = rest.indexOf(marker);
      if (at === -1) break;
      emit(rest.subarray(0, at));
      const end = rest.indexOf(0x0a, at + marker.length);
      if (end === -1) {
        held = rest.subarray(at);
        return;
      }
      events.boundary(rest.toString('latin1', at + marker.length, end));
      rest = rest.subarray(end + 1);
    }
    const open = unfinished(rest, marker);
    emit(rest.subarray(0, rest.length - open));
    held = rest.subarray(rest.length - open);
  };
}

/** Cuts text into lines as it arrives; `end` hands out a last line that has no newline. */
export function splitLines(onLine: (line: string) => void): { push(bytes: Buffer): void; end(): void } {
  const decoder = new TextDecoder();
  let open = '';
  return {
    push(bytes) {
      const lines = (open + decoder.decode(bytes, { stream: true })).split('\n');
      open = lines.pop() ?? '';
      for (const line of lines) onLine(line.replace(/\r$/, ''));
    },
    end() {
      if (open !== '') onLine(open);
      open = '';
    },
  };
}
