/** A standby whose own disk has failed does not try to become primary, and does not try again and again. */
import { describe, expect, it } from 'vitest';
import type { Happening } from '../../src/controller/core/event.ts';
import { answer, boot, Conversation, heard, inSyncOfThree, report, view } from './support/conversation.ts';

const handover = { id: 7, kind: 'failover', to: 'server2', checkpoint: null } as const;
const cutOff = answer(report('standby', { receiver: null }));
const bad = (part: 'data' | 'tablespace'): Happening => ({
  kind: 'disk-check',
  part,
  ok: false,
  error: 'EIO',
});

const standby = (servers = 2) =>
  new Conversation('server2', servers, { diskCheckRetry: 0 })
    .after(0, 'the controller finds its instance running', boot({ running: true, standby: true }))
    .after(10, 'the instance answers', answer(report('standby')))
    .after(
      5,
      'server1 is primary and calls it in sync',
      heard(view('server1', 'primary', { sync: inSyncOfThree })),
    );
const cut = { from: 'server1', kind: 'silence', id: 0, checkpoint: null, stage: 'cut', lsn: null } as const;
const better = report('standby', { receiver: null, lsn: '0/4000000' });
const taker = heard(view('server3', 'standby', { takeover: cut, sync: inSyncOfThree, report: better }));
/** server1 is silent, and server3, which is heard, is the better one. */
const quiet = (it1: Conversation) => {
  it1.after(10, 'nothing comes from server1', cutOff);
  for (let time = 0; time < 8; time += 1)
    it1
      .silence(800)
      .after(
        1,
        'server3 is heard',
        heard(view('server3', 'standby', { sync: inSyncOfThree, report: better })),
      );
  return it1;
};
const alone = (it1: Conversation) => it1.after(10, 'nothing comes from server1', cutOff).silence(8000);

describe('a standby whose disk has failed', () => {
  it('does not take over from a primary that is silent', () => {
    expect(alone(standby()).state.takeover).not.toBeNull();
    expect(alone(standby().after(10, 'the disk fails', bad('data'))).state.takeover).toBeNull();
  });

  it('does, where the failed one holds a tablespace and the configuration says that this is no reason', () => {
    const broken = standby().after(10, 'the disk fails', bad('tablespace'));
    expect(broken.state.conf.tablespaceDirectoryErrorAction).toBe('message');
    expect(alone(broken).state.takeover).not.toBeNull();
  });

  it('declines what is handed to it', () => {
    const given = heard(
      view('server1', 'primary', { phase: 'stopped', report: null, sync: inSyncOfThree, handover }),
    );
    const told = standby().after(10, 'the disk fails', bad('data')).after(10, 'server1 hands over', given);
    expect(told.state.declined).toEqual({ id: 7, why: 'a disk of server2 has failed' });
  });

  it('is nobody that another standby leaves the takeover to', () => {
    const ahead = (failedDisks: readonly 'data'[]) =>
      heard(
        view('server3', 'standby', {
          failedDisks,
          sync: inSyncOfThree,
          report: report('standby', { receiver: null, lsn: '0/4000000' }),
        }),
      );
    const told = (disks: readonly 'data'[]) => {
      const it1 = standby(3).after(10, 'nothing comes from server1', cutOff);
      for (let time = 0; time < 8; time += 1) it1.silence(800).after(1, 'server3 is heard', ahead(disks));
      return it1.state.takeover;
    };
    expect(told([])).toBeNull();
    expect(told(['data'])).not.toBeNull();
  });

  it('does not cut its receiver for another one', () => {
    const told = (it1: Conversation) => quiet(it1).after(1, 'server3 takes over', taker).state.yield;
    expect(told(standby(3))).toMatchObject({ to: 'server3' });
    expect(told(standby(3).after(10, 'the disk fails', bad('data')))).toBeNull();
  });
});

describe('a receiver that cannot be cut', () => {
  const failed: Happening = { kind: 'cut-failed', why: 'no answer' };

  it('ends the takeover until the primary has been silent once more', () => {
    const told = alone(standby()).after(10, 'it cannot be cut', failed);
    expect(told.state.takeover).toBeNull();
    expect(told.silence(4000).state.takeover).toBeNull();
    expect(told.silence(4000).state.takeover).not.toBeNull();
  });

  it('is not tried again for another standby in the same moment', () => {
    const told = quiet(standby(3)).after(1, 'server3 takes over', taker);
    told.after(10, 'it cannot be cut', failed);
    expect(told.state.yield).toBeNull();
    expect(told.after(4000, 'server3 takes over', taker).state.yield).toBeNull();
    expect(told.after(1100, 'server3 takes over', taker).state.yield).toMatchObject({ to: 'server3' });
  });
});
