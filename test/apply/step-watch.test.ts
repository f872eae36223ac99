/** A step that ends because what it builds on has changed says what that is; a program's own status of the same number is a failure. */
import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { batchScript, type NumberedStep } from '../../src/apply/batch-script.ts';
import type { RunEvent } from '../../src/apply/event.ts';
import { watchSteps } from '../../src/apply/step-watch.ts';
import { outdated } from '../../src/resources/contract/kind.ts';

const nonce = 'n0nce';

function play(...steps: readonly Omit<NumberedStep, 'number'>[]) {
  const numbered = steps.map((step, number) => ({ ...step, number }));
  const events: RunEvent[] = [];
  const watch = watchSteps({ emit: (event) => events.push(event), now: () => 0 }, 'server1', numbered, nonce);
  const { status, stdout, stderr } = spawnSync('sh', [], {
    input: batchScript('', numbered, 'echo looked', nonce),
    encoding: 'utf8',
  });
  for (const line of stderr.split('\n')) watch.onLine(line);
  const told = events.flatMap((event) =>
    event.kind === 'step' && event.state !== 'started' ? [`${event.state}: ${event.title}`] : [],
  );
  return { status, stdout, told, seen: watch.seen };
}

describe('a step that ends as outdated', () => {
  const behind = { title: 'behind', script: 'echo done' };

  it('says what has changed; nothing behind it is done, and it is looked at anew', () => {
    const step = { title: 'settings', script: `exit ${outdated}`, outdated: 'somebody was here' };
    const { told, stdout, seen } = play(step, behind);
    expect(told).toEqual(['done: settings: put off, somebody was here']);
    expect(stdout).toBe('looked\n');
    expect([seen.putOff?.title, seen.failed]).toEqual(['settings', undefined]);
  });

  it('is one that says so: of any other one the same status is a failure, and the batch ends', () => {
    const { told, stdout, seen, status } = play({ title: 'command', script: `exit ${outdated}` }, behind);
    expect(told).toEqual(['failed: command']);
    expect([status, stdout]).toEqual([90, '']);
    expect([seen.putOff, seen.failed?.status]).toEqual([undefined, outdated]);
  });
});
