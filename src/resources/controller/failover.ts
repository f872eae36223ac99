/**
 * failover: the controller of a server switches by itself when something fails, or leaves that to a person. The controllers tell each other, so
 * that one which is away hears it later; each is asked here for what it goes by itself.
 */
import { advised, here } from '../../base/command.ts';
import { oneOf } from '../contract/field.ts';
import { type DesiredOf, serverFields } from '../contract/fields.ts';
import { change, type ResourceKind, refuse, same } from '../contract/kind.ts';
import { type ControllerReport, controllerProbe, mcCtlCommand, readReport } from './controller-status.ts';

const fields = serverFields({
  state: oneOf(['on', 'off'], 'off: the controllers only say what fails'),
  declared: oneOf(['automatic', 'manual', 'either'], 'what the inventory says, for messages', 'either'),
  leads: oneOf(
    ['yes', 'no'],
    'yes: a server without a running controller is refused; the others hear it later',
    'no',
  ),
});
type Desired = DesiredOf<typeof fields>;

const words = { on: 'enabled', off: 'disabled' } as const;

export const failover: ResourceKind<Desired, ControllerReport> = {
  kind: 'failover',
  summary: 'The controller switches by itself when something fails, or leaves that to a person.',
  fields,
  key: () => 'automatic switching',
  describe: ({ id, state }) => `automatic switching ${state} on ${id}`,
  probe: (desired) => ({ shell: controllerProbe(desired) }),
  read: (reply, desired) => readReport(reply, desired.id),
  diff: (desired, observed) => {
    const { id, state, leads } = desired;
    if (observed.state === 'absent')
      return leads === 'no'
        ? same(`no controller runs on ${id}: it hears from the others that automatic switching is ${state}`)
        : refuse({
            code: 'SAF014',
            what: `automatic switching cannot be turned ${state}: no controller runs on ${id}`,
            why: 'the controllers carry it out, and the one of the primary tells the others',
            ...advised`Start it (${here`pgduet start ${id}`}), then run the same command again.`,
          });
    const { failover: found } = observed.value;
    if (found === words[state]) return same(`automatic switching is ${state} on ${id}`);
    return change({
      summary: `turn automatic switching ${state}`,
      reason: `it is ${found}`,
      notes: leads === 'yes' ? consequences(desired) : [],
    });
  },
  steps: (_change, desired) => [
    {
      title: `automatic switching ${desired.state}`,
      script: `${mcCtlCommand(desired, desired.state === 'on' ? 'enable-failover' : 'disable-failover')} >&2`,
    },
  ],
};

/** Said once, where the primary is. */
const consequences = ({ state, declared }: Desired): readonly string[] => [
  state === 'off'
    ? 'from then on nobody switches, and no standby is taken out, when something fails: commits wait for a person, and mc_ctl status says for what'
    : 'from then on a failed primary is switched away from, and a failed standby is taken out, without a person',
  ...(declared !== 'either' && declared !== (state === 'on' ? 'automatic' : 'manual')
    ? [`the inventory declares it ${state === 'on' ? 'off' : 'on'}: check reports that until it is so again`]
    : []),
];
