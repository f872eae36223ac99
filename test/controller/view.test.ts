/** What comes over the admin link is checked field by field: every value of another type refuses the whole view. */
import { describe, expect, it } from 'vitest';
import { decide } from '../../src/controller/core/decide.ts';
import type { PeerRequest } from '../../src/controller/core/event.ts';
import { isPeerRequest, isView } from '../../src/controller/io/view.ts';
import { boot, Conversation, sender, view } from './support/conversation.ts';

const whole = view('server2', 'standby', {
  failedDisks: ['data'],
  leaving: 'instance',
  sync: {
    primary: 'server1',
    timeline: 1,
    epoch: 2,
    members: ['server2'],
    eligible: ['server2'],
    voters: ['server2'],
    needed: 1,
  },
  handover: { id: 1, kind: 'switch', to: 'server1', checkpoint: '0/3000060' },
  declined: { id: 1, why: 'no' },
  takeover: {
    from: 'server1',
    kind: 'force',
    id: 0,
    checkpoint: null,
    stage: 'fence',
    unfenced: true,
    lsn: null,
  },
  yield: { to: 'server3', lsn: '0/3000060' },
  busy: { work: 'switch', by: { pid: 1, user: 'postgres', server: 'server1' }, sinceWall: 1 },
  refusal: 'no',
  detached: ['server1'],
  lagging: ['server1'],
  parted: ['server1'],
  strangers: [{ kind: 'name', name: 'barman' }],
  duty: { takeover: 'never', priority: 100, replication: 'synchronous' },
});
const full = {
  ...whole,
  report: whole.report && {
    ...whole.report,
    senders: [{ ...sender('server1'), replayLagBytes: 0 }],
    slots: {
      wanted: true,
      waitedFor: '',
      standbys: [{ name: 'pgduet_for_server1', active: true, keeps: true }],
      failover: [{ name: 's', active: true, synced: false, confirmed: '0/1' }],
    },
  },
};

/** Every copy of a value in which one part, however deep, is of another type. */
function* broken(value: unknown, at = ''): Generator<[string, unknown]> {
  yield [at, typeof value === 'number' ? 'x' : 1];
  if (typeof value !== 'object' || value === null) return;
  for (const [key, part] of Object.entries(value))
    for (const [deeper, wrong] of broken(part, `${at}.${key}`))
      yield [deeper, Array.isArray(value) ? [wrong] : { ...value, [key]: wrong }];
}

const without = (value: object, key: string): unknown =>
  Object.fromEntries(Object.entries(value).filter(([each]) => each !== key));

const requests: readonly PeerRequest[] = [
  { kind: 'stop', mcOnly: false, force: true },
  { kind: 'switch', force: false, noFencing: true, to: 'server2' },
  { kind: 'detach', noFencing: false, by: { pid: 1, user: 'postgres', server: 'server1' } },
];

describe('a view', () => {
  it('is accepted from the peer that it is about', () => {
    expect(isView(full, 'server2')).toBe(true);
    expect(isView(full, 'server1')).toBe(false);
  });

  it('is accepted as a controller tells it', () => {
    const { actions } = decide(new Conversation('server1').state, {
      ...boot(),
      at: 0,
      wall: 0,
      sinceBoot: 0,
    });
    const told = actions.flatMap((action) => (action.kind === 'heartbeat' ? [action.view] : []));
    expect(told).toHaveLength(1);
    expect(isView(JSON.parse(JSON.stringify(told[0])), 'server1')).toBe(true);
  });

  it.each([...broken(full)])('is refused with another type at "%s"', (_, wrong) => {
    expect(isView(wrong, 'server2')).toBe(false);
  });

  it.each(Object.keys(full))('with or without %s', (key) => {
    expect(isView(without(full, key), 'server2')).toBe(
      [
        'understands',
        'echoes',
        'busy',
        'refusal',
        'detached',
        'lagging',
        'parted',
        'replay',
        'strangers',
        'duty',
      ].includes(key),
    );
  });

  it('of a later version may tell more', () => {
    expect(isView({ ...full, later: 1 }, 'server2')).toBe(true);
  });
});

describe('a request of a peer', () => {
  it.each(requests)('to $kind is accepted', (request) => {
    expect(isPeerRequest(request)).toBe(true);
  });

  it.each(requests.flatMap((request) => [...broken(request)]))(
    'is refused with another type at "%s"',
    (_, wrong) => {
      expect(isPeerRequest(wrong)).toBe(false);
    },
  );

  it('of a later version is refused', () => {
    expect(isPeerRequest({ kind: 'dance' })).toBe(false);
  });
});
