/**
 * Commands of the configuration and reference addresses: runs a program with a limit of time, and asks whether the world
 * outside can be reached. In: a path and arguments. Out: whether it ended with 0, and why not. Never throws.
 */
import { execFile } from 'node:child_process';
import { connect } from 'node:net';
import { timerMs } from './timer.ts';

export interface CommandResult {
  readonly ok: boolean;
  readonly why: string;
}

/** The fixed word that the commands get as their last argument: which centre this is. There is only one. */
export const centre = 'primarycenter';

export function runCommand(path: string, args: readonly string[], timeoutMs: number): Promise<CommandResult> {
  return new Promise((resolve) => {
    const limits = { timeout: timerMs(timeoutMs), killSignal: 'SIGKILL', maxBuffer: 1024 * 1024 } as const;
    execFile(path, [...args], limits, (error, _stdout, stderr) => {
      if (!error) return resolve({ ok: true, why: 'exit status 0' });
      const said = stderr.trim().split('\n').at(-1) ?? '';
      const how = error.killed
        ? `no answer within ${timeoutMs / 1000} s`
        : typeof error.code === 'number'
          ? `exit status ${error.code}`
          : error.message;
      resolve({ ok: false, why: said === '' ? how : `${how}: ${said.slice(0, 300)}` });
    });
  });
}

/** True as soon as one of the addresses gives a sign of life: an echo, or an answer to a connection, even a refusal. */
export async function reachesAny(addresses: readonly string[], timeoutMs: number): Promise<boolean> {
  const signs = addresses.flatMap((address) => [echo(address, timeoutMs), answers(address, timeoutMs)]);
  const positive = signs.map((sign) =>
    sign.then((yes) => (yes ? true : Promise.reject(new Error('silent')))),
  );
  return Promise.any(positive).catch(() => false);
}

const echo = async (address: string, timeoutMs: number): Promise<boolean> =>
  (await runCommand('/bin/ping', ['-c', '1', '-W', String(Math.ceil(timeoutMs / 1000)), address], timeoutMs))
    .ok;

function answers(host: string, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port: 7 });
    const done = (yes: boolean): void => {
      socket.destroy();
      resolve(yes);
    };
    socket.setTimeout(timerMs(timeoutMs), () => done(false));
    socket.on('connect', () => done(true));
    socket.on('error', (error: Error & { code?: string }) => done(error.code === 'ECONNREFUSED'));
  });
}
