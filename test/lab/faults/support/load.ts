/**
 * Load: busy processors, a large checkpoint, a standby whose replay is two minutes behind. In: a scene. Out: data.
 * Whatever it starts ends by itself and belongs to the host.
 */
import type { Host } from '../../harness/lab.ts';
import { sql } from '../../support/instance.ts';
import type { Fault, Scene } from './fault.ts';
import { fallBehind, fullSpeed, signalPostmaster } from './processes.ts';

/** Every processor of the machine is busy for so long, by processes of the host. */
export const busy = (host: Host, seconds: number) =>
  host.sh(`for i in $(seq $(nproc)); do timeout ${seconds} sh -c 'while :; do :; done' & done; wait`, {
    timeoutMs: (seconds + 60) * 1000,
  });

/** More than 1 GB that is written to memory and, as far as a checkpoint has not been, to no disk. */
async function dirty({ primary }: Omit<Scene, 'client'>): Promise<void> {
  await sql(primary, 'CREATE TABLE big (id int, filler text); CHECKPOINT');
  // One statement would take longer than a command of a host may.
  for (let turn = 0; turn < 4; turn += 1)
    await sql(primary, "INSERT INTO big SELECT generate_series(1, 250000), repeat('x', 970)");
}

const drop = ({ pair }: Scene) => pair.roles().then(({ primary }) => sql(primary, 'DROP TABLE big'));

const behind = 'a standby two minutes behind in replay';

export const load: readonly Fault[] = [
  {
    name: 'all processors busy for 60 s',
    on: 'both',
    action: ['none'],
    inject: ({ primary, standby }) => Promise.all([primary, standby].map(({ host }) => busy(host, 60))),
    lastsMs: 61_000,
  },
  {
    name: 'a checkpoint of 1 GB',
    on: 'primary',
    variant: 'checkpoint',
    action: ['none'],
    arrange: dirty,
    inject: ({ primary }) => sql(primary, 'CHECKPOINT'),
    lastsMs: 1000,
    heal: drop,
  },
  {
    name: 'switch on request, with 1 GB to checkpoint',
    on: 'primary',
    variant: 'checkpoint',
    action: ['switch'],
    arrange: dirty,
    inject: ({ pair, primary }) => pair.mcCtl(primary, 'switch'),
    lastsMs: 1000,
    heal: drop,
  },
  {
    name: `switch on request, ${behind}`,
    on: 'primary',
    // Given up after 30 s, unless the rest has been replayed by then.
    action: ['none', 'switch'],
    arrange: ({ primary, standby }) => fallBehind(primary, standby),
    inject: ({ pair, primary }) => pair.mcCtl(primary, 'switch'),
    lastsMs: 1000,
    heal: ({ standby }) => fullSpeed(standby),
  },
  {
    name: `postmaster killed, ${behind}`,
    on: 'primary',
    action: ['switch'],
    arrange: ({ primary, standby }) => fallBehind(primary, standby),
    inject: ({ primary }) => signalPostmaster(primary, 'KILL'),
    lastsMs: 20_000,
    heal: ({ standby }) => fullSpeed(standby),
  },
];
