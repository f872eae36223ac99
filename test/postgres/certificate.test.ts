/** Certificates are judged as libpq judges them, and each objection says what libpq leaves out. */
import { describe, expect, it } from 'vitest';
import { certificatesIn, isPlaceholder, objectionTo } from '../../src/postgres/certificate.ts';
import {
  below,
  between,
  ca,
  ed,
  other,
  placeholder,
  server1,
  server2,
  stranger,
  undigested,
} from './pems.ts';

const nowMs = Date.UTC(2027, 0, 1);
const read = (pem: string) => certificatesIn(pem) ?? [];
const judged = (chain: string, list: string, host = '192.0.2.100', version = 15, at = nowMs) =>
  objectionTo({ chain: read(chain), list: read(list), host, version, nowMs: at });

describe('a file of certificates', () => {
  it('is read as a whole, with text around', () => {
    expect(read(`the CA of the shop\n${ca}\n${other}`)).toHaveLength(2);
  });

  it.each([
    ['nothing', ''],
    ['half of one', ca.slice(0, 300)],
    ['a whole one and half of another one', `${ca}${other.slice(0, 300)}`],
    ['one that is none', '-----BEGIN CERTIFICATE-----\nQUJD\n-----END CERTIFICATE-----\n'],
    ['a key beside it', `${ca}-----BEGIN PRIVATE KEY-----\nQUJD\n-----END PRIVATE KEY-----\n`],
  ])('is none with %s in it', (_, pem) => {
    expect(certificatesIn(pem)).toBeUndefined();
  });
});

it('is a placeholder where it has signed itself and is no CA', () => {
  expect(isPlaceholder(placeholder)).toBe(true);
  for (const pem of [ca, server1, below + between, placeholder + ca, 'none', ''])
    expect(isPlaceholder(pem)).toBe(false);
});

describe('a certificate', () => {
  it.each([
    ['its CA in the list', server1, ca],
    ['several in the list', server1, other + ca],
    ['one between in its file', below + between, ca],
    ['one between in the list', below, between + ca],
  ])('is good with %s', (_, chain, list) => {
    expect(judged(chain, list)).toBeUndefined();
  });

  it('is good for a name, a name with a star, and an address as a name', () => {
    expect(judged(server1, ca, 'server1')).toBeUndefined();
    expect(judged(server2, ca, 'db.example.com')).toBeUndefined();
    expect(judged(server2, ca, '192.0.2.110', 13)).toBeUndefined();
  });

  it.each([
    ['another CA', stranger, ca, "signed by 'CN=somebody else'"],
    ['what is between missing', below, ca, "signed by 'CN=between'"],
    ['only what is between in the list', below, between, "signed by 'CN=between'"],
    ['one that may not sign in between', stranger + server1, ca, "signed by 'CN=somebody else'"],
    ['no digest', undigested, ed, 'its signature has no digest'],
  ])('is not with %s', (_, chain, list, words) => {
    expect(judged(chain, list)).toContain(words);
  });

  it('is not for another name, and before 15 not for an address that is no name', () => {
    expect(judged(server1, ca, '192.0.2.101')).toMatch(
      /it is for DNS:.*|it is for IP Address:192\.0\.2\.100/,
    );
    expect(judged(server1, ca, '192.0.2.100', 14)).toContain('wants an address as DNS:192.0.2.100');
    expect(judged(server1, ca, 'elsewhere')).toContain('the other servers connect to elsewhere');
  });

  it('is not before its time, nor behind it', () => {
    expect(judged(server1, ca, 'server1', 15, Date.UTC(2020, 0, 1))).toContain('counts from');
    expect(judged(server1, ca, 'server1', 15, Date.UTC(2200, 0, 1))).toContain('counts from');
  });
});
