/** `pgduet rolling-update` before its first move, and what is said of an end. */
import { describe, expect, it, vi } from 'vitest';
import { DiagnosticError } from '../../src/base/diagnostic.ts';
import { exitCode } from '../../src/base/exit-codes.ts';
import { endWords, goOn } from '../../src/verbs/rolling/go-on.ts';
import { rollingUpdate, write } from '../../src/verbs/rolling-update.ts';
import type { World } from '../../src/verbs/world.ts';
import { clusterOf, pairInventory } from '../observe/cluster.ts';
import { fakeHosts } from './fakes.ts';
import { orderFor } from './samples.ts';

vi.mock('../../src/verbs/inventory.ts', () => ({
  inventory: async () => ({ cluster: await clusterOf(pairInventory), warnings: [] }),
}));

const problem = async (attempt: Promise<unknown>): Promise<DiagnosticError> => {
  const error: unknown = await attempt.then(
    () => undefined,
    (one: unknown) => one,
  );
  if (error instanceof DiagnosticError) return error;
  throw new Error('it did not fail as it should');
};

describe('an order', () => {
  it('that one host cannot keep is open on none', async () => {
    const hosts = await fakeHosts(orderFor({ pause: true }, { id: '00000000' }));
    const order = orderFor({ pause: true });
    hosts.refuse = (server, script) => (server === 'server3' && script.includes('/order') ? 1 : 0);
    const { diagnostics } = await problem(write(hosts.update, order, []));
    expect(diagnostics[0]?.what).toBe('server3 cannot keep what is to be done');
    expect(hosts.file('server2', 'order')).toContain('0badcafe');
    expect(hosts.file('server2', 'ended')).toBe('0badcafe aborted');
  });

  it('that only root can read is not called none', async () => {
    const hosts = await fakeHosts(orderFor({ pause: true }));
    const seen = await hosts.update.fleet.look();
    const [[name, host] = ['', undefined]] = [...seen.hosts];
    if (!host) throw new Error('no host');
    const blind = { ...seen, hosts: new Map([[name, { ...host, isRoot: false, order: '' }]]) };
    const request = { kind: 'continue', skip: [], despite: [], again: false, done: false } as const;
    const { diagnostics } = await problem(goOn(hosts.update, request, blind));
    expect(diagnostics[0]?.why).toContain('do not run as root');
  });
});

it('an interruption before the first move is one, whatever the closed connection made of it', async () => {
  const abort = new AbortController();
  const world = {
    options: { check: true, json: true },
    interrupted: abort.signal,
    lockOwner: () => 'alice',
    elapsed: () => 0,
    nonce: () => 'nonce',
    transport: {
      open: async () => {
        abort.abort();
        throw new DiagnosticError(
          [{ code: 'CON007', what: 'the connection broke', why: 'closed', fix: 'Again.' }],
          exitCode.unreachable,
        );
      },
    },
  } as unknown as World;
  const given = { arguments: new Map(), options: new Map([['pause', true as const]]) };
  const { exitCode: status } = await problem(rollingUpdate(world, given as never));
  expect(status).toBe(exitCode.interrupted);
});

it('an end says that it does nothing of what is open', () => {
  expect(endWords(['server2'], [])).toContain('server2 comes back');
  expect(endWords(['server2'], ['server2'])).toContain('no server has to come back');
});
