/** What monitors and CI systems read of a check, judged by their own rules, and by their own programs where they are installed. */
import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import type { CheckReport } from '../../src/check/report.ts';
import { checkJunit } from '../../src/report/check-junit.ts';
import { checkNagios, failedNagios } from '../../src/report/check-nagios.ts';
import { checkPrometheus } from '../../src/report/check-prometheus.ts';
import { xmlText } from '../../src/report/xml.ts';
import {
  clean,
  cluster,
  finding,
  host,
  hostile,
  mixed,
  refusal,
  report,
  several,
  unreached,
} from './check-samples.ts';
import { expectGolden } from './golden.ts';

const reports: readonly [string, CheckReport][] = [
  ['clean', clean],
  ['mixed', mixed],
  ['hostile', hostile],
  ['several', several],
  ['twice', report(mixed.clusters[0] ?? cluster(), cluster([], { inventory: 'other.yml' }))],
  ['same', report(...mixed.clusters, ...mixed.clusters)],
];

/** Undefined where the program is not installed. */
function judged(program: string, args: readonly string[], input: string): string | undefined {
  const { error, status, stdout, stderr } = spawnSync(program, args, { input, encoding: 'utf8' });
  return error ? undefined : `${status === 0 ? '' : `status ${status}: `}${stdout}${stderr}`.trim();
}

describe('checkNagios', () => {
  const code = (name: Parameters<typeof finding>[0]['code']) => finding({ code: name, object: 'x' });
  it.each<[string, number, CheckReport]>([
    ['OK', 0, clean],
    ['OK', 0, report(cluster([code('PRF001')]))],
    ['WARNING', 1, report(cluster([code('SET001')]))],
    ['WARNING', 1, report(cluster([code('SLT002'), unreached]))],
    ['CRITICAL', 2, report(cluster([code('HBA002'), code('LOK001')]))],
    ['CRITICAL', 2, report(cluster([{ ...refusal, severity: 'degraded' }]))],
    ['UNKNOWN', 3, report(cluster([unreached, code('PRF001')]))],
    ['WARNING', 1, several],
  ])('%s is %i', (word, exit, told) => {
    const answer = checkNagios(told);
    expect(answer.exit).toBe(exit);
    expect(answer.text.startsWith(`PGDUET ${word} - `)).toBe(true);
  });

  it.each(reports)('of %s is one line with perfdata, then one for each finding', (_, told) => {
    const [head = '', ...details] = checkNagios(told).text.split('\n');
    expect(details).toHaveLength(told.clusters.flatMap(({ findings }) => findings).length);
    expect(details.join('\n')).not.toContain('|');
    const [words, numbers = '', ...more] = head.split(' | ');
    expect(more).toEqual([]);
    expect(words).not.toMatch(/[|\n]/);
    const one = /(?:'(?:[^'=]|'')+'|[^\s'=]+)=\d+(?:\.\d+)?(?:s)?(?:;[^;\s]*){0,4}/;
    expect(numbers).toMatch(new RegExp(`^${one.source}(?: ${one.source})*$`));
  });

  it('says of a host that it did not answer', () => {
    expect(checkNagios(several).text).toContain('beta: 1 drift, 1 unknown (not reached: server2); gamma:');
  });

  it('is UNKNOWN when no look was taken', () => {
    const diagnostic = { code: 'INV004', what: 'a|b\nc', why: 'w', fix: 'Do it.' } as const;
    expect(failedNagios([diagnostic, diagnostic])).toEqual({
      text: 'PGDUET UNKNOWN - INV004 a¦b\\x0ac: Do it.\nINV004 a¦b\\x0ac: Do it.',
      exit: 3,
    });
  });

  it('is this text', () => expectGolden('check-nagios.txt', `${checkNagios(several).text}\n`));
});

/** What is no XML: a bare '&' or '<', a control, an element that is not closed. For hosts without a parser. */
function brokenXml(text: string): string | undefined {
  if (/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/.test(text)) return 'a forbidden character';
  const open: string[] = [];
  const rest = text.replace(
    /<\?xml [^?]*\?>|<(\/?)([a-z-]+)((?: [a-z_]+="[^"<\n]*")*)(\/?)>/g,
    (_, end, name, __, empty) => {
      if (end && open.pop() !== name) open.push(`</${name}>`);
      if (name && !end && !empty) open.push(name);
      return '';
    },
  );
  if (/<|&(?!(?:amp|lt|gt|quot|#\d+);)/.test(rest)) return 'a bare sign';
  return open.length > 0 ? `not closed: ${open.join(', ')}` : undefined;
}

describe('checkJunit', () => {
  it.each(reports)('of %s is XML', (_, told) => {
    const xml = checkJunit(told);
    expect(brokenXml(xml)).toBeUndefined();
    expect(judged('xmllint', ['--noout', '-'], xml) ?? '').toBe('');
  });

  it.each(reports)('of %s counts its cases right', (_, told) => {
    const xml = checkJunit(told);
    const count = (pattern: RegExp): number => [...xml.matchAll(pattern)].length;
    const [, tests, failures, errors] =
      xml.match(/<testsuites [^>]*tests="(\d+)" failures="(\d+)" errors="(\d+)"/) ?? [];
    expect([tests, failures, errors].map(Number)).toEqual([
      count(/<testcase /g),
      count(/<failure /g),
      count(/<error /g),
    ]);
  });

  it('has a case that passes for every host without a finding that counts', () => {
    const told = report(
      cluster([
        finding({ code: 'ROL006', object: 'admin', host: 'server2' }),
        finding({ code: 'FIL001', object: '/x' }),
      ]),
    );
    const passed = [...checkJunit(told).matchAll(/<testcase classname="([^"]+)" name="as declared"/g)];
    expect(passed.map(([, name]) => name)).toEqual(['inst1.server2']);
  });

  it('takes away what XML forbids even escaped', () => {
    expect(xmlText('a\u0000\u001b\ud800b\ufffe😀')).toBe('ab😀');
  });

  it('is this document', () => expectGolden('check-junit.xml', `${checkJunit(several)}\n`));
});

describe('checkPrometheus', () => {
  it.each(reports)('of %s is in order', (_, told) => {
    const text = `${checkPrometheus(told)}\n`;
    const series = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    const names = series.map((line) => line.replace(/ [^ ]+$/, ''));
    expect(new Set(names).size).toBe(names.length);
    const label = '[a-z]+="(?:[^"\\\\\\n]|\\\\[\\\\n"])*"';
    const form = new RegExp(`^pgduet_check_[a-z_]+(?:\\{${label}(?:,${label})*\\})? -?[0-9.]+$`);
    expect(series.filter((line) => !form.test(line))).toEqual([]);
    expect(judged('promtool', ['check', 'metrics'], text) ?? '').toBe('');
  });

  it('has a series for every host and severity, also where there is nothing', () => {
    const text = checkPrometheus(clean);
    expect(text.match(/^pgduet_check_findings\{.*\} 0$/gm)).toHaveLength(3 * 5);
    expect(text).toContain('pgduet_check_host_primary{cluster="inst1",host="server1"} 1\n');
    expect(text).toContain('pgduet_check_host_primary{cluster="inst1",host="server2"} 0\n');
    expect(text).toContain('pgduet_check_timestamp_seconds 1795176000\n');
  });

  it('says that a host did not answer', () => {
    const away = cluster([unreached], { hosts: [host('server1'), host('server2', { reached: false })] });
    expect(checkPrometheus(report(away))).toContain(
      'pgduet_check_host_reached{cluster="inst1",host="server2"} 0\n',
    );
  });

  it('is this text', () => expectGolden('check-prometheus.txt', `${checkPrometheus(several)}\n`));
});
