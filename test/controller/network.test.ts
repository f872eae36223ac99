/** The admin link over loopback: peers with the key are heard; unknown peers get nothing and hurt nobody. */
import { connect as tcpConnect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as tlsConnect } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { Secret } from '../../src/base/secret.ts';
import { serverConf } from '../../src/controller/config.ts';
import { AdminLink } from '../../src/controller/io/network.ts';
import { view } from './support/conversation.ts';
import { freePorts } from './support/pair.ts';

const key = new Secret('ab'.repeat(32));
const conf = serverConf({
  dbInstance: '/a',
  heartbeatIntervalMs: 100,
  heartbeatTimeoutMs: 1000,
  remoteCallTimeoutMs: 300,
});
const open: AdminLink[] = [];
afterEach(() => {
  for (const link of open.splice(0)) link.close();
});

const linesOf = (ports: readonly number[]) =>
  ports.map((port, index) => ({ id: `server${index + 1}`, host: '127.0.0.1', port }));

function makeLink(id: string, ports: readonly number[], secret = key) {
  const servers = linesOf(ports);
  const self = servers.find((line) => line.id === id);
  if (!self) throw new Error(id);
  const seen: string[] = [];
  const settings = { self, servers, conf, key: secret };
  const link = new AdminLink(settings, () => view(id, id === 'server1' ? 'primary' : 'standby'), {
    heard: (peer, it) => seen.push(`heard ${peer} ${it.role}`),
    refused: (peer) => seen.push(`refused ${peer}`),
    unknownPeer: (from) => seen.push(`unknown ${from}`),
    request: (peer, number, request) => {
      seen.push(`request ${peer} ${request.kind}`);
      if (made.later) made.open.push(number);
      else link.answer(peer, number, { ok: true, text: 'stopped' });
    },
    reply: (peer, asked, { ok, text }) => {
      seen.push(`reply ${peer} ${ok} ${text}`);
      made.answered.push(asked);
    },
  });
  const made = {
    link,
    seen,
    settings,
    beat: () => link.heartbeat(view(id, id === 'server1' ? 'primary' : 'standby')),
    /** What is asked here is answered by the test. */
    later: false,
    open: [] as number[],
    answered: [] as number[],
  };
  open.push(link);
  return made;
}

async function until(condition: () => boolean): Promise<void> {
  for (let waited = 0; waited < 3000 && !condition(); waited += 10) await sleep(10);
}

const tls = { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2', ciphers: 'ECDHE-PSK-CHACHA20-POLY1305' } as const;

function tlsClient(port: number, identity: string, psk: Buffer) {
  return tlsConnect({
    ...tls,
    host: '127.0.0.1',
    port,
    checkServerIdentity: () => undefined,
    pskCallback: () => ({ psk, identity }),
  });
}

describe('the admin link', () => {
  it('peers hear each other, and one request gets one answer', async () => {
    const ports = await freePorts(2);
    const one = makeLink('server1', ports);
    const two = makeLink('server2', ports);
    await Promise.all([one.link.listen(), two.link.listen()]);
    one.beat();
    await until(
      () => one.seen.includes('heard server2 standby') && two.seen.includes('heard server1 primary'),
    );
    one.link.ask('server2', 1, { kind: 'stop', mcOnly: false, force: false });
    two.beat();
    await until(() => one.seen.some((it) => it.startsWith('reply')) || two.seen.length > 3);
    two.link.ask('server1', 1, { kind: 'stop', mcOnly: false, force: false });
    await until(() => two.seen.some((it) => it.startsWith('reply')));
    expect(one.seen).toContain('heard server2 standby');
    expect(two.seen).toContain('heard server1 primary');
    expect(two.seen).toContain('request server1 stop');
    expect(one.seen.concat(two.seen).filter((it) => it.startsWith('reply'))).toContain(
      'reply server2 true stopped',
    );
  });

  it('two requests at a time get their answers, each its own', async () => {
    const ports = await freePorts(2);
    const one = makeLink('server1', ports);
    const two = makeLink('server2', ports);
    two.later = true;
    await Promise.all([one.link.listen(), two.link.listen()]);
    one.beat();
    await until(() => one.seen.includes('heard server2 standby'));
    one.link.ask('server2', 7, { kind: 'detach', noFencing: false });
    one.link.ask('server2', 8, { kind: 'abort-switch' });
    await until(() => two.open.length === 2);
    const [first = 0, second = 0] = two.open;
    two.link.answer('server1', second, { ok: true, text: 'second' });
    two.link.answer('server1', second, { ok: true, text: 'again' });
    // That of a start of this controller before the present one.
    two.link.answer('server1', 1, { ok: true, text: 'an old one' });
    two.link.answer('server1', first, { ok: false, text: 'first' });
    const replies = () => one.seen.filter((it) => it.startsWith('reply'));
    await until(() => replies().length > 1);
    expect(replies()).toEqual(['reply server2 true second', 'reply server2 false first']);
    expect(one.answered).toEqual([8, 7]);
  });

  it('goes to another port, and is heard at the former one until every peer has called the new one', async () => {
    const [first = 0, other = 0, next = 0, taken = 0] = await freePorts(4);
    const one = makeLink('server1', [first, other]);
    const two = makeLink('server2', [first, other]);
    const third = makeLink('server1', [taken, other]);
    await Promise.all([one.link.listen(), two.link.listen(), third.link.listen()]);
    const isOpen = (port: number): Promise<boolean> =>
      new Promise((resolve) => {
        const socket = tcpConnect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false));
        setTimeout(() => socket.destroy(), 500).unref();
      });
    // What cannot be had changes nothing.
    await expect(one.link.listen({ host: '127.0.0.1', port: taken })).rejects.toThrow('EADDRINUSE');
    await one.link.listen({ host: '127.0.0.1', port: next });
    // A name of the same place is the same place.
    await one.link.listen({ host: 'localhost', port: next });
    two.beat();
    await until(() => one.seen.includes('heard server2 standby'));
    expect([await isOpen(first), await isOpen(next)]).toEqual([true, true]);

    two.link.update({ ...two.settings, servers: linesOf([next, other]) });
    one.seen.length = 0;
    two.beat();
    await until(() => one.seen.includes('heard server2 standby'));
    expect(one.seen).toContain('heard server2 standby');
    expect([await isOpen(first), await isOpen(next)]).toEqual([false, true]);
  });

  it('says when nobody listens, and a request to nobody fails at once', async () => {
    const one = makeLink('server1', await freePorts(2));
    one.beat();
    await until(() => one.seen.length > 0);
    one.link.ask('server2', 1, { kind: 'stop', mcOnly: false, force: false });
    expect(one.seen).toEqual(['refused server2', 'reply server2 false it cannot be reached']);
  });

  it('another key is turned away on both sides', async () => {
    const ports = await freePorts(2);
    const one = makeLink('server1', ports);
    const two = makeLink('server2', ports, new Secret('cd'.repeat(32)));
    await Promise.all([one.link.listen(), two.link.listen()]);
    two.beat();
    await until(() => one.seen.length > 0 && two.seen.length > 0);
    expect(one.seen).toEqual(['unknown 127.0.0.1']);
    expect(two.seen).toEqual(['unknown server1']);
  });

  it('no key, an unknown name and junk get nothing', async () => {
    const ports = await freePorts(2);
    const one = makeLink('server1', ports);
    await one.link.listen();
    const port = ports[0] ?? 0;
    const heardBytes: string[] = [];
    const attempts = [
      tlsConnect({ host: '127.0.0.1', port, rejectUnauthorized: false }),
      tlsClient(port, 'server9', Buffer.alloc(32, 0xab)),
      tlsClient(port, 'server2', Buffer.alloc(32, 1)),
      tcpConnect(port, '127.0.0.1', function (this: unknown) {
        (attempts[3] as ReturnType<typeof tcpConnect>).write('GET / HTTP/1.0\r\n\r\n{"kind":"heartbeat"}\n');
      }),
    ];
    const closed = attempts.map((socket) => {
      socket.on('data', (chunk: Buffer) => heardBytes.push(chunk.toString('latin1')));
      socket.on('error', () => socket.destroy());
      return new Promise((resolve) => socket.on('close', resolve));
    });
    await Promise.all(closed);
    // A TLS alert of a few bytes may come back to who speaks no TLS; never a message.
    expect(heardBytes.join('')).not.toMatch(/server1|primary|[{}]/);
    expect(one.seen.every((it) => it === 'unknown 127.0.0.1')).toBe(true);
    expect(one.seen.length).toBeGreaterThan(0);
  });

  it('a peer that sends too much, or another shape, is cut off', async () => {
    const ports = await freePorts(2);
    const one = makeLink('server1', ports);
    await one.link.listen();
    const send = async (text: string): Promise<void> => {
      const socket = tlsClient(ports[0] ?? 0, 'server2', Buffer.from('ab'.repeat(32), 'hex'));
      socket.on('error', () => socket.destroy());
      const end = new Promise((resolve) => socket.on('close', resolve));
      socket.on('secureConnect', () => socket.write(text));
      await end;
    };
    await send('x'.repeat(200_000));
    await send('not json\n');
    await send('{"v":1,"kind":"heartbeat","view":{"id":"server1"}}\n');
    await send('{"v":99,"kind":"heartbeat"}\n');
    expect(one.seen.filter((it) => it.startsWith('heard'))).toEqual([]);
    expect(one.seen.length).toBeGreaterThan(0);
  });

  it('a crowd of silent unknown peers does not keep a peer out', async () => {
    const ports = await freePorts(2);
    const one = makeLink('server1', ports);
    const two = makeLink('server2', ports);
    await one.link.listen();
    const crowd = Array.from({ length: 60 }, () => tcpConnect(ports[0] ?? 0, '127.0.0.1'));
    for (const socket of crowd) socket.on('error', () => socket.destroy());
    await sleep(100);
    two.beat();
    await until(() => two.seen.length > 0);
    expect(two.seen[0]).toBe('heard server1 primary');
    for (const socket of crowd) socket.destroy();
  });
});
