/**
 * The certificates that an etcd is trusted by: a file of this machine becomes text. In: a draft. Out: the text, or what is wrong
 * with the file. Looks at it, changes nothing.
 */
import { certificatesIn } from '../base/certificates.ts';
import type { Diagnostic } from '../base/diagnostic.ts';
import { type Draft, localPath } from './draft.ts';

export interface Certificates {
  /** Undefined where none are asked for, or none could be read. */
  readonly text?: string;
  readonly problems: readonly Diagnostic[];
}

export async function readCertificates(draft: Draft): Promise<Certificates> {
  const written = draft.data.arbiter?.ca;
  if (written === undefined) return { problems: [] };
  const told = (what: string, why: string, fix: string): Certificates => ({
    problems: [{ code: 'INV011', what, why, fix, at: draft.valueAt('arbiter', 'ca') }],
  });
  const path = localPath(written, draft.file, draft.lookups);
  const facts = await draft.lookups.stat(path);
  const fix =
    'Name the file with the certificates of the authority that signs those of etcd (its --trusted-ca-file).';
  if (facts?.kind !== 'file') {
    const shown = path === written ? '' : ` (${path})`;
    const found = facts === undefined ? 'not there' : 'not a file';
    return told(`ca '${written}'${shown} is ${found}`, 'nobody could tell etcd from another one', fix);
  }
  const found = certificatesIn(await draft.lookups.readFile(path));
  if (found.length > 0) return { text: `${found.join('\n')}\n`, problems: [] };
  return told(`ca '${written}' holds no certificate`, 'etcd could not be told from another one', fix);
}
