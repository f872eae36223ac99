/**
 * The adapter for unit tests: a Transport without a host. In: a function from script to reply. Out: sessions that keep
 * the promises of the port (order, locks, the end), and a record of what was run where.
 */
import type { Host } from '../inventory/cluster.ts';
import type { LockReply, LockRequest, Reply, RunOptions, Session, Transport } from './port.ts';
import { refusal } from './refusal.ts';

/**
 * What a host answers. What is left out is empty, or 0. A function may also throw, for a connection that breaks. Lines of
 * stderr that are told come before the reply, which has them too.
 */
export type Respond = (
  script: string,
  host: string,
  tell: (line: string) => void,
) => Partial<Reply> | Promise<Partial<Reply>>;

export interface FakeTransport extends Transport {
  /** Every script in the order in which it was begun. */
  readonly scripts: readonly { readonly host: string; readonly script: string }[];
  /** Locks that are held now: "host cluster" to owner. */
  readonly locks: ReadonlyMap<string, string>;
  /** Breaks the connection to a host: what runs and what comes later is rejected with CON007. */
  cut(host: string): void;
}

interface World {
  readonly respond: Respond;
  readonly scripts: { host: string; script: string }[];
  readonly locks: Map<string, string>;
  readonly cuts: Map<string, (() => void)[]>;
}

const broken = (host: string) =>
  refusal({
    code: 'CON007',
    what: `the connection to '${host}' broke`,
    why: 'what was running there has been ended; how far it came is not known',
    fix: 'Run the same command again: it looks first and continues where this run ended.',
    host,
  });

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

async function takeLock(
  world: World,
  host: string,
  request: LockRequest,
  isEnded: () => boolean,
): Promise<LockReply> {
  const key = `${host} ${request.cluster}`;
  const until = Date.now() + request.waitMs;
  for (;;) {
    if (isEnded()) throw broken(host);
    const owner = world.locks.get(key);
    if (owner === undefined) {
      world.locks.set(key, request.owner);
      return { held: true };
    }
    if (Date.now() >= until) return { held: false, owner };
    await pause(10);
  }
}

/** What is asked in turn, until the connection breaks or is closed: then all of it is rejected. */
function queue(host: string) {
  let last: Promise<unknown> = Promise.resolve();
  const end = new AbortController();
  const broke = new Promise<never>((_, reject) => {
    end.signal.addEventListener('abort', () => reject(broken(host)));
  });
  broke.catch(() => undefined);
  const inOrder = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = last.then(() => (end.signal.aborted ? Promise.reject(broken(host)) : work()));
    const result = Promise.race([turn, broke]);
    last = result.catch(() => undefined);
    return result;
  };
  return { inOrder, end };
}

async function answered(world: World, host: string, script: string, { onLine }: RunOptions): Promise<Reply> {
  world.scripts.push({ host, script });
  let told = 0;
  const tell = (line: string): void => {
    told += 1;
    onLine?.(line);
  };
  const { status = 0, stdout = '', stderr = '' } = await world.respond(script, host, tell);
  const lines = stderr.split('\n');
  if (lines.at(-1) === '') lines.pop();
  for (const line of lines.slice(told)) onLine?.(line);
  return { status, stdout, stderr };
}

function openFake(world: World, host: string): Session {
  let runs = 0;
  const { inOrder, end } = queue(host);
  const held = new Set<string>();
  const stop = (): void => {
    for (const key of held) world.locks.delete(key);
    end.abort();
  };
  world.cuts.set(host, [...(world.cuts.get(host) ?? []), stop]);
  return {
    get roundTrips() {
      return runs;
    },
    run(script: string, options: RunOptions = {}) {
      runs += 1;
      return inOrder(() => answered(world, host, script, options));
    },
    lock: (request) =>
      inOrder(async () => {
        const reply = await takeLock(world, host, request, () => end.signal.aborted);
        if (reply.held) held.add(`${host} ${request.cluster}`);
        return reply;
      }),
    close: async () => stop(),
    leave: stop,
  };
}

export function fakeTransport(respond: Respond): FakeTransport {
  const world: World = { respond, scripts: [], locks: new Map(), cuts: new Map() };
  return {
    scripts: world.scripts,
    locks: world.locks,
    async open(host: Host) {
      return openFake(world, host.name);
    },
    cut(host) {
      for (const end of world.cuts.get(host) ?? []) end();
    },
  };
}
