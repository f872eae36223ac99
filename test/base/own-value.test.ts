/** Words that every object answers to mean nothing where a word of somebody is looked up. */
import { expect, it } from 'vitest';
import { ownValue } from '../../src/base/own-value.ts';
import { parseDurationMs, parseSizeBytes } from '../../src/base/units.ts';
import { parseNetworkConf } from '../../src/controller/config-parse.ts';
import { parseInventory } from '../../src/inventory/load.ts';
import { fakeLookups } from '../inventory/lookups.ts';

const words = ['constructor', 'toString', 'valueOf', 'hasOwnProperty', '__proto__'];

it.each(words)('%s is no value, no unit and no variable', async (word) => {
  expect(ownValue({ a: 1 }, word)).toBeUndefined();
  expect([parseDurationMs(`5 ${word}`), parseSizeBytes(`5${word}`)]).toEqual([undefined, undefined]);
  const text = `${inventory('server2')}secrets: { replication_password: !env ${word} }\n`;
  const read = await parseInventory(text, 'i.yml', { ...fakeLookups(), env: {} });
  expect(read.ok ? [] : read.diagnostics.map(({ code, what }) => [code, what])).toEqual([
    ['INV011', `the environment variable ${word} is not set`],
  ]);
});

it.each(words)('%s names no host, in an inventory and in network.conf', async (word) => {
  const read = await parseInventory(inventory(word), 'i.yml', fakeLookups());
  expect(read.ok ? [] : read.diagnostics.map(({ code, what }) => [code, what])).toEqual([
    ['INV009', expect.stringContaining(`'${word}' cannot be the name of a host`)],
  ]);
  const network = parseNetworkConf(`server1 127.0.0.1 1\n${word} 127.0.0.1 2\n`, 'network.conf');
  expect(network.ok ? [] : network.diagnostics.map(({ code }) => code)).toEqual(['MCF005']);
});

const inventory = (standby: string): string => `cluster: inst1
postgres: { version: 15, data_dir: /database/inst1 }
multiplexing: { management_dir: /mcdir/inst1, on_heartbeat_loss: message }
hosts:
  server1: { address: 192.0.2.100, role: primary }
  ${standby}: { address: 192.0.2.110, role: standby }
`;
