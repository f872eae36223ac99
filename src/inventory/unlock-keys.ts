/** The keys of `postgres` for a command that opens keystores before a start, as zod definitions, for all servers and for one. */
import * as z from 'zod';

const standard = '60s';

export const unlockKeys = {
  unlock_command: z
    .string()
    .meta({
      description:
        'Command that opens keystores, run before each start of the instance as the instance administrator. What it prints goes nowhere. An absolute path, and arguments behind it; docs/encryption-at-rest.md says what is added to them.',
      examples: ['/usr/local/sbin/open-keystore --from kms'],
    })
    .optional(),
  unlock_command_timeout: z
    .string()
    .meta({
      description: 'How long unlock_command may take.',
      default: standard,
      pattern: '^\\d+(\\.\\d+)?\\s*(us|ms|s|min|h|d)$',
      examples: [standard],
    })
    .optional(),
};
