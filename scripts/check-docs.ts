/**
 * The tables of docs/check.md: every code that `pgduet check` may tell. In: the table of the source, and the document. Out: the
 * document with its tables made anew. What a group of codes is about is written here by hand; a test says when one is missing.
 */
import { findingCodes } from '../src/base/finding-codes.ts';
import type { FindingRule } from '../src/base/findings/rule.ts';
import { table, withParts } from './markdown.ts';

const groups: Readonly<Record<string, string>> = {
  FIL: 'Files',
  DIR: 'Directories',
  LNK: 'Symbolic links',
  PKG: 'Packages and programs',
  USR: 'The instance administrator',
  PWD: 'The password file',
  UNT: 'Units of systemd',
  INI: 'Init scripts, where there is no systemd',
  SET: 'Settings of PostgreSQL',
  HBA: 'Client rules (pg_hba.conf)',
  ROL: 'Roles',
  HRD: 'What `postgres.hardening` asks for besides',
  SLT: 'Replication slots',
  SUM: 'Checksums',
  ARC: 'The archive',
  REP: 'Replication',
  PEE: 'One server beside another',
  CTL: 'The Mirroring Controller and its instance',
  MNT: 'Maintenance',
  ARB: 'The arbiter',
  SEC: 'Secrets',
  TLS: 'TLS between the servers',
  PRF: 'Preferences',
  PRV: 'Whether anything was provisioned',
  FWL: 'The firewall of the ports',
  CLK: 'Clocks',
  NET: 'The network between the servers',
  RES: 'Anything else that is declared',
  LOK: 'What could not be looked at',
};

const rules: Readonly<Record<string, FindingRule>> = findingCodes;

/** Prefixes of codes that no group names, and groups without a code. */
export function groupless(): readonly string[] {
  const used = new Set(Object.keys(rules).map((code) => code.slice(0, 3)));
  return [
    ...[...used].filter((prefix) => !(prefix in groups)),
    ...Object.keys(groups).filter((prefix) => !used.has(prefix)),
  ];
}

const repairs = ({ repair }: FindingRule): string =>
  repair === 'provision'
    ? '`pgduet provision`'
    : repair === '{object}'
      ? 'a person; the finding says how'
      : repair;

/** In a cell a bar would end it, and a sign that looks like a tag would vanish. */
const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('<', '&lt;');

const head = ['code', 'severity', 'what is found', 'if nothing is done', 'what repairs it'];

const codesText = (): string =>
  Object.entries(groups)
    .map(([prefix, title]) => {
      const rows = Object.entries(rules)
        .filter(([code]) => code.startsWith(prefix))
        .map(([code, rule]) => [code, rule.severity, rule.title, rule.consequence, repairs(rule)].map(cell));
      return `### ${prefix}: ${title}\n\n${table(head, rows)}`;
    })
    .join('\n\n');

export const checkDocument = (document: string): string => withParts(document, { codes: codesText() });
