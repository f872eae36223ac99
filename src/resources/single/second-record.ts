/**
 * second_record: what a server was before pgduet is written down twice, in its management directory and in its data directory. Where the one is lost
 * the other one brings it back, so that a teardown gives the server back as it was (ADR 25). A server that pgduet has made has neither.
 */
import type { Diagnostic } from '../../base/diagnostic.ts';
import { quote } from '../../base/shell.ts';
import { optional, text } from '../contract/field.ts';
import { type DesiredOf, serverFields } from '../contract/fields.ts';
import {
  type Change,
  change,
  outdated,
  present,
  type ResourceKind,
  refuse,
  same,
  unknown,
} from '../contract/kind.ts';
import { putFile } from '../contract/preamble.ts';
import { fromBase64, type ReplyLines, replyLines } from '../contract/replies.ts';
import {
  type DataDirectory,
  dataDirectoryProbe,
  makingFile,
  readDataDirectory,
  systemFile,
} from '../data/data-directory.ts';
import { beforeFile, findDropIns, recordProbe, unitOfDropIn } from '../data/record.ts';
import { type RecordSeen, readRecord } from '../data/record-form.ts';
import { putSecond, secondRecordFunctions, secondText } from '../data/second-record.ts';
import { checksum } from '../postgres/configuration-file.ts';
import { confirmUnit, recordProblem } from './record-trust.ts';

const fields = serverFields({
  unit: optional(text('the unit of the controller')),
});
type Desired = DesiredOf<typeof fields>;

interface Written extends RecordSeen {
  readonly text: string;
}

type Seen =
  /** Neither is there; both say the same; the machine has no number by which the second one could be told from those of others. */
  | { readonly kind: 'none' | 'equal' | 'nameless' }
  | {
      readonly kind: 'different';
      /** Of the second record. */
      readonly path: string;
      readonly first: Written;
      readonly second: Written;
      readonly data: DataDirectory;
    };
type Different = Extract<Seen, { kind: 'different' }>;

interface RecordChange extends Change {
  readonly act: 'write' | 'restore';
  readonly content: string;
  /** The former unit, where one is named. */
  readonly former: string | undefined;
}

export const secondRecord: ResourceKind<Desired, Seen, RecordChange> = {
  kind: 'second_record',
  summary:
    'What a server was before pgduet is written down twice; of a record that is lost the other one is written again.',
  fields,
  key: (desired) => desired.id,
  describe: (desired) => `what ${desired.id} was before`,
  probe: (desired) => ({ shell: probeScript(desired) }),
  read: (reply) => {
    const lines = replyLines(reply.stdout);
    if (lines.last !== 'looked') return unknown(reply.stderr.trim() || 'the records could not be looked at');
    const kind = (['none', 'equal', 'nameless'] as const).find((word) => lines.has(word));
    if (kind) return present({ kind });
    const data = readDataDirectory(reply);
    if (!data) return unknown(reply.stderr.trim() || 'the data directory could not be looked at');
    return present({
      kind: 'different',
      path: lines.first('place') ?? '',
      first: writtenIn(lines, ''),
      second: writtenIn(lines, 'second'),
      data,
    });
  },
  diff: (desired, observed) => {
    const seen = observed.state === 'present' ? observed.value : ({ kind: 'none' } as const);
    switch (seen.kind) {
      case 'none':
        return same(`${desired.id} has no record of what it was before pgduet`);
      case 'equal':
        return same(`what ${desired.id} was before pgduet is written down twice`);
      case 'nameless':
        return same('its machine has no number (/etc/machine-id) by which a second record could be told');
      case 'different':
        return seen.first.record || seen.first.broken !== undefined
          ? judgeFirst(desired, seen)
          : judgeLost(desired, seen);
    }
  },
  steps: ({ act, summary, content, former }, desired) => [
    {
      title: summary,
      outdated: 'the records are not what they were at the plan',
      script: act === 'write' ? writeScript(desired, content) : restoreScript(desired, content, former),
    },
  ],
};

/** A postmaster that the controller has started says nothing of its former unit: root's drop-in alone confirms it. */
function writtenIn(lines: ReplyLines, word: string): Written {
  const units = lines.all('dropin').map((path) => unitOfDropIn(path.trim()));
  const text = fromBase64(lines.first(`${word}record`)?.trim() ?? '');
  return { ...readRecord(lines, units, word), text };
}

const formerOf = ({ record }: RecordSeen): string | undefined =>
  record?.starter.kind === 'unit' ? record.starter.unit : undefined;

/** What cannot be read is copied nowhere: over a second record that may be whole. */
function judgeFirst(desired: Desired, { path, first, second }: Different) {
  const missing = second.text === '' && second.broken === undefined;
  if (first.broken !== undefined)
    return same(`the record of what ${desired.id} was before pgduet cannot be read`, [
      {
        code: 'CTL019',
        object: beforeFile(desired),
        declared: 'what it was before pgduet',
        found: `it cannot be read: ${first.broken}`,
        repair: missing
          ? 'bring it back from a backup'
          : `look at it; where it is broken, and ${path} is whole, copy that over it as ${desired.owner}`,
      },
    ]);
  return change<RecordChange>({
    summary: `write what ${desired.id} was before pgduet into ${desired.dataDir}, too`,
    reason: missing ? 'it is not there' : 'another text is there',
    act: 'write',
    content: first.text,
    former: undefined,
    differences: [
      {
        code: 'CTL018',
        object: path,
        declared: `as ${beforeFile(desired)}`,
        found: missing ? 'missing' : 'another text',
      },
    ],
  });
}

function judgeLost(desired: Desired, { path, second, data }: Different) {
  const system = data.control?.systemIdentifier;
  const ours = data.directoryLost || (data.recorded !== undefined && data.recorded === system);
  if (!ours || (second.text === '' && second.broken === undefined))
    return same(`${desired.id} has no record of what it was before pgduet`);
  const problem = secondProblem(desired, path, second, system);
  if (problem) return refuse(problem);
  return change<RecordChange>({
    summary: `write ${beforeFile(desired)} again, from ${path}`,
    reason: `it is lost, and says what ${desired.id} was before pgduet`,
    act: 'restore',
    content: second.text,
    former: formerOf(second),
    differences: [
      {
        code: 'CTL019',
        object: beforeFile(desired),
        declared: `what ${desired.id} was before pgduet`,
        found: 'missing',
      },
    ],
  });
}

/** The instance administrator can write the second one as he can the first: it is as little a command to root. */
function secondProblem(
  desired: Desired,
  path: string,
  second: Written,
  system: string | undefined,
): Diagnostic | undefined {
  const untrusted = recordProblem(desired, second, path);
  const other = second.record && second.record.systemIdentifier !== system;
  if (!untrusted && !other) return undefined;
  return {
    code: 'SAF085',
    ...(untrusted ?? {
      what: `the record '${path}' of what '${desired.id}' was before is about another cluster than the data beside it`,
      why: 'a teardown would give the server back as another one was',
      fix: 'Remove it if it was left by an earlier cluster, and bring the record itself back from a backup.',
    }),
    evidence: [
      `system identifier in the record: ${second.record?.systemIdentifier ?? 'unknown'}`,
      `in the control file: ${system ?? 'unknown'}`,
    ],
  };
}

const probeScript = (desired: Desired): string => `r=${quote(beforeFile(desired))}
d=${quote(desired.dataDir)}
${secondRecordFunctions(desired)}
said() { echo "$1"; echo looked; exit; }
if [ ! -f "$d/PG_VERSION" ] || [ -e ${quote(makingFile(desired))} ]; then said none; fi
if [ ! -e "$r" ] && [ ! -L "$r" ]; then
  unseen "$r"
  case $unseen in closed*) echo "$unseen" >&2; exit 1;; esac
  any_record || said none
fi
second_record
if [ -z "$second" ]; then said nameless; fi
if [ -f "$r" ] && [ ! -L "$r" ] && [ -f "$second" ] && [ ! -L "$second" ] && first=$(peek cat "$r") && other=$(peek cat "$second") && [ -n "$first" ] && [ "$first" = "$other" ]; then said equal; fi
printf 'place %s\\n' "$second"
${recordProbe(desired)}
${secondText}
${findDropIns(desired)} | sed 's/^/dropin /'
( ${dataDirectoryProbe(desired)} ) || exit 1
echo looked`;

const stillSaid = (path: string, text: string): string =>
  `if [ "$(printf %s "$(peek cat ${path})" | sha256sum)" != ${quote(checksum(text))} ]; then exit ${outdated}; fi`;

const writeScript = (
  desired: Desired,
  content: string,
): string => `${stillSaid(quote(beforeFile(desired)), content)}
${putSecond(desired, desired.owner, `${content}\n`)}`;

/** Where the directory was lost, it is made anew before, and says whose data stands there. */
const restoreScript = (
  desired: Desired,
  content: string,
  former: string | undefined,
): string => `${former === undefined ? ':' : confirmUnit(desired, former)}
r=${quote(beforeFile(desired))}
if [ -e "$r" ] || [ -L "$r" ] || [ ! -e ${quote(systemFile(desired))} ]; then exit ${outdated}; fi
${secondRecordFunctions(desired)}
second_record
${stillSaid('"$second"', content)}
${putFile({ path: beforeFile(desired), owner: desired.owner, mode: '0600', content: `${content}\n` })}
sync -f ${quote(desired.managementDir)}`;
