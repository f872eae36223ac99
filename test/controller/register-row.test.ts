/** What `mc_ctl status --json` says of the register: whom the promise names, and whether those answer. */
import { describe, expect, it } from 'vitest';
import { serverConf } from '../../src/controller/config.ts';
import { registerRow } from '../../src/controller/core/arbiter-rows.ts';
import { initialState } from '../../src/controller/core/initial-state.ts';
import { freshCell } from '../../src/controller/core/register.ts';
import type { State } from '../../src/controller/core/state.ts';
import type { ArbiterView, CellName, SyncSet } from '../../src/controller/core/view.ts';

const line = { id: 'arb1', host: '192.0.2.3', port: 27541 };
const self = { id: 'server2', host: '192.0.2.2', port: 27540 };
const servers = [{ id: 'server1', host: '192.0.2.1', port: 27540 }, self];
const promise = (cells: readonly CellName[]): SyncSet => ({
  primary: 'server1',
  timeline: 1,
  epoch: 4,
  members: ['server2'],
  eligible: ['server2'],
  voters: ['server2'],
  needed: 1,
  term: 3,
  cells,
});
const told: ArbiterView = {
  id: 'arb1',
  incarnation: 'i',
  seq: 1,
  cell: freshCell('first memory'),
  version: '0.2.0',
  echoes: {},
};

const state = (sync: SyncSet | null, heard: boolean): State => {
  const empty = initialState({
    self,
    servers,
    arbiters: [line],
    conf: serverConf({ dbInstance: '/database/inst1' }),
    dir: '/mcdir/inst1',
    controllerVersion: '0.2.0',
    clocks: { at: 1000, wall: 1000, sinceBoot: 1000 },
  });
  const arbiter = { line, heardWall: 1000, why: '', view: told, heardAt: heard ? empty.now : -1 };
  return { ...empty, sync, arbiters: { arb1: arbiter } };
};
const arb1 = { at: 'arb1', id: 'first memory' };

describe('the register in the status', () => {
  it('is none where the promise names none, or there is no promise', () => {
    expect(registerRow(state(null, true))).toBeNull();
    expect(registerRow(state(promise([]), true))).toBeNull();
  });

  it('answers as long as the arbiter is heard with the memory that is named', () => {
    const named = { term: 3, members: ['arb1'] };
    expect(registerRow(state(promise([arb1]), true))).toEqual({ ...named, answers: true });
    expect(registerRow(state(promise([arb1]), false))).toEqual({ ...named, answers: false });
    const other = promise([{ ...arb1, id: 'another memory' }]);
    expect(registerRow(state(other, true))).toEqual({ ...named, answers: false });
  });

  it('has its members in the order of their names', () => {
    const cells = ['server3', 'server1', 'server2'].map((at) => ({ at, id: at }));
    expect(registerRow(state(promise(cells), true))?.members).toEqual(['server1', 'server2', 'server3']);
  });
});
