/** A pair on which a rolling update is begun and does not come to its end at once. In: nothing. Out: the pair, the update of it, and what it has done. */
import { afterAll, beforeAll } from 'vitest';
import { type LabCluster, provisionedPair } from '../support/cluster.ts';
import { type Pgduet, pgduet, type Said, type StatusDocument } from '../support/pgduet.ts';

export interface Sheet {
  readonly state: string;
  readonly primary: string;
  readonly rows: readonly { readonly step: string; readonly server: string; readonly state: string }[];
  readonly points: readonly { readonly name: string }[];
  readonly left_out: readonly string[];
}

/** Each run of it is a line of `/root/ran` on its host. */
export const append = 'echo ran >> /root/ran';

export interface RollingPair {
  pair(): LabCluster;
  /** pgduet rolling-update with these words, as JSON. */
  update(...words: string[]): Promise<Said>;
  /** How often the command has run on a host. */
  ran(at: number): Promise<number>;
  /** "server2 rolling-update" of each server in maintenance, and by whom. */
  maintained(): Promise<readonly string[]>;
}

/** Set up and taken down with the tests around it. */
export function rollingPair(): RollingPair {
  let pair: LabCluster;
  let patient: Pgduet;
  beforeAll(async () => {
    pair = await provisionedPair();
    patient = pgduet(pair.lab, 300_000);
    await Promise.all(pair.hosts.map((host) => host.sh('rm -f /root/ran /root/broken', { check: true })));
  });
  afterAll(() => pair?.close());
  return {
    pair: () => pair,
    update: (...words) => patient(['rolling-update', '-i', pair.file, ...words, '--json']),
    ran: async (at) => Number((await pair.hosts[at]?.sh('cat /root/ran 2>/dev/null | wc -l'))?.stdout.trim()),
    maintained: async () =>
      (await pair.run('status', '--json'))
        .json<StatusDocument>()
        .servers.flatMap(({ server, maintenance }) =>
          maintenance ? [`${server} ${maintenance.by.split(' ')[0]}`] : [],
        ),
  };
}
