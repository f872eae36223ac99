/** The key of the inventory that lets the unit of a controller allow more, as a zod definition; what it may hold is in `base/unit-limits.ts`. */
import * as z from 'zod';
import { allowanceNames, allowances } from '../base/unit-limits.ts';

const meanings = Object.entries(allowances).map(([word, what]) => `${word}: ${what}`);

export const unitAllows = z
  .array(z.enum(allowanceNames).meta({ description: 'What its commands may do.' }))
  .meta({
    description: `What the systemd unit allows its commands besides; docs/security.md says what it takes away. ${meanings.join('. ')}.`,
    default: [],
    examples: [['privileges']],
  });
