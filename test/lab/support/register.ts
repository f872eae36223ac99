/** Who decides on a silence, as the servers of a cluster see it. In: servers. Out: what they report, or a failed expectation. */
import { expect } from 'vitest';
import { until } from '../harness/run.ts';
import type { Server } from './instance.ts';
import { managementDir } from './inventory.ts';

/** The part of `mc_ctl status --json` that says so. */
export interface RegisterReport {
  readonly arbiters: readonly { readonly id: string; readonly status: string }[];
  readonly register: { readonly members: readonly string[] } | null;
}

export async function registerReport({ host, id }: Server): Promise<RegisterReport> {
  const said = await host.sh(`mc_ctl status --json -M ${managementDir} --local-server ${id}`, {
    user: 'postgres',
    check: true,
  });
  return JSON.parse(said.stdout) as RegisterReport;
}

/** What was heard last counts for the time to give up, so that a server may be about to notice that the third party was off. */
export const untilArbiterIs = (server: Server, status: 'online' | 'offline'): Promise<true> =>
  until(
    () => `the third party does not become ${status} for ${server.id}`,
    30_000,
    async () => ((await registerReport(server)).arbiters[0]?.status === status ? true : undefined),
    300,
  );

/** Every server hears it, and knows that the promise names it. */
export async function expectNamed(servers: readonly Server[], arbiter: string): Promise<void> {
  for (const server of servers) {
    await untilArbiterIs(server, 'online');
    const { arbiters, register } = await registerReport(server);
    expect(
      arbiters.map(({ id, status }) => `${id} ${status}`),
      server.id,
    ).toEqual([`${arbiter} online`]);
    expect(register?.members, server.id).toEqual([arbiter]);
    const table = await server.host.sh(`mc_ctl status --arbiter -M ${managementDir}`, { user: 'postgres' });
    expect(table.stdout).toMatch(new RegExp(`^\\s*${arbiter} .*online`, 'm'));
  }
}
