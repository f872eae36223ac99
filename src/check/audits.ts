/** All audits: what `pgduet check` looks at besides the declared resources. A new one is added here and nowhere else. */
import type { AnyAudit } from './audit.ts';

export const audits: readonly AnyAudit[] = [];
