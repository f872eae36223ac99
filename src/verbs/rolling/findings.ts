/** What `check` and the libraries say of a server that is back. In: the cluster. Out: what is new since the begin, or nothing. Changes nothing. */
import { lookAt } from '../../apply/hosts.ts';
import { audits } from '../../check/audits.ts';
import { answerTo } from '../../observe/look.ts';
import { collationProbe, otherCollations } from '../../rolling/collations.ts';
import { shippedPlaybook, shippedVersion } from '../../shipped.ts';
import { authorityOf } from '../authority.ts';
import { inspect, leaveAll } from '../inspect.ts';
import { compiler, playbook } from '../load.ts';
import { pause } from '../pause.ts';
import type { FleetSeen } from './fleet.ts';
import { failedStep, goesOn, type Moved, serverOf, type Update } from './update.ts';

/** Right after its return a controller may need some looks to be content. */
const settlesWithinMs = 20_000;

export async function checked(update: Update, name: string, seen: FleetSeen): Promise<Moved> {
  await collationsAlike(update, name, seen);
  const until = update.ports.now() + settlesWithinMs;
  for (;;) {
    const found = (await findings(update)).filter(
      (one) => isSevere(one) && one.host === name && !update.order.known.includes(one.key),
    );
    if (found.length === 0) return {};
    if (update.ports.now() > until || update.world.interrupted.aborted)
      throw failedStep(
        name,
        `pgduet check finds of ${name} what it did not find before`,
        'whatever the work has brought about comes to the next server, too',
        goesOn,
        found.map(({ words }) => words),
      );
    await pause(1000, update.world.interrupted);
  }
}

export interface Found {
  readonly code: string;
  readonly key: string;
  readonly host: string | null;
  readonly severity: string;
  readonly words: string;
}

/** Of a note nothing follows for the next server. */
const isSevere = ({ severity }: Found): boolean => severity !== 'note';

/** What a check says. */
export async function findings({
  world,
  cluster,
  ports,
}: Pick<Update, 'world' | 'cluster' | 'ports'>): Promise<readonly Found[]> {
  const path = shippedPlaybook('provision');
  const compile = compiler(world, cluster, playbook(path), path, await authorityOf(cluster));
  const target = {
    cluster,
    compile: (view: FleetSeen['view']) => compile(view, { kind: 'provision' }),
    audits,
    version: shippedVersion(),
    open: new Map(),
  };
  try {
    const report = await inspect(target, ports);
    return report.findings.map(({ code, host, object, severity, what, found }) => ({
      code,
      key: `${severity} ${code} ${host ?? ''} ${object}`,
      host,
      severity,
      words: `${code} ${what}${found === null ? '' : ` (${found})`}`,
    }));
  } finally {
    await leaveAll(target, world.interrupted.aborted);
  }
}

/** Another library sorts otherwise: the indexes of the primary would be wrong on this server once it leads. */
async function collationsAlike(update: Update, name: string, { view }: FleetSeen): Promise<void> {
  if (update.order.agreed.despite.includes('collation') || name === view.primary) return;
  const { version } = serverOf(update, name).postgres;
  const probe = collationProbe(version);
  const ask = async (server: string) => {
    const state = update.fleet.state(server);
    await lookAt(update.ports, state, [probe]);
    return answerTo(state.look, probe);
  };
  const other = otherCollations(await ask(name), await ask(view.primary));
  if (other.length === 0) return;
  throw failedStep(
    name,
    `${name} sorts otherwise than the primary: ${other.join(', ')}`,
    'the indexes on text were made with the order of the primary; on this server they would find less than there is, and let duplicates in',
    `Do not switch to it. Give the primary's version of the library back, or plan a REINDEX of those databases right behind the switch and begin anew with --despite collation. pgduet rolling-update --abort ends this update.`,
  );
}
