/** What is left of a plan where PostgreSQL must not be restarted. */
import { describe, expect, it } from 'vitest';
import { nextBatch } from '../../src/plan/batch.ts';
import { isEmpty, makePlan, pending, postponed } from '../../src/plan/plan.ts';
import { restartedHosts, withoutRestarts } from '../../src/plan/restarts.ts';
import { observation } from './fakes.ts';

const restart = { effects: [{ action: 'restart', target: 'instance' }] } as const;
const controller = { effects: [{ action: 'restart', target: 'controller' }] } as const;
const plan = makePlan([
  observation('a/written', 'wrong', restart),
  observation('a/pending', 'wrong', { ...restart, idle: true }),
  observation('a/after', 'wrong'),
  observation('a/daemon', 'wrong', controller),
  observation('b/written', 'wrong', restart),
]);

describe('a plan without restarts', () => {
  it('names the hosts whose instance is restarted, and no others', () => {
    expect(restartedHosts(plan)).toEqual(['a', 'b']);
    expect(restartedHosts(withoutRestarts(plan, () => false))).toEqual([]);
    expect(restartedHosts(withoutRestarts(plan, (host) => host === 'b'))).toEqual(['b']);
  });

  it('writes the file and reloads; what only waits for the restart is postponed and holds up nothing', () => {
    const spared = withoutRestarts(plan, (host) => host !== 'a');
    expect(postponed(spared).map(({ resource }) => resource.id)).toEqual(['thing pending']);
    const [batch] = nextBatch(spared, 'a');
    const done = batch?.items.map((item) =>
      item.kind === 'change' ? item.resource.id : `${item.effect.action} ${item.effect.target}`,
    );
    expect(done).toEqual([
      'thing written',
      'reload instance',
      'thing after',
      'thing daemon',
      'restart controller',
    ]);
    expect(pending(spared).map(({ resource }) => resource.id)).not.toContain('thing pending');
  });

  it('is not empty as long as something is postponed', () => {
    const waiting = makePlan([observation('a/pending', 'wrong', { ...restart, idle: true })]);
    expect(isEmpty(withoutRestarts(waiting, () => false))).toBe(false);
    expect(nextBatch(withoutRestarts(waiting, () => false))).toEqual([]);
  });

  it('is the same plan where everything may be restarted', () => {
    expect(withoutRestarts(plan, () => true)).toEqual(plan);
  });
});
