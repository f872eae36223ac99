/**
 * What the files about a single server share: where it is, what shall become of it, and what may stand in the way. Types alone.
 */
import type { Instance } from '../contract/kind.ts';

export interface AdoptPlace {
  readonly id: string;
  readonly dataDir: string;
  readonly managementDir: string;
  /** Where the inventory says that WAL is. */
  readonly walDir?: string;
}

export interface Intention extends AdoptPlace {
  readonly instance: Instance;
  readonly version: number;
  readonly values: Readonly<Record<string, string>>;
  readonly standbys: readonly string[];
  readonly addresses: readonly string[];
  /** Units and files of the system may be written there. */
  readonly managed: boolean;
  /** Of the controller; absent where there is no systemd. */
  readonly unit?: string;
}

export interface Obstacle {
  readonly what: string;
  readonly fix: string;
}
