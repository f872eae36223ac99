/**
 * The begin of a rolling update: everything is looked at, and becomes an order, or points that fail. In: what is asked for. Out: the order, not
 * yet written anywhere. Changes nothing on a host but, where that is asked for, the lists of packages.
 */
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type Diagnostic, DiagnosticError } from '../../base/diagnostic.ts';
import { exitCode } from '../../base/exit-codes.ts';
import { platformOf } from '../../base/platform.ts';
import { moment } from '../../base/units.ts';
import { type Cluster, isSynchronous } from '../../inventory/cluster.ts';
import type { Order, Pins } from '../../rolling/order.ts';
import { type Chosen, choose, readOffer, unlike } from '../../rolling/packages.ts';
import { countsStill, type Point, points } from '../../rolling/preparation.ts';
import { playbook } from '../load.ts';
import { included, textOf } from '../playbook-files.ts';
import type { NewUpdate } from './ask.ts';
import { type Found, findings } from './findings.ts';
import type { FleetSeen } from './fleet.ts';
import { askPrimary } from './maintain.ts';
import type { Scene } from './update.ts';

export interface Begun {
  readonly order: Order;
  /** Those that fail, and count. */
  readonly failing: readonly Point[];
  /** Said with the plan. */
  readonly notes: readonly string[];
}

export async function begin(scene: Scene, update: NewUpdate, seen: FleetSeen): Promise<Begun> {
  const { cluster, world } = scene;
  const { primary } = seen.view;
  checkNames(cluster, update, primary);
  const order = orderOf(cluster, primary, update);
  const worked = order.filter((name) => !update.skip.includes(name));
  const [found, primarySeen, chosen] = await Promise.all([
    findings(scene),
    askPrimary(scene, primary),
    offers(scene, update, seen, worked),
  ]);
  const about = {
    primary,
    seen: primarySeen,
    hosts: seen.hosts,
    synchronous: cluster.servers.filter(isSynchronous).map(({ name }) => name),
    servers: worked,
    // The row stands in root's directory, whatever the work is.
    needsRoot: true,
    reboots: update.reboot,
    expectedMs: update.expectedMs,
    alone: update.alone,
    rebuild: update.rebuild,
    units: Object.fromEntries(cluster.servers.map(({ name, unit }) => [name, unit])),
    here: thisMachine(),
  };
  const all = [
    ...checkPoints(found),
    ...points(about),
    ...[...chosen.values()].flatMap((one) => one.points),
    ...unlike(pinsOf(chosen)),
  ];
  const preferred = cluster.servers.find(({ preferredRole }) => preferredRole === 'primary')?.name;
  return {
    order: {
      format: 1,
      id: randomBytes(4).toString('hex'),
      cluster: cluster.name,
      systemIdentifier: seen.view.systemIdentifier ?? '',
      by: world.operator,
      made: new Date().toISOString(),
      servers: order.map((name) => ({ name, machineId: seen.hosts.get(name)?.machineId ?? '' })),
      primary,
      home: update.stay ? null : (preferred ?? primary),
      to: update.to ?? null,
      work: {
        ...(update.packages ? { packages: Object.fromEntries(changing(chosen, staleIn(found))) } : {}),
        ...(update.run === undefined ? {} : { run: fingerprint(update.run) }),
        ...(update.command === undefined ? {} : { command: update.command }),
        reboot: update.reboot,
        pause: update.pause,
        ...(update.validate === undefined ? {} : { validate: update.validate }),
      },
      expected: `${Math.ceil(update.expectedMs / 60_000)}m`,
      rebootMs: update.rebootMs,
      agreed: { alone: update.alone, rebuild: update.rebuild, despite: update.despite },
      known: found.map(({ key }) => key),
    },
    failing: all.filter((point) => countsStill(point, update.despite)),
    notes: notesOf(chosen, update, staleIn(found)),
  };
}

const pinsOf = (chosen: ReadonlyMap<string, Chosen>): ReadonlyMap<string, Pins> =>
  new Map([...chosen].map(([name, { pins }]) => [name, pins]));

/** A server that has what is offered, and runs it, is not taken out for it. */
export const changing = (
  chosen: ReadonlyMap<string, Chosen>,
  stale: readonly string[],
): ReadonlyMap<string, Pins> =>
  new Map(
    [...chosen].flatMap(([name, { pins, words }]) =>
      words.length > 0 || stale.includes(name) ? [[name, pins] as const] : [],
    ),
  );

/** Servers that run an earlier minor version than is installed. */
const staleIn = (found: readonly Found[]): readonly string[] =>
  found.flatMap(({ code, host }) => (code === 'PKG003' && host !== null ? [host] : []));

/** Standbys in the order that is asked for, then in that of the inventory; the primary last. */
function orderOf({ servers }: Cluster, primary: string, { first }: NewUpdate): readonly string[] {
  const standbys = servers.map(({ name }) => name).filter((name) => name !== primary);
  return [...new Set([...first, ...standbys]), primary];
}

function checkNames({ servers }: Cluster, { first, skip, to }: NewUpdate, primary: string): void {
  const names = servers.map(({ name }) => name);
  const wrong = (option: string, name: string, why: string): Diagnostic => ({
    code: 'CLI004',
    what: `--${option} cannot be ${name}`,
    why,
    fix: `Name one of: ${names.filter((one) => one !== primary).join(', ')}.`,
  });
  const problems = [
    ...first.flatMap((name) =>
      names.includes(name)
        ? name === primary
          ? [wrong('first', name, 'it is primary: its turn comes last, behind the switch')]
          : []
        : [wrong('first', name, 'it carries no server')],
    ),
    ...skip.flatMap((name) => (names.includes(name) ? [] : [wrong('skip', name, 'it carries no server')])),
    ...(to !== undefined && (!names.includes(to) || to === primary || skip.includes(to))
      ? [wrong('to', to, 'the role goes to a standby that the work is done on')]
      : []),
  ];
  if (problems.length > 0) throw new DiagnosticError(problems, exitCode.inputWrong);
}

const thisMachine = () => {
  const read = (path: string): string => {
    try {
      return readFileSync(path, 'utf8').trim();
    } catch {
      return '';
    }
  };
  return {
    machineId: read('/etc/machine-id'),
    boot: `${read('/proc/sys/kernel/random/boot_id')} ${read('/proc/1/stat').split(' ')[21] ?? ''}`,
  };
};

const checkPoints = (found: readonly Found[]): readonly Point[] =>
  found
    .filter(({ severity }) => severity === 'danger' || severity === 'degraded')
    .map(({ host, words }) => ({
      name: 'check' as const,
      ...(host === null ? {} : { host }),
      what: words,
      fix: 'pgduet check says what repairs it; --despite check begins all the same.',
    }));

async function offers(
  { fleet, cluster }: Scene,
  { packages, refresh }: NewUpdate,
  seen: FleetSeen,
  worked: readonly string[],
): Promise<ReadonlyMap<string, Chosen>> {
  if (packages === undefined) return new Map();
  const found = await Promise.all(
    cluster.servers
      .filter(({ name }) => worked.includes(name))
      .map(async ({ name, postgres }) => {
        const platform = platformOf(seen.view.hosts.get(name)?.facts?.distributions ?? []);
        const needed = [platform.packages.postgres(postgres.version), ...packages];
        const names = [...new Set([...needed, ...platform.packages.besidePostgres(postgres.version)])];
        const script = [
          ...(refresh ? [`${platform.manager.refresh} >&2 || exit 1`] : []),
          platform.manager.offer(names),
        ].join('\n');
        const reply = await fleet.run(name, script);
        if (reply.status !== 0) return [name, unasked(name, reply.stderr)] as const;
        return [name, choose(name, readOffer(reply.stdout), needed, postgres.version)] as const;
      }),
  );
  return new Map(found);
}

const unasked = (host: string, stderr: string): Chosen => ({
  read: 0,
  pins: {},
  words: [],
  points: [
    {
      name: 'packages',
      host,
      what: `its package manager does not say what it offers: ${stderr.trim().split('\n').at(-1) ?? ''}`,
      fix: 'Put its package sources right (apt-get update on that host).',
    },
  ],
});

function notesOf(
  chosen: ReadonlyMap<string, Chosen>,
  { packages }: NewUpdate,
  stale: readonly string[],
): readonly string[] {
  if (packages === undefined) return [];
  return [...chosen].map(([name, { words, read }]) => {
    const runs = stale.includes(name)
      ? ['it runs an earlier version than is installed, and is started anew']
      : [];
    const all = [...words, ...runs];
    const since = read > 0 ? ` (its package sources were read last ${moment(read)})` : '';
    return `${name}: ${all.length > 0 ? all.join(', ') : 'its packages are in the versions that are offered'}${since}`;
  });
}

/** Of the playbook and all that it includes, by text: templates beside it are not part of it. */
export function fingerprint(path: string): string {
  const hash = createHash('sha256');
  const seen = new Set<string>();
  const add = (file: string): void => {
    const text = textOf(file);
    if (typeof text !== 'string' || seen.has(file)) return;
    seen.add(file);
    hash.update(`${text.length}\n${text}`);
    for (const [, name = ''] of text.matchAll(/^\s*-\s*\{?\s*include:\s*["']?([^\s"'}]+)/gm)) {
      const found = included(name, file);
      if ('path' in found) add(found.path);
    }
  };
  // What is wrong with it is said before any server is taken out.
  const lost = playbook(path).plays.filter(({ on }) => on === 'primary' || on === 'target');
  if (lost.length > 0)
    throw new DiagnosticError(
      lost.map(({ on, title, onAt }) => ({
        code: 'CLI004',
        what: `the play '${title}' is on: ${on}`,
        why: 'in a rolling update every server is a standby when it is its turn, so nothing would come of it',
        fix: "Write 'on: all' or 'on: standbys', and bring the rest about with pgduet run.",
        at: onAt,
      })),
      exitCode.inputWrong,
    );
  add(path);
  return hash.digest('hex');
}
