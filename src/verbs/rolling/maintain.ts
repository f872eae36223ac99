/** The maintenance of a server as a rolling update begins, hands over and ends it, and what it asks the primary before. In: a server. Out: an outcome. */
import { lookAt } from '../../apply/hosts.ts';
import type { Outcome } from '../../apply/run.ts';
import { DiagnosticError } from '../../base/diagnostic.ts';
import { exitCode } from '../../base/exit-codes.ts';
import { updateOwner } from '../../base/maintenance-words.ts';
import type { MaintenanceIntent } from '../../intent/intent.ts';
import { answerTo } from '../../observe/look.ts';
import { type PrimarySeen, primaryProbe, readPrimary } from '../../rolling/preparation.ts';
import { shippedPlaybook } from '../../shipped.ts';
import { runWithin } from './sub-run.ts';
import type { Scene, Update } from './update.ts';

type Said = Pick<MaintenanceIntent, 'by' | 'reason' | 'replace' | 'alone'>;

/** `mayBeAway`: other hosts, and that of the server where it is handed over. */
export const takeOut = (
  { world, cluster, order }: Update,
  host: string,
  said: Said,
  mayBeAway: boolean,
): Promise<Outcome> =>
  runWithin(world, cluster, {
    intent: { kind: 'maintenance', goal: 'begin', host, of: '', expected: order.expected, ...said },
    path: shippedPlaybook('maintenance'),
    ...(mayBeAway ? { mayBeAway } : {}),
  });

/** It streams and is in sync behind it, or there is an error. */
export const bringBack = ({ world, cluster, order }: Update, host: string): Promise<Outcome> =>
  runWithin(world, cluster, {
    intent: {
      kind: 'maintenance',
      goal: 'end',
      host,
      by: updateOwner(order.id),
      reason: '',
      expected: '',
      of: '',
      replace: false,
      alone: false,
    },
    path: shippedPlaybook('maintenance'),
    mayBeAway: true,
    needs: host,
    othersMayBeOut: true,
  });

/** Who is in sync at this moment, and the rest of what counts before a server is taken out. */
export async function askPrimary({ fleet, ports, cluster }: Scene, primary: string): Promise<PrimarySeen> {
  const version = cluster.servers.find(({ name }) => name === primary)?.postgres.version ?? 0;
  const probe = primaryProbe(version);
  const state = fleet.state(primary);
  await lookAt(ports, state, [probe]);
  const answer = answerTo(state.look, probe);
  const seen = readPrimary(answer);
  if (seen) return seen;
  throw new DiagnosticError(
    [
      {
        code: 'HST002',
        what: `the primary ${primary} does not answer`,
        why: 'without it nobody knows who is in sync',
        fix: 'pgduet status says more.',
        host: primary,
        evidence: [answer?.sqlProblem ?? 'no answer'],
      },
    ],
    exitCode.hostFailed,
  );
}
