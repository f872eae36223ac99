/**
 * SCRAM-SHA-256 verifiers ("Password Authentication", RFC 5802 and 7677), so that a clear password never reaches
 * the server or its log. Pure: the salt comes from the caller.
 */
import { createHash, createHmac, pbkdf2Sync, timingSafeEqual } from 'node:crypto';

const iterations = 4096;

/** As the server prepares a password (SASLprep, RFC 4013): characters that stand for nothing are left out. */
const nothing = /[\u00ad\u1806\u200b-\u200d\u2060\ufeff]|\u034f|[\u180b-\u180d]|[\ufe00-\ufe0f]/gu;
const prepared = (password: string): string => password.replace(nothing, '').normalize('NFKC');

function keys(password: string, salt: Buffer, rounds: number): { storedKey: Buffer; serverKey: Buffer } {
  const salted = pbkdf2Sync(prepared(password), salt, rounds, 32, 'sha256');
  const clientKey = createHmac('sha256', salted).update('Client Key').digest();
  return {
    storedKey: createHash('sha256').update(clientKey).digest(),
    serverKey: createHmac('sha256', salted).update('Server Key').digest(),
  };
}

/** The text that pg_authid.rolpassword holds. `salt` is 16 bytes. */
export function scramVerifier(password: string, salt: Buffer): string {
  const { storedKey, serverKey } = keys(password, salt, iterations);
  return `SCRAM-SHA-256$${iterations}:${salt.toString('base64')}$${storedKey.toString('base64')}:${serverKey.toString('base64')}`;
}

/** Is this the verifier of this password? Any other form of rolpassword is not. */
export function verifies(verifier: string, password: string): boolean {
  const match = /^SCRAM-SHA-256\$(\d+):([^$]+)\$([^:]+):(.+)$/.exec(verifier);
  if (!match) return false;
  const { storedKey } = keys(password, Buffer.from(match[2] ?? '', 'base64'), Number(match[1]));
  const stored = Buffer.from(match[3] ?? '', 'base64');
  return stored.length === storedKey.length && timingSafeEqual(stored, storedKey);
}
