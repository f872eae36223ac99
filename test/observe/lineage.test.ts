/** Where data comes from, as the files beside it say, together with its control file. */
import { expect, it } from 'vitest';
import { readOrigin } from '../../src/observe/lineage.ts';
import type { ControlData } from '../../src/postgres/controldata.ts';
import type { ProbeReply } from '../../src/resources/contract/kind.ts';

const reply = (stdout: string): ProbeReply => ({ status: 0, stdout, stderr: '' });
const control = (timeline: number, reached = timeline): ControlData => ({
  systemIdentifier: '7',
  state: 'in production',
  timeline,
  checkpoint: '0/5000060',
  checksums: true,
  reached: { position: '0/5000148', timeline: reached },
});
const second = 'history 00000002.history 1\t0/5000148\tno recovery target specified\n';
const third = `history 00000003.history 1\t0/5000148\tx\nhistory 00000003.history 2\t0/6000000\tx\n`;

it('is the history of the timeline that the data has reached, and of no other', () => {
  expect(readOrigin(reply(second), control(2)).lineage?.timeline).toBe(2);
  // Killed right behind its promotion: the checkpoint is of the timeline before.
  expect(readOrigin(reply(second), control(1, 2)).lineage).toEqual({
    timeline: 2,
    left: [{ timeline: 1, at: '0/5000148' }],
  });
  expect(readOrigin(reply(`${second}${third}`), control(2)).lineage?.timeline).toBe(2);
  expect(readOrigin(reply(third), control(2)).lineage).toBeUndefined();
  expect(readOrigin(reply(''), control(2)).lineage).toBeUndefined();
});

it('is none on the first timeline', () => {
  expect(readOrigin(reply(''), control(1)).lineage).toEqual({ timeline: 1, left: [] });
});

it('is unknown without a control file', () => {
  expect(readOrigin(reply(second), undefined)).toEqual({});
});

it('tells a restore that a person has begun, and a record that was lost', () => {
  expect(readOrigin(reply('torn yes\nrestoring backup_label\n'), control(1))).toMatchObject({
    torn: true,
    restoring: 'backup_label',
  });
});
