/**
 * maintenance: the controllers leave a server out, or take it back, as their primary is asked. Everything about it is remembered by the
 * controllers (ADR 18): who has it in maintenance, since when, why, until when that is expected.
 */
import { advised, here } from '../../base/command.ts';
import { maintenanceWords } from '../../base/maintenance-words.ts';
import { quote } from '../../base/shell.ts';
import { parseDurationMs } from '../../base/units.ts';
import { type KeptWal, keptWalMembers, keptWords } from '../../postgres/kept-wal.ts';
import { flag, oneOf, optional, text } from '../contract/field.ts';
import { type DesiredOf, serverFields } from '../contract/fields.ts';
import { change, present, type ResourceKind, refuse, same, type Verdict } from '../contract/kind.ts';
import { type ControllerReport, controllerProbe, mcCtlCommand, readReport } from './controller-status.ts';
import { isWaitedFor, meanwhile, secondCopies, wouldBeAlone } from './waited-for.ts';

/** What goes by between the command and the look behind it, and a rounded minute. */
const toleranceSeconds = 120;

const fields = serverFields({
  server: text('the server that is worked on'),
  state: oneOf(['open', 'over'], 'open: it is out; over: it is back'),
  by: text('who works on it', 'pgduet'),
  reason: optional(text('why')),
  expected: optional(text('how long it is expected to take, such as `120m`')),
  of: optional(text('over: the one who has it in maintenance, where that is somebody else')),
  replace: flag('open: `true` also where somebody else has it in maintenance', false),
  alone: flag('open: `true` also where no commit waits for any standby then', false),
});
type Desired = DesiredOf<typeof fields>;
type Entry = NonNullable<ControllerReport['maintenance']>[number];

interface Seen {
  readonly report: ControllerReport;
  /** What the primary keeps for who is away, and what is free where it does; without an answer nothing is said of it. */
  readonly kept?: KeptWal;
  readonly room?: number;
}

export const maintenance: ResourceKind<Desired, Seen> = {
  kind: 'maintenance',
  summary:
    'A server is in maintenance, or is not any more: commits wait for it, or not, and it takes a role, or none.',
  fields,
  key: ({ server }) => server,
  describe: ({ server, state }) =>
    state === 'open' ? `${server} in maintenance` : `${server} out of maintenance`,
  probe: (desired) =>
    desired.state === 'over'
      ? { shell: controllerProbe(desired) }
      : {
          shell: `df -P -B1 ${quote(desired.walDir ?? `${desired.dataDir}/pg_wal`)} 2>/dev/null | awk 'NR == 2 { print "room", $4 }'\n${controllerProbe(desired)}`,
          sql: `select json_build_object(${keptWalMembers(desired.version)})`,
        },
  read: (reply, desired) => {
    const room = /^room (\d+)\n/.exec(reply.stdout)?.[1];
    const stdout = reply.stdout.replace(/^room .*\n/, '');
    const report = readReport({ ...reply, stdout }, desired.id);
    if (report.state !== 'present') return report;
    const kept = reply.sql as KeptWal | null | undefined;
    return present({
      report: report.value,
      ...(kept ? { kept } : {}),
      ...(room === undefined ? {} : { room: Number(room) }),
    });
  },
  diff: (desired, observed) => {
    if (observed.state === 'absent')
      return no(
        `no controller runs on ${desired.id}, the primary`,
        'the controllers remember what is in maintenance, and the one of the primary tells the others',
        `Start it (pgduet start ${desired.id})`,
      );
    const { report } = observed.value;
    if (!report.maintenance)
      return no(
        `the controller of ${desired.id} is of an earlier version`,
        'it does not know what a maintenance is',
        'pgduet provision brings the present one',
      );
    const entry = report.maintenance.find((it) => it.server === desired.server);
    return desired.state === 'open' ? begin(desired, observed.value, entry) : end(desired, entry);
  },
  steps: (_change, desired) => [
    { title: titleOf(desired), script: `${mcCtlCommand(desired, wordsOf(desired))} >&2` },
  ],
};

const titleOf = ({ server, state }: Desired): string =>
  state === 'open' ? `${server} is taken out` : `${server} comes back`;

function wordsOf({ server, state, by, reason, expected, of, replace, alone }: Desired): string {
  const words =
    state === 'open'
      ? [
          ...(reason === undefined ? [] : ['--reason', quote(reason)]),
          ...(expected === undefined ? [] : ['--for', quote(expected)]),
          ...(replace ? ['--replace'] : []),
          ...(alone ? ['--alone'] : []),
        ]
      : of === undefined
        ? []
        : ['--of', quote(of)];
  const verb = state === 'open' ? 'begin' : 'end';
  return ['maintenance', verb, '--server', quote(server), '--by', quote(by), ...words].join(' ');
}

const no = (what: string, why: string, fix: string): Verdict<never> =>
  refuse({ code: 'SAF016', what, why, fix: `${fix}; then run the same command again.` });

const heldBy = (entry: Entry): string => `${entry.server} is ${maintenanceWords(entry)}`;

/** What everybody will read of it, so that a mistake is seen before the yes. */
const saidOf = ({ reason, expected }: Desired): readonly string[] => [
  ...(reason === undefined ? [] : [`why: ${reason}`]),
  ...(expected === undefined ? [] : [`expected to take ${expected.replace(/m$/, ' min')}, from now`]),
];

function begin(
  desired: Desired,
  seen: Seen,
  entry: Entry | undefined,
): Verdict<never> | ReturnType<typeof change> {
  const { report } = seen;
  const { server, id, by, replace, alone } = desired;
  if (server === id)
    return refuse({
      code: 'SAF016',
      what: `${server} is the primary`,
      why: 'clients write there, and only a standby can be left out',
      ...advised`Make a standby primary first (${here`pgduet switch`}), then run the same command again.`,
    });
  if (entry?.stage === 'open' && entry.by === by && saysTheSame(desired, entry)) return same(heldBy(entry));
  if (entry && entry.by !== by && !replace)
    return no(
      heldBy(entry),
      'two people would work on one host without a word',
      '--replace takes it over, once that person knows it',
    );
  if (entry?.stage === 'open')
    return change({
      summary: `say anew who has ${server} in maintenance: ${by}`,
      reason: heldBy(entry),
      notes: saidOf(desired),
    });
  const left = secondCopies(report, { primary: id, without: server });
  const counts = report.servers.some((it) => it.server_id === server && isWaitedFor(it));
  if (counts && left.length === 0 && !alone) return no(...wouldBeAlone({ server, primary: id }));
  return change({
    summary: `take ${server} out for maintenance, by ${by}`,
    reason: 'it counts as a standby',
    notes: [...saidOf(desired), ...consequences(desired, report, left), ...keptNotes(desired, seen)],
  });
}

/** As far as the command says something. A time counts from now on, so that the same words extend it later. */
function saysTheSame({ reason, expected }: Desired, entry: Entry): boolean {
  if (reason !== undefined && reason !== entry.reason) return false;
  if (expected === undefined) return true;
  const wanted = (expectedMs(expected) ?? 0) / 1000;
  return entry.seconds_left !== null && Math.abs(entry.seconds_left - wanted) <= toleranceSeconds;
}

const expectedMs = (expected: string): number | undefined => parseDurationMs(expected.replace(/m$/, 'min'));

/** Whether it can follow again at the end, and what its absence does to the primary. */
function keptNotes({ server, id, expected }: Desired, { kept, room }: Seen): readonly string[] {
  if (!kept) return [];
  const ms = expected === undefined ? undefined : expectedMs(expected);
  return keptWords(kept, {
    primary: id,
    standby: server,
    ...(ms === undefined ? {} : { expectedMs: ms }),
    ...(room === undefined ? {} : { room }),
  });
}

/** What follows, before anybody says yes. */
function consequences(
  { server, id }: Desired,
  { register }: ControllerReport,
  left: readonly string[],
): readonly string[] {
  const votes = register?.members.includes(server) ?? false;
  return [
    meanwhile(left, id),
    'it takes no role, and neither a reboot nor pgduet provision starts its instance, until pgduet maintenance end',
    ...(votes
      ? [
          `${server} votes on who may act on a silence: as long as its controller is away, the next failure is left to a person`,
        ]
      : []),
  ];
}

function end(desired: Desired, entry: Entry | undefined): Verdict<never> | ReturnType<typeof change> {
  const { server, by, of } = desired;
  if (!entry) return same(`${server} is in no maintenance`);
  if (entry.by !== by && entry.by !== of)
    return no(
      heldBy(entry),
      'its instance would be started under the hands of that person',
      `--of '${entry.by}' ends it all the same, once that person knows it`,
    );
  return change({
    summary: `end the maintenance of ${server}`,
    reason: heldBy(entry),
    notes: [`its controller starts its instance as a standby; commits wait for it once it streams again`],
  });
}
