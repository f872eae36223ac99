/**
 * `pgduet certificates`: which server shows which certificate, until when, by whom, and what speaks against it. Looks, takes no lock, changes nothing.
 * With `renew` it is another verb, which changes something.
 */
import { DiagnosticError } from '../base/diagnostic.ts';
import { exitCode } from '../base/exit-codes.ts';
import { certificatesOf } from '../observe/certificates.ts';
import { survey } from '../observe/survey.ts';
import { certificatesJson, certificatesText } from '../report/certificates.ts';
import { jsonText } from '../report/shown.ts';
import { inventory } from './inventory.ts';
import { seenServers } from './seen.ts';
import { type Given, repeatedArgument } from './verb.ts';
import type { World } from './world.ts';

/** 0 when every server was reached and shows what others can follow. */
export async function certificates(world: World, given: Given): Promise<number> {
  if (given.arguments.get('action') === 'renew')
    return (await import('./certificates-renew.ts')).renew(world, given);
  refuseStray(given);
  const { cluster } = await inventory(world);
  if (cluster.servers.every(({ postgres: { tls } }) => tls === undefined))
    throw new DiagnosticError(
      [
        {
          code: 'TLS021',
          what: 'the inventory says nothing of TLS',
          why: 'what servers have of it by themselves is not looked at',
          fix: 'Write postgres.tls: generated, or name files that are there (docs/tls.md), then run pgduet provision.',
        },
      ],
      exitCode.hostFailed,
    );
  const { hosts, away } = await seenServers(world, cluster);
  const found = survey(cluster, hosts);
  // Whoever is primary by the inventory alone was not seen to be it.
  const primary = 'refused' in found || !hosts.has(found.view.primary) ? undefined : found.view.primary;
  const told = certificatesOf(cluster, hosts, primary);
  if (world.options.json) world.print(jsonText(certificatesJson(told), 2));
  else world.print(certificatesText(told, world.options.colour));
  if (away.length > 0) {
    world.tell(away);
    return exitCode.unreachable;
  }
  const wrong = told.servers.some(({ showing, problem }) => problem !== null || showing === 'other');
  return wrong ? exitCode.hostFailed : exitCode.done;
}

/** What is for a renewal alone. */
function refuseStray(given: Given): void {
  const [option] = (['ca', 'finish', 'check', 'diff', 'yes'] as const).filter((name) =>
    given.options.has(name),
  );
  if (option === undefined && repeatedArgument(given, 'host').length === 0) return;
  const what = option === undefined ? 'certificates takes no host' : `certificates does not take --${option}`;
  throw new DiagnosticError(
    [
      {
        code: 'CLI004',
        what: `${what} without 'renew'`,
        why: 'it shows all servers, and changes nothing',
        fix: "Leave it out, or write 'pgduet certificates renew' with it.",
      },
    ],
    exitCode.inputWrong,
  );
}
