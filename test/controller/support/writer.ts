/**
 * The writing client of the tests as they see it: what was acknowledged, and the longest time without an acknowledgement.
 * It runs as a process of its own (writer-client.mjs) and is ended by number.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Address {
  readonly host: string;
  readonly port: number;
}

export class Writer {
  readonly acknowledged: number[] = [];
  #times: number[] = [];
  #rest = '';
  readonly #child: ChildProcess;

  constructor(addresses: readonly Address[], user: string) {
    const program = new URL('./writer-client.mjs', import.meta.url).pathname;
    const places = addresses.map(({ host, port }) => `${host}:${port}`);
    this.#child = spawn(process.execPath, [program, user, ...places], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => this.#read(text));
  }

  #read(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      const [id, at] = line.split(' ').map(Number);
      if (id === undefined || at === undefined) continue;
      this.acknowledged.push(id);
      this.#times.push(at);
    }
  }

  stop(): void {
    this.#child.kill('SIGTERM');
  }

  /** Waits until rows are acknowledged that were written after this call. False when the time is up. */
  async writesAgain(withinMs: number): Promise<boolean> {
    const begin = performance.timeOrigin + performance.now();
    for (let waited = 0; waited < withinMs; waited += 10) {
      const last = this.#times.at(-1) ?? 0;
      if (last > begin + 20) return true;
      await sleep(10);
    }
    return false;
  }

  /** The longest time between two acknowledgements, in ms. */
  longestGapMs(): number {
    return this.#times.reduce((most, at, index) => Math.max(most, at - (this.#times[index - 1] ?? at)), 0);
  }

  /** Forgets the times, not the acknowledged rows. */
  mark(): void {
    this.#times = this.#times.slice(-1);
  }
}
