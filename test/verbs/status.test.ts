/** How `status` ends when it is asked to, while hosts say nothing. */
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { DiagnosticError } from '../../src/base/diagnostic.ts';
import { exitCode } from '../../src/base/exit-codes.ts';
import type { Session } from '../../src/transport/port.ts';
import { status } from '../../src/verbs/status.ts';
import { realWorld, type World } from '../../src/verbs/world.ts';

const options = {
  inventory: join(import.meta.dirname, '../../inventories/pair.yml'),
  ...{ check: false, diff: false, yes: false, json: true, verbose: false, colour: false },
  ...{ named: [], acceptNewHostKeys: false, restart: 'ask' },
} as unknown as World['options'];

const away = (): Promise<Session> =>
  Promise.reject(
    new DiagnosticError([{ code: 'CON001', what: 'away', why: 'off', fix: 'none' }], exitCode.unreachable),
  );

/** A run of `status --watch` whose hosts answer the first `answered` attempts by being away, and none of the others; it is stopped when one is not answered. */
function watched(answered: number) {
  const stop = new AbortController();
  const printed: string[] = [];
  let opened = 0;
  const open = (): Promise<Session> => {
    opened += 1;
    if (opened <= answered) return away();
    setImmediate(() => stop.abort());
    return new Promise(() => undefined);
  };
  const world: World = {
    ...realWorld(options, stop.signal),
    transport: { open },
    print: (text) => void printed.push(text),
    tell: () => undefined,
  };
  return { ended: status(world, { arguments: new Map(), options: new Map([['watch', true]]) }), printed };
}

it('as interrupted where nothing was seen yet', async () => {
  const { ended, printed } = watched(0);
  await expect(ended).rejects.toMatchObject({ exitCode: exitCode.interrupted });
  expect(printed).toEqual([]);
});

it('with what was seen last, where a later look is not answered', async () => {
  const { ended, printed } = watched(2);
  expect(await ended).toBe(exitCode.unreachable);
  expect(printed).toHaveLength(1);
});
