/**
 * Rules of the core, each with a replacement that takes it away. The simulation has to notice every one of them, or it
 * would not notice either when the rule is lost by mistake. `kinds` are faults that need the rule: with them it is seen
 * in seconds. In: nothing. A replacement whose text is not found in the source is an error: the list has to be renewed.
 */
import type { Worlds } from './worker.ts';

export interface Mutation {
  readonly rule: string;
  readonly file: string;
  readonly find: string;
  readonly replace: string;
  readonly kinds: readonly string[];
  /** It is about a register, and is seen only where there is one; the others are seen sooner where there is none. */
  readonly register?: true;
  /** It is about duties, and is seen only where a server may not do everything. */
  readonly duties?: true;
}

export const worldsOf = ({ register, duties }: Mutation): Worlds =>
  duties ? 'with duties' : register ? 'with a register' : 'without a register';

export const mutations: readonly Mutation[] = [
  {
    rule: 'a promotion that was asked for ends only with a proof',
    file: 'promotion.ts',
    find: 'if (!isPromoting(state) || state.promotion?.stopping) return decided(state);\n  return decided(',
    replace: 'if (isPromoting(state)) return abandon(state, why);\n  return decided(',
    kinds: ['standby replays slowly, and is to become primary'],
  },
  {
    rule: 'a standby takes over only if this start of its controller has heard its primary call it eligible',
    file: 'takeover.ts',
    find: "state.own.role === 'standby' && state.confirmed && state.sync",
    replace: "state.own.role === 'standby' && state.sync",
    kinds: ['standby out while its controller is away, then the primary dies'],
  },
  {
    rule: 'a former primary that finds a newer one which it counts as a voter stops',
    file: 'decide.ts',
    find: 'if (newer && sync.voters.includes(newer.line.id)) return demote(state, newer.line.id);',
    replace: '',
    kinds: ['host freezes'],
  },
  {
    rule: "pg_controldata must say 'shut down' before a switch goes on",
    file: 'handover.ts',
    find: "if (proof?.state !== 'shut down') {",
    replace: 'if (!proof) {',
    kinds: ['primary killed while it is stopped for a switch'],
  },
  {
    rule: 'a standby has flushed the position of the mark before it is called eligible',
    file: 'sync.ts',
    find: 'if (!holds(state, state.peers[proving.id], proving.lsn)) return decided(state);',
    replace: '',
    kinds: ['standby comes back slowly, then the primary dies'],
  },
  {
    rule: 'a checkpoint makes new names hold for all sessions before the mark is taken',
    file: 'sync.ts',
    find: "proving: { id: next, stage: 'checkpoint', lsn: null } }, checkpoint);",
    replace: "proving: { id: next, stage: 'mark', lsn: null } });",
    kinds: ['standby comes back slowly, then the primary dies'],
  },
  {
    rule: 'a standby that may take over is told that it may not before the names are changed',
    file: 'sync.ts',
    find: 'if (open.length > 0) return decided(state);\n  const setting',
    replace: 'const setting',
    kinds: ['one-way cut, then the power fails'],
  },
  {
    rule: 'the standby must have received the shutdown checkpoint',
    file: 'takeover.ts',
    find: 'if (checkpoint !== null && lsnValue(lsn) <= lsnValue(checkpoint)) {',
    replace: 'if (checkpoint === null && lsn === null) {',
    kinds: ['primary killed while it is stopped for a switch', 'switch --force', 'log network cut'],
  },
  {
    rule: 'with several standbys as many have cut their receivers as it takes',
    file: 'gather.ts',
    find: 'return heard.length >= sync.voters.length - needed + 1;',
    replace: 'return heard.length >= 1;',
    kinds: ['slow standby', 'isolated', 'standby comes back slowly, then the primary dies'],
  },
  {
    rule: 'a former primary does not start while a standby that was allowed to take over is not heard',
    file: 'boot.ts',
    find: 'return !isHeard(peer) || !answers(state, peer);',
    replace: 'return false;',
    kinds: ['power fails on one after the other'],
  },
  {
    rule: 'a former primary does not start when a newer one is known',
    file: 'boot.ts',
    find: 'if (newer !== null && !byPerson) return',
    replace: 'if (newer !== null && newer === state.self.id) return',
    kinds: ['primary dies, then the instance of the new one, then the old one returns'],
  },
  {
    rule: 'after a long pause what was heard before counts for nothing',
    file: 'pause.ts',
    find: 'const confirmed = state.confirmed && !(',
    replace: 'const confirmed = state.confirmed && (true || ',
    kinds: ['standby stands still, then the primary dies'],
  },
  {
    rule: 'a pause is seen by whichever clock shows it',
    file: 'pause.ts',
    find: 'Math.max(now - tick.at, wall - tick.wall, sinceBoot - tick.sinceBoot)',
    replace: 'now - tick.at',
    kinds: ['standby stands still, then the primary dies'],
  },
  {
    rule: 'a word that was sent before a pause does not end the doubt',
    file: 'pause.ts',
    find: 'return echo !== undefined && echo.incarnation === state.incarnation && echo.seq >= asleepSeq;',
    replace: 'return true;',
    kinds: ['standby stands still, then the primary dies'],
  },
  {
    rule: 'only a standby that its primary calls eligible takes over',
    file: 'takeover.ts',
    find: 'state.confirmed && state.sync?.eligible.includes(state.self.id) === true;',
    replace: 'state.confirmed;',
    kinds: ['standby comes back slowly, then the primary dies'],
  },
  {
    rule: 'with the policy message nobody is given up',
    file: 'silence.ts',
    find: "    case 'message':\n    case 'arbitration':\n      return false;",
    replace: "    case 'message':\n    case 'arbitration':\n      return true;",
    kinds: ['cut', 'one-way cut'],
  },
  {
    rule: 'the instance of a primary is started again when nobody can take over',
    file: 'revive.ts',
    find: 'if (attempts >= revivalAttempts) return giveUp(state);',
    replace: 'return giveUp(state);',
    kinds: ['instance of a primary killed that is alone'],
  },
  {
    rule: 'what could not be written down is not done and not told',
    file: '../turns.ts',
    find: 'if (why !== null && record?.must) {',
    replace: "if (why === '') {",
    kinds: ['full while a standby is attached, then the power fails on one after the other'],
  },
  {
    rule: 'the pair is judged again when a standby stops to receive WAL',
    file: 'fields.ts',
    find: '  receiver: same,\n',
    replace: '  receiver: ignored,\n',
    kinds: ['cut', 'log network cut'],
  },
  {
    rule: 'an instance that answers again in time is not given up',
    file: 'instance.ts',
    find: 'silentMs >= delayMs',
    replace: 'silentMs >= 0',
    kinds: ['instance answers now and then'],
  },
  {
    rule: 'an instance that does not answer is given up at last',
    file: 'instance.ts',
    find: "if (own.phase === 'silent') return giveUpSilent(state);",
    replace: '',
    kinds: ['instance hangs until somebody looks'],
  },
  {
    rule: 'a standby whose stop has failed is not on its way out any more',
    file: 'stop.ts',
    find: 'stop: null, leaving: null }',
    replace: 'stop: null }',
    kinds: ['disk stalls until somebody looks', 'instance hangs until somebody looks'],
  },
  {
    rule: 'one event tells one view, as it is at its end',
    file: 'decide.ts',
    find: 'return andThen(boot, advanceBoot);',
    replace:
      "return andThen(andThen(boot, advanceBoot), (it) => decided(it, { kind: 'heartbeat', view: ownView(it) }));",
    kinds: [],
  },
  {
    rule: 'a former primary whose record is torn asks everybody',
    file: 'boot.ts',
    find: "return forgotten ? 'perhaps' : 'no';",
    replace: "return 'no';",
    kinds: ['primary dies, its state file is torn, the new one dies, the old one returns'],
  },
  {
    rule: 'a standby that was allowed to take over and is primary now has taken over',
    file: 'boot.ts',
    find: "if (view.role === 'primary' && couldTakeOver(state, line.id) === 'yes') return line.id;",
    replace: '',
    kinds: ['primary dies, the state file of the new one is torn, the old one returns'],
  },
  {
    rule: 'nobody may take over while a name is in force that is no server of the cluster',
    file: 'rows.ts',
    find: 'return [...foreign, ...Object',
    replace: 'return [...Object',
    kinds: ['a foreign name is in force, then the primary dies'],
  },
  {
    rule: 'nobody may take over while several receivers use the name of a standby',
    file: 'rows.ts',
    find: "if (rows.length > 1) return [{ kind: 'rows', name: id }];",
    replace: '',
    kinds: ['a clone streams beside its standby, then the primary dies'],
  },
  {
    rule: 'nobody may take over while another receiver confirms in the place of a standby',
    file: 'rows.ts',
    find: '=> confirmedBy(report, row) > lsnValue(theirs.lsn)',
    replace: '=> confirmedBy(report, row) < 0',
    kinds: ['a clone streams in place of its standby, then the primary dies'],
  },
  {
    rule: 'the receiver that is left of several is suspect until the standby itself holds what was written since',
    file: 'strangers.ts',
    find: "kind === 'rows')",
    replace: "kind === 'rows' && found.length > 99)",
    kinds: ['of a clone and its standby the clone is left, then the primary dies'],
  },
  {
    rule: 'a receiver that comes from another address than before under the name of a standby is suspect',
    file: 'strangers.ts',
    find: 'known[id] !== undefined && named.includes(id)',
    replace: 'known[id] !== undefined && named.length > 99',
    kinds: ['a clone streams in place of a standby that is not heard, then the primary dies'],
  },
  {
    rule: 'that a standby holds the mark is its own word, not that of a row with its name',
    file: 'sync.ts',
    find: 'if (!holds(state, state.peers[proving.id], proving.lsn)) return decided(state);',
    replace: `const row = rowOf(report, proving.id);
      if (!row || lsnValue(report.lsn) - row.lagBytes < lsnValue(proving.lsn)) return decided(state);`,
    kinds: ['a clone streams beside its standby, which stops short, then the primary dies'],
  },
  {
    rule: 'with no reference address that counts nobody acts on silence',
    file: 'references.ts',
    find: 'const answer = counting.length > 0 ? known.some(answers) : null;',
    replace: 'const answer = counting.length > 0 ? known.some(answers) : true;',
    kinds: ['cut', 'isolated'],
  },
  {
    rule: 'a reference address that has never answered makes nobody stop',
    file: 'references.ts',
    find: 'const answer = counting.length > 0 ? known.some(answers) : null;',
    replace: 'const answer = known.some(answers);',
    kinds: ['host crashes', 'cut'],
  },
  {
    rule: 'whoever was perhaps cut off hears the word of the others anew',
    file: 'references.ts',
    find: 'return unheard.length > 0 ? doubt(state, unheard) : state;',
    replace: 'return state;',
    kinds: ['cut', 'isolated', 'flapping cable'],
  },
  {
    rule: 'a primary whose shutdown took long asks the others before it starts again',
    file: 'handover.ts',
    find: 'return andThen(decided(counted, ...words), (it) => beginStart(it, false));',
    replace: 'return andThen(decided(counted, ...words), startInstance);',
    kinds: ['a receiver holds up the shutdown of a switch'],
  },
  {
    rule: 'a standby becomes primary on a silence only when the register has given it the term',
    file: 'gather.ts',
    find: 'if (!isBound(state.sync) || holdsTerm(state) || isAgreed(state, takeover)) return true;',
    replace: 'return true;',
    kinds: ['cut', 'isolated', 'flapping cable'],
    register: true,
  },
  {
    rule: 'a primary shuts nobody out who may take over before the register has given it the term',
    file: 'sync.ts',
    find: "(mayBelieve(state, id) ? 'must-win' : 'gone')",
    replace: "(mayBelieve(state, id) ? 'gone' : 'gone')",
    kinds: ['cut', 'isolated', 'cut, and the arbiter hears only one after the other'],
    register: true,
  },
  {
    rule: 'the receiver of a role knows that the giver has heard of it, or has the word of the register',
    file: 'gather.ts',
    find: 'const heard = echo?.incarnation === state.incarnation && echo.seq >= toldSeq;',
    replace: 'const heard = toldSeq >= 0;',
    kinds: ['a cut in the middle of a switch'],
    register: true,
  },
  {
    rule: 'a vote that was taken back does not stand in the way of a handover',
    file: 'gather.ts',
    find: "(!vote || vote.stage === 'back' || (",
    replace: '(!vote || (',
    kinds: ['the standby is silent while the arbiter is away, and later the role is handed over'],
    register: true,
  },
  {
    rule: 'a server that is never to take over, or is a copy, is nobody who may',
    file: 'duty.ts',
    find: "takeover === 'allowed' && replication === 'synchronous';",
    replace: 'takeover !== undefined && replication !== undefined;',
    kinds: ['the candidate is away, then the primary dies', 'host crashes'],
    duties: true,
  },
  {
    rule: 'a primary takes it back that a standby may take over whose duty forbids it now',
    file: 'sync.ts',
    find: 'before.filter((id) => mayTakeOver(dutyAt(state, id)))',
    replace: 'before',
    kinds: ['a standby is to take nothing over any more, and the primary dies'],
    duties: true,
  },
  {
    rule: 'commits wait neither for a copy nor for one that takes nothing over beside one that does',
    file: 'waited-for.ts',
    find: 'return !mayTakeOver(duty) && candidatesBeside(state, id).some((it) => streams(state, it));',
    replace: 'return false;',
    kinds: ['the candidate is away, then the primary dies', 'host crashes', 'instance killed'],
    duties: true,
  },
  {
    rule: 'a copy joins no names',
    file: 'waited-for.ts',
    find: 'if (isAsynchronous(duty)) return false;',
    replace: '',
    kinds: ['the candidate is away, then the primary dies', 'host crashes', 'instance killed'],
    duties: true,
  },
  {
    rule: 'a standby takes nothing over on a silence that its own duty forbids',
    file: 'takeover.ts',
    find: '    !mayTakeOver(ownDuty(state)) ||\n    state.own.phase',
    replace: '    state.own.phase',
    kinds: ['a standby is to take nothing over any more, and the primary dies'],
    duties: true,
  },
  {
    rule: 'nobody waits for a standby whose duty forbids to take over',
    file: 'takeover.ts',
    find: '=== true && mayTakeOver(dutyOf(view));\n    if (!may)',
    replace: '=== true;\n    if (!may)',
    kinds: ['the better candidate is to take nothing over any more, unheard, and the primary dies'],
    duties: true,
  },
  {
    rule: 'who acknowledges nothing does not count for the question who is ahead',
    file: 'takeover.ts',
    find: '(it.view.yield?.lsn && votes(state, it.line.id))',
    replace: 'it.view.yield?.lsn',
    kinds: [
      'host crashes',
      'instance killed',
      'the one that takes nothing over is ahead, and the primary dies',
    ],
    duties: true,
  },
  {
    rule: 'of two with the same data the preferred one takes over',
    file: 'duty.ts',
    find: 'const more = dutyAt(state, one).priority - dutyAt(state, other).priority;',
    replace: 'const more = 0;',
    kinds: ['priorities change, and the primary dies', 'host crashes'],
    duties: true,
  },
  {
    rule: 'a primary that begins a switch proves nobody any more',
    file: 'preparation.ts',
    find: 'change: null,\n    proving: null,\n    giving:',
    replace: 'change: null,\n    giving:',
    kinds: [],
  },
];
