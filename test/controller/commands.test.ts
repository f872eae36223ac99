/** Programs with a limit of time: what keeps one from starting is told, however Node tells it. */
import { expect, it } from 'vitest';
import { runCommand } from '../../src/controller/io/commands.ts';

it.each([
  // Told by an event.
  '/none',
  // Thrown.
  '/etc/hostname/fence',
  `/${'a'.repeat(300)}`,
])('a command that cannot be run is no answer: %s', async (path) => {
  expect(await runCommand(path, ['server1'], 5000)).toMatchObject({
    ok: false,
    why: expect.stringContaining(path),
  });
});
