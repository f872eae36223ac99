/** The small worlds that are searched, with what may go wrong in each. In: nothing. Out: bounds, and their words. */
import { type Budget, type Left, nothingLeft } from './scene.ts';

export interface SmallWorld {
  readonly name: string;
  readonly servers: number;
  /** Without one the servers themselves are the register. */
  readonly arbiter: boolean;
  readonly left: Left;
}

const pair = (name: string, left: Partial<Left>): SmallWorld => ({
  name,
  servers: 2,
  arbiter: true,
  left: { ...nothingLeft, ...left },
});

/** Small enough for every run of the tests. */
export const small: readonly SmallWorld[] = [
  pair('a controller is killed', { kills: 1, votes: 2, commits: 1 }),
  pair('a switch', { switches: 1 }),
  pair('the arbiter gets an empty disk', { wipes: 1, votes: 1, commits: 1 }),
  pair('no WAL goes', { cuts: 1, votes: 1 }),
];

/** From the smallest to the largest. */
export const pairs: readonly SmallWorld[] = [
  ...small,
  pair('a switch, and silences', { switches: 1, votes: 1 }),
  pair('no WAL goes', { cuts: 1, votes: 2 }),
  pair('a host or an instance crashes', { crashes: 1, votes: 1, commits: 1 }),
  pair('no WAL goes, and the arbiter gets an empty disk', { cuts: 1, wipes: 1, votes: 2 }),
  pair('no WAL goes, and goes again', { cuts: 1, mends: 1, votes: 2, commits: 1 }),
  pair('no WAL goes, and a controller is killed', { cuts: 1, kills: 1, votes: 2, commits: 1 }),
];

/** The servers themselves are the register. */
export const trio: SmallWorld = {
  name: 'three servers, no WAL goes',
  servers: 3,
  arbiter: false,
  left: { ...nothingLeft, votes: 3, cuts: 2 },
};

const words: Readonly<Record<Budget, string>> = {
  commits: 'commits',
  cuts: 'cuts between two instances',
  mends: 'cuts mended',
  kills: 'controllers killed',
  crashes: 'hosts or instances crashed',
  switches: 'switches asked for',
  votes: 'votes',
  wipes: 'new disks of the arbiter',
};

export function describeBounds({ servers, arbiter, left }: SmallWorld): string {
  const budgets = (Object.keys(words) as Budget[]).filter((it) => left[it] > 0);
  const most = budgets.map((it) => `${words[it]} ${left[it]}`).join(', ');
  return `${servers} servers${arbiter ? ' and an arbiter' : ''}; at most: ${most}`;
}
