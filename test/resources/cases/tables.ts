/** The tables of all kinds. */
import type { KindCases } from '../cases.ts';
import { adopts } from './adopting.ts';
import { arbitration } from './arbitration.ts';
import { controllers } from './controllers.ts';
import { files } from './files.ts';
import { firewalls } from './firewall.ts';
import { identifying } from './identities.ts';
import { mirroring } from './mirroring.ts';
import { namesCases } from './names.ts';
import { operatingCases } from './operating.ts';
import { postgres } from './postgres.ts';
import { rebuilding } from './rebuilding.ts';
import { recording } from './recording.ts';
import { recovering } from './recovering.ts';
import { remembering } from './remembering.ts';
import { renewing } from './renewing.ts';
import { surroundings } from './surroundings.ts';
import { switching } from './switching.ts';
import { system } from './system.ts';
import { tearing } from './tearing.ts';
import { tlsCases } from './tls.ts';

export const tables: readonly KindCases[] = [
  ...namesCases,
  ...system,
  ...surroundings,
  ...files,
  ...firewalls,
  ...postgres,
  ...controllers,
  ...mirroring,
  ...arbitration,
  ...remembering,
  ...renewing,
  ...identifying,
  ...switching,
  ...operatingCases,
  ...rebuilding,
  ...recording,
  ...recovering,
  ...adopts,
  ...tearing,
  ...tlsCases,
];
