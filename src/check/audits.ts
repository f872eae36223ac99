/** All audits: what `pgduet check` looks at besides the declared resources. A new one is added here and nowhere else. */
import { type AnyAudit, anyAudit } from './audit.ts';
import { archiver } from './audits/archiver.ts';
import { away } from './audits/away.ts';
import { dataDirectory } from './audits/data-directory.ts';
import { fullDisks } from './audits/full-disks.ts';
import { heartbeat } from './audits/heartbeat.ts';
import { lostDirectory } from './audits/lost-directory.ts';
import { network } from './audits/network.ts';
import { newHost } from './audits/new-host.ts';
import { references } from './audits/references.ts';
import { replication } from './audits/replication.ts';
import { passwords, superusers } from './audits/roles.ts';
import { secretsAudit } from './audits/secrets.ts';
import { placesOfSettings, settingsInForce } from './audits/settings.ts';
import { slots } from './audits/slots.ts';
import { timelines } from './audits/timelines.ts';
import { tlsAudit } from './audits/tls.ts';
import { tlsClients } from './audits/tls-clients.ts';
import { tlsDemands } from './audits/tls-demands.ts';
import { nodeVersions, postgresVersions } from './audits/versions.ts';
import { walVolume } from './audits/wal-volume.ts';

export const audits: readonly AnyAudit[] = [
  anyAudit(settingsInForce),
  anyAudit(placesOfSettings),
  anyAudit(dataDirectory),
  anyAudit(replication),
  anyAudit(timelines),
  anyAudit(away),
  anyAudit(walVolume),
  anyAudit(fullDisks),
  anyAudit(slots),
  anyAudit(archiver),
  anyAudit(passwords),
  anyAudit(superusers),
  anyAudit(postgresVersions),
  anyAudit(nodeVersions),
  anyAudit(network),
  anyAudit(newHost),
  anyAudit(lostDirectory),
  anyAudit(references),
  anyAudit(heartbeat),
  anyAudit(secretsAudit),
  anyAudit(tlsAudit),
  anyAudit(tlsClients),
  anyAudit(tlsDemands),
];
