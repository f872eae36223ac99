/**
 * Somebody who has the files of one server, and calls the controller of another one by them. In: who calls, whom, by which name, by which keys. Out:
 * whether that controller has let him in. Written from ADR 30, not from the program.
 */
import type { Server } from './instance.ts';

/** `cluster`: by the cluster key alone. `pair`: by the key that can be made of what the files of `thief` hold. */
export interface Attempt {
  readonly thief: Server;
  readonly called: Server;
  readonly name: string;
  readonly by: 'cluster' | 'pair';
}

export async function speak({ thief, called, name, by }: Attempt): Promise<string> {
  const { host, managementDir } = thief;
  const said = await host.sh(`node - ${managementDir} ${called.id} ${name} ${by}`, {
    user: 'postgres',
    input: program,
    check: true,
  });
  return said.stdout.trim();
}

const program = `const fs = require('fs'), crypto = require('crypto'), tls = require('tls');
const [dir, called, name, by] = process.argv.slice(2);
const read = (file) => fs.readFileSync(dir + '/' + file, 'utf8');
const [, host, port] = read('network.conf').split('\\n').map((line) => line.split(/\\s+/)).find(([id]) => id === called);
const clusterKey = Buffer.from(read('cluster.key').trim(), 'hex');
const pair = () => {
  const der = Buffer.from(JSON.parse(read('identities.json')).servers[called], 'base64');
  const publicKey = crypto.createPublicKey({ key: der, format: 'der', type: 'spki' });
  const shared = crypto.diffieHellman({ privateKey: crypto.createPrivateKey(read('identity.key')), publicKey });
  const psk = Buffer.from(crypto.hkdfSync('sha256', shared, clusterKey, 'pgduet pair key ' + JSON.stringify([name, called].sort()), 32));
  const mark = crypto.createHash('sha256').update('pgduet pair mark ' + psk.toString('hex')).digest('hex').slice(0, 16);
  return { psk, identity: 'pair/' + mark + '/' + name };
};
const answer = by === 'pair' ? pair() : { psk: clusterKey, identity: name };
const socket = tls.connect({
  host, port: Number(port), minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2', ca: [],
  ciphers: 'ECDHE-PSK-CHACHA20-POLY1305:ECDHE-PSK-AES256-CBC-SHA384',
  checkServerIdentity: () => undefined, pskCallback: () => answer,
});
const done = (word) => { console.log(word); process.exit(0); };
socket.on('secureConnect', () => setTimeout(() => done('let in'), 500));
socket.on('close', () => done('turned away'));
socket.on('error', () => undefined);
`;
