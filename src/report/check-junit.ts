/**
 * What a check has found as JUnit XML, which CI systems show. A suite is a cluster. A case is a finding; a host (or the cluster
 * as a whole) without one that counts is a case that passes. What could not be looked at is an error, a note passes. One case
 * has one result, because readers of the format take no more. In: a CheckReport. Out: XML. Pure.
 */
import type { Finding } from '../check/finding.ts';
import type { CheckReport, ClusterReport } from '../check/report.ts';
import { findingsOf, nameIn, strangers } from './check-words.ts';
import { unifiedDiff } from './diff.ts';
import { shown } from './shown.ts';
import { element } from './xml.ts';

type Lines = readonly string[];

export function checkJunit(report: CheckReport): string {
  const suites = report.clusters.map((cluster) => suite(report, cluster));
  const sum = (key: 'tests' | 'failures' | 'errors'): number =>
    suites.reduce((total, { counts }) => total + counts[key], 0);
  const root = element(
    'testsuites',
    {
      name: 'pgduet check',
      tests: sum('tests'),
      failures: sum('failures'),
      errors: sum('errors'),
      time: seconds(report),
    },
    suites.map(({ lines }) => lines),
  );
  return ['<?xml version="1.0" encoding="UTF-8"?>', ...root].join('\n');
}

const seconds = ({ ms }: CheckReport): string => (ms / 1000).toFixed(3);

interface Case {
  readonly result: 'passed' | 'failures' | 'errors';
  readonly lines: Lines;
}

function suite(report: CheckReport, cluster: ClusterReport) {
  const name = shown(nameIn(report, cluster));
  const hosts = [...cluster.hosts.map((host) => host.name), ...strangers(cluster)];
  const cases = [...hosts, null].flatMap((host) => casesOf(name, cluster, host));
  const of = (result: Case['result']): number => cases.filter((one) => one.result === result).length;
  const counts = { tests: cases.length, failures: of('failures'), errors: of('errors') };
  const attributes = {
    name,
    ...counts,
    skipped: 0,
    time: seconds(report),
    // Without a zone, as the format wants it; the time is UTC.
    timestamp: report.at.replace(/(\.\d+)?Z$/, ''),
  };
  const lines = element('testsuite', attributes, [properties(cluster), ...cases.map((one) => one.lines)]);
  return { counts, lines };
}

function properties({ inventory, primary, preferredPrimary, hosts }: ClusterReport): Lines {
  const pairs: readonly (readonly [string, string])[] = [
    ['inventory', inventory],
    ['primary', primary ?? 'unknown'],
    ['preferred_primary', preferredPrimary],
    ...hosts.flatMap(({ name, address, role, reached }): (readonly [string, string])[] => [
      [`${name}.address`, address],
      [`${name}.role`, role],
      [`${name}.reached`, String(reached)],
    ]),
  ];
  const lines = pairs.map(([name, value]) => element('property', { name: shown(name), value: shown(value) }));
  return element('properties', {}, lines);
}

/** Null: what is told of the cluster as a whole. */
function casesOf(cluster: string, report: ClusterReport, host: string | null): readonly Case[] {
  const findings = findingsOf(report, host);
  const classname = `${cluster}.${shown(host ?? 'cluster')}`;
  const bad = findings.filter(({ severity }) => severity !== 'note');
  const cases = findings.map((finding) => caseOf(classname, finding));
  const passed: Case = {
    result: 'passed',
    lines: element('testcase', { classname, name: 'as declared', time: 0 }),
  };
  return bad.length > 0 || host === null ? cases : [passed, ...cases];
}

function caseOf(classname: string, finding: Finding): Case {
  const { severity, code, object, what } = finding;
  const attributes = { classname, name: shown(`${code} ${object}`), time: 0 };
  const body = details(finding);
  if (severity === 'note')
    return { result: 'passed', lines: element('testcase', attributes, [element('system-out', {}, body)]) };
  const result = severity === 'unknown' ? 'errors' : 'failures';
  const tag = severity === 'unknown' ? 'error' : 'failure';
  const verdict = element(tag, { type: severity, message: shown(what) }, body);
  return { result, lines: element('testcase', attributes, [verdict]) };
}

/** What a person needs, as in the text; with the diff, since a CI system folds it away by itself. */
function details(finding: Finding): string {
  const { what, declared, found, source, since, consequence, repair, diff } = finding;
  const rows: readonly (readonly [string, string | null])[] = [
    ['what', what],
    ['declared', declared],
    ['found', found],
    ['from', source],
    ['since', since],
    ['if left alone', consequence],
    ['to repair', repair],
  ];
  const lines = rows.flatMap(([name, text]) => (text ? [`${name}: ${text}`] : []));
  const changes = diff === null ? [] : unifiedDiff(diff.before, diff.after, diff.name);
  return [...lines, ...changes].map(shown).join('\n');
}
