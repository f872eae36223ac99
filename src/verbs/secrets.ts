/**
 * `pgduet secrets renew`: the replication password and the cluster key are changed while everything runs (ADR 16). The same command goes on
 * with a renewal that was interrupted.
 */
import { randomBytes } from 'node:crypto';
import type { Outcome } from '../apply/run.ts';
import type { Renewal } from '../base/renewal.ts';
import { Secret } from '../base/secret.ts';
import type { Brought } from '../intent/renew.ts';
import { shippedPlaybook } from '../shipped.ts';
import { applyVerb } from './apply.ts';
import { proofLines } from './proof.ts';
import type { World } from './world.ts';

export function secrets(world: World): Promise<number> {
  const made = {
    clusterKey: new Secret(randomBytes(32).toString('hex')),
    password: new Secret(randomBytes(24).toString('base64url')),
  };
  for (const secret of Object.values(made)) world.mask.add(secret);
  return applyVerb(world, { kind: 'renew', made }, shippedPlaybook('secrets'), {
    notes: () => ['At the end, when all use the new values, the old ones are forgotten.'],
    facts: (outcome) => ({ renewed: renewedBy(outcome) }),
    proof: (outcome) => {
      const lines = proofLines(outcome, ['cluster_keys', 'arbiter_keys', 'role']);
      return ['As seen at the end:', ...lines.map((line) => `  ${line}`), ...told(outcome)].join('\n');
    },
  });
}

const renewalOf = ({ intent }: Outcome): Renewal => (intent.kind === 'renew' ? (intent.renewal ?? {}) : {});

const broughtBy = ({ intent }: Outcome): Brought =>
  (intent.kind === 'renew' ? intent.brought : undefined) ?? { key: false, password: false };

/** Whether this run has made each of them another one; nothing is while `--check` looks. */
function renewedBy(outcome: Outcome): {
  readonly cluster_key: boolean;
  readonly replication_password: boolean;
} {
  const { key, password } = broughtBy(outcome);
  const done = outcome.changed.length > 0 && outcome.left.decisions.every(({ kind }) => kind === 'same');
  return { cluster_key: done && key, replication_password: done && password };
}

/** A password of the inventory that is in use already is nothing that pgduet could make anew; an interrupted renewal is finished, no more. */
function told(outcome: Outcome): readonly string[] {
  const { key, password } = renewalOf(outcome);
  const brought = broughtBy(outcome);
  const given =
    password === undefined
      ? 'The replication password is the one of the inventory: to renew it, change it there and run the same command again.'
      : '';
  const finished =
    (key || password) && !brought.key && !brought.password
      ? 'An earlier renewal, which was interrupted at its end, is finished: to begin another one, run the same command again.'
      : '';
  return [given, finished].filter((line) => line !== '');
}
