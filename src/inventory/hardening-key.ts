/** The key `postgres.hardening` as a zod definition; what a level holds is in `postgres/hardening.ts`. */
import * as z from 'zod';
import { hardeningLevels } from '../postgres/hardening.ts';

export const hardeningKey = z.enum(hardeningLevels).meta({
  description:
    'What an auditor asks of the configuration: standard is what costs next to nothing, cis what costs a little more, with pgAudit and set_user from their packages (docs/security.md has both). settings win over it. Left out: neither.',
});
