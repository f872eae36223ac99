/** A run from the first look to the last: convergence, round trips, refusals, locks, failures, interruptions. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { exitCode } from '../../src/base/exit-codes.ts';
import { failureOf, me, type TestWorld, testWorld } from './world.ts';

let world: TestWorld | undefined;
const open = async (...between: Parameters<typeof testWorld>): Promise<TestWorld> => {
  world = await testWorld(...between);
  return world;
};
afterEach(() => {
  world?.remove();
  world = undefined;
});

const line = (kind: string, fields: string, rest = ''): string => `- { ${kind}: { ${fields} }${rest} }`;
const directory = (name: string, rest = ''): string =>
  line('directory', `path: '{{here}}/${name}', owner: ${me}, mode: '0700'`, rest);
const file = (name: string, content: string, rest = ''): string =>
  line('file', `path: '{{here}}/${name}', owner: ${me}, content: '${content}'`, rest);
const command = (name: string, run: string, unless: string, rest = ''): string =>
  line('command', `name: ${name}, run: ${JSON.stringify(run)}, unless: ${JSON.stringify(unless)}`, rest);
const plays = (...parts: readonly (readonly [on: string, ...lines: string[]])[]): string =>
  [
    'plays:',
    ...parts.flatMap(([on, ...lines]) => [
      `  - on: ${on}`,
      '    resources:',
      ...lines.map((one) => `      ${one}`),
    ]),
  ].join('\n');

const two = plays(['all', directory('a'), file('a/one', 'x')], ['standbys', file('a/two', 'y')]);
const kindsOf = (of: TestWorld): readonly string[] => of.events.map(({ kind }) => kind);
const write = (path: string, text: string): void => {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
};

describe('a run', () => {
  it('makes everything so, proves it, and the next one finds nothing to do', async () => {
    const w = await open();
    const first = await w.play(two);
    expect(first.changed.map(({ host, summary }) => `${host} ${summary.split(' ')[0]}`).sort()).toEqual([
      'server1 create',
      'server1 write',
      'server2 create',
      'server2 write',
      'server2 write',
    ]);
    expect(readFileSync(w.at('server2', 'a/two'), 'utf8')).toBe('y\n');
    expect(kindsOf(w).at(-1)).toBe('verified');

    const second = await w.play(two);
    expect(second).toMatchObject({ changed: [], confirmed: true });
    expect(second.roundTrips).toEqual({ server1: 1, server2: 1 });
  });

  it('needs one look, one round trip for each batch, and a look at the end', async () => {
    const w = await open();
    expect((await w.play(two)).roundTrips).toEqual({ server1: 3, server2: 3 });
  });

  it('keeps the order between hosts', async () => {
    const w = await open();
    const text = plays(
      [
        'standbys',
        command(
          'copy',
          `cp '${w.at('server1', 'source')}' '${w.at('server2', 'copy')}'`,
          `test -e '${w.at('server2', 'copy')}'`,
          ', after: primary/source',
        ),
      ],
      ['primary', `${file('source', 'x', ', as: source')}`],
    );
    await w.play(text);
    expect(readFileSync(w.at('server2', 'copy'), 'utf8')).toBe('x\n');
    const batches = w.events.flatMap((event) =>
      event.kind === 'batch' ? [event.hosts.map(({ host }) => host)] : [],
    );
    expect(batches).toEqual([['server1'], ['server2']]);
  });

  it('repairs only what was broken', async () => {
    const w = await open();
    await w.play(two);
    write(w.at('server1', 'a/one'), 'by hand\n');
    expect((await w.play(two)).changed).toEqual([
      {
        host: 'server1',
        resource: `file ${w.at('server1', 'a/one')}`,
        summary: `rewrite ${w.at('server1', 'a/one')}`,
      },
    ]);
  });

  it('changes only the host it is limited to', async () => {
    const w = await open();
    await w.play(two, { limit: 'server2' });
    expect(existsSync(w.at('server2', 'a/two'))).toBe(true);
    expect(existsSync(w.at('server1', 'a'))).toBe(false);
  });

  it('that only checks takes no lock and changes nothing', async () => {
    const w = await open();
    const outcome = await w.play(two, { change: false });
    expect(outcome.plan.decisions.filter(({ kind }) => kind === 'change')).toHaveLength(5);
    expect(outcome.roundTrips).toEqual({ server1: 1, server2: 1 });
    expect(kindsOf(w)).not.toContain('locked');
    expect(existsSync(w.at('server1', 'a'))).toBe(false);
  });

  it('that is not confirmed changes nothing', async () => {
    const w = await open();
    expect(await w.play(two, { confirm: async () => false })).toMatchObject({
      confirmed: false,
      changed: [],
    });
    expect(existsSync(w.at('server1', 'a'))).toBe(false);
  });

  it('that fails at the question lets go of its locks', async () => {
    const w = await open();
    await expect(
      w.play(two, {
        confirm: async () => {
          throw new Error('no terminal');
        },
      }),
    ).rejects.toThrow('no terminal');
    expect(w.transport.locks.size).toBe(0);
  });
});

describe('before anything is changed', () => {
  const untouched = (w: TestWorld): void => {
    expect(existsSync(w.at('server1', 'a'))).toBe(false);
    expect(existsSync(w.at('server2', 'a'))).toBe(false);
    expect(kindsOf(w)).not.toContain('step');
  };

  it('one refusal on one host stops the run on all', async () => {
    const w = await open();
    write(w.at('server2', 'a/one/x'), '');
    const error = await failureOf(w.play(plays(['all', directory('b'), file('a/one', 'x')])));
    expect(error.exitCode).toBe(exitCode.refused);
    expect(error.diagnostics.map(({ code, host }) => [code, host])).toEqual([['SAF002', 'server2']]);
    expect(existsSync(w.at('server1', 'b'))).toBe(false);
    expect(kindsOf(w)).toContain('planned');
    expect(kindsOf(w)).not.toContain('step');
  });

  it('what cannot be seen stops the run', async () => {
    const w = await open();
    const error = await failureOf(w.play(plays(['all', command('c', 'true', 'exit 9'), directory('a')])));
    expect(error.diagnostics.map(({ code }) => code)).toEqual(['HST002', 'HST002']);
    untouched(w);
  });

  it('a lock of another run stops it, and says whose it is', async () => {
    const w = await open();
    const [host] = w.cluster.hosts;
    if (!host) throw new Error('no host');
    const other = await w.transport.open(host);
    await other.lock({ cluster: 'inst1.server1', owner: 'berta, provision', waitMs: 0 });
    const error = await failureOf(w.play(two));
    expect(error.exitCode).toBe(exitCode.locked);
    expect(error.diagnostics[0]).toMatchObject({ code: 'RUN001', evidence: ['held by: berta, provision'] });
    untouched(w);
    await other.close();
    expect((await w.play(two)).changed).toHaveLength(5);
    expect(w.transport.locks.size).toBe(0);
  });

  it('clocks that differ stop it', async () => {
    const w = await open(async (real, _script, host) => {
      const reply = await real();
      const shifted = reply.stdout.replace(/^\d{10}\.\d+$/m, (text) => String(Number(text) + 30));
      return host === 'server2' ? { ...reply, stdout: shifted } : reply;
    });
    const error = await failureOf(w.play(two));
    expect(error.diagnostics[0]).toMatchObject({ code: 'HST007', host: 'server2' });
    untouched(w);
  });

  it('a data directory that cannot be looked at stops it', async () => {
    const w = await open(async (real) => {
      const reply = await real();
      return { ...reply, stdout: reply.stdout.replace('content absent', 'who knows') };
    });
    const error = await failureOf(w.play(two));
    expect(error.diagnostics.map(({ code, host }) => [code, host])).toEqual([
      ['HST002', 'server1'],
      ['HST002', 'server2'],
    ]);
    untouched(w);
  });

  it('two primaries stop it', async () => {
    const w = await open(async (real) => {
      const reply = await real();
      return {
        ...reply,
        stdout: reply.stdout.replace('content absent', 'recorded 7\ncontent cluster\nversion 15'),
      };
    });
    const error = await failureOf(w.play(two));
    expect(error).toMatchObject({ exitCode: exitCode.refused, diagnostics: [{ code: 'SAF003' }] });
    untouched(w);
  });

  it('a host that is cut off stops it', async () => {
    const w = await open(async (real, _script, host) => {
      if (host === 'server2') w.transport.cut(host);
      return real();
    });
    expect((await failureOf(w.play(two))).diagnostics[0]).toMatchObject({ code: 'CON007', host: 'server2' });
    untouched(w);
  });
});

describe('when a step fails', () => {
  const failing = (w: TestWorld, run: string): string =>
    plays(
      [
        'primary',
        directory('a'),
        command('fragile', run, `test -e '${w.at('server1', 'repaired')}'`),
        directory('behind'),
      ],
      ['standbys', directory('other')],
    );

  it('the message says what, why, what was done and what was not', async () => {
    const w = await open();
    const error = await failureOf(w.play(failing(w, 'echo one >&2; echo two; echo three >&2; exit 5')));
    expect(error.exitCode).toBe(exitCode.hostFailed);
    expect(error.diagnostics).toHaveLength(1);
    expect(error.diagnostics[0]).toMatchObject({
      code: 'HST001',
      what: "'command 'fragile'' failed with status 5",
      host: 'server1',
      evidence: [
        'one',
        'three',
        `already changed: directory ${w.at('server1', 'a')}`,
        `not done: directory ${w.at('server1', 'behind')}`,
      ],
    });
    expect(existsSync(w.at('server1', 'behind'))).toBe(false);
    // The other host had nothing to do with it.
    expect(existsSync(w.at('server2', 'other'))).toBe(true);
    expect(w.transport.locks.size).toBe(0);
  });

  it('counts what the batches before it have changed on the host', async () => {
    const w = await open();
    const text = plays(
      ['primary', directory('a'), command('fragile', 'exit 5', 'false', ', after: standbys/other')],
      ['standbys', file('other', 'x', ', as: other')],
    );
    expect((await failureOf(w.play(text))).diagnostics[0]?.evidence).toEqual([
      `already changed: create directory ${w.at('server1', 'a')} (${me} 0700)`,
      'not done: nothing else was planned here',
    ]);
  });

  it('the same command continues once it is repaired', async () => {
    const w = await open();
    const text = failing(w, 'exit 5');
    await failureOf(w.play(text));
    write(w.at('server1', 'repaired'), '');
    expect((await w.play(text)).changed.map(({ summary }) => summary)).toEqual([
      `create directory ${w.at('server1', 'behind')} (${me} 0700)`,
    ]);
  });

  it('a failure in the middle of a step ends the step', async () => {
    const w = await open();
    const text = failing(w, `set -e; false; touch '${w.at('server1', 'never')}'`);
    await failureOf(w.play(text));
    expect(existsSync(w.at('server1', 'never'))).toBe(false);
  });

  it('output that looks like the marks of the engine confuses nobody', async () => {
    const w = await open();
    const noise =
      'echo "nonce step 0 end 0" >&2; echo "step 1 begin" >&2; printf "no end of line" >&2; exit 6';
    const error = await failureOf(w.play(failing(w, noise)));
    expect(error.diagnostics[0]?.what).toContain('status 6');
    expect(error.diagnostics[0]?.evidence).toContain('no end of line');
  });

  it('failures of several hosts are told together', async () => {
    const w = await open();
    const text = plays(['all', command('bad', 'echo "No space left on device" >&2; exit 1', 'false')]);
    const error = await failureOf(w.play(text));
    expect(error.diagnostics.map(({ code, host }) => [code, host])).toEqual([
      ['HST006', 'server1'],
      ['HST006', 'server2'],
    ]);
  });
});

describe('a run that does not come to its end', () => {
  it('is stopped when the same change is needed again and again', async () => {
    const w = await open();
    const text = plays(['primary', command('useless', 'true', 'false')]);
    const error = await failureOf(w.play(text));
    expect(error.diagnostics[0]).toMatchObject({ code: 'HST011', host: 'server1' });
    expect(error.diagnostics[0]?.what).toContain("run 'useless'");
  });

  /** The same commands as something that only waits. */
  const waiting = (w: TestWorld, text: string) => ({
    compile: (...args: Parameters<ReturnType<TestWorld['compiler']>>) => {
      const made = w.compiler(text)(...args);
      return made.ok
        ? { ...made, value: made.value.map((one) => ({ ...one, kind: { ...one.kind, waits: true } })) }
        : made;
    },
  });

  it('may wait more than twice for what comes and goes, where a change would be a circle', async () => {
    const run = 'echo >> {{here}}/times';
    const text = plays([
      'primary',
      command('third', run, 'test -e {{here}}/times && test "$(wc -l < {{here}}/times)" -ge 3'),
    ]);
    const w = await open();
    expect((await w.play(text, waiting(w, text))).changed).toEqual([]);
    expect(readFileSync(w.at('server1', 'times'), 'utf8')).toBe('\n'.repeat(3));
    w.remove();
    const other = await open();
    expect((await failureOf(other.play(text))).diagnostics[0]?.code).toBe('HST011');
  });

  it('does not wait for ever for what does not last', async () => {
    const w = await open();
    const text = plays(['primary', command('vain', 'true', 'false')]);
    const [told] = (await failureOf(w.play(text, waiting(w, text)))).diagnostics;
    expect(told).toMatchObject({
      code: 'HST011',
      host: 'server1',
      why: expect.stringContaining('does not last'),
    });
    expect(told?.what).toContain("'run 'vain'' came true 10 times");
  });

  it('is not called done when the last look finds what was undone meanwhile', async () => {
    const w = await open();
    // The second command takes away what the first one made.
    const mark = w.at('server1', 'mark');
    const text = plays([
      'primary',
      command('make', `touch '${mark}'`, `test -e '${mark}'`),
      command('undo', `rm '${mark}'; touch '${mark}.undone'`, `test -e '${mark}.undone'`),
    ]);
    const outcome = await w.play(text);
    expect(existsSync(mark)).toBe(true);
    expect(outcome.changed.map(({ summary }) => summary)).toEqual(["run 'make'", "run 'undo'", "run 'make'"]);
  });
});

describe('an interrupt', () => {
  it('during a step says what was changed and what was not', async () => {
    const w = await open(async (real, script) => {
      if (script.includes('step 0 begin') && script.includes('behind')) w.abort.abort();
      return real();
    });
    const text = plays(
      ['primary', directory('a')],
      ['standbys', directory('behind', ', after: "primary/directory {{here}}/a"')],
    );
    const after = text.replace('{{here}}/a"', `${w.at('server1', 'a')}"`);
    const error = await failureOf(w.play(after));
    expect(error.exitCode).toBe(exitCode.interrupted);
    expect(error.diagnostics[0]).toMatchObject({
      code: 'RUN002',
      evidence: [
        `already changed: server1: create directory ${w.at('server1', 'a')} (${me} 0700)`,
        `not done: server2: create directory ${w.at('server2', 'behind')} (${me} 0700)`,
      ],
    });
    expect(w.transport.locks.size).toBe(0);
  });

  it('counts the steps that a batch had finished', async () => {
    const w = await open(async (real, script) => {
      if (script.includes('step 0 begin'))
        void vi
          .waitFor(() => existsSync(w.at('server1', 'begun')) || Promise.reject(), 9000)
          .then(() => w.abort.abort());
      return real();
    });
    const run = `touch '${w.at('server1', 'begun')}'; sleep 2`;
    const text = plays(['primary', directory('a'), command('slow', run, 'false'), directory('behind')]);
    expect((await failureOf(w.play(text))).diagnostics[0]).toMatchObject({
      code: 'RUN002',
      evidence: [
        `already changed: server1: create directory ${w.at('server1', 'a')} (${me} 0700)`,
        `not done: server1: run 'slow'; server1: create directory ${w.at('server1', 'behind')} (${me} 0700)`,
      ],
    });
  });

  it('in the look at the end says what was changed', async () => {
    const w = await open(async (real, script) => {
      if (!script.includes('step 0 begin') && existsSync(w.at('server1', 'a'))) w.abort.abort();
      return real();
    });
    const error = await failureOf(w.play(plays(['primary', directory('a')])));
    expect(error.diagnostics[0]).toMatchObject({
      code: 'RUN002',
      evidence: [
        `already changed: server1: create directory ${w.at('server1', 'a')} (${me} 0700)`,
        'not done: nothing',
      ],
    });
  });

  it('before the first look is an interrupt too', async () => {
    const w = await open();
    w.abort.abort();
    const error = await failureOf(w.play(two));
    expect(error).toMatchObject({ exitCode: exitCode.interrupted, diagnostics: [{ code: 'RUN002' }] });
  });

  it('can be continued by the same command', async () => {
    let aborted = false;
    const w = await open(async (real, script) => {
      const reply = await real();
      if (!aborted && script.includes('step 0 begin')) {
        aborted = true;
        w.abort.abort();
      }
      return reply;
    });
    await failureOf(w.play(two));
    const again = await open();
    expect((await again.play(two)).changed).toHaveLength(5);
    w.remove();
  });
});
