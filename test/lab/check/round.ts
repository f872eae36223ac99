/**
 * One round of mutations on a pair: breaks, looks, compares with what the table says, mends, looks again. In: a pair and a
 * round. Out: what was reported. It asserts by comparing lists of lines, so that a failure shows all of what was said.
 */
import { expect } from 'vitest';
import { codes } from '../../../src/base/codes.ts';
import type { LabCluster } from '../support/cluster.ts';
import type { Server } from '../support/instance.ts';
import { expectExit, findingsOf, type Reported } from '../support/pgduet.ts';
import { type Cost, costs, type Expected, type Mutation, type Round } from './mutations/mutation.ts';
import { scriptFor, textFor } from './mutations/shell.ts';
import { type Daemons, daemonsOf, lines } from './pair.ts';

type Script = (mutation: Mutation) => string | undefined;

const serversOf = (pair: LabCluster, place: Expected['host']): readonly (Server | undefined)[] => {
  if (place === 'cluster') return [undefined];
  if (place === 'both') return [pair.primary, pair.standby];
  return [place === 'primary' ? pair.primary : pair.standby];
};

const peerOf = ({ primary, standby }: LabCluster, server: Server): Server =>
  server === primary ? standby : primary;

/** Runs one script of every mutation of a round where it belongs, one after the other. */
export async function act(
  pair: LabCluster,
  { mutations }: Round,
  script: Script,
  check = true,
): Promise<void> {
  for (const mutation of mutations) {
    const text = script(mutation);
    if (text === undefined) continue;
    const [program, ...words] = text.split(' ');
    if (program === 'pgduet') {
      expectExit(await pair.command([...words, '--yes', '-i', pair.file]), 0);
      continue;
    }
    for (const server of serversOf(pair, mutation.on))
      if (server) await server.host.sh(scriptFor(server, peerOf(pair, server), text), { check });
  }
}

const agrees = (
  wanted: string | RegExp | undefined,
  seen: string | null,
  fill: (text: string) => string,
): boolean => {
  if (wanted === undefined) return true;
  return typeof wanted === 'string' ? fill(wanted) === seen : seen !== null && wanted.test(seen);
};

/** Where a finding is expected: a host, or undefined for the cluster; and the host that was broken, whose names texts hold. */
interface Place {
  readonly server: Server | undefined;
  readonly broken: Server;
}

function is(pair: LabCluster, expected: Expected, { server, broken }: Place, told: Reported): boolean {
  const fill = (text: string): string => textFor(broken, peerOf(pair, broken), text);
  return (
    told.code === expected.code &&
    told.host === (server?.id ?? null) &&
    agrees(expected.object, told.object, fill) &&
    agrees(expected.declared, told.declared, fill) &&
    agrees(expected.found, told.found, fill) &&
    agrees(expected.source, told.source, fill) &&
    agrees(expected.what, told.what, fill) &&
    agrees(expected.mend, told.mend, fill)
  );
}

function placesOf(pair: LabCluster, mutation: Mutation, expected: Expected): readonly Place[] {
  const [first = pair.primary] = serversOf(pair, mutation.on);
  return serversOf(pair, expected.host ?? mutation.on).map((server) => ({
    server,
    broken: mutation.on === 'both' ? (server ?? first) : first,
  }));
}

/** Each expected finding is there, as severe as expected, with all that a person needs to judge it. */
export function expectReported(pair: LabCluster, mutation: Mutation, told: readonly Reported[]): void {
  for (const expected of mutation.expect)
    for (const place of placesOf(pair, mutation, expected)) {
      const { server } = place;
      const found = told.filter((one) => is(pair, expected, place, one));
      const wish = `${expected.code} on ${server?.id ?? 'the cluster'}: ${expected.object}, found ${expected.found}`;
      expect(found.length, `${wish}; told was:\n${lines(told).join('\n')}\n`).toBe(1);
      expect(found[0]).toMatchObject({
        severity: expected.severity,
        mended_by: expected.mendedBy ?? mutation.mended.by,
      });
      // A diagnostic has no two sides; it says all in its words.
      const sides = expected.code in codes ? [] : (['declared', 'found'] as const);
      for (const text of ['what', 'consequence', 'mend', ...sides] as const)
        expect(found[0]?.[text], `${text} of ${wish}`).toMatch(/\S/);
    }
}

/** What no mutation of the round speaks of. */
export function unexpected(
  pair: LabCluster,
  { mutations }: Round,
  told: readonly Reported[],
): readonly string[] {
  const foretold = mutations.flatMap((mutation) =>
    [...mutation.expect, ...(mutation.also ?? [])].flatMap((expected) =>
      placesOf(pair, mutation, expected).map((place) => ({ expected, place })),
    ),
  );
  return lines(told.filter((one) => !foretold.some(({ expected, place }) => is(pair, expected, place, one))));
}

/** Persons do what the messages say, then provision mends the rest, with no more disturbance than the table allows. */
export async function mend(pair: LabCluster, round: Round): Promise<void> {
  await act(pair, round, ({ mended }) => (mended.by === 'person' ? mended.undo : undefined));
  const byProvision = round.mutations.some(
    ({ mended }) => mended.by === 'provision' || mended.costs !== 'nothing',
  );
  if (byProvision) {
    const servers = [pair.primary, pair.standby];
    const before = await Promise.all(servers.map(daemonsOf));
    expectExit(await pair.provision(), 0);
    const after = await Promise.all(servers.map(daemonsOf));
    const touched = servers.map((_, index) => cost(before[index], after[index]));
    for (const [index, server] of servers.entries())
      expect(
        costs.slice(0, costs.indexOf(allowed(pair, round, server)) + 1),
        `touched on ${server.id}`,
      ).toContain(touched[index]);
  }
  await act(pair, round, ({ afterwards }) => afterwards);
}

/** Where a standby was restarted, the controller of its primary takes it in again with a reload. */
const allowed = (pair: LabCluster, { mutations }: Round, server: Server): Cost =>
  mutations
    .filter(({ on }) => serversOf(pair, on).includes(server))
    .map(({ mended }) => mended.costs ?? 'nothing')
    .concat(mutations.some(({ mended }) => mended.costs === 'restart') ? ['reload'] : [])
    .concat(
      mutations.flatMap(({ on, peer }) => (peer && !serversOf(pair, on).includes(server) ? [peer] : [])),
    )
    .reduce<Cost>((most, one) => (costs.indexOf(one) > costs.indexOf(most) ? one : most), 'nothing');

function cost(before?: Daemons, after?: Daemons): Cost {
  if (before?.postmaster !== after?.postmaster) return 'restart';
  if (before?.controller !== after?.controller || before?.configRead !== after?.configRead)
    return 'controller';
  return before?.loaded !== after?.loaded ? 'reload' : 'nothing';
}

export async function expectNothing(pair: LabCluster): Promise<void> {
  const document = await pair.check();
  expect(lines(findingsOf(document))).toEqual([]);
  expect(document.exit).toBe(0);
}

/** As good as it goes, after a failure. */
export async function restore(pair: LabCluster, round: Round): Promise<void> {
  await act(pair, round, ({ mended }) => (mended.by === 'person' ? mended.undo : undefined), false);
  await pair.provision();
  await act(pair, round, ({ afterwards }) => afterwards, false);
  await act(pair, round, ({ sweep }) => sweep, false);
}
