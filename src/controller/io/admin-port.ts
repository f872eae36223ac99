/** Opens the admin port of this server. In: the link and the configuration. Rejects with what a person can do about it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { DiagnosticError } from '../../base/diagnostic.ts';
import { exitCode } from '../../base/exit-codes.ts';
import type { Configuration } from './files.ts';
import type { AdminLink } from './network.ts';

/** At boot the address may come later than the controller; a port that someone else has will not become free. */
export async function openAdminPort(link: AdminLink, configuration: Configuration): Promise<void> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await link.listen();
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : '';
      const text = error instanceof Error ? error.message : String(error);
      if (code !== 'EADDRNOTAVAIL') throw portTaken(configuration, text);
      if (attempt === 0) process.stderr.write(`waiting for the address of the admin port: ${text}\n`);
      await sleep(500);
    }
  }
}

function portTaken({ self }: Configuration, why: string): DiagnosticError {
  const what = `the admin port ${self.host}:${self.port} cannot be opened`;
  const fix =
    'End the program that has it (ss -ltnp), or give this server another port in every network.conf.';
  return new DiagnosticError([{ code: 'MCF013', what, why, fix }], exitCode.hostFailed);
}
