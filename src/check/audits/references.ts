/**
 * Whether the reference addresses answer, as each controller shows it in the file that it renews at every heartbeat. A host
 * whose controller does not show it has a finding of its own. Reading starts no program. Pure.
 */
import { quote } from '../../base/shell.ts';
import { absent, type Observed, type ProbeReply, present, unknown } from '../../resources/contract/kind.ts';
import type { Audit } from '../audit.ts';

/** Addresses that do not answer. */
type Quiet = readonly string[];

export const references: Audit<Quiet> = {
  name: 'the reference addresses',
  probe: ({ name, multiplexing }) => {
    const file = quote(`${multiplexing.managementDir}/${name}.status.json`);
    const asked = multiplexing.referenceAddresses.length > 0;
    return { shell: asked ? `if [ -n "$(find ${file} -mmin -2 2>/dev/null)" ]; then cat ${file}; fi` : ':' };
  },
  read: readQuiet,
  judge: (_, seen) =>
    [...seen].flatMap(([host, quiet]) =>
      quiet.map((address) => ({
        code: 'NET003' as const,
        host,
        object: address,
        declared: 'a reference address that answers',
        found: 'no answer',
      })),
    ),
};

function readQuiet(reply: ProbeReply, { name }: { readonly name: string }): Observed<Quiet> {
  if (reply.status !== 0) return unknown(reply.stderr.trim() || 'the status file could not be read');
  if (reply.stdout.trim() === '') return absent;
  try {
    const { servers } = JSON.parse(reply.stdout) as {
      servers?: readonly { server_id?: string; quiet_references?: Quiet }[];
    };
    return present(servers?.find(({ server_id }) => server_id === name)?.quiet_references ?? []);
  } catch (error) {
    if (error instanceof SyntaxError) return unknown('the status file is no JSON');
    throw error;
  }
}
