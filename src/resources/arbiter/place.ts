/**
 * Where an arbiter is, and how a script asks and tells it: shared by the kinds `arbiter` and `dismissed`. One arbiter may know
 * several clusters; each has a directory of its own, and all else is theirs together. Pure text.
 */
import { quote, sh } from '../../base/shell.ts';
import { text } from '../contract/field.ts';
import { hostService, service } from '../contract/host-service.ts';

export const arbiterPlaceFields = {
  directory: text('management directory of the arbiter'),
  cluster: text('the cluster, whose files stand in `clusters/CLUSTER`'),
  owner: text('user that it runs as'),
  unit: service('the systemd unit or the init script that starts it; without one `mc_arb start` does'),
  mc_arb: text('path of `mc_arb` on the host'),
} as const;

export interface ArbiterPlace {
  readonly directory: string;
  readonly cluster: string;
  readonly owner: string;
  /** As a playbook says it: of its service, whichever form that has. */
  readonly unit?: string;
  readonly mcArb: string;
}

/** It keeps this file as long as it runs, and renews it when it has read its files; shell function `controller` reads it. */
export const arbiterPidFile = ({ directory }: Pick<ArbiterPlace, 'directory'>): string =>
  `${directory}/arbiter.pid`;

export const clusterDir = ({ directory, cluster }: ArbiterPlace): string =>
  `${directory}/clusters/${cluster}`;

/** Shell: the names of the other clusters that it knows into `others`, each behind a space. */
export const findOthers = (place: ArbiterPlace): string => `others=
for o in ${quote(`${place.directory}/clusters`)}/*/network.conf; do
o=\${o%/network.conf}
if [ -d "$o" ] && [ "\${o##*/}" != ${quote(place.cluster)} ]; then others="$others \${o##*/}"; fi
done`;

type Act = 'start' | 'stop' | 'restart' | 'reload';

const mcArb = ({ owner, mcArb: path, directory }: ArbiterPlace, act: 'start' | 'stop' | 'reload'): string =>
  sh`as ${owner} ${path} ${act} -M ${directory}`;

/**
 * Shell: by its service, where there is one; a script has no word for a reload, and may be gone when it is to stop. A stop of one that does
 * not run is none.
 */
export function tellArbiter(place: ArbiterPlace, act: Act): string {
  const kept = hostService(place.unit);
  if (kept?.unit) return sh`systemctl ${act} ${`${kept.unit}.service`}`;
  if (kept && (act === 'start' || act === 'restart')) return kept[act];
  const stop = `if controller ${quote(arbiterPidFile(place))}; then ${mcArb(place, 'stop')} >&2; fi`;
  if (act === 'stop') return kept ? `${kept.stop}\n${stop}` : stop;
  if (act === 'restart') return `${stop}\n${mcArb(place, 'start')} >&2`;
  return `${mcArb(place, act)} >&2`;
}
