/**
 * What passes on the cable of a lab host, as somebody reads along who is root on the way: a raw socket (AF_PACKET) for all packets but those of
 * loopback, as tcpdump opens it. In: a host, and words that would have to be seen in the clear. Out: how often each was. It changes nothing.
 */
import { expect } from 'vitest';
import type { Host } from '../harness/lab.ts';
import { until } from '../harness/run.ts';

export interface Heard {
  readonly packets: number;
  readonly bytes: number;
  /** Packets that came too fast: of these nobody knows what stood in them. */
  readonly dropped: number;
  /** How many packets held each word. */
  readonly seen: Readonly<Record<string, number>>;
}

/** The first line that it says: it listens. At the end of a TCP packet a word may be cut: what is asked for stands in many of them. */
const program = `import json, signal, socket, struct, sys
words = [word.encode() for word in sys.argv[1:]]
heard = {'packets': 0, 'bytes': 0, 'dropped': 0, 'seen': {word.decode(): 0 for word in words}}
wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
wire.setsockopt(socket.SOL_SOCKET, 33, 64 << 20)
wire.settimeout(0.2)
ended = False
def end(*_):
    global ended
    ended = True
signal.signal(signal.SIGTERM, end)
open('/run/wire.ready', 'w').close()
while True:
    try:
        packet, where = wire.recvfrom(1 << 18)
    except socket.timeout:
        if ended: break
        continue
    if where[0] == 'lo': continue
    heard['packets'] += 1
    heard['bytes'] += len(packet)
    for word in words:
        if word in packet: heard['seen'][word.decode()] += 1
heard['dropped'] = struct.unpack('II', wire.getsockopt(263, 6, 8))[1]
json.dump(heard, open('/run/wire.new', 'w'))
import os
os.rename('/run/wire.new', '/run/wire.json')
`;

/** Runs `work` while somebody listens on the cable of this host. */
export async function onTheWire(
  host: Host,
  words: readonly string[],
  work: () => Promise<unknown>,
): Promise<Heard> {
  await host.sh(
    `rm -f /run/wire.*; cat > /run/wire.py; systemd-run -q --collect --unit=wire python3 /run/wire.py ${words.join(' ')}`,
    { input: program, check: true },
  );
  const there = async (path: string) => (await host.sh(`test -e ${path}`)).status === 0 || undefined;
  await until(
    () => 'nobody listens on the cable',
    20_000,
    () => there('/run/wire.ready'),
  );
  try {
    await work();
  } finally {
    await host.sh('systemctl kill wire');
  }
  await until(
    () => 'who listened on the cable does not say what was heard',
    30_000,
    () => there('/run/wire.json'),
  );
  return JSON.parse((await host.sh('cat /run/wire.json', { check: true })).stdout) as Heard;
}

/** Something has passed, all of it was looked at, and none of the words could be read. */
export function expectUnread({ packets, dropped, seen }: Heard, atLeast = 20): void {
  expect(packets).toBeGreaterThan(atLeast);
  expect(dropped).toBe(0);
  expect(Object.entries(seen).filter(([, count]) => count > 0)).toEqual([]);
}
