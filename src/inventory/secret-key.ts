/** Keys of an inventory that hold a secret, as zod definitions. */
import * as z from 'zod';

/** A secret is text to zod; that it carries a tag and not clear text is for `secrets.ts` to see. */
export const secret = (description: string) =>
  z.string().meta({ description: `${description} A secret: !env NAME, !file PATH or !age |` });

export const caKey = secret(
  'Private key of the CA of the cluster (PEM, ECDSA P-256), for postgres.tls: generated. Left out: each run that needs one makes a CA, and forgets its key.',
);
