import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import {
  fingerprint,
  hostKeyAlgorithms,
  judgeKey,
  knownLine,
  namesMatch,
  parseKnownHosts,
} from '../../src/transport/known-hosts.ts';

/** A key blob of a type; the rest of it only has to differ. */
function key(type: string, rest: string): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(type.length);
  return Buffer.concat([length, Buffer.from(type), createHash('sha256').update(rest).digest()]);
}
const ed = key('ssh-ed25519', 'a');
const otherEd = key('ssh-ed25519', 'b');
const rsa = key('ssh-rsa', 'a');
const line = (names: string, blob: Buffer) =>
  `${names} ${blob.toString('latin1', 4, 4 + blob.readUInt32BE(0))} ${blob.toString('base64')}`;
const file = (...lines: string[]) => parseKnownHosts(lines.join('\n'), 'kh');

test('comments, empty and broken lines are passed over, line numbers stay true', () => {
  const entries = file(
    '# comment',
    '',
    'broken',
    `${line('h', ed)} a comment`,
    `\t@revoked ${line('*', otherEd)}`,
  );
  expect(entries.map(({ line: at, marker, names }) => [at, marker, names])).toEqual([
    [4, undefined, 'h'],
    [5, '@revoked', '*'],
  ]);
});

test.each([
  ['h', 'h', true],
  ['h,192.0.2.1', '192.0.2.1', true],
  ['*.example.org,!bad.example.org', 'a.example.org', true],
  ['*.example.org,!bad.example.org', 'bad.example.org', false],
  ['192.0.2.?', '192.0.2.10', false],
  ['[h]:2222', '[h]:2222', true],
  ['[*]:2222', '[fd00::1]:2222', true],
  ['H.Example', 'h.example', true],
  ['a.c', 'abc', false],
  // A hashed 192.168.1.61.
  ['|1|F1E1KeoE/eEWhi10WpGv4OdiO6Y=|3988QV0VE8wmZL7suNrYQLITLCg=', '192.168.1.61', true],
  ['|1|F1E1KeoE/eEWhi10WpGv4OdiO6Y=|3988QV0VE8wmZL7suNrYQLITLCg=', '192.168.1.62', false],
  ['|2|F1E1KeoE/eEWhi10WpGv4OdiO6Y=|3988QV0VE8wmZL7suNrYQLITLCg=', '192.168.1.61', false],
])('%s stands for %s: %s', (names, name, expected) => {
  expect(namesMatch(names, name)).toBe(expected);
});

test('a key is known, changed, unknown or revoked', () => {
  expect(judgeKey(file(line('h', ed)), 'h', 22, ed).kind).toBe('known');
  expect(judgeKey(file(line('h', ed)), 'H', 22, ed).kind).toBe('known');
  expect(judgeKey(file(line('h', otherEd)), 'h', 22, ed)).toMatchObject({
    kind: 'changed',
    entry: { line: 1 },
  });
  expect(judgeKey(file(line('h', otherEd), line('h', ed)), 'h', 22, ed).kind).toBe('known');
  expect(judgeKey(file(line('h', rsa)), 'h', 22, ed)).toMatchObject({
    kind: 'unknown',
    others: [{ type: 'ssh-rsa' }],
  });
  expect(judgeKey(file(line('h', ed), `@revoked ${line('*', ed)}`), 'h', 22, ed).kind).toBe('revoked');
  expect(judgeKey(file(`@cert-authority ${line('h', ed)}`), 'h', 22, ed)).toMatchObject({
    kind: 'unknown',
    authority: { line: 1 },
  });
});

test('at another port only the bare name of the same key counts', () => {
  expect(judgeKey(file(line('[h]:2222', ed)), 'h', 2222, ed).kind).toBe('known');
  expect(judgeKey(file(line('[h]:2222', ed)), 'h', 22, ed).kind).toBe('unknown');
  expect(judgeKey(file(line('h', ed)), 'h', 2222, ed).kind).toBe('known');
  expect(judgeKey(file(line('h', otherEd)), 'h', 2222, ed).kind).toBe('unknown');
  expect(judgeKey(file(line('h', ed), line('[h]:2222', otherEd)), 'h', 2222, ed).kind).toBe('changed');
});

test('the types that are known are offered first, and SHA-1 never', () => {
  expect(hostKeyAlgorithms([], 'h', 22)[0]).toBe('ssh-ed25519');
  const offered = hostKeyAlgorithms(file(line('h', rsa)), 'h', 22);
  expect(offered.slice(0, 3)).toEqual(['rsa-sha2-512', 'rsa-sha2-256', 'ssh-ed25519']);
  expect(offered).not.toContain('ssh-rsa');
});

test('a line that was made is found again, hashed or not', () => {
  for (const hashed of [false, true]) {
    for (const [host, port] of [
      ['h.example', 22],
      ['fd00::1', 2222],
      ['fd00::1', 22],
    ] as const) {
      const made = knownLine(host, port, ed, hashed);
      expect(made.includes(host)).toBe(!hashed);
      expect(judgeKey(parseKnownHosts(made, 'kh'), host, port, ed).kind).toBe('known');
    }
  }
  expect(fingerprint(ed)).toMatch(/^SHA256:[A-Za-z0-9+/]{43}$/);
});
