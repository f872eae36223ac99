/**
 * What a promotion has left that was cut off with its controller. In: the configuration. Out: whether the instance is a standby still,
 * when that is known. It takes no guess: whoever takes a standby for a primary starts a second one.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ServerConf } from './config.ts';
import type { Journal } from './io/journal.ts';
import { wasInRecovery } from './io/switchover.ts';

const againAfterMs = 1000;

/** Asks until pg_controldata answers. Nothing is started meanwhile, and no peer hears of this server. */
export async function wasInRecoveryForSure(
  conf: Pick<ServerConf, 'dbInstance' | 'postgresBinDir'>,
  log: Journal['log'],
): Promise<boolean> {
  for (let isSaid = false; ; isSaid = true) {
    const was = await wasInRecovery(conf);
    if (was !== null) return was;
    if (!isSaid) log('MCA01082', { why: 'pg_controldata says nothing' });
    await sleep(againAfterMs);
  }
}
