/**
 * Conditions of the decision of `pgduet recover`, each with a replacement that takes it away, and a seed by which the simulation notices that. In: nothing. A
 * replacement whose text is not found in the source is an error: the list has to be renewed.
 */
import type { Mutation } from './mutations.ts';

interface Condition extends Mutation {
  readonly seed: number;
}

const decision = { file: 'last-primary.ts', folder: 'observe', kinds: [] } as const;

export const conditions: readonly Condition[] = [
  {
    ...decision,
    rule: 'a former primary waits for one that comes after it',
    find: '        ...(restless ? { restless } : {}),\n',
    replace: '',
    seed: 8,
  },
  {
    ...decision,
    rule: 'the successor that holds what was acknowledged has taken over directly',
    find: 'leaders.find((other) => tookOverDirectly(other.lineage, one.lineage))',
    replace: 'leaders.find((other) => other !== one && follows(other, one))',
    seed: 21,
  },
  {
    ...decision,
    rule: 'it takes more confirmations than all others could give, and not than those that hold it today',
    find: 'return needed > others ? undefined',
    replace: 'return needed > 0 || others < 0 ? undefined',
    seed: 92,
  },
  {
    ...decision,
    rule: 'where the data of the receiver is that of a standby only the controllers know who leads',
    find: 'return { last: { ...last, heirs: way.heirs } };',
    replace: 'return { last };',
    seed: 6,
  },
];
