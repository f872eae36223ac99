/**
 * A network that is far away: a TCP proxy that hands every piece of data on as late as it would arrive over a long line, in
 * both directions. In: where to, and the delay in ms in one direction. Out: a port of this machine. It limits no throughput:
 * what comes while something waits is under way at the same time.
 */
import { connect, createServer } from 'node:net';

/** Resolves to the port, and to a function that ends the proxy with everything that goes through it. */
export function delayingProxy({ host, port, delayMs }) {
  const open = new Set();
  const server = createServer({ noDelay: true }, (near) => {
    // The three steps of a TCP connection take a round trip before the first byte can be sent.
    const far = later(2 * delayMs, () => connect({ host, port, noDelay: true }));
    open.add(near);
    near.on('close', () => open.delete(near));
    near.on('error', () => near.destroy());
    far.then((socket) => {
      open.add(socket);
      socket.on('close', () => open.delete(socket));
      socket.on('error', () => socket.destroy());
      if (near.destroyed) return socket.destroy();
      carry(near, socket, delayMs);
      carry(socket, near, delayMs);
    });
  });
  return new Promise((resolve, reject) => {
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () =>
      resolve({
        port: server.address().port,
        close: () => {
          server.close();
          for (const socket of open) socket.destroy();
        },
      }),
    );
  });
}

/** Timers of the same length fire in the order in which they were set, so the bytes keep theirs. */
function carry(from, to, delayMs) {
  from.on('data', (chunk) => later(delayMs, () => to.destroyed || to.write(chunk)));
  from.on('end', () => later(delayMs, () => to.end()));
  from.on('close', () => later(delayMs, () => to.destroy()));
}

const later = (ms, work) => new Promise((resolve) => setTimeout(() => resolve(work()), ms));
