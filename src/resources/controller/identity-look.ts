/**
 * The key by which the controller of a server, or an arbiter, proves itself to the others (ADR 30), as its host shows it: the file, and its public part;
 * the private one stays there. The survey and the kind `identity_key` ask with the same words. Pure.
 */
import { createPublicKey } from 'node:crypto';
import { identityFile, publicPart } from '../../base/identities.ts';
import { quote } from '../../base/shell.ts';
import { type Observed, type Probe, type ProbeReply, present, unknown } from '../contract/kind.ts';
import { readStat, type Stat } from '../contract/stat.ts';

export interface IdentitySeen {
  readonly stat: Stat;
  /** Missing of what is no such file, or no key for ECDH with P-256: the others would refuse their files because of it. */
  readonly public?: string;
}

/** Of an arbiter its cluster has a directory. */
export interface IdentityPlace {
  readonly managementDir: string;
  /** There is no server on the host, as whose administrator one could read. */
  readonly isArbiter?: boolean;
}

export const identityPath = ({ managementDir }: Pick<IdentityPlace, 'managementDir'>): string =>
  `${managementDir}/${identityFile}`;

/** The shell function that prints such a file, and follows no link of another user as root. */
export const readerOf = ({ isArbiter }: IdentityPlace): string => (isArbiter ? 'contents' : 'text_of');

const [begin, end] = ['-----BEGIN PUBLIC KEY-----', '-----END PUBLIC KEY-----'];

/** Only what stands between the two marks is said: in a file that somebody has put together anew the private part may stand behind them, or between. */
export const identityProbe = (place: IdentityPlace): Probe => {
  const path = quote(identityPath(place));
  return {
    shell: `observation ${path}
if [ -f ${path} ] && [ ! -L ${path} ]; then
  key=$(${readerOf(place)} ${path}) || exit
  case $key in *${quote(begin)}*${quote(end)}*)
    key=\${key##*${quote(begin)}}
    key=\${key%%${quote(end)}*}
    case $key in *-*) ;; *) printf '%s%s%s\\n' ${quote(begin)} "$key" ${quote(end)};; esac;;
  esac
  key=
fi`,
  };
};

export function readIdentity(reply: ProbeReply): Observed<IdentitySeen> {
  const [first = '', ...rest] = reply.stdout.split('\n');
  const problem = reply.stderr.trim() || 'the key could not be looked at';
  if (reply.status !== 0) return unknown(problem);
  const stat = readStat(first, problem);
  if (stat.state !== 'present') return stat;
  const key = publicPart(rest.join('\n'));
  return present({ stat: stat.value, ...(key && isUsable(key) ? { public: key } : {}) });
}

function isUsable(key: string): boolean {
  try {
    const made = createPublicKey({ key: Buffer.from(key, 'base64'), format: 'der', type: 'spki' });
    return made.asymmetricKeyType === 'ec' && made.asymmetricKeyDetails?.namedCurve === 'prime256v1';
  } catch {
    return false;
  }
}
