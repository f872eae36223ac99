/** What `pgduet certificates` tells of each server, from what its host shows. */
import { describe, expect, it } from 'vitest';
import { certificatesOf } from '../../src/observe/certificates.ts';
import type { HostView } from '../../src/observe/survey.ts';
import { certificatesJson, certificatesText } from '../../src/report/certificates.ts';
import type { TlsLook } from '../../src/resources/contract/tls-look.ts';
import { ca, other, server1, server2, stranger } from '../postgres/pems.ts';
import { clusterOf, pairInventory } from './cluster.ts';

const cluster = await clusterOf(
  pairInventory.replace(
    'data_dir: /database/inst1',
    'data_dir: /database/inst1, tls: { ca: /pki/ca.pem, certificate: /pki/server.pem, key: /pki/server.key }',
  ),
);
const nowMs = Date.UTC(2027, 0, 1);
const look = (certificate: string, over: Partial<TlsLook> = {}): TlsLook => ({
  nowMs,
  ca,
  certificate,
  served: certificate,
  ...over,
});
const told = (looks: Readonly<Record<string, TlsLook | undefined>>, primary: string | null = 'server1') =>
  certificatesOf(
    cluster,
    new Map(Object.entries(looks).map(([name, tls]): [string, HostView] => [name, tls ? { tls } : {}])),
    primary ?? undefined,
  );
const showing = (looks: Readonly<Record<string, TlsLook | undefined>>) =>
  told(looks).servers.map((one) => [one.server, one.showing, one.problem]);

describe('certificates', () => {
  it('of a pair that serves what lies there: nothing speaks against it', () => {
    const all = told({ server1: look(server1), server2: look(server2) });
    expect(all.servers.map(({ showing: state, problem }) => [state, problem])).toEqual([
      ['serves', null],
      ['serves', null],
    ]);
    expect(all.signers).toHaveLength(1);
    expect(all.signers[0]).toMatchObject({ subject: 'CN=shop CA', issuer: 'CN=shop CA' });
    expect(all.servers[0]?.certificate).toMatchObject({ issuer: 'CN=shop CA', names: expect.any(Array) });
  });

  it('days are those of the clock of the host', () => {
    const [first, second] = told({
      server1: look(server1),
      server2: look(server2, { nowMs: nowMs + 365 * 86_400_000 }),
    }).servers;
    expect((first?.certificate?.daysLeft ?? 0) - (second?.certificate?.daysLeft ?? 0)).toBe(365);
  });

  it('says what a server shows', () => {
    expect(showing({ server1: look(server1), server2: look(server2, { served: server1 }) })[1]?.[1]).toBe(
      'other',
    );
    expect(showing({ server1: look(server1), server2: look(server2, { served: 'none' }) })[1]?.[1]).toBe(
      'plain',
    );
    const { served: _, ...silent } = look(server2);
    expect(showing({ server1: look(server1), server2: silent })[1]?.[1]).toBe('silent');
    expect(showing({ server1: look(server1), server2: undefined })[1]).toEqual(['server2', 'unseen', null]);
  });

  it('judges each by the list of the primary, not by its own', () => {
    expect(showing({ server1: look(server1), server2: look(stranger, { ca: other }) })[1]?.[2]).toMatch(
      /signed by/,
    );
  });

  it('judges each by its own list where no primary was seen, and says that who signs is not known', () => {
    const all = told({ server1: undefined, server2: look(server2) }, null);
    expect(all.servers[1]?.problem).toBeNull();
    expect(all.signers).toEqual([]);
    expect(certificatesText(all, false)).toContain(
      'who signs is not known: no server was seen to be the one primary',
    );
  });

  it('tells both serial numbers where another one lies there, and what is ready', () => {
    const all = told({
      server1: look(server1, { served: server2, next: server2 }),
      server2: look(server2, { next: server2 }),
    });
    const [one, two] = all.servers;
    expect([one?.certificate?.serial, one?.lies?.serial, one?.next?.serial]).toEqual([
      two?.certificate?.serial,
      expect.stringMatching(/^[0-9A-F]+$/),
      two?.certificate?.serial,
    ]);
    expect(one?.lies?.serial).not.toBe(one?.certificate?.serial);
    expect([two?.lies, two?.next]).toEqual([null, null]);
    const text = certificatesText(all, false);
    expect(text).toContain(`server1: on its disk lies ${one?.lies?.serial}, until `);
    expect(text).toContain(`server1: ready to take its place is ${one?.next?.serial} by shop CA, until `);
  });

  it('tells people and programs the same', () => {
    const all = told({
      server1: look(server1),
      server2: look(server2, { problem: 'the key is open to others' }),
    });
    const text = certificatesText(all, false);
    expect(text).toMatch(/^server1 +serves it +21\d\d-\d\d-\d\d \(\d+ days\) +[0-9A-F]+ +shop CA/m);
    expect(text).toContain('server2: the key is open to others');
    expect(certificatesJson(all)).toMatchObject({
      schema: 1,
      verb: 'certificates',
      cluster: 'inst1',
      primary: 'server1',
      servers: [
        { server: 'server1', showing: 'serves', problem: null },
        { server: 'server2', problem: 'the key is open to others' },
      ],
    });
  });

  it('one that has ended says so', () => {
    const text = certificatesText(told({ server1: look(server1, { nowMs: Date.UTC(2200, 0, 1) }) }), false);
    expect(text).toContain('(has ended)');
    expect(text).toMatch(/server1: the certificate of .* counts from/);
  });
});
