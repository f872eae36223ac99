/** How a reload or restart is done on a host. A thing that does not run is left alone: it reads its files when it starts. Pure. */
import { quote, sh } from '../base/shell.ts';
import type { Effect, Instance } from './kind.ts';

/** What of a host an effect needs to know. */
export interface EffectPlace {
  readonly instance: Instance;
  /** The server identifier. */
  readonly id: string;
  readonly managementDir: string;
  readonly mcCtl: string;
  /** The systemd unit, where systemd starts the controller. */
  readonly unit?: string;
}

const what: Readonly<Record<Effect['target'], string>> = { instance: 'PostgreSQL', controller: 'the Mirroring Controller', systemd: 'systemd' };

export const effectTitle = (effect: Effect): string => `${effect.action} ${what[effect.target]}`;

export function effectScript(effect: Effect, place: EffectPlace): string {
  switch (effect.target) {
    case 'systemd':
      return 'systemctl daemon-reload';
    case 'instance':
      return effect.action === 'reload' ? reloadInstance(place) : restart(place, '');
    case 'controller':
      return effect.action === 'reload' ? reloadController(place) : restart(place, '--mc-only');
  }
}

/** Waits until the server has read its files: the next look must see the new state. */
const reloadInstance = ({ instance }: EffectPlace): string => `
loaded() { echo 'SELECT pg_conf_load_time()' | sql; }
if before=$(loaded 2>/dev/null); then
  ${sh`as ${instance.owner} "$PGBIN/pg_ctl" reload -s -D ${instance.dataDir}`}
  n=0
  while [ "$(loaded)" = "$before" ] && [ $n -lt 100 ]; do sleep 0.05; n=$((n + 1)); done
fi`;

const reloadController = ({ managementDir, id, unit }: EffectPlace): string =>
  unit
    ? sh`if systemctl is-active --quiet ${unit}; then systemctl reload ${unit}; fi`
    : `if pid=$(head -n 1 ${quote(`${managementDir}/${id}.pid`)} 2>/dev/null) && kill -0 "$pid" 2>/dev/null; then kill -HUP "$pid"; fi`;

function restart({ instance, managementDir, id, mcCtl, unit }: EffectPlace, only: string): string {
  if (unit && only === '') return sh`systemctl restart ${unit}`;
  const local = sh`-M ${managementDir} --local-server ${id} ${only === '' ? [] : [only]}`;
  const owner = quote(instance.owner);
  return `as ${owner} ${quote(mcCtl)} stop ${local}
${unit ? sh`systemctl start ${unit}` : `as ${owner} ${quote(mcCtl)} start -w ${local}`}`;
}
