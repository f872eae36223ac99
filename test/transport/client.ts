/**
 * The program that `client-process.ts` starts and kills: opens a session on a host, takes a lock, runs a script, and
 * says on stdout when the script has written its first line. In: one JSON argument.
 */
import { openTransport } from '../../src/transport/open.ts';
import { type HostWish, sampleHost } from './samples.ts';

export interface ClientOrder {
  readonly wish: HostWish;
  readonly cluster: string;
  readonly script: string;
}

const order = JSON.parse(process.argv[2] ?? '{}') as ClientOrder;
const transport = openTransport({ acceptNewHostKeys: false, env: { home: '/nonexistent', user: 'root' } });
const session = await transport.open(sampleHost(order.wish));
console.log(JSON.stringify(await session.lock({ cluster: order.cluster, owner: 'the client', waitMs: 0 })));
await session.run(order.script, { onLine: (line) => console.log(line) });
