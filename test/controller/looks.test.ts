/** Looks, one at a time: who asks during one gets another, and what one has seen is told before anybody acts behind it. */
import { expect, it } from 'vitest';
import { Looks } from '../../src/controller/looks.ts';

/** Each look waits until it is let go; what has happened is kept in order. */
function looking() {
  const told: string[] = [];
  const open: (() => void)[] = [];
  let begun = 0;
  const looks = new Looks(async () => {
    begun += 1;
    const number = begun;
    await new Promise<void>((resolve) => open.push(resolve));
    told.push(`look ${number}`);
  });
  const letGo = async (): Promise<void> => {
    open.shift()?.();
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { looks, told, letGo, begun: () => begun };
}

it('begin anew for whoever asks during one, once for all of them', async () => {
  const { looks, told, letGo, begun } = looking();
  const first = looks.again();
  await Promise.all([looks.again(), looks.again()]);
  expect(begun()).toBe(1);
  await letGo();
  expect([told, begun()]).toEqual([['look 1'], 2]);
  await letGo();
  await first;
  expect([told, begun()]).toEqual([['look 1', 'look 2'], 2]);
});

it('that began before have been told when they are settled, and none is begun for that', async () => {
  const { looks, told, letGo, begun } = looking();
  void looks.again();
  const settled = looks.settled().then(() => told.push('settled'));
  await letGo();
  await settled;
  expect(told).toEqual(['look 1', 'settled']);
  await looks.settled();
  expect(begun()).toBe(1);
});

it('that fail are over for whoever waits, and the next one begins', async () => {
  let begun = 0;
  const looks = new Looks(async () => {
    begun += 1;
    await Promise.resolve();
    throw new Error('no answer');
  });
  const failed = expect(looks.again()).rejects.toThrow('no answer');
  await looks.settled();
  await failed;
  await expect(looks.again()).rejects.toThrow('no answer');
  expect(begun).toBe(2);
});
