/**
 * The management directory of a controller that runs: whether it can write there, before it has to, and its writes. In: the lock that it has
 * taken there. Out: why nothing can be written down, or null. What the lock does not show, a full or read-only disk, shows with the status
 * file, which is written with every tick.
 */
import type { Publics } from '../../base/identities.ts';
import type { Persisted } from '../core/state.ts';
import { textOf } from './actions.ts';
import { writeProven } from './identity-files.ts';
import type { Taken } from './lock.ts';
import { showStatus, writeState } from './state-file.ts';

export class Place {
  readonly #dir: string;
  readonly #id: string;
  readonly #lock: Taken;
  #unshown: string | null = null;

  constructor(dir: string, id: string, lock: Taken) {
    this.#dir = dir;
    this.#id = id;
    this.#lock = lock;
  }

  why = (): string | null => this.#gone() ?? this.#unshown;

  /** Where another directory has taken its place nothing of this controller's may be written before it has the lock there. */
  #gone(): string | null {
    if (this.#lock.isThere()) return null;
    // From a directory that was removed no program of PostgreSQL starts.
    process.chdir('/');
    return `${this.#dir} is gone, or another directory stands in its place`;
  }

  /** A stalled disk holds the whole controller up here: it falls silent, and the policy of the others answers. That is meant. */
  write = (record: Persisted): string | null => this.#done(() => writeState(this.#dir, this.#id, record));

  /** Which keys peers have proven. */
  remember = (proven: Publics): string | null => this.#done(() => writeProven(this.#dir, this.#id, proven));

  #done(write: () => void): string | null {
    const gone = this.#gone();
    if (gone !== null) return gone;
    try {
      write();
      return null;
    } catch (error) {
      return textOf(error);
    }
  }

  show(report: object): void {
    if (this.#gone() === null) this.#unshown = showStatus(this.#dir, this.#id, report);
  }
}
