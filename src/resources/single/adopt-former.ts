/**
 * What is said of the former service of a single server before it is touched: what goes on under the controller, and what does not.
 * In: what was seen of it. Out: words, which hold names of variables and never their values. Pure.
 */
import { environmentFile } from '../../base/environment-file.ts';
import { isReadOnlyForUnit } from '../../base/host-paths.ts';
import { writtenPlaces } from '../../postgres/written-places.ts';
import type { Directive } from './adopt-look-former.ts';
import type { AdoptObservation } from './adopt-observation.ts';
import type { Intention, Obstacle } from './adopt-place.ts';

/** What our unit does as well or better, or what only says how the former one starts the server. */
const answered =
  /^(Type|NotifyAccess|Exec\w+|User|Group|PIDFile|GuessMainPID|RemainAfterExit|Restart\w*|Timeout\w*|Kill\w*|FinalKillSignal|SendSIG\w+|SuccessExitStatus|WorkingDirectory|Watchdog\w*|StartLimit\w*|Environment(File)?|PassEnvironment|UnsetEnvironment|UMask|Syslog\w*|Standard\w+|Description|Documentation|WantedBy|Alias|DefaultInstance|Also|Condition\w+|Assert\w+|SourcePath|X-\w+)$/;

/** Their values are numbers and paths; of any other one the name is told alone. */
const shows =
  /^(Limit\w+|Nice|OOM\w+|CPU\w+|IO\w+|Memory\w+|Tasks\w+|NUMA\w+|Slice|Allowed\w+|SupplementaryGroups|AmbientCapabilities|Protect\w+|Private\w+|Read\w+Paths|InaccessiblePaths|Bind\w+|NoNewPrivileges|RequiresMountsFor|Requires|Wants|After|Before|BindsTo|PartOf)$/;

/** The usual targets that ours names, too. */
const usualTargets =
  /^((network|network-online|time-sync|syslog|local-fs|remote-fs|multi-user)\.target\s*)+$/;

const ourOpenFiles = 65536;

function isCovered({ name, value }: Directive, { dataDir }: Intention): boolean {
  if (answered.test(name)) return true;
  if (name === 'RequiresMountsFor') return value.split(/\s+/).every((path) => path === dataDir);
  if (/^(After|Before|Wants|Requires)$/.test(name)) return value === '' || usualTargets.test(value);
  if (name === 'OOMScoreAdjust') return value === '-900';
  if (name === 'LimitCORE') return true;
  // Of "soft:hard" the soft one counts.
  if (name === 'LimitNOFILE') return Number(value.split(':')[0]) <= ourOpenFiles;
  return (
    /^(ProtectSystem|ProtectHome|PrivateTmp|NoNewPrivileges)$/.test(name) && /^(no|false|off|0)?$/.test(value)
  );
}

const unitWords = ({ unit }: Intention): string => (unit ? `${unit}.service` : 'the unit of the controller');

export function* formerNotes(intention: Intention, observation: AdoptObservation): Generator<string> {
  const { environment, environmentFiles, leftOut } = observation;
  const names = Object.keys(environment).sort();
  const from =
    environmentFiles.length > 0
      ? ` (edits of ${environmentFiles.join(' and ')} have no effect while multiplexed)`
      : '';
  if (names.length > 0)
    yield `these variables of its environment go on, on every server, by ${environmentFile(intention)}: ${names.join(', ')}${from}; files and programs that they name have to be on the standbys, too`;
  if (leftOut.length > 0)
    yield `these variables are not taken over, since the connections of the standbys would go by them: ${[...leftOut].sort().join(', ')}; give them in the command that needs them`;
  const lost = observation.directives.filter((one) => !isCovered(one, intention));
  if (lost.length > 0)
    yield `${unitWords(intention)} does not take over what people wrote for ${observation.unit?.name ?? 'the former unit'}: ${lost.map(shown).join(', ')}; what is needed goes into a drop-in (systemctl edit), on every server${lost.some(({ name }) => name === 'AmbientCapabilities') ? ', capabilities with a CapabilityBoundingSet= of the same ones' : ''}`;
}

const shown = ({ name, value, file }: Directive): string =>
  `${shows.test(name) ? `${name}=${value}` : name} (${file})`;

/** The controller would start another build than the one that runs. */
export function* buildObstacles(_intention: Intention, observation: AdoptObservation): Generator<Obstacle> {
  const { elsewhere } = observation;
  // One that the controller has started already runs from where it was told.
  if (elsewhere === undefined || observation.adopted) return;
  yield {
    what: `the server runs from ${elsewhere}, and its programs are looked for elsewhere`,
    fix: `Write postgres.bin_dir: ${elsewhere}; the standbys need the same build there, or a bin_dir of their own (hosts: … postgres.bin_dir).`,
  };
}

/** The controller's unit lets no program gain privileges, so that such a command fails from the restart on. */
export function* formerObstacles(intention: Intention, observation: AdoptObservation): Generator<Obstacle> {
  const { unit } = intention;
  if (observation.privileged.length === 0 || !unit || intention.unitAllows?.includes('privileges')) return;
  yield {
    what: `commands of its configuration need a program that gains privileges, which ${unit}.service does not allow (NoNewPrivileges): ${observation.privileged.join(', ')}`,
    fix: `Change the command so that ${intention.instance.owner} can do it alone; or let the unit allow it: unit_allows: [privileges] in multiplexing of the inventory.`,
  };
}

/** What the inventory itself says of a place the unit names; what stands in the server's own files alone it cannot know later. */
export function* placeObstacles(
  { unit, values }: Intention,
  observation: AdoptObservation,
): Generator<Obstacle> {
  const settings = [...(observation.live?.settings ?? [])].map(([name, { value }]) => [name, value] as const);
  const asThere = (name: string): boolean => values[name] === observation.live?.settings.get(name)?.value;
  for (const { setting, path } of unit ? writtenPlaces(settings) : [])
    if (isReadOnlyForUnit(path) && !asThere(setting))
      yield {
        what: `${setting} writes to ${path}, which is read-only for ${unit}.service (ProtectSystem)`,
        fix: `Write ${setting} with the value that it has into postgres.settings of the inventory: the unit then lets the server write there. Or give it a directory elsewhere first.`,
      };
}
