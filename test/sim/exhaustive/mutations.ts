/**
 * Rules that the search has to miss when they are taken out of the core, and the world in which it does. In: nothing. Those of
 * ../mutations.ts are meant by their names; the others are such that no random scenario has noticed them.
 */
import { type Mutation, mutations } from '../mutations.ts';
import { type Left, nothingLeft } from './scene.ts';

interface Missed {
  readonly mutation: Mutation;
  readonly left: Left;
}

function named(rule: string): Mutation {
  const found = mutations.find((it) => it.rule === rule);
  if (!found) throw new Error(`no rule is called "${rule}"`);
  return found;
}

const cut: Left = { ...nothingLeft, cuts: 1, votes: 2 };

export const missed: readonly Missed[] = [
  {
    mutation: named('a standby becomes primary on a silence only when the register has given it the term'),
    left: cut,
  },
  {
    mutation: named('a primary shuts nobody out who may take over before the register has given it the term'),
    left: cut,
  },
  {
    mutation: named('a standby that may take over is told that it may not before the names are changed'),
    left: cut,
  },
  {
    mutation: named(
      'the receiver of a role knows that the giver has heard of it, or has the word of the register',
    ),
    left: { ...nothingLeft, switches: 1, votes: 1 },
  },
  {
    mutation: {
      rule: 'only the answer to the very attempt is a yes',
      file: 'register.ts',
      find: 'cell.term === term && cell.holder === asker && cell.attempt === attempt,',
      replace: 'cell.term === term && cell.holder === asker,',
      kinds: [],
    },
    left: { ...nothingLeft, cuts: 1, votes: 3 },
  },
  {
    mutation: {
      rule: 'a former primary that has written down who took over stops, also after its controller was killed',
      file: 'decide.ts',
      find: "if (own.phase === 'running' && isOvertaken(state)) return demote(state, sync.primary);",
      replace: '',
      kinds: [],
    },
    left: { ...nothingLeft, cuts: 1, kills: 1, votes: 1 },
  },
];
