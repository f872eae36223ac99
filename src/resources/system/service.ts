/** service: whether a systemd unit runs. For the controller's own unit use kind `controller`, which also waits for the instance. */
import { quote, sh } from '../../base/shell.ts';
import { oneOf, text } from '../contract/field.ts';
import { type DesiredOf, fieldsOf } from '../contract/fields.ts';
import { change, present, type ResourceKind, same, unknown } from '../contract/kind.ts';

const fields = fieldsOf({
  name: text('name of the unit'),
  state: oneOf(['started', 'stopped'], 'whether it runs', 'started'),
});
type Desired = DesiredOf<typeof fields>;

export const service: ResourceKind<Desired, { readonly active: boolean }> = {
  kind: 'service',
  summary: 'A systemd unit that is started or stopped.',
  fields,
  key: (desired) => desired.name,
  describe: (desired) => `service ${desired.name}`,
  probe: ({ name }) => ({ shell: `systemctl show -p ActiveState --value ${quote(name)}` }),
  read: (reply) =>
    reply.status === 0 && reply.stdout.trim() !== ''
      ? present({ active: ['active', 'activating', 'reloading'].includes(reply.stdout.trim()) })
      : unknown(reply.stderr.trim() || 'systemctl gave no answer'),
  diff: (desired, observed) => {
    const active = observed.state === 'present' && observed.value.active;
    if (active === (desired.state === 'started')) return same(active ? 'it runs' : 'it does not run');
    return change({
      summary: `${active ? 'stop' : 'start'} ${desired.name}`,
      reason: active ? 'it runs' : 'it does not run',
    });
  },
  steps: (_change, { name, state }) => [
    { title: `service ${name}`, script: sh`systemctl ${state === 'started' ? 'start' : 'stop'} ${name}` },
  ],
};
