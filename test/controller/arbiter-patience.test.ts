/** How long an arbiter prefers a primary: as long as the heartbeats of its cluster ask for, and not against one that it could not hear. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Secret } from '../../src/base/secret.ts';
import { Cluster } from '../../src/controller/arbiter/cluster.ts';
import { arbiterConf } from '../../src/controller/config-arbiter.ts';
import type { Vote } from '../../src/controller/core/view.ts';
import { view } from './support/conversation.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'pgduet-patience-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const conf = arbiterConf({ port: 1, myAddress: '127.0.0.1' });
const cellId = 'c';

function cluster(): Cluster {
  const self = { id: 'arb1', host: '127.0.0.1', port: 1 };
  const servers = ['server1', 'server2'].map((id, index) => ({ id, host: '127.0.0.1', port: 2 + index }));
  const keys = new Map([['f', new Secret('00')]]);
  const identities = { known: {}, proven: {} };
  const files = { cluster: 'one', dir, self, servers, keys, came: null, identities };
  const found = { cell: { id: cellId, term: 1, holder: 'server1', attempt: 1 }, torn: false };
  return new Cluster(files, conf, found, 0, () => undefined);
}

const now = (at: number) => ({ at, wall: at });
let seq = 0;

/** The primary tells of itself, and that it has heard the last answer. */
function primary(it1: Cluster, at: number, giveUpMs: number): void {
  for (const half of [0, 1]) {
    seq += 1;
    const last = it1.hear(view('server1', 'primary', { seq }), giveUpMs, now(at + half))?.view;
    seq += 1;
    const echoes = last ? { arb1: { incarnation: last.incarnation, seq: last.seq } } : {};
    it1.hear(view('server1', 'primary', { seq, echoes }), giveUpMs, now(at + half));
  }
}

const vote: Vote = {
  cells: [{ at: 'arb1', id: cellId }],
  term: 2,
  attempt: 5,
  stage: 'asking',
  against: 'server1',
};

function asks(it1: Cluster, at: number, giveUpMs: number): string | null | undefined {
  seq += 1;
  const told = it1.hear(view('server2', 'standby', { seq, vote }), giveUpMs, now(at));
  return told?.view.cell.term === 2 ? told.view.cell.holder : null;
}

it('follows the heartbeat of the cluster: a primary that is between two slow heartbeats is preferred', () => {
  const slow = 18_000;
  const it1 = cluster();
  primary(it1, 10_000, slow);
  expect(asks(it1, 14_000, slow)).toBeNull();
  expect(asks(it1, 17_000, slow)).toBe('server2');
});

it('begins anew behind a pause of the arbiter, which could hear nobody meanwhile', () => {
  const usual = 5400;
  const it1 = cluster();
  for (let at = 0; at <= 10_000; at += 800) it1.tick(at);
  primary(it1, 10_000, usual);
  it1.tick(40_000);
  expect(asks(it1, 40_100, usual)).toBeNull();
  for (let at = 40_800; at <= 42_400; at += 800) it1.tick(at);
  expect(asks(it1, 42_500, usual)).toBe('server2');
});
