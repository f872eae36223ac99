/** All audits: what `pgduet check` looks at besides the declared resources. A new one is added here and nowhere else. */
import { type AnyAudit, anyAudit } from './audit.ts';
import { placesOfSettings, settingsInForce } from './audits/settings.ts';

export const audits: readonly AnyAudit[] = [anyAudit(settingsInForce), anyAudit(placesOfSettings)];
