/** A full disk is no broken disk: it is told, and nothing else follows from it. */
import { describe, expect, it } from 'vitest';
import type { Happening } from '../../src/controller/core/event.ts';
import { ownView } from '../../src/controller/core/own-view.ts';
import { statusReport } from '../../src/controller/core/status.ts';
import { answer, boot, Conversation, heard, report, view } from './support/conversation.ts';

const megabyte = 1024 ** 2;
const left = (freeBytes: number | null): Happening => ({
  kind: 'disk-check',
  part: 'data',
  ok: true,
  error: '',
  freeBytes,
});
const primary = () =>
  new Conversation('server1')
    .after(0, '', boot({ running: true }))
    .after(10, '', answer(report('primary')))
    .after(5, '', heard(view('server2', 'standby')))
    .after(20, '', { kind: 'checkpointed', purpose: 'proof', why: null })
    .after(20, '', answer(report('primary')))
    .silence(800);
const times = (text: string, part: string): number => text.split(part).length - 1;

describe('a disk that is full', () => {
  it('is told once, to people and to the other servers, and leaves the roles alone', () => {
    const it1 = primary()
      .after(10, '', left(2 * megabyte))
      .after(800, '', left(0));
    const { state } = it1;
    expect(times(it1.text(), 'MCA01120')).toBe(1);
    expect([state.own.phase, state.own.role, state.giving]).toEqual(['running', 'primary', null]);
    expect(ownView(state)).toMatchObject({ fullDisks: ['data'], failedDisks: [] });
    const { mirroring_status, reason, servers } = statusReport(state, { pid: 1, node: '18' });
    expect([mirroring_status, reason]).toEqual(['switchable', 'a disk of server1 is full (data)']);
    expect(servers.map(({ disk_status }) => disk_status)).toEqual(['full(data)', 'normal']);
  });

  it('has room again only with twice as much, and an unknown answer changes nothing', () => {
    const it1 = primary().after(10, '', left(2 * megabyte));
    for (const still of [left(17 * megabyte), left(null)])
      expect(it1.after(800, '', still).state.own.disks.data.full).toBe(true);
    expect(it1.after(800, '', left(40 * megabyte)).state.own.disks.data.full).toBe(false);
    expect(times(it1.text(), 'MCA01121')).toBe(1);
    for (const still of [left(17 * megabyte), left(null)])
      expect(it1.after(800, '', still).state.own.disks.data.full).toBe(false);
  });

  it('is shown of another server, too', () => {
    const { state } = primary().after(
      10,
      '',
      heard(view('server2', 'standby', { fullDisks: ['tablespace'] })),
    );
    const { servers } = statusReport(state, { pid: 1, node: '18' });
    expect(servers.map(({ disk_status }) => disk_status)).toEqual(['normal', 'full(tablespace)']);
  });
});
