/** `pgduet migrate`: a running single server becomes the primary of a cluster, with the proof that the standbys follow. */
import { DiagnosticError } from '../base/diagnostic.ts';
import { exitCode } from '../base/exit-codes.ts';
import type { Cluster } from '../inventory/cluster.ts';
import { shippedPlaybook } from '../shipped.ts';
import { applyVerb } from './apply.ts';
import { proofOf } from './proof.ts';
import type { World } from './world.ts';

export function migrate(world: World): Promise<number> {
  return applyVerb(world, { kind: 'migrate' }, shippedPlaybook('migrate'), {
    check: withoutTls,
    proof: (outcome) =>
      `${proofOf(outcome, ['adopt', 'replication', 'mirroring'])}\nThe way back: pgduet teardown.`,
  });
}

/** What the server itself has of TLS stays; the cluster turns it on when it is one. */
function withoutTls({ servers, positionOf }: Cluster): void {
  if (servers.every(({ postgres }) => postgres.tls === undefined)) return;
  const at = positionOf('postgres', 'tls');
  throw new DiagnosticError(
    [
      {
        code: 'TLS010',
        what: 'a migration does not turn TLS on or off',
        why: 'a server that is taken in keeps its own settings until the cluster is whole; nothing was changed',
        fix: 'Take postgres.tls out, run pgduet migrate, write it back, and run pgduet provision.',
        ...(at ? { at } : {}),
      },
    ],
    exitCode.refused,
  );
}
