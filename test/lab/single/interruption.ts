/**
 * Breaks a run off: its process is killed, its connections end, a cable is out, a host loses its power. And what a person
 * does then: runs a verb, reads what it says, follows the advice, runs it again. In: a trip and a seeded moment. Out: what
 * happened. It must never break anything but what a real accident would.
 */
import { sleep, until } from '../harness/run.ts';
import { type Server, sql } from '../support/instance.ts';
import { type Ended, Run } from '../support/running.ts';
import { lockIsFree } from '../trouble/trouble.ts';
import { clusterName } from './forms.ts';
import type { Trip } from './trip.ts';

export const kinds = [
  'kill -9 of pgduet',
  'the ssh connection to the original ends',
  'the ssh connection to the other ends',
  'the original reboots',
  'the other reboots',
  'the cable of the original is out',
  'the cable of the other is out',
] as const;
export type Kind = (typeof kinds)[number];

/** When: so many steps of the run are done, and some time has passed. */
export interface Moment {
  readonly step: number;
  readonly delayMs: number;
}

const stepLine = /^ +[\d.]+ s {2}\S+: .* \(.*s\)$/;
export const stepsOf = ({ stderr }: Ended): number =>
  stderr.split('\n').filter((line) => stepLine.test(line)).length;

/** Starts the verb and breaks it off; undefined when it was faster. */
export async function interrupted(
  trip: Trip,
  words: readonly string[],
  kind: Kind,
  { step, delayMs }: Moment,
): Promise<Ended | undefined> {
  const run = new Run([...words, '-i', trip.inventory, '--yes']);
  if (!(await run.stepsDone(step))) return undefined;
  await sleep(delayMs);
  if (run.child.exitCode !== null) return undefined;
  await accident(trip, kind, run);
  const ended = await run.ended;
  await everythingUp(trip);
  const last = ended.stderr
    .split('\n')
    .filter((line) => stepLine.test(line))
    .at(-1);
  console.log(`${words[0]}, ${kind}: exit ${ended.status} behind${last ?? ' nothing'}`);
  return ended.status === 0 ? undefined : ended;
}

async function accident(trip: Trip, kind: Kind, run: Run): Promise<void> {
  const host = kind.includes('other') ? trip.other : trip.single.host;
  switch (kind) {
    case 'kill -9 of pgduet':
      run.child.kill('SIGKILL');
      return;
    case 'the ssh connection to the original ends':
    case 'the ssh connection to the other ends':
      await host.sh("pkill -KILL -f '^sshd: root'");
      return;
    case 'the original reboots':
    case 'the other reboots':
      await host.powerOff();
      await host.powerOn();
      return;
    case 'the cable of the original is out':
    case 'the cable of the other is out':
      await host.cut();
      // A run that does not need this host any more goes on to its end.
      await Promise.race([run.ended, sleep(60_000)]);
      await host.heal();
      return;
  }
}

/** Nobody works on the hosts for the run any more, and both have finished booting. */
async function everythingUp({ single, other }: Trip): Promise<void> {
  for (const host of [single.host, other]) {
    await host.sh('systemctl is-system-running --wait');
    await until(
      () => `the lock on ${host.name} is still held`,
      30_000,
      async () => ((await lockIsFree(host, clusterName)) ? true : undefined),
      50,
    );
  }
}

/**
 * Exactly one of the two servers takes writes, by itself: nobody has to come for that. A server on its way up or down is
 * given time.
 */
export async function untilOneServes(servers: readonly Server[]): Promise<Server> {
  let seen: readonly (string | undefined)[] = [];
  return until(
    () =>
      `not exactly one server takes writes: ${servers.map(({ id }, at) => `${id}: ${seen[at] ?? 'no answer'}`).join(', ')}`,
    60_000,
    async () => {
      seen = await Promise.all(
        servers.map((server) => sql(server, 'SELECT pg_is_in_recovery()').catch(() => undefined)),
      );
      const serving = servers.filter((_, at) => seen[at] === 'f');
      return serving.length === 1 ? serving[0] : undefined;
    },
    200,
  );
}

/** Runs a verb to its end as its messages advise: again, after a wait, after a rebuild of a server that they name. */
export async function toTheEnd(trip: Trip, ...words: readonly string[]): Promise<readonly string[]> {
  const account: string[] = [];
  const run = async (args: readonly string[]): Promise<Ended> => {
    const ended = await new Run([...args, '-i', trip.inventory, '--yes']).ended;
    account.push(`${args.join(' ')}: ${ended.status}`);
    return ended;
  };
  const said: string[] = [];
  for (let attempt = 0; attempt < 5; attempt += 1) {
    const ended = await run(words);
    if (ended.status === 0) return account;
    said.push(ended.stderr);
    const ids = [trip.original.id, trip.second.id];
    const named = ids.find((id) => ended.stderr.includes(`pgduet rebuild ${id}`));
    if (named !== undefined) await run(['rebuild', named]);
    else await sleep(3000);
  }
  throw new Error(
    `${words.join(' ')} does not come to its end: ${account.join('; ')}\n${said.join('\n---\n')}`,
  );
}
