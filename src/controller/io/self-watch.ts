/**
 * What the controller does about its own failures: agent_alive_timeout ends a controller whose loop hangs, so that systemd
 * starts a new one while the instance goes on; core_file_path gets a report of Node.js when it crashes, or on SIGUSR2.
 */
import { Worker } from 'node:worker_threads';
import type { ServerConf } from '../config.ts';

/**
 * Runs as a thread, because the loop that it watches cannot watch itself. It counts its own turns, not the time: while
 * the whole process stands still it does not count either.
 */
const watcher = `
const { workerData } = require('node:worker_threads');
const beats = new Int32Array(workerData.beats);
let last = -1;
let missed = 0;
setInterval(() => {
  const now = Atomics.load(beats, 0);
  missed = now === last ? missed + 1 : 0;
  last = now;
  if (missed < workerData.turns) return;
  require('node:fs').writeSync(2, workerData.farewell);
  process.kill(process.pid, 'SIGABRT');
}, workerData.everyMs);
`;

const turns = 8;
const longestTurnMs = 60_000;

/** Ends this process by SIGABRT when its loop has not turned for `timeoutMs`. Returns what ends the watching. */
export function watchLoop(timeoutMs: number): () => void {
  const everyMs = Math.min(timeoutMs / turns, longestTurnMs);
  const beats = new SharedArrayBuffer(4);
  const counter = new Int32Array(beats);
  const farewell = `the controller does not get on (agent_alive_timeout, ${timeoutMs / 1000} s) and is ended\n`;
  const workerData = { beats, everyMs, turns: Math.ceil(timeoutMs / everyMs), farewell };
  const worker = watching(workerData);
  const timer = setInterval(() => Atomics.add(counter, 0, 1), everyMs / 2).unref();
  return () => {
    clearInterval(timer);
    void worker?.terminate();
  };
}

/** A host without room for one more thread is no reason to end what it would watch. */
function watching(workerData: object): Worker | undefined {
  const unwatched = ({ message }: Error): void =>
    void process.stderr.write(`<4>agent_alive_timeout is not watched: ${message}\n`);
  try {
    const worker = new Worker(watcher, { eval: true, workerData });
    worker.on('error', unwatched).unref();
    return worker;
  } catch (error) {
    unwatched(error instanceof Error ? error : new Error(String(error)));
    return undefined;
  }
}

/** Takes both settings over; called again with every reload. Returns what ends the watching. */
export function watchSelf(conf: Pick<ServerConf, 'agentAliveTimeoutMs' | 'coreFilePath'>): () => void {
  const report = process.report;
  const wanted = conf.coreFilePath !== undefined;
  if (conf.coreFilePath !== undefined) report.directory = conf.coreFilePath;
  report.reportOnFatalError = wanted;
  report.reportOnUncaughtException = wanted;
  report.reportOnSignal = wanted;
  return conf.agentAliveTimeoutMs > 0 ? watchLoop(conf.agentAliveTimeoutMs) : () => undefined;
}
