/**
 * Clocks that go wrong, and a host that is suspended as far as the lab can do it. In: a scene. Out: data.
 * It must never move a clock but the one of its host.
 */
import { sleep } from '../../harness/run.ts';
import type { Fault, Scene } from './fault.ts';

type Side = 'primary' | 'standby';
const sides: readonly Side[] = ['primary', 'standby'];

/** The library that shifts clocks is there for programs that are started after the first call. */
const underLibrary =
  (side: Side, shifts: 'wall' | 'wall and monotonic') =>
  async ({ pair, ...scene }: Omit<Scene, 'client'>): Promise<void> => {
    const { host, unit } = scene[side];
    await host.setClockOffset(0);
    const wallOnly = shifts === 'wall' ? 1 : 0;
    const environment = `systemctl set-environment FAKETIME_DONT_FAKE_MONOTONIC=${wallOnly}`;
    await host.sh(`${environment}; systemctl restart ${unit}`, { check: true });
    await pair.untilSwitchable();
  };

const clock = (side: Side, seconds: number): Fault => ({
  name: `clock set ${Math.abs(seconds) / 3600} h ${seconds > 0 ? 'forth' : 'back'}`,
  on: side,
  variant: 'clock',
  action: ['none'],
  arrange: underLibrary(side, 'wall'),
  inject: (scene) => scene[side].host.setClockOffset(seconds),
  lastsMs: 8000,
  heal: (scene) => scene[side].host.setClockOffset(0),
  wrongClock: true,
});

/** The wall clock and the monotonic one are where they were; the time since boot cannot be held. */
const suspended = (side: Side, seconds: number): Fault => ({
  name: `host suspended for ${seconds} s, two of its three clocks with it`,
  on: side,
  variant: 'suspended',
  action: [side === 'primary' ? 'switch' : 'disconnection'],
  arrange: underLibrary(side, 'wall and monotonic'),
  inject: async (scene) => {
    const { host } = scene[side];
    const begin = performance.now();
    await host.freeze();
    await host.setClockOffset(-seconds);
    await sleep(seconds * 1000 - (performance.now() - begin));
    await host.thaw();
  },
  lastsMs: seconds * 1000 + 1000,
  afterMs: 4000,
  wrongClock: true,
});

export const clocks: readonly Fault[] = [
  ...sides.flatMap((side) => [clock(side, 3600), clock(side, -3600)]),
  ...sides.map((side) => suspended(side, 30)),
];
