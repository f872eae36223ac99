/** What `pgduet explain` says: of every code that exists, and of none that does not. */
import { describe, expect, it } from 'vitest';
import { codes } from '../../src/base/codes.ts';
import { findingCodes } from '../../src/base/finding-codes.ts';
import { messages } from '../../src/controller/core/messages.ts';
import { explanationJson, explanationText } from '../../src/report/explanation.ts';
import { everyCode, explanationOf } from '../../src/verbs/explain.ts';

function explained(code: string) {
  const explanation = explanationOf(code);
  if (explanation === undefined) throw new Error(`${code} is not explained`);
  return explanation;
}

describe('an explanation', () => {
  it('is there for every code, with something to do, and no code means two things', () => {
    expect(new Set(everyCode).size).toBe(everyCode.length);
    const all = Object.keys({ ...codes, ...findingCodes, ...messages });
    expect([...everyCode].sort()).toEqual(all.sort());
    for (const code of all) {
      expect(explained(code)).toMatchObject({ code, toDo: expect.stringMatching(/\S/) });
      expect(explanationText(explained(code))).not.toMatch(/undefined|\[object|\{host\}|\{object\}/);
    }
  });

  it('of a message says what its exit status means', () => {
    expect(explanationText(explained('RUN001'))).toBe(`RUN001  ${codes.RUN001.title}
  from         pgduet
  exit status  6: another run holds the lock
  to do        Nothing is broken. Run the same command again: it looks first and does only what is left.`);
  });

  it('of a finding says how severe it is and what repairs it', () => {
    expect(explanationText(explained('REP003'))).toBe(`REP003  no standby is synchronous
  from           pgduet check
  severity       danger
  if left alone  a commit is on one server only: it is lost if that one fails
  to do          pgduet provision`);
  });

  it('of a message of the controller says what it did', () => {
    const { type, text, cause, did, todo } = messages.MCA00062;
    expect(explanationText(explained('MCA00062'))).toBe(`MCA00062  ${text}
  from         the Mirroring Controller, as ${type}
  cause        ${cause}
  what it did  ${did}
  to do        ${todo}`);
  });

  it.each(['', 'SET', 'SET999', 'constructor', 'toString'])('is not made up for %j', (code) => {
    expect(explanationOf(code)).toBeUndefined();
  });

  it.each([
    ['SAF003', ['schema', 'verb', 'exit', 'kind', 'code', 'title', 'exit_status', 'exit_meaning', 'to_do']],
    ['SET001', ['schema', 'verb', 'exit', 'kind', 'code', 'title', 'severity', 'if_left_alone', 'to_do']],
    ['MCA00062', ['schema', 'verb', 'exit', 'kind', 'code', 'title', 'type', 'cause', 'did', 'to_do']],
  ])('of %s is a document for programs', (code, keys) => {
    const json = explanationJson(explained(code));
    expect(Object.keys(json)).toEqual(keys);
    expect(JSON.parse(JSON.stringify(json))).toEqual(json);
  });
});
