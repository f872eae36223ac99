/**
 * Asks reference addresses for a sign of life, in three ways at once: an echo, a datagram and a connection to ports on which
 * nobody listens, where a refusal is the answer. None of them needs a privilege. In: addresses. Out: those that answered.
 */
import { createSocket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { connect, isIP } from 'node:net';
import { runCommand } from './commands.ts';
import { TimedOut, timerMs, withTimeout } from './timer.ts';

/** Where traceroute begins; a router answers that nobody listens there. */
const udpPort = 33_434;
/** The port of the echo service. */
const tcpPort = 7;

/** The addresses that gave a sign of life within the time. All are waited for, so that each of them is known. */
export async function answering(addresses: readonly string[], timeoutMs: number): Promise<string[]> {
  const signs = await Promise.all(addresses.map((address) => answers(address, timeoutMs)));
  return addresses.filter((_, index) => signs[index]);
}

function answers(address: string, timeoutMs: number): Promise<boolean> {
  const ways = [echo(address, timeoutMs), datagram(address, timeoutMs), connection(address, timeoutMs)];
  const positive = ways.map((way) => way.then((yes) => (yes ? yes : Promise.reject(new TimedOut()))));
  return Promise.any(positive).catch(() => false);
}

/** -n: the name of the address is not asked for, which would take long when the network has failed. */
const echo = async (address: string, timeoutMs: number): Promise<boolean> =>
  (await runCommand('ping', ['-n', '-c', '1', '-W', String(Math.ceil(timeoutMs / 1000)), address], timeoutMs))
    .ok;

const isRefusal = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ECONNREFUSED';

/** Only on a connected socket the kernel hands on what ICMP says of the datagram. */
async function datagram(name: string, timeoutMs: number): Promise<boolean> {
  try {
    const { address, family } = await resolved(name, timeoutMs);
    return await new Promise((resolve) => {
      const socket = createSocket(family === 6 ? 'udp6' : 'udp4');
      const timer = setTimeout(() => done(false), timerMs(timeoutMs));
      const done = (yes: boolean): void => {
        clearTimeout(timer);
        socket.removeAllListeners('message');
        // A second error may come while it is closed.
        socket.removeAllListeners('error').on('error', () => undefined);
        socket.close();
        resolve(yes);
      };
      socket.once('message', () => done(true));
      socket.once('error', (error) => done(isRefusal(error)));
      socket.once('connect', () => socket.send('pgduet'));
      socket.connect(udpPort, address);
    });
  } catch (error) {
    return isRefusal(error);
  }
}

async function resolved(name: string, timeoutMs: number): Promise<{ address: string; family: number }> {
  const family = isIP(name);
  return family === 0 ? withTimeout(lookup(name), timeoutMs) : { address: name, family };
}

function connection(host: string, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port: tcpPort });
    const done = (yes: boolean): void => {
      socket.destroy();
      resolve(yes);
    };
    socket.setTimeout(timerMs(timeoutMs), () => done(false));
    socket.on('connect', () => done(true));
    socket.on('error', (error) => done(isRefusal(error)));
  });
}
