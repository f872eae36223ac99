/**
 * detachment: a person has taken a standby out, or lets it back in: commits wait for it, or not. It goes on to stream, and it ends by itself with the
 * next start of its instance; what is to outlive that is a maintenance.
 */
import { advised, here } from '../../base/command.ts';
import { quote } from '../../base/shell.ts';
import { flag, oneOf, text } from '../contract/field.ts';
import { type DesiredOf, serverFields } from '../contract/fields.ts';
import { change, type ResourceKind, refuse, same, type Verdict } from '../contract/kind.ts';
import { type ControllerReport, controllerProbe, mcCtlCommand, readReport } from './controller-status.ts';
import { isWaitedFor, meanwhile, secondCopies, wouldBeAlone } from './waited-for.ts';

const fields = serverFields({
  server: text('the standby that is meant'),
  state: oneOf(['out', 'in'], 'out: commits do not wait for it; in: they may'),
  alone: flag('out: `true` also where no commit waits for any standby then', false),
});
type Desired = DesiredOf<typeof fields>;

export const detachment: ResourceKind<Desired, ControllerReport> = {
  kind: 'detachment',
  summary: 'A person has taken a standby out, so that commits do not wait for it, or lets it back in.',
  fields,
  key: ({ server }) => server,
  describe: ({ server, state }) => (state === 'out' ? `${server} taken out` : `${server} let in`),
  probe: (desired) => ({ shell: controllerProbe(desired) }),
  read: (reply, desired) => readReport(reply, desired.id),
  diff: (desired, observed) => {
    const { server, id, state } = desired;
    if (observed.state === 'absent')
      return no(
        `no controller runs on ${id}, the primary`,
        'it is the one that commits wait by',
        `Start it (pgduet start ${id})`,
      );
    if (server === id)
      return refuse({
        code: 'SAF017',
        what: `${server} is the primary`,
        why: 'only a standby is waited for',
        ...advised`Name a standby, or make one primary first (${here`pgduet switch`}).`,
      });
    const report = observed.value;
    const row = report.servers.find((it) => it.server_id === server);
    if (!row || !report.maintenance)
      return no(
        row
          ? `the controller of ${id} is of an earlier version`
          : `the controller of ${id} does not know ${server}`,
        'it cannot take out the one that is named',
        'pgduet provision brings the present program and the servers of the inventory',
      );
    return state === 'out' ? takeOut(desired, report, row) : letIn(desired, row);
  },
  steps: (_change, desired) => [
    {
      title: desired.state === 'out' ? `${desired.server} is taken out` : `${desired.server} is let in`,
      script: `${mcCtlCommand(desired, `${desired.state === 'out' ? 'detach' : 'attach'} --server ${quote(desired.server)}`)} >&2`,
    },
  ],
};

type Row = ControllerReport['servers'][number];

const no = (what: string, why: string, fix: string): Verdict<never> =>
  refuse({ code: 'SAF017', what, why, fix: `${fix}; then run the same command again.` });

function takeOut({ server, id, alone }: Desired, report: ControllerReport, row: Row) {
  if (row.detached) return same(`${server} is out, as a person has asked`);
  if (!isWaitedFor(row) && !row.waited_for) return same(`no commit waits for ${server}`);
  const left = secondCopies(report, { primary: id, without: server });
  if (left.length === 0 && !alone) return no(...wouldBeAlone({ server, primary: id }));
  return change({
    summary: `take ${server} out: commits do not wait for it`,
    reason: `commits wait for it (${row.sync_state ?? 'it does not stream'})`,
    notes: [
      meanwhile(left, id),
      'it ends with pgduet attach, or with the next start of its instance; for work on its host: pgduet maintenance begin',
    ],
  });
}

function letIn({ server }: Desired, row: Row) {
  if (!row.detached) return same(`no person has taken ${server} out`);
  return change({
    summary: `let ${server} in again`,
    reason: 'a person has taken it out',
    notes: ['commits wait for it once it streams'],
  });
}
