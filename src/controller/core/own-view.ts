/** What this controller tells the others, and shows of its own server. In: a state. Out: the view. Pure. */
import { ownDuty } from './duty.ts';
import { waitMs } from './granted.ts';
import { quietReferences } from './references.ts';
import { failedDisks, fullDisks, given, lastTimeline, type State } from './state.ts';
import { type Echo, type ReplayLeft, type ServerId, type ServerView, understanding } from './view.ts';

function echoesOf({ peers, arbiters }: State): Record<ServerId, Echo> {
  const echoes: Record<ServerId, Echo> = {};
  for (const { line, view } of Object.values(peers))
    if (view) echoes[line.id] = { incarnation: view.incarnation, seq: view.seq };
  for (const { line, view } of Object.values(arbiters))
    if (view) echoes[line.id] = { incarnation: view.incarnation, seq: view.seq };
  return echoes;
}

function replayLeft({ promotion, now }: State): ReplayLeft | null {
  if (!promotion?.begun || promotion.leftBytes === null) return null;
  const { begun, leftBytes } = promotion;
  const seconds = (now - begun.at) / 1000;
  return { leftBytes, bytesPerSecond: seconds > 0 ? Math.round((begun.leftBytes - leftBytes) / seconds) : 0 };
}

/** A view with a decision about each field, also about one that peers of an earlier version do not know. */
type WholeView = { readonly [Field in keyof Required<ServerView>]: ServerView[Field] };

/** What this controller tells the others, and shows of its own server. */
export function ownView(state: State): WholeView {
  const { phase, role, report } = state.own;
  const detached = Object.keys(state.parked);
  const full = fullDisks(state);
  const quiet = quietReferences(state.references);
  return {
    id: state.self.id,
    phase,
    role,
    report,
    lastTimeline: lastTimeline(state),
    failedDisks: failedDisks(state),
    fullDisks: full.length > 0 ? full : undefined,
    failover: state.failover,
    controllerVersion: state.controllerVersion,
    understands: understanding,
    incarnation: state.incarnation,
    seq: state.seq,
    echoes: echoesOf(state),
    leaving: state.leaving,
    sync: state.sync,
    handover: given(state),
    declined: state.declined,
    takeover: state.takeover,
    yield: state.yield,
    busy: state.task,
    refusal: state.own.refusal ?? undefined,
    detached: detached.length > 0 ? detached : undefined,
    lagging: state.lagging.length > 0 ? state.lagging : undefined,
    parted: state.parted.length > 0 ? state.parted : undefined,
    strangers: role === 'primary' && state.strangers.length > 0 ? state.strangers : undefined,
    quietReferences: quiet.length > 0 ? quiet : undefined,
    forgotten: (state.forgotten && state.sync === null) || undefined,
    cell: state.cell ?? undefined,
    vote: state.vote ?? undefined,
    duty: ownDuty(state),
    replay: replayLeft(state) ?? undefined,
    maintenance: state.maintenance,
    waitsMs: waitMs(state.conf),
    unsaved: state.place ?? undefined,
  };
}
