/** A primary whose disk has failed is not started; the role goes to a standby as soon as one can take it. */
import { describe, expect, it } from 'vitest';
import type { Happening } from '../../src/controller/core/event.ts';
import type { ServerView } from '../../src/controller/core/view.ts';
import {
  answer,
  boot,
  Conversation,
  heard,
  inSyncOfThree,
  recorded,
  report,
  sender,
  view,
} from './support/conversation.ts';

const restored = recorded({ sync: inSyncOfThree });
const both = report('primary', {
  synchronousStandbyNames: 'ANY 1 (server2,server3)',
  senders: [sender('server2'), sender('server3')],
});
const disk = (ok: boolean): Happening => ({ kind: 'disk-check', part: 'data', ok, error: ok ? '' : 'EIO' });
const gone: Happening = { kind: 'instance-check', outcome: { kind: 'gone' } };
const stopped: Happening = { kind: 'instance-stopped', proof: null };
const standby = (id: string, change: Partial<ServerView> = {}) =>
  heard(view(id, 'standby', { sync: inSyncOfThree, ...change }));
/** server3 cannot take over at the moment. */
const starts = { phase: 'starting' } as const;

const trio = () =>
  new Conversation('server1', 3, { diskCheckRetry: 0 })
    .after(0, 'the controller attaches', boot({ running: true, restored }))
    .after(10, 'the instance answers', answer(both))
    .after(10, 'server2 is a standby', standby('server2'))
    .after(10, 'server3 is a standby', standby('server3'));

/** The role is offered to server2, which refuses, and server3 can take nothing over yet. */
function refused(it1: Conversation): Conversation {
  it1
    .after(50, 'nothing of the instance is left', stopped)
    .after(20, 'server3 starts', standby('server3', starts));
  const id = it1.state.giving?.handover.id ?? 0;
  expect(it1.state.giving?.handover.to).toBe('server2');
  return it1.after(
    20,
    'server2 refuses',
    standby('server2', { declined: { id, why: 'a disk of server2 has failed' } }),
  );
}

const free = (it1: Conversation) =>
  it1.after(
    20,
    'server3 may take over',
    standby('server3', { report: report('standby', { lsn: '0/3000070' }) }),
  );
const offered = ({ state }: Conversation) => state.giving?.handover.to;

describe('a primary whose disk has failed', () => {
  it('offers its role to the next one that can take it, and not before a pause', () => {
    const told = refused(trio().after(100, 'the disk fails', disk(false)));
    expect(told.state).toMatchObject({ giving: null, own: { phase: 'down' } });
    expect(offered(free(told).silence(1600))).toBeUndefined();
    expect(offered(told.silence(1600))).toBe('server3');
  });

  it('does so also when its instance was ended by that, and could not be started again', () => {
    const told = refused(
      trio().after(100, 'the postmaster is gone', gone).after(20, 'the disk fails', disk(false)),
    );
    free(told).after(20, 'server2 answers', standby('server2'));
    expect(told.state.own.phase).toBe('starting');
    told.after(300, 'it does not start', { kind: 'start-failed', why: 'the disk has failed' });
    expect(told.state).toMatchObject({ giving: null, own: { phase: 'down' } });
    expect(offered(told.silence(4000))).toBe('server3');
  });

  it('is not started as long as that lasts, and is started when it is over', () => {
    const told = refused(trio().after(100, 'the disk fails', disk(false)));
    for (const id of ['server2', 'server3'])
      told.after(10, `${id} is stopped`, standby(id, { phase: 'stopped', leaving: 'instance' }));
    told.silence(4800);
    expect(told.state).toMatchObject({ giving: null, own: { phase: 'down' } });
    told.after(10, 'the disk works again', disk(true));
    expect(told.state.own.phase).toBe('starting');
  });
});
