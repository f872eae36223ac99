/**
 * The programs of a cluster, each by itself: the last released one or the present one on a server. In: the servers. Out: what runs
 * where, and what was said. It brings a program as provision does, the file first and then a restart of the controller alone.
 */
import { readFileSync } from 'node:fs';
import { controllerVersion } from '../../../src/controller/version.ts';
import { released } from '../../released/released.ts';
import { fileText, type Server, untilSwitchable } from './instance.ts';

export interface Program {
  readonly version: string;
  readonly text: string;
}

export const lastRelease: Program = released('mc');
export const presentProgram: Program = {
  version: controllerVersion,
  text: readFileSync(new URL('../../../dist/mc.cjs', import.meta.url), 'utf8'),
};

const bundle = '/usr/local/lib/pgduet/mc.cjs';

export const stopController = (server: Server) =>
  server.host.sh(`mc_ctl stop --mc-only -M ${server.managementDir} --local-server ${server.id}`, {
    user: 'postgres',
    check: true,
  });

export async function runProgram({ text }: Program, server: Server, all: readonly Server[]): Promise<void> {
  await server.host.sh(`cat >${bundle}.new && mv ${bundle}.new ${bundle}`, { input: text, check: true });
  await stopController(server);
  await server.host.sh(
    `while systemctl -q is-active ${server.unit}; do sleep 0.05; done
systemctl start ${server.unit}`,
    { check: true },
  );
  await Promise.all(all.map(untilSwitchable));
}

/** The last release, with the configuration of its time: it starts on nothing that it does not know. */
export async function goBack(server: Server, all: readonly Server[]): Promise<void> {
  const conf = `${server.managementDir}/${server.id}.conf`;
  const later =
    '/^(db_instance_failover_delay|takeover|takeover_priority|replication|log_transfer_addresses) /d';
  const words = `s/^(db_instance_timeout_action = ).*/\\1message/; ${later}`;
  // Of its time is no key of a server: nobody demands one of it.
  await Promise.all(all.map(forgetIdentities));
  await server.host.sh(`sed -Ei '${words}' ${conf}`, { user: 'postgres', check: true });
  await runProgram(lastRelease, server, all);
}

const forgetIdentities = ({ host, managementDir, unit }: Server) =>
  host.sh(
    `cd ${managementDir} && rm -f identity.key identities.json ./*.proven.json && systemctl reload ${unit}`,
    { check: true },
  );

/** Of each server, as the controller of this one knows it. */
export function versionsAt(server: Server): readonly (string | null)[] {
  const text = fileText(server.host, `${server.managementDir}/${server.id}.status.json`);
  const status = JSON.parse(text) as { servers: { controller_version: string | null }[] };
  return status.servers.map((it) => it.controller_version);
}

export const secondsAt = async ({ host }: Server): Promise<string> =>
  (await host.sh('date +%s')).stdout.trim();

/** What the controllers have said since then. */
export async function journalsSince(servers: readonly Server[], since: string): Promise<string> {
  const said = servers.map(({ host, unit }) =>
    host.sh(`journalctl --sync; journalctl -u ${unit} --since '@${since}' -o cat`),
  );
  return (await Promise.all(said)).map(({ stdout }) => stdout).join('\n');
}
