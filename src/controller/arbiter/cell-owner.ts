/**
 * The owner of one cell: hears what servers tell, lets `core/arbiter.ts` judge, and answers only when the cell is on the disk. What
 * cannot be written down has not happened: the former cell stays, nobody is answered, and the next heartbeat tries again.
 * In: views. Out: answers, or none. It holds no timer and no socket.
 */
import { type ArbiterState, arbiterHears, arbiterView, startArbiter } from '../core/arbiter.ts';
import type { MessageNumber } from '../core/messages.ts';
import type { ArbiterView, Cell, ServerId, ServerView } from '../core/view.ts';

export interface CellPorts {
  /** Null when it is on the disk, otherwise why not. */
  write(cell: Cell): string | null;
  log(message: MessageNumber, values: Readonly<Record<string, string>>): void;
}

export interface CellFacts {
  /** As what the promises of the cluster name this arbiter. */
  readonly id: ServerId;
  readonly version: string;
  /** Differs with every start. */
  readonly incarnation: string;
  /** What the disk holds. */
  readonly found: { readonly cell: Cell | null; readonly torn: boolean };
  /** Monotonic milliseconds. */
  readonly at: number;
  readonly patienceMs: number;
}

export class CellOwner {
  readonly #ports: CellPorts;
  #state: ArbiterState;
  /** Why the last write has failed; null when it has not. */
  #unwritten: string | null = null;

  constructor({ found, ...facts }: CellFacts, ports: CellPorts) {
    this.#ports = ports;
    this.#state = startArbiter({ ...facts, cell: found.cell });
    if (found.cell) return;
    const why = found.torn ? 'its file was damaged, and is kept as cell.json.torn' : 'there was none';
    ports.log('MCR00010', { id: this.cell.id, why });
    this.#write(this.cell);
  }

  get cell(): Cell {
    return this.#state.cell;
  }

  get unwritten(): string | null {
    return this.#unwritten;
  }

  /** After a reload. Another name makes it another cell for the promises. */
  configure(facts: { readonly id: ServerId; readonly patienceMs: number }): void {
    this.#state = { ...this.#state, ...facts };
  }

  /** This process stood still: who was not heard meanwhile may be there all the same. */
  goOn(at: number): void {
    this.#state = { ...this.#state, startedAt: at };
  }

  /** What the server is told; null when nobody is answered. */
  hear(view: ServerView, at: number): ArbiterView | null {
    const { cell: before } = this.#state;
    const next = arbiterHears(this.#state, view, at);
    const mustWrite = next.cell !== before || this.#unwritten !== null;
    if (mustWrite && !this.#write(next.cell)) {
      this.#state = { ...next, cell: before };
      return null;
    }
    this.#state = next;
    this.#tell(before, next.cell);
    return arbiterView(next);
  }

  #write(cell: Cell): boolean {
    const why = this.#ports.write(cell);
    if (why !== null && why !== this.#unwritten) this.#ports.log('MCR00011', { why });
    if (why === null && this.#unwritten !== null) this.#ports.log('MCR00012', {});
    this.#unwritten = why;
    return why === null;
  }

  #tell(before: Cell, { id, term, holder }: Cell): void {
    const { log } = this.#ports;
    if (id !== before.id) log('MCR00010', { id, why: 'a server tells of a term that it knew nothing of' });
    else if (holder !== null && (term !== before.term || holder !== before.holder))
      log('MCR00008', { term: String(term), server: holder });
    else if (holder === null && before.holder !== null) log('MCR00009', { term: String(term) });
  }
}
