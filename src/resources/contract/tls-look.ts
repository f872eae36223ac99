/**
 * What a server shows to who connects to it by TLS, and what of it lies on its host: a handshake of the host with its own server, the
 * certificates as text, and whether the key fits them. The key is opened where it lies and never travels. In: where all of it is. Out:
 * shell for Node, and what its answer means. Pure.
 */
import { quote } from '../../base/shell.ts';
import { certificatesIn, objectionTo } from '../../postgres/certificate.ts';
import type { Probe, ProbeReply } from './kind.ts';

export interface TlsPlace {
  /** The log transfer address: where the other servers connect to. */
  readonly host: string;
  readonly port: number;
  readonly owner: string;
  readonly version: number;
  /** Absent: TLS is off, and only what is served is looked at. */
  readonly files?: { readonly ca: string; readonly certificate: string; readonly key: string };
}

/** As the host says it. */
export interface TlsLook {
  readonly nowMs: number;
  /** PEM. */
  readonly ca?: string;
  readonly certificate?: string;
  /** What keeps a server from starting with the files, or the others from following it; a sentence without its full stop. */
  readonly problem?: string;
  /** The certificate that is served, as PEM; `none`: the server answers, and offers no TLS. Absent: it does not answer. */
  readonly served?: string;
}

/**
 * For Node on the host: address, port, list, certificate, key, whether the key may be judged, and for how long it is waited until the
 * certificate on the disk is served. One line of JSON; its status is 0 when what is served is what lies there. The rules for the key
 * are those of PostgreSQL ("Secure TCP/IP Connections with SSL").
 */
const program = `const fs = require('fs'), net = require('net'), tls = require('tls'), crypto = require('crypto');
const [host, port, ca, certificate, key, own, patience] = process.argv.slice(1);
const until = Date.now() + Number(patience) * 1000;
const told = {};
const read = (path, what) => {
  try {
    if (!fs.statSync(path).isFile()) throw new Error('it is no file');
    if (fs.statSync(path).size > 262144) throw new Error('it is larger than a list of certificates');
    return fs.readFileSync(path, 'utf8');
  } catch (error) { told.problem = told.problem || what + ' ' + path + ' cannot be read: ' + error.message; }
};
const judgeKey = () => {
  const text = read(key, 'the key');
  if (text === undefined || told.certificate === undefined) return;
  const { uid, mode } = fs.statSync(key);
  if (uid !== 0 && uid !== process.getuid()) told.problem = told.problem || 'the key ' + key + ' belongs neither to the instance administrator nor to root';
  else if (mode & (uid === 0 ? 0o037 : 0o077)) told.problem = told.problem || 'the key ' + key + ' is open to others (mode ' + (mode & 0o777).toString(8) + '): 0600, or 0640 where it belongs to root';
  if (/ENCRYPTED/.test(text)) return;
  try { tls.createSecureContext({ cert: told.certificate, key: text }); }
  catch (error) { told.problem = told.problem || 'the key ' + key + ' does not fit the certificate ' + certificate + ': ' + error.message; }
};
const look = () => {
  delete told.problem;
  if (certificate) {
    told.ca = read(ca, 'the list of those who sign');
    told.certificate = read(certificate, 'the certificate');
    if (own === 'yes') judgeKey();
  }
  shake((served) => {
    told.served = served;
    const good = served && served !== 'none' && told.certificate && sum(served) === sum(told.certificate);
    if (!good && Date.now() < until) return setTimeout(look, 100);
    told.nowMs = Date.now();
    console.log(JSON.stringify(told));
    process.exitCode = good ? 0 : 1;
  });
};
const sum = (pem) => { try { return new crypto.X509Certificate(pem).fingerprint256; } catch { return 'none of ' + pem.length; } };
const shake = (next) => {
  let done = false;
  const end = (word) => { if (!done) { done = true; clearTimeout(timer); socket.end(); setTimeout(() => socket.destroy(), 200).unref(); next(word); } };
  const socket = net.connect(Number(port), host);
  const timer = setTimeout(() => end(undefined), 3000);
  socket.on('error', () => end(undefined));
  socket.on('close', () => end(undefined));
  socket.on('connect', () => socket.write(Buffer.from([0, 0, 0, 8, 4, 210, 22, 47])));
  socket.once('data', (answer) => {
    if (answer[0] !== 83) return end('none');
    const secure = tls.connect({ socket, rejectUnauthorized: false, minVersion: 'TLSv1.2' });
    secure.on('error', () => end(undefined));
    secure.on('secureConnect', () => {
      const { raw } = secure.getPeerCertificate();
      secure.end();
      end(raw && '-----BEGIN CERTIFICATE-----\\n' + raw.toString('base64').replace(/(.{64})/g, '$1\\n').trim() + '\\n-----END CERTIFICATE-----\\n');
    });
  });
};
look();`;

const words = ({ host, port, files }: TlsPlace): string =>
  [host, String(port), files?.ca ?? '', files?.certificate ?? '', files?.key ?? ''].map(quote).join(' ');

/** Shell: ends silently where neither Node nor the administrator is there yet. Another login cannot judge the key. */
const run = (place: TlsPlace, patience: number): string => `node=$(command -v node || command -v nodejs || :)
if [ -z "$node" ] || [ -z "$OWNER_ENTRY" ]; then echo 'neither Node.js nor the instance administrator is there yet' >&2; exit 3; fi
own=; if [ -n "$ROOT" ] || [ "$ME" = ${quote(place.owner)} ]; then own=yes; fi
said=$(peek "$node" -e ${quote(program)} -- ${words(place)} "$own" ${patience}) || shown=$?
shown=\${shown:-0}`;

export const tlsProbe = (place: TlsPlace): Probe => ({
  shell: `${run(place, 0)}
printf '%s\\n' "$said"
case $said in '{'*) exit 0;; esac
exit 1`,
});

/** Shell: waits until what lies on the disk is served; else it runs \`back\` and fails with words. */
export const servedScript = (place: TlsPlace, back: string): string => `${run(place, 5)}
if [ $shown -ne 0 ]; then
${back}
echo 'the server does not serve the certificate that lies there: its log says why (look for "could not load" or "SSL")' >&2
exit 1
fi`;

/** Undefined where it could not be looked at. */
export function readTlsLook(reply: ProbeReply): TlsLook | undefined {
  if (reply.status !== 0) return undefined;
  try {
    const told: unknown = JSON.parse(reply.stdout);
    return typeof told === 'object' && told !== null && 'nowMs' in told ? (told as TlsLook) : undefined;
  } catch {
    return undefined;
  }
}

/** Why a server with these files would not be followed by one that holds `list`; a sentence without its full stop. */
export function filesObjection(
  look: TlsLook,
  { host, version }: Pick<TlsPlace, 'host' | 'version'>,
  list = look.ca,
): string | undefined {
  if (look.problem !== undefined) return look.problem;
  const [chain, trusted] = [certificatesIn(look.certificate ?? ''), certificatesIn(list ?? '')];
  if (!trusted)
    return 'the list of those who sign is no whole list of certificates (PEM): libpq would refuse every server';
  if (!chain) return 'the file of the certificate is no whole list of certificates (PEM)';
  return objectionTo({ chain, list: trusted, host, version, nowMs: look.nowMs });
}

/** Does it serve what lies there? */
export function servesFiles({ served, certificate }: TlsLook): boolean {
  const [shown] = certificatesIn(served ?? '') ?? [];
  const [lies] = certificatesIn(certificate ?? '') ?? [];
  return shown !== undefined && shown.fingerprint256 === lies?.fingerprint256;
}

/** Is it seen to answer in a way that a server with this list could not follow it by TLS? Who does not answer says nothing. */
export function deniesTls(look: TlsLook, place: Pick<TlsPlace, 'host' | 'version'>, list?: string): boolean {
  if (look.served === undefined) return false;
  if (look.served === 'none') return true;
  const { problem: _, ...shown } = look;
  const between = (certificatesIn(look.certificate ?? '') ?? []).slice(1).map(String).join('');
  return filesObjection({ ...shown, certificate: `${look.served}${between}` }, place, list) !== undefined;
}
