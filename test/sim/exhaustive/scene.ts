/**
 * A moment of the small world: hosts with a controller and an instance each, a register, and what was told between them. All of it
 * is a row of numbers (interned.ts says what they stand for), so that millions of moments fit into memory.
 */

/** What may still go wrong, or be asked for. */
const budgets = ['commits', 'cuts', 'mends', 'kills', 'crashes', 'switches', 'votes', 'wipes'] as const;
export type Budget = (typeof budgets)[number];
export type Left = Readonly<Record<Budget, number>>;

export const nothingLeft: Left = {
  commits: 0,
  cuts: 0,
  mends: 0,
  kills: 0,
  crashes: 0,
  switches: 0,
  votes: 0,
  wipes: 0,
};

const ofHost = {
  /** The state of its controller; 0 when none runs. */
  state: 0,
  /** Its state file, while no controller runs. */
  record: 1,
  /** The host answers, so that a controller that is not there is refused and not silent. */
  on: 2,
  /** How often its controller was started. */
  incarnation: 3,
  instance: 4,
  /** Work that its controller has begun and that is not done, in its order. */
  works: 5,
  /** What it has told the arbiter last, and what that has answered last. */
  asked: 6,
  answer: 7,
} as const;
const perHost = 8;

const ofAll = {
  /** The cell of the arbiter. */
  cell: 0,
  /** Pairs of hosts between which no WAL goes, a bit each (`pairBit`). */
  apart: 1,
  /** Commits that were acknowledged, a bit each. */
  acknowledged: 2,
  /** Records of WAL so far: commits, and shutdowns. */
  written: 3,
  shutdowns: 4,
  /** Who has used which term. */
  used: 5,
  commits: 6,
  cuts: 7,
  mends: 8,
  kills: 9,
  crashes: 10,
  switches: 11,
  votes: 12,
  wipes: 13,
} as const satisfies Record<Budget, number> & Record<string, number>;
const forAll = 14;

type OfHost = keyof typeof ofHost;
type OfAll = keyof typeof ofAll;

/** So many numbers make a moment. */
export const widthOf = (hosts: number): number => hosts * (perHost + hosts) + forAll;

export const pairBit = (one: number, other: number, hosts: number): number =>
  1 << (Math.min(one, other) * hosts + Math.max(one, other));

export class Scene {
  readonly row: Int32Array;
  readonly hosts: number;

  constructor(hosts: number, row: Int32Array = new Int32Array(widthOf(hosts))) {
    this.row = row;
    this.hosts = hosts;
  }

  copy(): Scene {
    return new Scene(this.hosts, this.row.slice());
  }

  of(host: number, what: OfHost): number {
    return this.row[host * perHost + ofHost[what]] ?? 0;
  }

  put(host: number, what: OfHost, value: number): void {
    this.row[host * perHost + ofHost[what]] = value;
  }

  #link(from: number, to: number): number {
    return this.hosts * perHost + from * this.hosts + to;
  }

  /** What was told last from the one to the other. Later words take the place of earlier ones. */
  told(from: number, to: number): number {
    return this.row[this.#link(from, to)] ?? 0;
  }

  tell(from: number, to: number, view: number): void {
    this.row[this.#link(from, to)] = view;
  }

  all(what: OfAll): number {
    return this.row[this.hosts * (perHost + this.hosts) + ofAll[what]] ?? 0;
  }

  putAll(what: OfAll, value: number): void {
    this.row[this.hosts * (perHost + this.hosts) + ofAll[what]] = value;
  }

  allow(left: Left): void {
    for (const what of budgets) this.putAll(what, left[what]);
  }

  isApart(one: number, other: number): boolean {
    return (this.all('apart') & pairBit(one, other, this.hosts)) !== 0;
  }
}
