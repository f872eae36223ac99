/** A renewal that is under way is told once: what differs because of it is no finding of its own, and what differs besides stays one. */
import { describe, expect, it } from 'vitest';
import { Secret } from '../../src/base/secret.ts';
import { isOfRenewal } from '../../src/check/renewing.ts';
import type { HostView } from '../../src/observe/survey.ts';
import { clusterOf, pairInventory, serverNamed } from '../observe/cluster.ts';

const [old, fresh, other] = ['old', 'new', 'other'].map((text) => new Secret(text));
const turn = { from: old as Secret, to: fresh as Secret };
const both = { key: turn, password: turn };

async function told(standby: HostView, primary: HostView, code: 'FIL006' | 'PWD002' = 'FIL006') {
  const cluster = await clusterOf(pairInventory);
  const { multiplexing } = serverNamed(cluster, 'server2');
  const view = {
    primary: 'server1',
    hosts: new Map([
      ['server1', primary],
      ['server2', standby],
    ]),
  };
  const object =
    code === 'FIL006' ? `${multiplexing.managementDir}/cluster.key` : '/home/.pgpass 192.0.2.1:5432';
  return !isOfRenewal(cluster, view, { code, host: 'server2', object, found: 'another password' });
}
const uses = (value: Secret | undefined, renewal?: HostView['renewal']): HostView => ({
  ...(value ? { clusterKey: value, replicationPassword: value } : {}),
  ...(renewal ? { renewal } : {}),
});

describe.each(['FIL006', 'PWD002'] as const)('%s', (code) => {
  it('is none while both servers know both values', async () => {
    expect(await told(uses(old, both), uses(fresh, both), code)).toBe(false);
    expect(await told(uses(fresh, both), uses(old, both), code)).toBe(false);
  });

  it('is one where one of them knows of no renewal, or uses a value that it does not name', async () => {
    expect(await told(uses(old), uses(fresh), code)).toBe(true);
    expect(await told(uses(old, both), uses(fresh), code)).toBe(true);
    expect(await told(uses(old), uses(fresh, both), code)).toBe(true);
    expect(await told(uses(other, both), uses(fresh, both), code)).toBe(true);
    expect(await told(uses(undefined, both), uses(fresh, both), code)).toBe(true);
  });
});
