/** A controller that can write nothing down takes nothing upon itself, and whoever counts on it knows that before. */
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { takeLock } from '../../src/controller/io/lock.ts';
import { Place } from '../../src/controller/io/place.ts';
import { recall, writeState } from '../../src/controller/io/state-file.ts';
import { answer, boot, Conversation, heard, inSync, recorded, report, view } from './support/conversation.ts';

const gone = '/mcdir/inst1 is gone';
const asked = {
  kind: 'control',
  id: 1,
  request: { kind: 'switch', force: false, noFencing: false },
} as const;

/** server1 is primary, and server2 may take over. */
const pair = (change: Parameters<typeof view>[2] = {}): Conversation =>
  new Conversation('server1')
    .after(0, '', boot({ running: true, restored: recorded({ sync: inSync }) }))
    .after(10, '', answer(report('primary')))
    .after(10, '', heard(view('server2', 'standby', { sync: inSync, ...change })));

describe('a standby that can write nothing down', () => {
  it('is no aim of a switch: the primary serves on', () => {
    expect(pair().after(10, '', asked).state.preparing).not.toBe(null);
    const it1 = pair({ unsaved: gone }).after(10, 'mc_ctl switch', asked);
    expect(it1.state).toMatchObject({ preparing: null, giving: null, own: { phase: 'running' } });
    expect(it1.text()).toContain('no standby can take over: server2 can write down nothing that it decides');
    expect(it1.state.mirroring).toMatchObject({ status: 'not-switchable' });
    expect(it1.state.mirroring.advice).toContain('do not end the controller of server2');
  });

  it('ends a switch that is being prepared', () => {
    const it1 = pair().after(10, '', asked);
    it1.after(10, '', heard(view('server2', 'standby', { sync: inSync, unsaved: gone })));
    expect(it1.state).toMatchObject({ preparing: null, giving: null, own: { phase: 'running' } });
  });

  it('is not offered the role of an instance that has failed', () => {
    const fails = { kind: 'instance-check', outcome: { kind: 'gone' } } as const;
    expect(pair().after(10, '', fails).state.giving).not.toBe(null);
    expect(pair({ unsaved: gone }).after(10, '', fails).state.giving).toBe(null);
  });

  it('takes nothing over on a silence, nor by force', () => {
    const standby = (lost: boolean): Conversation => {
      const it1 = new Conversation('server2')
        .after(0, '', boot({ running: true, standby: true }))
        .after(10, '', answer(report('standby')))
        .after(10, '', heard(view('server1', 'primary', { sync: inSync })))
        .after(10, '', answer(report('standby', { receiver: null })));
      return lost ? it1.after(10, '', { kind: 'place-lost', why: gone }) : it1;
    };
    const force = { ...asked, request: { ...asked.request, force: true } } as const;
    const silent = { kind: 'peer-refused', peer: 'server1' } as const;
    expect(standby(false).after(10, '', silent).after(10, '', force).state.takeover).not.toBe(null);
    const it1 = standby(true).after(10, '', silent).after(10, 'mc_ctl switch --force', force);
    expect(it1.state.takeover).toBe(null);
    expect(it1.text()).toContain(`server2 can write down nothing that it decides (${gone})`);
  });
});

describe('a primary that can write nothing down', () => {
  it('does not begin to give its role away', () => {
    const it1 = pair().after(10, '', { kind: 'place-lost', why: gone }).after(10, 'mc_ctl switch', asked);
    expect(it1.state).toMatchObject({ preparing: null, giving: null, own: { phase: 'running' } });
    expect(it1.text()).toContain(`server1 can write down nothing that it decides (${gone})`);
  });

  it('starts again where it was stopped for that already', () => {
    const it1 = new Conversation('server1', 2)
      .after(0, '', boot({ running: true, restored: recorded({ sync: inSync }) }))
      .after(10, '', answer(report('primary')))
      .after(10, '', heard(view('server2', 'standby', { sync: inSync })))
      .after(10, '', { kind: 'instance-check', outcome: { kind: 'gone' } });
    expect(it1.state.giving?.stage).toBe('stop');
    it1.after(5, '', { kind: 'place-lost', why: gone });
    it1.after(5, '', { kind: 'instance-stopped', proof: null });
    expect(it1.state).toMatchObject({ giving: null, boot: { kind: 'asking-peers' } });
  });
});

describe('a standby that receives from a primary whose controller is not heard', () => {
  it('names nobody to be made primary', () => {
    const standby = (receiver: string | null): Conversation =>
      new Conversation('server2')
        .after(0, '', boot({ running: true, standby: true }))
        .after(10, '', answer(report('standby')))
        .after(10, '', heard(view('server1', 'primary', { sync: inSync })))
        .after(10, '', { kind: 'peer-refused', peer: 'server1' })
        .after(10, '', answer(report('standby', { receiver })));
    const { reason, advice } = standby('streaming').state.mirroring;
    expect(reason).toContain('server2 receives WAL from there: its instance runs');
    expect(advice).toContain('on server1: mc_ctl start');
    expect(advice).not.toContain('--force');
    expect(standby(null).state.mirroring.advice).toContain('switch --force');
  });
});

describe('a role that was given to a server that is lost', () => {
  const handover = { id: 7, kind: 'switch', to: 'server2', checkpoint: '0/3000100' } as const;
  const start = { kind: 'control', id: 1, request: { kind: 'start', force: false } } as const;
  const giver = (): Conversation =>
    new Conversation('server1').after(
      0,
      'the host boots',
      boot({ restored: recorded({ sync: inSync, handover }) }),
    );

  it('comes back by a word of a person', () => {
    const it1 = giver().silence(12_000);
    expect(it1.state).toMatchObject({ giving: { stage: 'given' }, own: { phase: 'stopped' } });
    it1.after(10, 'mc_ctl start', start);
    expect(it1.state).toMatchObject({ giving: null, boot: { kind: 'asking-peers' } });
    it1.silence(12_000);
    expect(it1.state.own.phase).toBe('starting');
  });

  it('is answered with why while the other one was not asked long enough', () => {
    const it1 = giver().after(10, 'mc_ctl start', start);
    expect(it1.state).toMatchObject({ giving: { stage: 'given' }, waitingForStart: [] });
    expect(it1.text()).toContain('this server gave its role to server2, which is being asked; wait a moment');
  });

  it('waits all the same for one that turns out to take over', () => {
    const it1 = giver().silence(12_000).after(10, 'mc_ctl start', start);
    const takeover = {
      from: 'server1',
      kind: 'handover',
      id: 7,
      checkpoint: null,
      stage: 'promote',
      lsn: null,
    } as const;
    for (let round = 0; round < 15; round += 1)
      it1.after(800, '', heard(view('server2', 'standby', { takeover }))).after(10, '', { kind: 'tick' });
    expect(it1.state.own.phase).toBe('waiting');
    it1.after(10, '', heard(view('server2', 'primary', { lastTimeline: 2 })));
    expect(it1.state.own.phase).toBe('held');
  });
});

describe('the files of a management directory', () => {
  const made = () => {
    const root = mkdtempSync(join(tmpdir(), 'place-'));
    onTestFinished(() => rmSync(root, { recursive: true, force: true }));
    const [dir, data] = [join(root, 'mc'), join(root, 'data')];
    mkdirSync(dir);
    mkdirSync(data);
    return { dir, data, put: (path: string) => writeFileSync(join(root, path), '') };
  };
  const first = { state: null, torn: false };
  const lost = { state: null, torn: true };

  it('tell a record that is lost from a first start', () => {
    const { dir, data, put } = made();
    expect(recall(dir, 'server1', data)).toEqual(first);
    // pgduet has taken in a server that ran before.
    put('data/postmaster.opts');
    put('mc/server1.before.json');
    expect(recall(dir, 'server1', data)).toEqual(first);
    // Its controller has run since.
    put('mc/server1.status.json');
    expect(recall(dir, 'server1', data)).toEqual(lost);
    writeState(dir, 'server1', recorded());
    expect(recall(dir, 'server1', data)).toEqual({ state: recorded(), torn: false });
  });

  it('tell it where the directory was made anew by hand', () => {
    const { dir, data, put } = made();
    put('data/postmaster.opts');
    expect(recall(dir, 'server1', data)).toEqual(lost);
  });

  it('are not written into a directory that has taken the place of the one with the lock', () => {
    const { dir } = made();
    const lock = takeLock(dir, 'server1');
    if (lock.kind !== 'taken') throw new Error('the lock is held');
    const cwd = process.cwd();
    onTestFinished(() => process.chdir(cwd));
    const place = new Place(dir, 'server1', lock);
    expect([place.why(), place.write(recorded())]).toEqual([null, null]);
    renameSync(dir, `${dir}.away`);
    expect(place.why()).toContain(`${dir} is gone`);
    // From a directory that was removed no program of PostgreSQL starts.
    expect(process.cwd()).toBe('/');
    mkdirSync(dir);
    expect(place.write(recorded())).toContain(`${dir} is gone`);
    expect(recall(dir, 'server1', dir)).toEqual(first);
    // It ends in order.
    expect(() => lock.release()).not.toThrow();
    rmSync(dir, { recursive: true });
    renameSync(`${dir}.away`, dir);
    expect(place.why()).toBe(null);
  });

  it('show a disk without room by the file that is written with every tick', () => {
    const { dir } = made();
    const lock = takeLock(dir, 'server1');
    if (lock.kind !== 'taken') throw new Error('the lock is held');
    const place = new Place(dir, 'server1', lock);
    mkdirSync(join(dir, 'server1.status.json'));
    place.show({});
    expect(place.why()).toContain('server1.status.json');
  });
});
