/** Which line of a password file libpq takes ("The Password File"): by its text, the first that fits. */
import { describe, expect, it } from 'vitest';
import { answerOf } from '../../src/postgres/pgpass.ts';

const asked = { host: 'fd00::10', port: '27500', database: 'replication', user: 'repl' };
const answer = (line: string) => answerOf(line, asked)?.reveal();

describe('a line of a password file', () => {
  it.each([
    ['*:*:*:*:other', 'other'],
    ['*:27500:*:repl:old', 'old'],
    ['*:*:replication:*:x', 'x'],
    ['fd00\\:\\:10:27500:replication:repl:it', 'it'],
    ['f\\d00\\:\\:10:27500:replication:repl:it', 'it'],
    ['*:*:*:*:with\\:colon\\\\:and more', 'with:colon\\'],
    ['fd00::10:27500:replication:repl:unprotected', 'unprotected'],
    ['*:*:*:*:', ''],
    ['*:*:*:*:x\r', 'x'],
  ])('%j answers', (line, password) => expect(answer(line)).toBe(password));

  it.each([
    ['of another database', 'fd00\\:\\:10:27500:postgres:repl:x'],
    ['of another spelling of the address', 'FD00\\:\\:10:27500:replication:repl:x'],
    ['of a longer spelling', 'fd00\\:0\\:0\\:\\:10:27500:replication:repl:x'],
    ['of a user whose name goes on', '*:*:*:repl2:x'],
    ['of a user whose name ends before', '*:*:*:rep:x'],
    ['with a star that is meant as one', '\\*:*:*:*:x'],
    ['with a star and more', '*0:*:*:*:x'],
    ['without a colon before the password', '*:*:*:repl'],
    ['that is a comment', '#*:*:*:*:x'],
    ['that is empty', ''],
  ])('%s does not', (_, line) => expect(answer(line)).toBeUndefined());
});
