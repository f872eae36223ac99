/**
 * Does the actions that take time: stops with proof, names, receiver, promotion, following, commands. Each answers with
 * exactly one event, also when it fails; none of them decides anything.
 */
import type { ServerConf } from '../config.ts';
import type { Action } from '../core/action.ts';
import type { Happening } from '../core/event.ts';
import type { Role } from '../core/view.ts';
import { type CommandResult, centre, runConfigured } from './commands.ts';
import { type Instance, isStandby } from './instance.ts';
import { ownWalsenders, withSession } from './postgres.ts';
import { answering } from './references.ts';
import {
  controlData,
  cutReceiver,
  follow,
  promote,
  setNames,
  setSlots,
  wasInRecovery,
} from './switchover.ts';
import { unfinished, unmade } from './unmade.ts';
import { writeAtomic } from './whole-file.ts';

export type SlowAction = Extract<
  Action,
  {
    kind:
      | 'start-instance'
      | 'stop-instance'
      | 'checkpoint'
      | 'pre-detach'
      | 'set-names'
      | 'set-slots'
      | 'cut-receiver'
      | 'promote'
      | 'follow'
      | 'ask-references'
      | 'run-command'
      | 'hook';
  }
>;

export interface Workshop {
  readonly conf: ServerConf;
  readonly instance: Instance;
  /** All servers of the cluster. */
  readonly servers: readonly string[];
  /** The own server identifier. */
  readonly id: string;
  /** The management directory. */
  readonly dir: string;
}

export const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Does one action and tells by an event how it ended; null when nobody waits for it. */
export async function perform(action: SlowAction, shop: Workshop): Promise<Happening | null> {
  const { conf, id } = shop;
  const attempt = (work: () => Promise<Happening>, failed: (why: string) => Happening): Promise<Happening> =>
    work().catch((error: unknown) => failed(textOf(error)));
  switch (action.kind) {
    case 'start-instance': {
      const failure = await start(action.role, shop).catch(textOf);
      return failure === null ? { kind: 'instance-started' } : { kind: 'start-failed', why: failure };
    }
    case 'stop-instance':
      return stop(action, shop);
    case 'checkpoint':
      return attempt(
        () =>
          withSession(conf, (ask) => ask('checkpoint')).then(() => ({
            kind: 'checkpointed',
            purpose: action.purpose,
            why: null,
          })),
        (why) => ({ kind: 'checkpointed', purpose: action.purpose, why }),
      );
    case 'pre-detach':
      return { kind: 'pre-detached', failures: await preDetach(action.targets, shop) };
    case 'set-names':
      return attempt(
        async () => ({ kind: 'names-set', ids: action.ids, needed: await setNames(conf, action.ids) }),
        (why) => ({ kind: 'names-failed', why }),
      );
    case 'set-slots':
      return attempt(
        () => setSlots(conf, action.to).then(() => ({ kind: 'slots-set', why: null })),
        (why) => ({ kind: 'slots-set', why }),
      );
    case 'cut-receiver':
      return attempt(
        async () => ({ kind: 'receiver-cut', lsn: await cutReceiver(conf) }),
        (why) => ({ kind: 'cut-failed', why }),
      );
    case 'promote':
      return attempt(
        async () => ({ kind: 'promoted', timeline: await promote(conf, action.startedAtWall) }),
        (why) => ({ kind: 'promote-failed', why }),
      );
    case 'follow':
      return attempt(
        () => follow(conf, id, action).then(() => ({ kind: 'followed' })),
        (why) => ({ kind: 'follow-failed', why }),
      );
    case 'ask-references': {
      const answered = await answering(conf.referenceAddresses, conf.heartbeatTimeoutMs).catch(() => []);
      return { kind: 'references', answered };
    }
    case 'run-command':
      return decide(action, shop);
    case 'hook':
      return hook(action, shop);
  }
}

async function start(role: Role, { conf, dir, id, instance }: Workshop): Promise<string | null> {
  const missing = unfinished(dir, id);
  if (missing !== null) return missing;
  if (role === 'standby' && !isStandby(conf.dbInstance)) {
    const was = await wasInRecovery(conf);
    if (was === null)
      return (
        (await unmade(dir, id)) ??
        'standby.signal is missing, and pg_controldata does not say whether it is a standby'
      );
    if (!was) return 'it is no standby any more: standby.signal is missing';
    // A promotion that was cut off before its first write: without the file it would come up as a primary of the old timeline.
    writeAtomic(conf.dbInstance, 'standby.signal', '');
  }
  return instance.start();
}

async function stop(
  { mode, prove }: Extract<SlowAction, { kind: 'stop-instance' }>,
  { conf, instance, servers }: Workshop,
): Promise<Happening> {
  const waits = mode === 'fast' || mode === 'limited';
  const ours = waits ? await ownWalsenders(conf, servers) : null;
  const failure = await instance.stop(mode, ours).catch(textOf);
  if (failure !== null) return { kind: 'stop-failed', why: failure };
  // After another than a fast shutdown time counts, unless a proof is asked for.
  const proof = waits || prove === true ? await controlData(conf).catch(() => null) : null;
  return { kind: 'instance-stopped', proof, endedSenders: instance.endedSenders.length };
}

/** All at once, so that commits are held up for the time of one. */
async function preDetach(targets: readonly string[], { conf, id }: Workshop): Promise<string[]> {
  const line = conf.preDetachCommand;
  if (line === undefined) return [];
  const limit = conf.stateTransitionCommandTimeoutMs;
  const run = (target: string) => runConfigured(line, [id, 'primary', target, centre], limit);
  const results = await Promise.all(targets.map(run));
  return results.filter(({ ok }) => !ok).map(({ why }) => why);
}

async function decide(
  action: Extract<SlowAction, { kind: 'run-command' }>,
  { conf, id }: Workshop,
): Promise<Happening> {
  const { command, target, operation, mode } = action;
  const fencing = command === 'fencing';
  const line = fencing ? conf.fencingCommand : conf.arbitrationCommand;
  const limit = fencing ? conf.fencingCommandTimeoutMs : conf.arbitrationCommandTimeoutMs;
  const args = fencing ? [mode, operation, id, target, centre] : [id, target, centre];
  const none: CommandResult = { ok: false, why: `${command}_command is not set` };
  const { ok, why } = line === undefined ? none : await runConfigured(line, args, limit);
  return { kind: 'command-ended', command, target, yes: ok, why };
}

async function hook(
  { hook, target }: Extract<SlowAction, { kind: 'hook' }>,
  { conf, id }: Workshop,
): Promise<Happening | null> {
  const after = hook === 'post-switch';
  const line = after ? conf.postSwitchCommand : conf.postAttachCommand;
  if (line === undefined) return null;
  const args = after ? [id, centre] : [id, 'primary', target, centre];
  const { ok, why } = await runConfigured(line, args, conf.stateTransitionCommandTimeoutMs);
  return ok ? null : { kind: 'hook-failed', hook: `${hook.replace('-', '_')}_command`, why };
}
