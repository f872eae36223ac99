/**
 * settlement: the controllers end a switch in whose middle all servers went down, whichever way. Its step starts the controller of each of them at once, and waits until
 * the instance of its server answers, or is held because another one has the role. It decides nothing, and gives nobody's word.
 */
import { quote } from '../../base/shell.ts';
import { integer, text, wordList } from '../contract/field.ts';
import { type DesiredOf, serverFields } from '../contract/fields.ts';
import { service } from '../contract/host-service.ts';
import { type Change, change, type ResourceKind, same } from '../contract/kind.ts';
import { controllerPidFile } from '../contract/preamble.ts';
import { controller, type Seen } from './controller.ts';
import { isFormerPrimary } from './outage.ts';
import { startScript } from './start-script.ts';

const fields = serverFields(
  {
    heirs: wordList('names of the servers of which one becomes primary', 'name'),
    bundle: text('path of the controller program'),
    unit: service('the systemd unit or the init script that starts it; without it `mc_ctl start` does'),
    timeout: integer('seconds until it has to be over', 60),
  },
  ({ timeout, ...rest }, { server }) => ({ ...server, ...rest, instance: server, timeoutSeconds: timeout }),
);
type Desired = DesiredOf<typeof fields>;

interface Settling extends Change {
  readonly act: 'start' | 'wait';
}

export const settlement: ResourceKind<Desired, Seen, Settling> = {
  kind: 'settlement',
  movesRoles: true,
  summary: 'The controllers end a switch in whose middle all servers went down.',
  fields,
  key: () => 'ended',
  describe: (desired) => `the end of the switch to ${desired.heirs.join(' or ')}`,
  probe: (desired) => controller.probe(desired),
  read: (reply, desired) => controller.read(reply, desired),
  diff: (desired, observed) => {
    const seen = observed.state === 'present' && 'started' in observed.value ? observed.value : undefined;
    if (seen && ['running', 'silent'].includes(seen.instance))
      return same(`the instance of ${desired.id} runs`);
    // As long as it hands over it is about to follow.
    const { report } = seen ?? {};
    if (report && report.mirroring_status !== 'switching' && isFormerPrimary(report, desired.id))
      return same(`${desired.id} is held: another one has the role`);
    const act = seen ? 'wait' : 'start';
    return change({
      summary: `${act === 'wait' ? 'wait for the controller of' : 'start'} ${desired.id}, which ends the switch`,
      reason: `the role was on its way: ${desired.heirs.join(' or ')} becomes primary, as the controllers decide`,
      act,
    });
  },
  steps: ({ act }, desired) => [
    {
      title: `${desired.heirs.join(' or ')} becomes primary`,
      script: `${heldFunction(desired)}
${startScript(act, desired, 'held')}`,
    },
  ],
};

/** Shell: its controller, and not one before that, shows that this server has no role any more, nor is about to follow, and another one has it. */
const heldFunction = (desired: Desired): string => `held() {
  controller ${quote(controllerPidFile(desired))} && content ${quote(`${desired.managementDir}/${desired.id}.status.json`)} || return 1
  case $content in *'"controller_pid":'"$mc,"*) ;; *) return 1;; esac
  case $content in *'"mirroring_status":"switching"'*) return 1;; esac
  case $content in *'"server_id":"${desired.id}","host_role":"none(inactivated primary)"'*) ;; *) return 1;; esac
  case $content in *'"host_role":"primary"'*) ;; *) return 1;; esac
}`;
