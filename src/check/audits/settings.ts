/**
 * Two audits of the settings in force: what every login may see, and what only one may that sees all settings with their
 * places. They ask the same thing, so it is asked once. Pure.
 */
import type { Audit } from '../audit.ts';
import { judgeDeclared } from './declared.ts';
import { judgeDurability } from './durability.ts';
import { judgeHandMade } from './hand-made.ts';
import { type InForce, readInForce, readWhole, settingsProbe } from './in-force.ts';
import { judgeLimits, judgePeers } from './peers.ts';

export const settingsInForce: Audit<InForce> = {
  name: 'settings in force',
  probe: () => settingsProbe,
  read: readInForce,
  judge: (context, seen) => [
    ...judgeDurability(context, seen),
    ...judgeLimits(context, seen),
    ...judgeDeclared(context, seen),
  ],
};

export const placesOfSettings: Audit<InForce> = {
  name: 'places of settings',
  probe: () => settingsProbe,
  read: readWhole,
  judge: (context, seen) => [...judgePeers(context, seen), ...judgeHandMade(context, seen)],
};
