/** What the orders of a controller do to the instances of the small world, as ../hands.ts does it in the large one. It decides nothing. */
import type { Happening } from '../../../src/controller/core/event.ts';
import { lsn } from '../instance.ts';
import type { Work } from './controllers.ts';
import { firstShutdown, halted, promoted, received, started, withNames } from './instances.ts';
import { missingOf } from './laws.ts';
import type { Step } from './step.ts';

/** Does it, and says what the controller is told. */
export function done(step: Step, at: number, work: Work): Happening {
  const it = step.instance(at);
  switch (work.kind) {
    case 'start-instance':
      if (!it.running) step.set(at, started(it));
      return { kind: 'instance-started' };
    case 'stop-instance':
      return stop(step, at, work.mode);
    case 'checkpoint':
      if (it.running) step.set(at, { ...it, waitsFor: it.names });
      return { kind: 'checkpointed', purpose: work.purpose, why: it.running ? null : 'no answer' };
    case 'set-names':
      step.set(at, it.running ? withNames(it, work.ids) : { ...it, fileNames: work.ids });
      return it.running
        ? { kind: 'names-set', ids: work.ids, needed: Math.min(1, work.ids.length) }
        : { kind: 'names-failed', why: 'no answer' };
    case 'cut-receiver':
      step.set(at, { ...it, fileNames: [], source: null, names: it.running ? [] : it.names });
      return it.running
        ? { kind: 'receiver-cut', lsn: lsn(it.wal.length) }
        : { kind: 'cut-failed', why: 'no answer' };
    case 'promote':
      return promote(step, at, work.startedAtWall);
    case 'follow':
      return follow(step, at, work.host);
    case 'probe-primary':
      return { kind: 'primary-probe', open: reaches(step, at, it.source) };
    default:
      throw new Error(`nobody asks for "${work.kind}" here`);
  }
}

function stop(step: Step, at: number, mode: 'fast' | 'limited' | 'forced' | 'immediate'): Happening {
  const it = step.instance(at);
  const isClean = it.running && (mode === 'fast' || mode === 'limited');
  let after = it;
  if (isClean && it.role === 'primary') {
    const shutdowns = step.scene.all('shutdowns');
    step.scene.putAll('shutdowns', shutdowns + 1);
    after = { ...it, checkpoint: it.wal.length, wal: [...it.wal, firstShutdown + shutdowns] };
    for (const standby of step.places())
      if (step.meaning.streams(step.scene, standby, at))
        step.set(standby, received(step.instance(standby), after));
  }
  step.set(at, halted(after));
  const standby = isClean ? 'shut down in recovery' : 'in archive recovery';
  const primary = isClean ? 'shut down' : it.running ? 'shutting down' : 'in production';
  const state = it.role === 'standby' ? standby : primary;
  return { kind: 'instance-stopped', proof: { state, checkpoint: lsn(after.checkpoint), idle: true } };
}

function promote(step: Step, at: number, startedAtWall: number | null): Happening {
  const it = step.instance(at);
  if (!it.running || (startedAtWall !== null && startedAtWall !== it.starts))
    return { kind: 'promote-failed', why: 'the instance has gone away' };
  if (it.role === 'primary') return { kind: 'promoted', timeline: it.timeline };
  const missing = missingOf(step.scene, it);
  if (missing.length > 0)
    step.broken.push(`S1: ${it.id} is promoted without acknowledged commits (${missing.join(', ')})`);
  step.set(at, promoted(it));
  return { kind: 'promoted', timeline: it.timeline + 1 };
}

function follow(step: Step, at: number, source: string): Happening {
  const it = step.instance(at);
  const others = step.meaning.ids.filter((id) => id !== it.id);
  const fileNames = it.fileNames.length === 0 ? others : it.fileNames;
  const role = it.running ? it.role : 'standby';
  step.set(at, { ...it, source, fileNames, names: it.running ? fileNames : it.names, role });
  return { kind: 'followed' };
}

function reaches(step: Step, at: number, source: string | null): boolean {
  const primary = step.meaning.ids.indexOf(source ?? '');
  return primary >= 0 && !step.scene.isApart(at, primary) && step.instance(primary).running;
}
