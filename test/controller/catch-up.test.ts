/** The calls that a standby gets while it catches up, and which of them make it look at its instance. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Calls, CatchUp } from '../../src/controller/catch-up.ts';

describe('a primary whose standby catches up', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('calls again within milliseconds, and leaves it to the heartbeats after ten calls', () => {
    let calls = 0;
    const catchUp = new CatchUp(() => {
      calls += 1;
      catchUp.follow(true);
    });
    catchUp.follow(true);
    catchUp.follow(true);
    vi.advanceTimersByTime(20);
    expect(calls).toBe(1);
    vi.advanceTimersByTime(10_000);
    expect(calls).toBe(10);
    catchUp.follow(false);
    catchUp.follow(true);
    vi.advanceTimersByTime(20);
    expect(calls).toBe(11);
  });

  it('calls nobody when it has caught up', () => {
    const call = vi.fn();
    const catchUp = new CatchUp(call);
    catchUp.follow(true);
    catchUp.follow(false);
    vi.advanceTimersByTime(10_000);
    expect(call).not.toHaveBeenCalled();
  });
});

it('a call is early when it comes before half of the interval is over, for each peer', () => {
  const calls = new Calls();
  const early = (peer: string, at: number): boolean => calls.isEarly(peer, at, 1000);
  expect([early('a', 0), early('b', 100), early('a', 500), early('a', 999), early('b', 1100)]).toEqual([
    false,
    false,
    false,
    true,
    false,
  ]);
});
