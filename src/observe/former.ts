/** What is known of servers that were primary before another one, once that is decided. Types only. */
import type { Lineage } from '../postgres/lineage.ts';

/** A server that was primary before the right one. */
export interface Former {
  readonly name: string;
  /** Where the right one left its timeline; undefined where that is not known. */
  readonly fork?: string;
  /** Why it would start by itself as soon as nobody is heard; undefined: its controller waits. */
  readonly restless?: string;
  /** Who took over from it directly, and holds all that it has acknowledged if PostgreSQL waited for that one. */
  readonly successor?: string;
  /** Why its own promise does not say so. */
  readonly unproven?: string;
  /** It gave its role to the right one in a switch: it is started, too, and becomes a standby. Where that one runs only if nothing was kept, as its files prove. */
  readonly joins?: true;
  /** Its own promise, in words. */
  readonly promise: string;
}

export interface LastPrimary {
  readonly primary: string;
  readonly lineage?: Lineage;
  readonly formers: readonly Former[];
  /** Its role was on its way: whoever may become primary, as the controllers decide. Empty where it is decided. */
  readonly heirs: readonly string[];
}
