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
  /** Those of them that stream already, and are not copied. */
  readonly streaming?: readonly string[];
  /** Of a standby that streams already: how the primary's sender for it does, "streaming 1234"; empty where it has none. */
  readonly sender?: string;
  /** It is such a standby. */
  readonly follows?: boolean;
  /** Of a pair: slots of its standbys. */
  readonly slots?: readonly string[];
  readonly addresses: readonly string[];
  /** Units and files of the system may be written there. */
  readonly managed: boolean;
  /** Of the controller; absent where there is no systemd. */
  readonly unit?: string;
  /** Words of multiplexing.unit_allows. */
  readonly unitAllows?: readonly string[];
}

export interface Obstacle {
  readonly what: string;
  readonly fix: string;
}
