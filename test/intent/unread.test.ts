/** What no server can show is not made anew: which commands are refused because of a file that could not be read. */
import { describe, expect, it } from 'vitest';
import { Secret } from '../../src/base/secret.ts';
import type { Intent } from '../../src/intent/intent.ts';
import { unreadable } from '../../src/intent/unread.ts';
import type { HostView, Unread } from '../../src/observe/survey.ts';

const secret = new Secret('value');
const made = { clusterKey: secret, password: secret };
const renew: Intent = { kind: 'renew', made };
const provision: Intent = { kind: 'provision' };
const without = (about: Unread['about']): HostView => ({
  unread: [{ about, file: 'f', why: 'Permission denied' }],
});
const hosts = (one: HostView, other: HostView) =>
  new Map([
    ['server1', one],
    ['server2', other],
  ]);
const refused = (intent: Intent, one: HostView, other: HostView = {}) =>
  unreadable(intent, hosts(one, other)).map(({ code, host }) => `${code} ${host}`);

describe('a cluster key that cannot be read', () => {
  it('is taken from a server that shows it', () => {
    expect(refused(provision, without('clusterKey'), { clusterKey: secret })).toEqual([]);
  });

  it('is not made anew where no server shows it', () => {
    expect(refused(provision, without('clusterKey'))).toEqual(['HST002 server1']);
    expect(refused(provision, without('clusterKey'), without('clusterKey'))).toEqual([
      'HST002 server1',
      'HST002 server2',
    ]);
  });

  it('is made where nobody has one', () => {
    expect(refused(provision, {}, {})).toEqual([]);
  });
});

it('an environment that cannot be read is not taken for none', () => {
  expect(refused(provision, without('environment'))).toEqual(['HST002 server1']);
  expect(refused(provision, without('environment'), { environment: secret })).toEqual([]);
});

describe('a renewal', () => {
  it.each(['clusterKey', 'replicationPassword', 'renewal', 'etcdCell'] as const)(
    'does not begin where %s of one server is not known',
    (about) => {
      expect(refused(renew, without(about), { clusterKey: secret, replicationPassword: secret })).toEqual([
        'HST002 server1',
      ]);
    },
  );

  it('that is under way is not asked again', () => {
    expect(refused({ ...renew, renewal: {} }, without('renewal'))).toEqual([]);
  });
});

it('a password file that its owner cannot read stops nobody else: it is put aside', () => {
  expect(refused(provision, without('replicationPassword'))).toEqual([]);
});

it('says which file of which host, why it matters and what the host said', () => {
  const [told] = unreadable(provision, hosts(without('adopted'), {}));
  expect(told).toMatchObject({
    what: 'f of server1 is there, and could not be read',
    evidence: ['Permission denied'],
  });
});
