/** The times of the simulated servers: short, so that bounds are seconds. In: nothing. Out: what a file says of them. Pure. */
import { giveUpTimeMs, type ServerConf, serverConf } from '../../src/controller/config.ts';

/** usual: given up after 2 s. patient: after 5 s, as `heartbeat: normal` is beside `fast`. brisk: as usual, and heard more often. */
export type TimesWord = 'usual' | 'patient' | 'brisk';

type Times = Pick<ServerConf, 'heartbeatIntervalMs' | 'heartbeatTimeoutMs' | 'heartbeatRetry'>;

export const timesOf: Readonly<Record<TimesWord, Times>> = {
  usual: { heartbeatIntervalMs: 1000, heartbeatTimeoutMs: 1000, heartbeatRetry: 0 },
  patient: { heartbeatIntervalMs: 1000, heartbeatTimeoutMs: 1500, heartbeatRetry: 1 },
  brisk: { heartbeatIntervalMs: 400, heartbeatTimeoutMs: 600, heartbeatRetry: 1 },
};

/** How often an instance is looked at, whatever the times of the heartbeat. */
export const lookEveryMs = 1000;

export const giveUpOf = (word: TimesWord): number =>
  giveUpTimeMs(serverConf({ dbInstance: '/data', ...timesOf[word] }));

export const giveUpMs = giveUpOf('usual');
