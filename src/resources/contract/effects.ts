/** How a reload or restart is done on a host. A thing that does not run is left alone: it reads its files when it starts. Pure. */

import { quote, sh } from '../../base/shell.ts';
import { hostService } from './host-service.ts';
import type { Effect, Instance } from './kind.ts';
import { answers, controllerPidFile, untilGone } from './preamble.ts';
import { startable } from './tried.ts';
import { wholeFunction } from './whole.ts';

/** What of a host an effect needs to know. */
export interface EffectPlace {
  readonly instance: Instance;
  /** The server identifier. */
  readonly id: string;
  readonly managementDir: string;
  readonly mcCtl: string;
  /** What starts the controller with the host, by its word (`host-service.ts`). */
  readonly unit?: string;
}

const what: Readonly<Record<Effect['target'], string>> = {
  instance: 'PostgreSQL',
  controller: 'the Mirroring Controller',
  systemd: 'systemd',
};

export const effectTitle = (effect: Effect): string => `${effect.action} ${what[effect.target]}`;

/** A host without a server has no place for an effect on one. */
export function effectScript(effect: Effect, place: EffectPlace | undefined): string {
  if (effect.target === 'systemd') return 'systemctl daemon-reload';
  if (place === undefined) return ':';
  switch (effect.target) {
    case 'instance':
      return effect.action === 'reload' ? reloadInstance : restart(place, '');
    case 'controller':
      return effect.action === 'reload' ? reloadController(place) : restart(place, '--mc-only');
  }
}

/** Waits until the server has read its files: the next look must see the new state. */
const reloadInstance = `
if before=$(echo 'SELECT pg_conf_load_time() FROM pg_reload_conf()' | sql 2>/dev/null); then
  n=0
  while [ "$(echo 'SELECT pg_conf_load_time()' | sql)" = "$before" ] && [ $n -lt 100 ]; do sleep 0.05; n=$((n + 1)); done
fi`;

/** The controller's process, by the file that it keeps. */
const ifControllerRuns = (place: EffectPlace, act: string): string =>
  `if controller ${quote(controllerPidFile(place))}; then
${act}
fi`;

/** Waits until the controller has read its files, as far as they can be read: the time of its own file tells. */
const reloadController = (place: EffectPlace): string => {
  const read = `$(stat -c %.9Y ${quote(controllerPidFile(place))} 2>/dev/null)`;
  const unit = hostService(place.unit)?.unit;
  const reload = unit
    ? sh`systemctl reload ${unit}`
    : sh`as ${place.instance.owner} sh -c 'kill -HUP "$1"' sh "$mc"`;
  return ifControllerRuns(
    place,
    `before=${read}
${reload}
n=0
while [ "${read}" = "$before" ] && [ $n -lt 100 ]; do sleep 0.05; n=$((n + 1)); done`,
  );
};

/** Of the instance and the controller, or of the controller alone. */
function restart(place: EffectPlace, only: string): string {
  const { instance, managementDir, id, mcCtl } = place;
  const starter = hostService(place.unit);
  const tried = only === '' ? `${startable(instance)}\n` : '';
  if (starter && only === '')
    return ifControllerRuns(
      place,
      `${tried}${wholeBefore(place)}\n${starter.restart}\n${untilReady(instance)}\n${untilWhole(place)}`,
    );
  const local = sh`-M ${managementDir} --local-server ${id} ${only === '' ? [] : [only]}`;
  const command = `as ${quote(instance.owner)} ${quote(mcCtl)}`;
  const start = starter?.start ?? `${command} start -w ${local}`;
  return ifControllerRuns(
    place,
    `${tried}${wholeBefore(place)}\n${command} stop ${local}\n${untilGone(starter?.unit)}\n${start}\n${untilWhole(place)}`,
  );
}

const wholeBefore = (place: EffectPlace): string => `${wholeFunction(place)}
if whole "$mc"; then before=whole; else before=; fi`;

/**
 * A restart is over when the pair is as whole as it was: the controllers take the standby out and in again meanwhile,
 * and the next server must not be restarted before that.
 */
const untilWhole = ({ instance, managementDir, id, mcCtl }: EffectPlace): string => `n=0
until [ -z "$before" ] || { lines ${quote(controllerPidFile({ managementDir, id }))} mc && whole "$mc"; }; do
  n=$((n + 1))
  if [ $n -gt ${wholeSeconds * 10} ]; then as ${quote(instance.owner)} ${quote(mcCtl)} ${sh`status -M ${managementDir} --local-server ${id}`} >&2; exit 1; fi
  sleep 0.1
done`;

const wholeSeconds = 120;

const readySeconds = 60;

/** The unit is up as soon as the controller is in charge; the next look needs an instance that answers. */
const untilReady = (instance: Instance): string => `n=0
until ${answers(instance)}; do
  n=$((n + 1))
  if [ $n -gt ${readySeconds * 20} ]; then echo 'the instance did not answer within ${readySeconds} s after its restart' >&2; exit 1; fi
  sleep 0.05
done`;
