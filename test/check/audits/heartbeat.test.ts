/** Silences that were measured beside the time to give up: too little room, room for more, and nothing to say. */
import { describe, expect, it } from 'vitest';
import { heartbeat } from '../../../src/check/audits/heartbeat.ts';
import { clusterOf, pairInventory } from '../../observe/cluster.ts';
import { brief, reply, tell } from './context.ts';

const withHeartbeat = (words: string) =>
  clusterOf(pairInventory.replace('{ management_dir:', `{ ${words}, management_dir:`));

const shows = (other: string, silences: readonly number[] | undefined, watched = 7200) =>
  reply(null, {
    stdout: JSON.stringify({
      servers: [
        { server_id: 'server1', ...(other === 'server1' ? row(silences, watched) : {}) },
        { server_id: 'server2', ...(other === 'server2' ? row(silences, watched) : {}) },
      ],
    }),
  });
const row = (silences: readonly number[] | undefined, watched: number) => ({
  longest_silences_ms: silences,
  silences_watched_s: watched,
});

const calm = [900, 850, 800];
const told = async (seen: Parameters<typeof tell>[1], words?: string) =>
  brief(tell(heartbeat, seen, words ? { cluster: await withHeartbeat(words) } : {}));

describe('the measured silences', () => {
  it('three of them above half of the time to give up are told of that server', async () => {
    const seen = { server1: shows('server2', [3600, 3000, 2800]), server2: shows('server1', calm) };
    expect(tell(heartbeat, seen)).toMatchObject([
      {
        code: 'CTL011',
        host: 'server1',
        object: 'server2',
        declared: 'given up after 5.4 s of silence, half of it as room',
        found: 'silent for 3.6, 3.0, 2.8 s in the last hours; heartbeat: normal has no room for that',
      },
    ]);
  });

  it('two of them may be accidents', async () => {
    const seen = { server1: shows('server2', [9000, 3000, 2700]), server2: shows('server1', calm) };
    expect(await told(seen)).toEqual([]);
  });

  it('are measured by the declared times, and say which profile has room', async () => {
    const seen = {
      server1: shows('server2', [1300, 1200, 1100]),
      server2: shows('server1', [900, 300, 300]),
    };
    expect(tell(heartbeat, seen, { cluster: await withHeartbeat('heartbeat: fast') })).toMatchObject([
      {
        code: 'CTL011',
        declared: 'given up after 2.1 s of silence, half of it as room',
        found: 'silent for 1.3, 1.2, 1.1 s in the last hours; heartbeat: normal has room for that',
      },
    ]);
    expect(await told(seen, 'heartbeat: normal')).toEqual([]);
  });

  it('have room for fast: told where nobody has chosen, and an hour was watched', async () => {
    const seen = { server1: shows('server2', calm), server2: shows('server1', [1640, 800]) };
    expect(tell(heartbeat, seen)).toMatchObject([
      {
        code: 'CTL012',
        host: null,
        found: 'no silence was longer than 1.6 s: heartbeat: fast (2.1 s) has room for that',
      },
    ]);
    for (const words of ['heartbeat: normal', 'heartbeat: fast', 'failover: manual'])
      expect(await told(seen, words)).toEqual([]);
    expect(await told({ ...seen, server2: shows('server1', calm, 3599) })).toEqual([]);
    expect(await told({ ...seen, server2: shows('server1', [1660, 800]) })).toEqual([]);
    expect(await told({ server1: shows('server2', calm) })).toEqual([]);
  });

  it('say nothing where a controller does not measure, or does not run', async () => {
    expect(
      await told({ server1: shows('server2', undefined, 0), server2: shows('server1', undefined, 0) }),
    ).toEqual([]);
    expect(await told({ server1: reply(null), server2: reply(null) })).toEqual([]);
  });
});
