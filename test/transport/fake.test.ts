import { expect, test } from 'vitest';
import { fakeTransport } from '../../src/transport/fake.ts';
import { endless, known, sessionContract } from './contract.ts';
import { diagnosticOf } from './expect-diagnostic.ts';
import { sampleHost } from './samples.ts';

const respond = (script: string) => {
  if (script === endless) return new Promise<never>(() => undefined);
  const reply = known.get(script);
  if (!reply) throw new Error(`no answer for: ${script}`);
  return reply;
};
const transport = fakeTransport(respond);

sessionContract('fake', () => transport.open(sampleHost()));

test('what was run is recorded, and a connection can be cut', async () => {
  const fake = fakeTransport(() => ({ stdout: 'ok' }));
  const session = await fake.open(sampleHost({ name: 'b' }));
  expect(await session.run('one')).toEqual({ status: 0, stdout: 'ok', stderr: '' });
  expect(fake.scripts).toEqual([{ host: 'b', script: 'one' }]);
  await session.lock({ cluster: 'c', owner: 'me', waitMs: 0 });
  expect(fake.locks.get('b c')).toBe('me');
  fake.cut('b');
  expect((await diagnosticOf(session.run('two'))).code).toBe('CON007');
  expect(fake.locks.size).toBe(0);
});
