/**
 * unit: a systemd unit file, enabled, and known to systemd as it stands on the disk. Whether it runs is kind `controller`
 * or `service`. A template with the line `Environment=PGDUET_UNIT=` gets its mark there, by which a running service shows
 * whether it was started from this text. What a drop-in changes is reported, and left to a person.
 */
import { quote } from '../../base/shell.ts';
import { flag, template, text, wordList } from '../contract/field.ts';
import { type DesiredOf, fieldsOf } from '../contract/fields.ts';
import { type Change, change, type Difference, type ResourceKind, refuse, same } from '../contract/kind.ts';
import { ownFile, putFile } from '../contract/preamble.ts';
import { notAFile, ownershipDifference, ownershipDifferences, words } from '../contract/stat.ts';
import { unitFile } from './unit-files.ts';
import { barredDropIn, limitNotes, stricter } from './unit-limits.ts';
import {
  markOf,
  readUnit,
  type UnitObservation,
  unitOwnership,
  unitProbe,
  withMark,
} from './unit-observation.ts';

const fields = fieldsOf(
  {
    name: text('name of the unit, without `.service`'),
    template: template('template of the file'),
    enabled: flag('whether systemd starts it at boot', true),
    allows: wordList('words of `multiplexing.unit_allows` by which it was rendered, for the plan'),
  },
  ({ template, ...rest }) => ({ ...rest, content: withMark(template) }),
);
type Desired = DesiredOf<typeof fields>;

/** What is done to the file; systemd is asked to enable it and to read it in any case. */
interface UnitChange extends Change {
  readonly act: 'write' | 'own' | 'none';
  /** It was seen that systemd has to read its files anew, whether it knows that or not. */
  readonly reload: boolean;
}

/** One thing that a step of ours repairs. */
interface Fault {
  readonly summary: string;
  readonly reason: string;
  readonly act: UnitChange['act'];
  readonly differences: readonly Difference[];
}

export const unit: ResourceKind<Desired, UnitObservation, UnitChange> = {
  kind: 'unit',
  summary:
    'A systemd service unit from a template: its text, whether it is enabled, whether systemd has read it.',
  fields,
  key: (desired) => desired.name,
  describe: (desired) => `unit ${unitName(desired)}`,
  probe: ({ name, content }) => ({ shell: unitProbe(name, content) }),
  read: readUnit,
  diff: (desired, observed) => {
    if (observed.state === 'absent') return change(missing(desired));
    const seen = observed.value;
    const lost = stricter(desired, seen);
    if (lost) return refuse(lost);
    if (seen.stat.type === 'directory' || seen.stat.type === 'other')
      return notAFile(unitFile(desired.name), seen.stat);
    const faults = isMasked(seen) ? [masked(desired)] : faultsOf(desired, seen);
    const notes = [...olderText(desired, seen), ...dropIns(desired, seen), ...barredDropIn(desired, seen)];
    const [first] = faults;
    if (!first) return same(`${seen.enabled}, content is right${unseen(desired, seen)}`, notes);
    const rewritten = seen.text !== desired.content && !isMasked(seen);
    return change({
      summary: first.summary,
      reason: faults.map(({ reason }) => reason).join('; '),
      ...(rewritten
        ? { text: { before: seen.text, after: desired.content, name: unitFile(desired.name) } }
        : {}),
      ...(rewritten ? limitNotes(desired, seen.text) : {}),
      act: faults.find(({ act }) => act !== 'none')?.act ?? 'none',
      reload: seen.stale,
      differences: [...faults.flatMap(({ differences }) => differences), ...notes],
    });
  },
  steps: (decided, desired) => [{ title: `unit ${unitName(desired)}`, script: script(decided, desired) }],
};

const unitName = ({ name }: Pick<Desired, 'name'>): string => `${name}.service`;
const isMasked = ({ enabled }: UnitObservation): boolean => enabled === 'masked';
const enabledWord = ({ enabled }: Desired): string => (enabled ? 'enabled' : 'disabled');

const missing = (desired: Desired): UnitChange => ({
  summary: `write and enable unit ${unitName(desired)}`,
  reason: 'it is not there',
  text: { before: '', after: desired.content, name: unitFile(desired.name) },
  ...limitNotes(desired),
  act: 'write',
  reload: false,
  differences: [
    { code: 'UNT001', object: unitName(desired), declared: unitFile(desired.name), found: 'missing' },
  ],
});

/** A link to /dev/null in place of the file, so all else that could be said of it follows from that. */
const masked = (desired: Desired): Fault => ({
  summary: `unmask and ${desired.enabled ? 'enable' : 'write'} unit ${unitName(desired)}`,
  reason: 'it is masked',
  act: 'write',
  differences: [
    { code: 'UNT003', object: unitName(desired), declared: enabledWord(desired), found: 'masked' },
  ],
});

/** A rewrite stands first: it brings owner and mode with it. */
function faultsOf(desired: Desired, seen: UnitObservation): readonly Fault[] {
  const name = unitName(desired);
  const told = (code: Difference['code'], declared: string, found: string, since?: number) => [
    { code, object: name, declared, found, ...(since === undefined ? {} : { since }) },
  ];
  const found: Fault[] = [];
  if (seen.text !== desired.content)
    found.push({
      summary: `rewrite unit ${name}`,
      reason: 'its content differs',
      act: 'write',
      differences: told('UNT002', 'as rendered', 'another content', seen.stat.modified),
    });
  if ((seen.enabled === 'enabled') !== desired.enabled)
    found.push({
      summary: `${desired.enabled ? 'enable' : 'disable'} unit ${name}`,
      reason: `it is ${seen.enabled === 'enabled' ? 'enabled' : 'disabled'}`,
      act: 'none',
      differences: told('UNT003', enabledWord(desired), seen.enabled),
    });
  found.push(...ownerFault(desired, seen));
  if (seen.stale)
    found.push({
      summary: `make systemd read ${name} again`,
      reason: 'its files are newer than what systemd knows',
      act: 'none',
      differences: told('UNT004', 'read by systemd', 'not read since it was written', seen.stat.modified),
    });
  return found;
}

function ownerFault(desired: Desired, { stat }: UnitObservation): readonly Fault[] {
  const object = unitFile(desired.name);
  const summary = `set owner and mode of ${object}`;
  if (stat.type === 'link') {
    const declared = `a file, ${words(unitOwnership)}`;
    const difference = { code: 'UNT007', object, declared, found: 'a symbolic link' } as const;
    return [{ summary, reason: 'it is a symbolic link', act: 'write', differences: [difference] }];
  }
  const reason = ownershipDifference(unitOwnership, stat);
  const codes = { owner: 'UNT007', mode: 'UNT007', open: 'UNT007' } as const;
  const differences = ownershipDifferences(object, unitOwnership, stat, codes);
  return reason ? [{ summary, reason, act: 'own', differences }] : [];
}

function olderText(desired: Desired, { started }: UnitObservation): readonly Difference[] {
  const mark = markOf(desired.content);
  if (mark === undefined || started?.mark === undefined || started.mark === mark) return [];
  const since = started.at === undefined ? {} : { since: started.at };
  const object = unitName(desired);
  return [
    { code: 'UNT005', object, declared: 'started from this text', found: 'started from another', ...since },
  ];
}

const dropIns = (desired: Desired, seen: UnitObservation): readonly Difference[] =>
  seen.dropIns.length === 0
    ? []
    : [
        {
          code: 'UNT006',
          object: unitName(desired),
          declared: 'no drop-in',
          found: seen.dropIns.join(', '),
        },
      ];

/** Only root and the owner of a process may look into its environment. */
const unseen = (desired: Desired, { started }: UnitObservation): string =>
  started && started.mark === undefined && markOf(desired.content) !== undefined
    ? '; no right to see whether the service was started from it'
    : '';

/**
 * A unit that systemd has not loaded yet is read when it is started; a reload of everything is only for changes. Of a unit
 * that runs and whose file was away, systemd does not say that it needs one.
 */
function script({ act, reload }: UnitChange, desired: Desired): string {
  const name = quote(unitName(desired));
  const file = { path: unitFile(desired.name), ...unitOwnership, content: desired.content };
  return [
    ...(act === 'write' ? [putFile(file)] : act === 'own' ? [ownFile(file)] : []),
    `systemctl --quiet --no-reload ${desired.enabled ? 'enable' : 'disable'} ${name}`,
    reload
      ? 'systemctl daemon-reload'
      : `case $(systemctl show -p NeedDaemonReload -p LoadState ${name}) in
*NeedDaemonReload=yes* | *LoadState=not-found* | *LoadState=masked*) systemctl daemon-reload;;
esac`,
  ].join('\n');
}
