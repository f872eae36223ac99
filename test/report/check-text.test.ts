/** What a person reads after a check. The golden texts are what the terminal shows. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Severity, severities } from '../../src/base/findings/rule.ts';
import { type CheckTextOptions, checkText } from '../../src/report/check-text.ts';
import { clean, cluster, finding, host, hostile, memory, mixed, report, several } from './check-samples.ts';
import { expectGolden } from './golden.ts';

const plain = { colour: false, diff: false };

const documentation = (path: string): string =>
  readFileSync(join(import.meta.dirname, '../..', path), 'utf8');
/** As a block of code in Markdown. */
const block = (text: string): string => text.replace(/^(?=.)/gm, '    ');

describe('the documentation', () => {
  it('shows what the terminal shows', () => {
    const trust = finding({
      code: 'HBA002',
      object: 'line 7',
      declared: 'no trust',
      found: 'host all all 0.0.0.0/0 trust',
    });
    const text = checkText(report(cluster([trust, memory])), plain);
    expect(documentation('docs/check.md')).toContain(`\n${block(text)}\n`);
    expect(documentation('docs/check.md')).toContain(`\n${block(checkText(clean, plain))}\n`);
    const [, example = ''] = /(drift [\s\S]*?)\n\n/.exec(text) ?? [];
    expect(documentation('README.md')).toContain(`\n${block(example)}\n`);
  });
});

describe('checkText', () => {
  it('says in one line that there is nothing', () => {
    expect(checkText(clean, plain)).toBe('inst1: 2 servers are as declared (480 ms, one look)');
    expect(checkText(report(cluster([], { hosts: [host('server1')] })), plain)).toBe(
      'inst1: 1 server is as declared (480 ms, one look)',
    );
    const hosts = [host('server1'), host('server2'), host('arb1', { role: 'none', preferredRole: null })];
    expect(checkText(report(cluster([], { hosts })), plain)).toBe(
      'inst1: 2 servers, 1 arbiter are as declared (480 ms, one look)',
    );
  });

  it.each<[string, Parameters<typeof checkText>[0], CheckTextOptions]>([
    ['check-mixed', mixed, plain],
    ['check-diff', mixed, { colour: false, diff: true, width: 72 }],
    ['check-several', several, plain],
  ])('shows %s', (name, told, options) => {
    expectGolden(`${name}.txt`, `${checkText(told, options)}\n`);
  });

  it('colours the words of severity and nothing else changes', () => {
    const coloured = checkText(mixed, { colour: true, diff: true });
    expect(coloured).toContain('\u001b[33mdrift   \u001b[0m');
    expect(coloured.replace(/\u001b\[\d+m/g, '')).toBe(checkText(mixed, { colour: false, diff: true }));
  });

  it('tells the gravest first', () => {
    const words = checkText(mixed, plain)
      .split('\n')
      .flatMap((line) => line.match(/^(danger|degraded|drift|unknown|note) +[A-Z]{3}\d{3} /)?.[1] ?? []);
    const ranks = words.map((word) => severities.indexOf(word as Severity));
    expect(ranks).toEqual([...ranks].sort());
    expect(new Set(words)).toEqual(new Set(severities));
  });

  it('tells equal findings once and names every host, with its own time', () => {
    const one = (name: string, since?: number) =>
      finding({ code: 'FIL001', object: '/etc/x', host: name, ...(since ? { since } : {}) });
    const text = (...times: [number?, number?]) =>
      checkText(report(cluster([one('server1', times[0]), one('server2', times[1])])), plain);
    expect(text()).toContain('FIL001  server1, server2  /etc/x: a file is missing');
    expect(text()).not.toContain('since');
    expect(text(86400, 86400)).toMatch(/since +1970-01-02 00:00:00 UTC$/m);
    expect(text(86400)).toMatch(/since +server1: 1970-01-02 00:00:00 UTC, server2: not known$/m);
  });

  it('does not put together what differs', () => {
    const text = checkText(
      report(
        cluster([
          finding({ code: 'SET001', object: 'work_mem', found: '1MB' }),
          finding({ code: 'SET001', object: 'work_mem', found: '2MB', host: 'server2' }),
        ]),
      ),
      plain,
    );
    expect(text.match(/SET001/g)).toHaveLength(2);
  });

  it('has no empty line of a finding', () => {
    const text = checkText(report(cluster([finding({ code: 'FIL001', object: '/x', found: '' })])), plain);
    expect(text).not.toMatch(/^ +(found|from|since)/m);
  });

  it('tells apart what provision repairs and what is up to a person', () => {
    const last = (...codes: Parameters<typeof finding>[0]['code'][]): string => {
      const findings = codes.map((code) => finding({ code, object: 'x' }));
      return (
        checkText(report(cluster(findings)), plain)
          .split('\n')
          .at(-1) ?? ''
      );
    };
    expect(last('SET001', 'SLT002', 'ARC001')).toBe(
      '2 degraded, 1 drift: pgduet provision -i inventory.yml repairs 1; 2 are up to you (480 ms, one look)',
    );
    expect(last('SET001')).toBe('1 drift: pgduet provision -i inventory.yml repairs 1 (480 ms, one look)');
    expect(last('SLT002')).toBe('1 degraded: 1 is up to you (480 ms, one look)');
    expect(last('PRF001')).toBe('1 note, and nothing to do (480 ms, one look)');
  });

  it('never lets a control character of a host through, nor a line break', () => {
    const text = checkText(hostile, { colour: false, diff: true });
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
    // A diff has lines by nature: what follows the line break in the text is still indented.
    expect(text.split('\n').filter((line) => line.startsWith('i'))).toEqual([]);
  });

  it('names a host that has no row, and a host that did not answer', () => {
    const stray = checkText(
      report(cluster([finding({ code: 'FIL001', object: '/x', host: 'server9' })])),
      plain,
    );
    expect(stray).toMatch(/^server9 +- +- +- +1 drift$/m);
    expect(checkText(several, plain)).toMatch(/^server2 +unknown .* not reached: 1 unknown$/m);
  });

  it('tells two clusters of one name apart', () => {
    const text = checkText(report(cluster(), cluster([], { inventory: 'other.yml' })), plain);
    expect(text).toContain('inst1 (inventory.yml): 2 servers');
    expect(text).toContain('inst1 (other.yml): 2 servers');
  });
});
