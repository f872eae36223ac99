/**
 * A look: what a host answered, by probe. The same look answers every resource that asks what was asked, so that
 * learning the roles of the hosts costs no second round trip. In: a session. Out: Looks. Changes nothing on the host.
 */
import { identitiesFile, identityFile } from '../base/identities.ts';
import { quote } from '../base/shell.ts';
import type { Server } from '../inventory/cluster.ts';
import type { Probe, ProbeReply } from '../resources/contract/kind.ts';
import { controllerPidFile, preamble } from '../resources/contract/preamble.ts';
import { makingFile, systemFile } from '../resources/data/data-directory.ts';
import type { Reply, Session } from '../transport/port.ts';
import { ask, type Question, type Shared } from './question.ts';
import { clusterKeyFile } from './survey.ts';

export type Look = ReadonlyMap<string, ProbeReply>;

const probeKey = (probe: Probe): string =>
  [probe.shell, probe.sql, probe.stat, probe.sum].map((text) => text ?? '').join('\0');

/** The preamble for scripts on a host with this server, or without one. */
export const hostPreamble = (server: Server | undefined): string => {
  if (server === undefined) return preamble(undefined);
  const { version, owner, socketDir, port, binDir, passfile } = server.postgres;
  const found = { ...(binDir ? { binDir } : {}), ...(passfile ? { passfile } : {}) };
  return preamble({ postgresVersion: version, owner, socketDir, port, ...found });
};

/** The question for these probes, without its preamble where a batch stands in front of it. */
export const question = (
  server: Server | undefined,
  probes: readonly Probe[],
  nonce: string,
  withPreamble: boolean,
): Question =>
  ask(withPreamble ? hostPreamble(server) : '', probes, nonce, server?.postgres, server && sharedBy(server));

function sharedBy(server: Server): Shared {
  const { name: id, postgres, multiplexing } = server;
  const { managementDir } = multiplexing;
  const place = { id, managementDir, dataDir: postgres.dataDir };
  const paths = [
    controllerPidFile(place),
    `${managementDir}/${id}.status.json`,
    `${managementDir}/${id}.state.json`,
    clusterKeyFile(server),
    `${managementDir}/${identityFile}`,
    `${managementDir}/${identitiesFile}`,
    makingFile(place),
    systemFile(place),
    `${postgres.dataDir}/postmaster.pid`,
    `${postgres.dataDir}/PG_VERSION`,
    ...['postgresql.conf', 'postgresql.auto.conf', 'pg_hba.conf'].map(
      (name) => `${postgres.dataDir}/${name}`,
    ),
  ];
  const [dataDir, socketDir] = [quote(postgres.dataDir), quote(postgres.socketDir)];
  return { dataDir, socketDir, files: ['"$PASSFILE"', ...paths.map(quote)] };
}

export const readLook = (probes: readonly Probe[], asked: Question, reply: Reply): Look => {
  const replies = asked.read(reply);
  return new Map(
    probes.flatMap((probe, index) => {
      const found = replies[index];
      return found ? [[probeKey(probe), found] as const] : [];
    }),
  );
};

export async function look(
  session: Session,
  server: Server | undefined,
  probes: readonly Probe[],
  nonce: string,
): Promise<Look> {
  const asked = question(server, probes, nonce, true);
  return readLook(probes, asked, await session.run(asked.script));
}

/** What was answered to this probe; undefined when it was not asked. */
export const answerTo = (seen: Look, probe: Probe): ProbeReply | undefined => seen.get(probeKey(probe));
