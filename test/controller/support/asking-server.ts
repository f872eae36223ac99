/** A server as a register knows it: a real link, which a subclass makes, and a view that the test chooses. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ArbiterView, Cell, ServerView, Vote } from '../../../src/controller/core/view.ts';

export abstract class AskingServer {
  readonly seen: string[] = [];
  readonly answers: ArbiterView[] = [];
  abstract readonly link: { heartbeat(view: ServerView): void };
  protected view: ServerView;
  readonly #patienceMs: number;

  constructor(view: ServerView, patienceMs: number) {
    this.view = view;
    this.#patienceMs = patienceMs;
  }

  protected readonly heard = (id: string, it: ArbiterView): void => {
    this.answers.push(it);
    this.seen.push(`heard ${id} ${it.cell.term}`);
  };

  protected readonly lost = (id: string, why: string): void => {
    this.seen.push(`lost ${id}: ${why}`);
  };

  /** Tells exactly this, until it was answered or the time is up; the answer, or none. */
  async say(view: ServerView, ms = this.#patienceMs): Promise<ArbiterView | null> {
    this.view = view;
    this.answers.length = 0;
    const answered = (): ArbiterView | undefined =>
      this.answers.find((it) => (it.echoes[view.id]?.seq ?? -1) >= view.seq);
    for (let waited = 0; waited < ms && !answered(); waited += 5) {
      if (waited % 100 === 0) this.link.heartbeat(view);
      await sleep(5);
    }
    return answered() ?? null;
  }

  /** Tells something new. */
  async tell(change: Partial<ServerView> = {}, ms = this.#patienceMs): Promise<ArbiterView | null> {
    return this.say({ ...this.view, seq: this.view.seq + 1, ...change }, ms);
  }

  /** The vote of a primary, which no preference holds up, and the cell that answers it. */
  async vote(change: Partial<Vote> & Pick<Vote, 'cells'>, ms = this.#patienceMs): Promise<Cell | null> {
    const vote: Vote = { term: 1, attempt: 1, stage: 'asking', against: null, ...change };
    return (await this.tell({ role: 'primary', phase: 'starting', vote }, ms))?.cell ?? null;
  }
}
