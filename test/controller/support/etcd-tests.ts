/** Servers that ask a real etcd, for one file of tests: what is opened for a test is closed behind it. */
import { afterAll, afterEach, beforeAll } from 'vitest';
import type { ServerConf } from '../../../src/controller/config.ts';
import type { Vote } from '../../../src/controller/core/view.ts';
import type { EtcdRegister } from '../../../src/controller/io/etcd-link.ts';
import { view } from './conversation.ts';
import { Authority, EtcdServer, Gateway, type RealEtcd } from './etcd.ts';

export class EtcdTests {
  readonly #open: { close(): void }[] = [];
  #authority: Authority | null = null;

  /** Called once in a file, before its tests. */
  constructor() {
    beforeAll(() => {
      this.#authority = new Authority();
    });
    afterEach(() => {
      for (const it of this.#open.splice(0)) it.close();
    });
    afterAll(() => this.authority.remove());
  }

  get authority(): Authority {
    if (!this.#authority) throw new Error('the tests have not begun');
    return this.#authority;
  }

  /** Until the test is over. */
  keep(it: { close(): void }): void {
    this.#open.push(it);
  }

  readonly serverAt = (
    register: EtcdRegister,
    id = 'server1',
    times: Partial<ServerConf> = {},
  ): EtcdServer => {
    const server = new EtcdServer(view(id, 'standby'), register, times);
    this.keep(server.link);
    return server;
  };

  /** Before the first member. */
  async gateway(etcd: RealEtcd): Promise<{ readonly gate: Gateway; readonly endpoint: string }> {
    const gate = new Gateway(this.authority, etcd.endpoints[0] ?? '');
    this.keep(gate);
    return { gate, endpoint: await gate.listen() };
  }
}

export const asking = (cells: Vote['cells'], attempt: number): Vote => ({
  ...{ cells, term: 1, attempt, stage: 'asking', against: null },
});

/** Heartbeats without news, until this is so. */
export async function beat(server: EtcdServer, done: () => boolean, ms = 30_000): Promise<void> {
  for (let waited = 0; waited < ms && !done(); waited += 100) await server.tell({}, 100);
}
