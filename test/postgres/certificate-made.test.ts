/** Certificates that pgduet makes: as Node reads them, as our own judgement does, and as OpenSSL verifies them. */
import { execFileSync } from 'node:child_process';
import { createPrivateKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { isFor, objectionTo } from '../../src/postgres/certificate.ts';
import { caCertificate, serialFrom, serverCertificate } from '../../src/postgres/certificate-made.ts';

const hour = 3_600_000;
const nowMs = Date.UTC(2026, 11, 1);
const times = { fromMs: nowMs - hour, untilMs: nowMs + 3650 * 24 * hour };
const pair = () => generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
const publicOf = ({ publicKey }: ReturnType<typeof pair>): string =>
  publicKey.export({ type: 'spki', format: 'pem' }).toString();
const serial = (first: number): Buffer => serialFrom(Buffer.from([first, ...Array(15).fill(7)]));

const authority = (name: string) => {
  const { privateKey: key } = pair();
  return { key, certificate: caCertificate({ name, key, serial: serial(1) }, times) };
};
const [one, two] = [authority('pgduet shop 2026-12-01 3f9a'), authority('pgduet shop 2026-12-02 11c0')];
const names = ['server1', '192.0.2.100', '2001:db8::3', 'db1.example.com'];
const made = pair();
const certificate = serverCertificate({ publicKey: publicOf(made), names, serial: serial(255) }, one, times);
const leaf = new X509Certificate(certificate);

const folder = mkdtempSync(join(tmpdir(), 'made-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const openssl = (...words: string[]): string =>
  execFileSync('openssl', words, { cwd: folder, encoding: 'utf8', stdio: 'pipe' });
const put = (name: string, text: string): void => writeFileSync(join(folder, name), text);

describe('a certificate of a server', () => {
  it('has its names, each address also as the text of a name', () => {
    expect(leaf.subjectAltName).toBe(
      'DNS:server1, IP Address:192.0.2.100, DNS:192.0.2.100, IP Address:2001:DB8:0:0:0:0:0:3, DNS:2001:db8::3, DNS:db1.example.com',
    );
    expect(leaf.subject).toBe('CN=server1');
    expect(leaf.issuer).toBe('CN=pgduet shop 2026-12-01 3f9a');
    expect(leaf.ca).toBe(false);
    expect(
      leaf.checkPrivateKey(createPrivateKey(made.privateKey.export({ type: 'pkcs8', format: 'pem' }))),
    ).toBe(true);
  });

  it('is for a name of digits, and for an IPv6 address that ends like an IPv4 one', () => {
    const odd = ['1', '::ffff:192.0.2.1'];
    const request = { publicKey: publicOf(made), names: odd, serial: serial(2) };
    const own = new X509Certificate(serverCertificate(request, one, times));
    expect(odd.filter((name) => !isFor(own, name))).toEqual([]);
  });

  it('counts from an hour before, and until the time that is said', () => {
    expect(Date.parse(leaf.validFrom)).toBe(times.fromMs);
    expect(Date.parse(leaf.validTo)).toBe(times.untilMs);
  });

  it.each([
    [14, '192.0.2.100'],
    [15, '192.0.2.100'],
    [18, '2001:db8::3'],
    [14, 'server1'],
  ])('could be followed by libpq %i at %s', (version, host) => {
    const list = [two, one].map((each) => new X509Certificate(each.certificate));
    expect(objectionTo({ chain: [leaf], list, host, version, nowMs })).toBeUndefined();
  });

  it('is none of another CA', () => {
    const list = [new X509Certificate(two.certificate)];
    expect(objectionTo({ chain: [leaf], list, host: 'server1', version: 15, nowMs })).toMatch(/signed by/);
  });

  it('is verified by OpenSSL as that of a server, whatever stands beside its CA, and by no other one', () => {
    put('leaf.pem', certificate);
    put('both.pem', two.certificate + one.certificate);
    put('other.pem', two.certificate);
    const strict = ['verify', '-x509_strict', '-purpose', 'sslserver', '-attime', String(nowMs / 1000)];
    for (const name of [
      ['-verify_ip', '192.0.2.100'],
      ['-verify_ip', '2001:db8::3'],
      ['-verify_hostname', 'server1'],
    ])
      expect(openssl(...strict, ...name, '-CAfile', 'both.pem', 'leaf.pem')).toBe('leaf.pem: OK\n');
    expect(() => openssl(...strict, '-CAfile', 'other.pem', 'leaf.pem')).toThrow();
    expect(() =>
      openssl(...strict, '-verify_hostname', 'server2', '-CAfile', 'both.pem', 'leaf.pem'),
    ).toThrow();
  });

  it('signs nothing', () => {
    const forged = serverCertificate(
      { publicKey: publicOf(pair()), names: ['server1'], serial: serial(3) },
      { certificate, key: made.privateKey },
      times,
    );
    put('chain.pem', certificate);
    put('forged.pem', forged);
    put('one.pem', one.certificate);
    expect(() =>
      openssl(
        'verify',
        '-attime',
        String(nowMs / 1000),
        '-CAfile',
        'one.pem',
        '-untrusted',
        'chain.pem',
        'forged.pem',
      ),
    ).toThrow();
  });
});

describe('a certificate of a CA', () => {
  it('says what it may do, and no more', () => {
    put('ca.pem', one.certificate);
    const text = openssl('x509', '-in', 'ca.pem', '-noout', '-text');
    expect(text).toMatch(/CA:TRUE, pathlen:0/);
    expect(text).toMatch(/Key Usage: critical\s+Certificate Sign\n/);
    expect(text).toMatch(/Subject Key Identifier/);
    expect(text).toMatch(/Authority Key Identifier/);
    expect(text).toMatch(/Signature Algorithm: ecdsa-with-SHA256/);
  });
});

it('a serial number is positive', () => {
  expect([0, 127, 128, 255].map((first) => serial(first)[0])).toEqual([0x40, 0x7f, 0x40, 0x7f]);
});
