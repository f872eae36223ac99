/**
 * tls_key and tls_pair: a key that is made where it stays, and the certificate that is laid beside it once the operator's machine has signed it
 * (ADR 28). A pair has the name of its certificate and is never changed: PostgreSQL would meet a new key beside an old certificate.
 */
import { createHash, X509Certificate } from 'node:crypto';
import { sh } from '../../base/shell.ts';
import { certificatesIn, isPlaceholder } from '../../postgres/certificate.ts';
import { flag, optional, text } from '../contract/field.ts';
import { fieldsOnServer } from '../contract/fields.ts';
import { change, present, type ResourceKind, refuse, same, unknown } from '../contract/kind.ts';
import { readTlsLook, type TlsLook, type TlsPlace, tlsProbe } from '../contract/tls-look.ts';
import { beside, placeOfTls } from './certificate.ts';

const host = text('the address that the other servers connect to');

interface KeyDesired {
  readonly place: TlsPlace;
  readonly wanted: boolean;
  readonly anew: boolean;
}

const read = (reply: Parameters<typeof readTlsLook>[0]) => {
  const look = readTlsLook(reply);
  return look ? present(look) : unknown(reply.stderr.trim() || 'the pair could not be looked at');
};

const directoryOf = ({ own }: TlsPlace): string => own?.directory ?? '';

export const tlsKey: ResourceKind<KeyDesired, TlsLook> = {
  kind: 'tls_key',
  summary: 'A new private key for TLS (ECDSA P-256), made on its host and never taken from it.',
  fields: fieldsOnServer(
    {
      beside,
      host,
      wanted: flag('`true` where the server has no pair that counts, or is to get another one', false),
      anew: flag('`true` where it has one, and serves it until it gets another one', false),
    },
    ({ wanted, anew, ...place }, { server }): KeyDesired => ({
      wanted,
      anew,
      place: placeOfTls(place, server),
    }),
  ),
  key: ({ place }) => directoryOf(place),
  describe: ({ place }) => `key for TLS in ${directoryOf(place)}`,
  probe: ({ place }) => tlsProbe(place),
  read,
  diff: ({ place, wanted, anew }, observed) => {
    if (observed.state === 'absent' || !wanted) return same('it has a pair');
    if (observed.value.request !== undefined) return same('a key waits for its certificate');
    if (anew)
      return change({
        summary: `make a new key for TLS in ${directoryOf(place)}; it never leaves the host`,
        reason: `the server gets a new pair; it shows ${observed.value.pair ?? 'its own'} until then`,
      });
    return change({
      summary: `make a key for TLS in ${directoryOf(place)}; it never leaves the host`,
      reason: 'the server has no pair for TLS',
      notes: [
        'then, in this run: the key gets its certificate, and the server serves TLS by a reload; each standby connects anew to verify its primary (0.1 to 0.2 s), and the rules for servers want TLS; both wait for a server that is away, or in maintenance, and not seen to serve it. Clients that prefer TLS, as libpq does by itself, use it from their next connection on',
        ...(isPlaceholder(observed.value.served ?? '') ? [placeholderGoes] : []),
      ],
      differences: [{ code: 'TLS024', object: directoryOf(place), declared: 'a pair', found: 'no key' }],
    });
  },
  steps: (_planned, { place }) => [
    { title: 'a key for TLS', script: asOwner(place.owner, ['key', directoryOf(place)]) },
  ],
};

const placeholderGoes =
  'the placeholder certificate that it shows now, signed by itself, goes: who has taken exactly that one into a list of his own, and verifies by it, gets in again with the list of pgduet ca';

interface PairDesired {
  readonly place: TlsPlace;
  readonly certificate?: string;
  readonly ready: boolean;
  readonly problem?: string;
}

export const tlsPair: ResourceKind<PairDesired, TlsLook> = {
  kind: 'tls_pair',
  summary: 'The certificate of a server beside its key, signed by a CA of the cluster.',
  fields: fieldsOnServer(
    {
      beside,
      host,
      certificate: optional(text('for the key that waits; without it the server has its pair')),
      ready: flag(
        '`true` where the server has another pair, which counts until postgresql.conf names this one',
        false,
      ),
      problem: optional(text('why it is given none: it is refused with that')),
    },
    ({ certificate, problem, ready, ...place }, { server }): PairDesired => ({
      place: placeOfTls(place, server),
      ready,
      ...(certificate ? { certificate } : {}),
      ...(problem ? { problem } : {}),
    }),
  ),
  key: ({ place }) => directoryOf(place),
  describe: ({ place }) => `certificate and key for TLS in ${directoryOf(place)}`,
  probe: ({ place }) => tlsProbe(place),
  // Before its key is made nobody can say what is to be laid beside it.
  read: (reply, { certificate, problem }) => {
    const seen = read(reply);
    if (seen.state !== 'present' || certificate || problem || seen.value.pair) return seen;
    return unknown('its key is made first');
  },
  diff: ({ place, certificate, problem }, observed) => {
    if (observed.state === 'absent') return same('nothing to say');
    if (problem) return refuse(signedAnew(problem));
    const look = observed.value;
    if (certificate === undefined || nameOf(certificate) === look.pair)
      return same(`${directoryOf(place)}/${look.pair} is for ${place.host}`);
    if (look.next !== undefined && certificatesIn(look.next)?.[0]?.toString() === certificate)
      return same(`${directoryOf(place)}/${nameOf(certificate)} is ready`);
    const { subjectAltName, issuer } = new X509Certificate(certificate);
    return change({
      summary: `lay the certificate for TLS beside its key: ${directoryOf(place)}/${nameOf(certificate)}`,
      reason: `signed by ${issuer.replace(/^CN=/, '')}, for ${subjectAltName}`,
      differences: [
        {
          code: 'TLS024',
          object: directoryOf(place),
          declared: 'a pair',
          found: 'a key without its certificate',
        },
      ],
    });
  },
  steps: (_planned, { place, certificate = '', ready }) => [
    {
      title: 'a certificate for TLS',
      script: asOwner(place.owner, [
        ready ? 'ready' : 'pair',
        directoryOf(place),
        nameOf(certificate),
        certificate,
      ]),
    },
  ],
};

const nameOf = (certificate: string): string =>
  createHash('sha256').update(new X509Certificate(certificate).raw).digest('hex').slice(0, 16);

const signedAnew = (problem: string) =>
  ({
    code: 'TLS020',
    what: `pgduet makes no certificate: ${problem}`,
    why: 'clients that verify, or another server, could not follow what would be shown then; nothing has been changed on any server',
    fix: "Look at what is named (docs/tls.md: 'When pgduet refuses to sign'). If no client verifies yet, write tls: off, run pgduet provision, and write tls: generated again.",
  }) as const;

/** Shell: the administrator does it, so that no name in his directory leads root elsewhere. */
const asOwner = (owner: string, words: readonly string[]): string =>
  `node=$(command -v node || command -v nodejs)
${sh`as ${owner} env -u NODE_OPTIONS`} "$node" -e ${sh`${program} -- ${words}`}`;

/**
 * For Node on the host: `key DIRECTORY`, or `pair` or `ready` and DIRECTORY NAME CERTIFICATE. Each file is whole or not there; the directory of a pair
 * gets its name last. That a pair is only ready is said before it is there: nobody ever takes it for one that counts.
 */
const program = `const fs = require('fs'), crypto = require('crypto');
process.umask(0o077);
const synced = (path) => { const at = fs.openSync(path, 'r'); fs.fsyncSync(at); fs.closeSync(at); };
const put = (path, text) => {
  const begun = path.replace(/([^/]*)$/, '.$1.pgduet-tmp');
  fs.rmSync(begun, { force: true });
  fs.writeFileSync(begun, text, { mode: 0o600, flag: 'wx' });
  synced(begun);
  fs.renameSync(begun, path);
  synced(path.replace(/[/][^/]*$/, ''));
};
const [what, directory, name, certificate] = process.argv.slice(1);
const request = directory + '/request';
const makeKey = () => {
  fs.mkdirSync(request, { recursive: true, mode: 0o700 });
  if (fs.existsSync(request + '/server.key')) return;
  const { privateKey } = crypto.generateKeyPairSync('ec', {
    namedCurve: 'prime256v1',
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  put(request + '/server.key', privateKey);
};
const layCertificate = () => {
  const key = crypto.createPrivateKey(fs.readFileSync(request + '/server.key'));
  if (!new crypto.X509Certificate(certificate).checkPrivateKey(key)) throw new Error('the key that waits in ' + request + ' is another one than was looked at: run the same command again');
  put(request + '/server.pem', certificate);
  if (what === 'ready') put(directory + '/next', name + '\\n');
  fs.renameSync(request, directory + '/' + name);
};
if (what === 'key') makeKey(); else layCertificate();
synced(directory);`;
