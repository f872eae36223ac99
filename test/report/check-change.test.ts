/** What `--watch` tells: only what is not as it was a look before. */
import { describe, expect, it } from 'vitest';
import { changeJson, changesOf, changeText } from '../../src/report/check-change.ts';
import { clean, cluster, evil, finding, mixed, report } from './check-samples.ts';

const memory = (found: string, host = 'server1') =>
  finding({ code: 'SET001', object: 'work_mem', found, host });
const text = (before: Parameters<typeof changesOf>[0], after: Parameters<typeof changesOf>[1]): string[] =>
  changesOf(before, after).flatMap((change) => changeText(change, { colour: false }).split('\n'));

describe('changesOf', () => {
  it('is empty as long as nothing changes', () => {
    expect(changesOf(clean, clean)).toEqual([]);
    expect(changesOf(mixed, { ...mixed, at: '2026-11-20T12:01:00Z', ms: 7 })).toEqual([]);
  });

  it('tells what appears, what changes and what is gone', () => {
    const before = report(cluster([memory('1MB'), memory('8MB', 'server2')]));
    const after = report(cluster([memory('2MB'), finding({ code: 'UNT003', object: 'unit', found: 'off' })]));
    expect(text(before, after)).toEqual([
      '2026-11-20 12:00:00 UTC  inst1  appeared  drift  UNT003  server1  unit: the unit is not enabled (off)',
      '2026-11-20 12:00:00 UTC  inst1  changed   drift  SET001  server1  work_mem: a setting has another value in postgresql.conf, or none (1MB → 2MB)',
      '2026-11-20 12:00:00 UTC  inst1  gone      drift  SET001  server2  work_mem: a setting has another value in postgresql.conf, or none',
      '2026-11-20 12:00:00 UTC  inst1  now       2 drift',
    ]);
  });

  it('says that all is as declared again', () => {
    expect(text(mixed, clean).at(-1)).toBe('2026-11-20 12:00:00 UTC  inst1  now       nothing');
  });

  it('tells another primary, another severity, and nothing of other clusters', () => {
    const other = cluster([], { cluster: 'inst2', inventory: 'two.yml' });
    const grave = { ...memory('1MB'), severity: 'danger' } as const;
    const before = report(cluster([memory('1MB')]), other);
    const after = report(cluster([grave], { primary: 'server2' }), other);
    const [change, ...rest] = changesOf(before, after);
    expect(rest).toEqual([]);
    expect(change?.primary).toEqual({ before: 'server1', after: 'server2' });
    expect(text(before, after).join('\n')).toContain('primary   server1 → server2\n');
    expect(text(before, after).join('\n')).toContain('(was drift)');
  });

  it('compares the second of two alike with the second', () => {
    const two = report(cluster([memory('1MB'), memory('2MB')]));
    const [change] = changesOf(two, report(cluster([memory('1MB')])));
    expect(change?.gone).toHaveLength(1);
    expect(change?.changed).toEqual([]);
  });

  it('keeps every change in one line, whatever a host says', () => {
    const lines = text(clean, report(cluster([memory(evil), memory(evil, 'server2')])));
    expect(lines).toHaveLength(3);
    expect(lines.join('')).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/);
  });

  it('is data for programs', () => {
    const [change] = changesOf(clean, report(cluster([memory('1MB')])));
    expect(change && changeJson(change)).toMatchObject({
      schema: 1,
      verb: 'check',
      cluster: 'inst1',
      primary: null,
      appeared: [{ code: 'SET001', mended_by: 'provision' }],
      gone: [],
      changed: [],
      counts: { drift: 1 },
    });
  });
});
