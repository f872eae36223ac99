/** Certificates in the text of a PEM file. Pure. */
import { X509Certificate } from 'node:crypto';

const block = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

/** Each as a text of its own; none where one of them cannot be read. */
export function certificatesIn(text: string): readonly string[] {
  const blocks = text.match(block) ?? [];
  return blocks.every(isCertificate) ? blocks : [];
}

function isCertificate(text: string): boolean {
  try {
    return new X509Certificate(text).subject !== undefined;
  } catch (error) {
    if (error instanceof Error) return false;
    throw error;
  }
}
