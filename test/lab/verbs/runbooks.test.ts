/** The commands of a runbook, as they stand on its page, on a pair to which a client writes all the time. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect } from 'vitest';
import { expectNothingLost, type Writing, writing } from '../faults/support/late.ts';
import { FaultPair } from '../faults/support/pair.ts';
import { describeLab, labTest } from '../harness/describe.ts';
import { expectExit } from '../support/pgduet.ts';

const page = join(import.meta.dirname, '../../../docs/runbooks/planned-maintenance.md');

/** Each command of the page, in its order. */
const commands = readFileSync(page, 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('    '))
  .map((line) => line.trim());

/** The words of a shell line without anything but plain words and words in single quotes. */
const wordsOf = (line: string): string[] =>
  [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');

describeLab('the runbook of a planned maintenance', () => {
  let pair: FaultPair;
  let writes: Writing;
  beforeAll(async () => {
    pair = await FaultPair.open();
    writes = await writing(pair);
  });
  afterAll(async () => {
    writes?.client.stop();
    await pair?.close();
  });

  labTest('has its commands', async () => {
    expect(commands.length).toBeGreaterThanOrEqual(9);
  });

  for (const [index, line] of commands.entries())
    labTest(`${index + 1}: ${line}`, async () => {
      const [program, ...words] = wordsOf(line);
      if (program === 'ssh') {
        expect(words.slice(1)).toEqual(['sudo', 'systemctl', 'reboot']);
        const host = pair.cluster.hosts.find(({ name }) => name === words[0]);
        await host?.powerOff();
        await host?.powerOn();
        return;
      }
      expect(program).toBe('pgduet');
      const at = words.indexOf('-i');
      const [verb = '', ...given] = words.filter((_, index) => index !== at && index !== at + 1);
      const asks = verb === 'check' ? [] : ['--yes'];
      expectExit(await pair.cluster.run(verb, ...given, ...asks), 0);
      expect(await writes.client.writesAgain(10_000)).toBe(true);
    });

  labTest('no acknowledged row is lost', () => expectNothingLost(pair, writes));
});
