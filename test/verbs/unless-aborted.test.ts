/** Who was asked to stop does not wait for a host that does not answer. */
import { expect, it } from 'vitest';
import { unlessAborted } from '../../src/verbs/unless-aborted.ts';

const silent = new Promise<object>(() => undefined);

it('a look that does not come back ends with the signal, as interrupted', async () => {
  const stop = new AbortController();
  const look = unlessAborted(silent, stop.signal);
  stop.abort();
  await expect(look).rejects.toMatchObject({ exitCode: 130, diagnostics: [{ code: 'RUN002' }] });
});

it("one that fails behind the signal is nobody's matter any more; one that comes back is given", async () => {
  const stop = new AbortController();
  expect(await unlessAborted(Promise.resolve({ seen: true }), stop.signal)).toEqual({ seen: true });
  const failing = unlessAborted(
    new Promise<object>((_, fail) => setImmediate(() => fail(new Error('too late')))),
    stop.signal,
  );
  stop.abort();
  await expect(failing).rejects.toMatchObject({ exitCode: 130 });
});
