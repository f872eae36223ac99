import fc from 'fast-check';
import { expect, test } from 'vitest';
import { splitFrames, splitLines } from '../../src/transport/frames.ts';

const marker = Buffer.from('\x1ennn ', 'latin1');

/** Feeds chunks and writes down what comes out: bytes in hex, boundaries as "|word|". */
function split(chunks: readonly Buffer[]): string {
  let seen = '';
  const push = splitFrames(marker, {
    data: (bytes) => {
      seen += bytes.toString('hex');
    },
    boundary: (word) => {
      seen += `|${word}|`;
    },
  });
  for (const chunk of chunks) push(chunk);
  return seen;
}

function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const ends = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  return [...ends, bytes.length].map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end));
}

test('the same comes out wherever the chunks are cut', () => {
  // Bytes of the marker are frequent here, so that beginnings of it that lead nowhere are tried too.
  const noise = fc
    .array(fc.constantFrom(0x1e, 0x6e, 0x20, 0x0a, 0xff), { maxLength: 12 })
    .map((bytes) => Buffer.from(bytes));
  fc.assert(
    fc.property(fc.array(noise, { minLength: 1, maxLength: 4 }), fc.array(fc.nat(200)), (parts, places) => {
      const clean = parts.filter((part) => !Buffer.concat([part, marker]).subarray(0, -1).includes(marker));
      const stream = Buffer.concat(clean.flatMap((part, index) => [part, marker, Buffer.from(`${index}\n`)]));
      const expected = clean.map((part, index) => `${part.toString('hex')}|${index}|`).join('');
      expect(split(cut(stream, places))).toBe(expected);
      expect(split([...stream].map((byte) => Buffer.from([byte])))).toBe(expected);
    }),
  );
});

test('output is handed on as soon as it cannot be part of a boundary', () => {
  expect(split([Buffer.from('abc')])).toBe('616263');
  expect(split([Buffer.from('abc\x1en')])).toBe('616263');
  expect(split([Buffer.from('abc\x1en'), Buffer.from('x')])).toBe('6162631e6e78');
});

test('lines may be cut in the middle of a character', () => {
  const lines: string[] = [];
  const splitter = splitLines((line) => lines.push(line));
  for (const byte of Buffer.from('grün\r\n語\n\nlast')) splitter.push(Buffer.from([byte]));
  expect(lines).toEqual(['grün', '語', '']);
  splitter.end();
  expect(lines).toEqual(['grün', '語', '', 'last']);
});
