/** One Diagnostic as people and as programs see it. */
import { describe, expect, it } from 'vitest';
import type { Diagnostic } from '../../src/base/diagnostic.ts';
import { diagnosticJson, renderDiagnostic } from '../../src/report/diagnostic.ts';
import { escapeControls } from '../../src/report/shown.ts';

const port: Diagnostic = {
  code: 'INV007',
  what: "port 27540 is given to 'server1' and 'server2' on one address",
  why: 'two controllers cannot listen on one port; the second would not start',
  fix: "give 'server2' a port of its own, for example 27541",
  at: {
    file: 'inventories/prod.yml',
    line: 14,
    column: 27,
    length: 5,
    text: '    multiplexing: { port: 27540 }',
  },
};

const plain = (diagnostic: Diagnostic, width?: number) =>
  renderDiagnostic(diagnostic, { color: false, ...(width === undefined ? {} : { width }) });

const at = (text: string, column: number, length: number): Diagnostic => ({
  ...port,
  at: { file: 'f.yml', line: 1, column, length, text },
});

/** What stands above the carets. */
function marked(rendered: string): string {
  const [, line = '', carets = ''] = rendered.split('\n');
  return line.slice(carets.indexOf('^'), carets.lastIndexOf('^') + 1);
}

describe('renderDiagnostic', () => {
  it.each([
    ['    values: { archive_command: "put Ca9naRy %p" }', 15, 15],
    ['    content: "PASSWORD=Ca9naRy"', 14, 19],
    ['  - { type: host, ldapbindpasswd: Ca9naRy }', 9, 4],
    ['    vault.token: Ca9naRy', 18, 7],
  ])('shows no secret of a playbook beside its mistake: %s', (text, column, length) => {
    const shown = plain(at(text, column, length));
    expect(shown).not.toContain('Ca9naRy');
    expect(shown).toContain('***');
    expect(shown).toContain('^');
  });

  it('shows place, code, line, carets, why and fix', () => {
    expect(plain(port)).toBe(
      [
        "inventories/prod.yml:14:27  INV007  port 27540 is given to 'server1' and 'server2' on one address",
        '  14 |     multiplexing: { port: 27540 }',
        '     |                           ^^^^^',
        'why: two controllers cannot listen on one port; the second would not start',
        "fix: give 'server2' a port of its own, for example 27541",
      ].join('\n'),
    );
  });

  it('shows host and evidence, and no place where there is none', () => {
    const failed: Diagnostic = {
      code: 'HST001',
      what: "step 'start instance' failed with exit status 1",
      why: 'the instance does not run',
      fix: 'Look at the log.',
      host: 'server1',
      evidence: ['pg_ctl: could not start server', 'line two\nline three\r'],
    };
    expect(plain(failed)).toBe(
      [
        "HST001  step 'start instance' failed with exit status 1",
        'why: the instance does not run',
        'fix: Look at the log.',
        'host: server1',
        'seen:',
        '  pg_ctl: could not start server',
        '  line two',
        '  line three\\x0d',
      ].join('\n'),
    );
  });

  it('never lets a control character through', () => {
    const evil = 'a\u001b[31mb\u0007c\u009bd\u202ee\u0000f';
    const everywhere: Diagnostic = {
      code: 'INV005',
      what: evil,
      why: evil,
      fix: evil,
      host: evil,
      evidence: [evil],
      at: { file: evil, line: 1, column: 1, length: 3, text: evil },
    };
    expect(plain(everywhere)).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
    expect(plain(everywhere)).toContain('a\\x1b[31mb\\x07c\\x9bd\\u202ee\\x00f');
  });

  it.each([
    ['after a tab', at('a:\tvalue', 4, 5), 'value'],
    ['after an escaped character', at('a: \u0001 value', 6, 5), 'value'],
    ['on an escaped character', at('a: \u0001', 4, 1), '\\x01'],
    ['beyond the end', at('a:', 9, 4), ''],
    ['longer than the line', at('a: bcd', 4, 99), 'bcd'],
  ])('puts the carets right %s', (_, diagnostic, expected) => {
    expect(marked(plain(diagnostic))).toBe(expected);
  });

  it('counts wide characters as two columns and marks as none', () => {
    const [, , carets] = plain(at('名: e\u0301 x', 7, 1)).split('\n');
    expect(carets).toBe(`    | ${' '.repeat(6)}^`);
  });

  it('leaves an empty line out', () => {
    expect(plain(at('  ', 1, 1)).split('\n')).toHaveLength(3);
  });

  it('wraps why and fix, with the continuation below the text', () => {
    expect(plain(port, 40).split('\n').slice(3)).toEqual([
      'why: two controllers cannot listen on',
      '     one port; the second would not',
      '     start',
      "fix: give 'server2' a port of its own,",
      '     for example 27541',
    ]);
  });

  it('gives each line of a choice a line of its own', () => {
    const choice = {
      ...port,
      fix: 'Write one of these:\na: 1   the first, which is long\nb: 2   the second.',
    };
    expect(plain(choice, 40).split('\n').slice(-4)).toEqual(
      [
        'fix: Write one of these:',
        '     a: 1   the first, which is long',
        '     b: 2   the second.',
      ].toSpliced(0, 0, '     start'),
    );
  });

  it.each([3, 60, 140])('cuts a long line around column %i', (column) => {
    const text = `${'x'.repeat(column - 1)}VALUE${'y'.repeat(150 - column)}`;
    const rendered = plain(at(text, column, 5), 60);
    expect(marked(rendered)).toBe('VALUE');
    for (const line of rendered.split('\n').slice(1)) expect(line.length).toBeLessThanOrEqual(60);
  });

  it('colours only what is asked for', () => {
    const colored = renderDiagnostic(port, { color: true });
    expect(colored).toContain('\x1b[31mINV007\x1b[39m');
    expect(colored.replace(/\x1b\[\d+m/g, '')).toBe(plain(port));
  });
});

describe('diagnosticJson', () => {
  it('has the same keys in the same order, without the excerpt', () => {
    expect(JSON.stringify(diagnosticJson({ ...port, host: 'server2', evidence: ['x'] }))).toBe(
      JSON.stringify({
        code: 'INV007',
        what: port.what,
        why: port.why,
        fix: port.fix,
        at: { file: 'inventories/prod.yml', line: 14, column: 27, length: 5 },
        host: 'server2',
        evidence: ['x'],
      }),
    );
  });

  it('leaves out what is not there', () => {
    expect(
      Object.keys(diagnosticJson({ code: 'RUN002', what: 'a', why: 'b', fix: 'c', evidence: [] })),
    ).toEqual(['code', 'what', 'why', 'fix']);
  });
});

it('escapeControls keeps ordinary text', () => {
  expect(escapeControls("données 名 ~/'x'")).toBe("données 名 ~/'x'");
});
