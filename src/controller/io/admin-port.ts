/** Opens the port of a controller or an arbiter. In: what listens, and words about the port. Rejects with what a person can do about it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { DiagnosticError } from '../../base/diagnostic.ts';
import { exitCode } from '../../base/exit-codes.ts';
import type { ServerLine } from '../config.ts';
import type { Configuration } from './configuration.ts';

/** At boot the address may come later than the controller; a port that someone else has will not become free. */
export const openAdminPort = (
  link: { listen(): Promise<void> },
  { self }: Pick<Configuration, 'self'>,
): Promise<void> =>
  openPort(
    () => link.listen(),
    `the admin port ${self.host}:${self.port}`,
    'give this server another port in every network.conf',
  );

/** After a reload: the port moves, if its address or number has changed. What cannot be had leaves it where it is. */
export async function movePort(
  link: { listen(self: ServerLine): Promise<void> },
  before: ServerLine,
  self: ServerLine,
): Promise<void> {
  if (self.host === before.host && self.port === before.port) return;
  await link.listen(self).catch((error: unknown) => {
    const text = error instanceof Error ? error.message : String(error);
    throw new Error(`the admin port ${self.host}:${self.port} cannot be opened: ${text}`);
  });
}

/** The port in words, and what else a person can do where another program has it. */
export async function openPort(listen: () => Promise<void>, port: string, other: string): Promise<void> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await listen();
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : '';
      const text = error instanceof Error ? error.message : String(error);
      if (code !== 'EADDRNOTAVAIL') throw portTaken(port, other, text);
      if (attempt === 0) process.stderr.write(`waiting for the address of ${port}: ${text}\n`);
      await sleep(500);
    }
  }
}

function portTaken(port: string, other: string, why: string): DiagnosticError {
  const what = `${port} cannot be opened`;
  const fix = `End the program that has it (ss -ltnp), or ${other}.`;
  return new DiagnosticError([{ code: 'MCF013', what, why, fix }], exitCode.hostFailed);
}
