/**
 * What a server shows to who connects to it by TLS, and what of it lies on its host: a handshake of the host with its own server, the
 * certificates as text, and whether the key fits them. The key is opened where it lies and never travels. In: where all of it is. Out:
 * shell for Node, and what its answer means. Pure.
 */
import { createHash } from 'node:crypto';
import { quote } from '../../base/shell.ts';
import { certificatesIn, objectionTo } from '../../postgres/certificate.ts';
import type { Probe, ProbeReply } from './kind.ts';

export interface TlsPlace {
  /** The log transfer address: where the other servers connect to. */
  readonly host: string;
  readonly port: number;
  readonly owner: string;
  readonly version: number;
  /** Where somebody else has laid them. Absent with `own`: TLS is off, and only what is served is looked at. */
  readonly files?: { readonly ca: string; readonly certificate: string; readonly key: string };
  readonly own?: OwnTls;
}

/** Where pgduet's own pairs lie: which of them counts is found by looking. */
export interface OwnTls {
  /** `tls` in the management directory. */
  readonly directory: string;
  /** Where postgresql.conf names the pair. */
  readonly dataDir: string;
  /** The password file, beside which a copy of the list lies; `~`: in the home of the administrator. */
  readonly beside: string;
  /** Name of that copy. */
  readonly copy: string;
}

/** Each server has a management directory of its own, and several servers of a machine may have one password file. */
export const ownTls = (
  { managementDir, dataDir }: { readonly managementDir: string; readonly dataDir: string },
  beside: string,
): OwnTls => ({
  directory: `${managementDir}/tls`,
  dataDir,
  beside,
  copy: `.pgduet-ca-${createHash('sha256').update(managementDir).digest('hex').slice(0, 8)}.pem`,
});

/** As the host says it. */
export interface TlsLook {
  readonly nowMs: number;
  /** PEM. */
  readonly ca?: string;
  readonly certificate?: string;
  /** What keeps a server from starting with the files, or the others from following it; a sentence without its full stop. */
  readonly problem?: string;
  /** Of pgduet's own: the directory of the pair that counts, by its name. */
  readonly pair?: string;
  /** postgresql.conf names a pair of pgduet's, whether it is there or not. */
  readonly named?: boolean;
  /** The certificate of the pair that is ready to take its place, as PEM; it counts for nothing before postgresql.conf names it. */
  readonly next?: string;
  /** Other pairs of pgduet's than the one that counts and the one that is ready, by their names. */
  readonly others?: readonly string[];
  /** Which of these the server still shows. */
  readonly shows?: string;
  /** The public key that waits for its certificate, as PEM. */
  readonly request?: string;
  /** The copy of the list that outlives the management directory, as PEM. */
  readonly copy?: string;
  /** The home of the administrator, as the system says it: whatever he makes his programs say. */
  readonly home?: string;
  /** The certificate that is served, as PEM; `none`: the server answers, and offers no TLS. Absent: it does not answer. */
  readonly served?: string;
}

/**
 * For Node on the host: address, port, list, certificate, key; directory, postgresql.conf, place and name of the copy, where the pair is
 * pgduet's own; whether the key may be judged, and for how long it is waited until the certificate on the disk is served. One line of JSON;
 * its status is 0 when what is served is what lies there. The rules for the key are those of PostgreSQL ("Secure TCP/IP Connections with SSL").
 */
const program = `const fs = require('fs'), net = require('net'), tls = require('tls'), crypto = require('crypto');
const [host, port, list, cert, secret, directory, conf, beside, copy, home, own, patience] = process.argv.slice(1);
let [ca, certificate, key] = [list, cert, secret];
const until = Date.now() + Number(patience) * 1000;
const told = {};
const read = (path, what) => {
  try {
    if (!fs.statSync(path).isFile()) throw new Error('it is no file');
    if (fs.statSync(path).size > 262144) throw new Error('it is larger than a list of certificates');
    return fs.readFileSync(path, 'utf8');
  } catch (error) { told.problem = told.problem || what + ' ' + path + ' cannot be read: ' + error.message; }
};
const text = (path) => { try { return fs.readFileSync(path, 'utf8'); } catch (error) { if (error.code !== 'ENOENT') throw error; } };
const find = () => {
  told.copy = text((beside === '~' ? home : beside.replace(/\\/[^/]*$/, '')) + '/' + copy);
  const lines = (text(conf) || '').match(/^[ \\t]*ssl_cert_file[ \\t=].*$/gm) || [];
  const line = lines.length > 0 ? lines[lines.length - 1] : '';
  told.named = line.includes(directory + '/');
  ca = directory + '/ca.pem';
  const names = fs.existsSync(directory) ? fs.readdirSync(directory) : [];
  const pairs = names.filter((name) => /^[0-9a-f]{16}$/.test(name));
  const has = (name, end) => fs.existsSync(directory + '/' + name + '/server.' + end);
  const whole = pairs.filter((name) => ['key', 'pem'].every((end) => has(name, end)));
  const made = (name) => fs.statSync(directory + '/' + name).mtimeMs;
  const ready = whole.find((name) => name === (text(directory + '/next') || '').trim());
  const pair = whole.find((name) => line.includes(directory + '/' + name + '/')) || whole.filter((name) => name !== ready).sort((a, b) => made(b) - made(a))[0];
  told.next = ready && text(directory + '/' + ready + '/server.pem');
  told.others = pairs.filter((name) => name !== pair && name !== ready && ['key', 'pem'].some((end) => has(name, end)));
  const asked = text(directory + '/request/server.key');
  if (asked) told.request = crypto.createPublicKey(asked).export({ type: 'spki', format: 'pem' });
  else delete told.request;
  told.ca = text(ca);
  if (!pair) return;
  told.pair = pair;
  certificate = directory + '/' + pair + '/server.pem';
  key = directory + '/' + pair + '/server.key';
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
  if (directory) find();
  if (certificate) {
    if (!directory) told.ca = read(ca, 'the list of those who sign');
    told.certificate = read(certificate, 'the certificate');
    if (own === 'yes') judgeKey();
  }
  shake((served) => {
    told.served = served;
    const good = served && served !== 'none' && told.certificate && sum(served) === sum(told.certificate);
    delete told.shows;
    if (directory && !good && served && served !== 'none')
      told.shows = (told.others || []).find((name) => sum(text(directory + '/' + name + '/server.pem') || '') === sum(served));
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

const words = ({ host, port, files, own }: TlsPlace): string =>
  [
    host,
    String(port),
    files?.ca ?? '',
    files?.certificate ?? '',
    files?.key ?? '',
    own?.directory ?? '',
    own ? `${own.dataDir}/postgresql.conf` : '',
    own?.beside ?? '',
    own?.copy ?? '',
  ]
    .map(quote)
    .join(' ');

/** Shell: ends silently where neither Node nor the administrator is there yet. Another login cannot judge the key. */
const run = (place: TlsPlace, patience: number): string => `node=$(command -v node || command -v nodejs || :)
if [ -z "$node" ] || [ -z "$OWNER_ENTRY" ]; then echo 'neither Node.js nor the instance administrator is there yet' >&2; exit 3; fi
own=; if [ -n "$ROOT" ] || [ "$ME" = ${quote(place.owner)} ]; then own=yes; fi
said=$(peek "$node" -e ${quote(program)} -- ${words(place)} "$OWNER_HOME" "$own" ${patience}) || shown=$?
shown=\${shown:-0}`;

export const tlsProbe = (place: TlsPlace): Probe => ({
  shell: `${run(place, 0)}
${place.own ? `printf '%s\\n' "$OWNER_HOME"\n` : ''}printf '%s\\n' "$said"
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

/** How a pair is called. */
const pairDirectory = /^[0-9a-f]{16}$/;

/** Undefined where it could not be looked at. What it says is the administrator's word: the paths that root is to know are none of it. */
export function readTlsLook(reply: ProbeReply): TlsLook | undefined {
  if (reply.status !== 0) return undefined;
  const [first = '', ...others] = reply.stdout.split('\n');
  const home = first.startsWith('/') ? first : undefined;
  try {
    const told: unknown = JSON.parse(home === undefined ? reply.stdout : others.join('\n'));
    if (typeof told !== 'object' || told === null || !('nowMs' in told)) return undefined;
    const { home: _, pair, others: beside, ...look } = told as TlsLook;
    const named = pair !== undefined && pairDirectory.test(pair);
    return {
      ...look,
      ...(named ? { pair } : {}),
      ...(beside ? { others: beside.filter((name) => pairDirectory.test(name)) } : {}),
      ...(home === undefined ? {} : { home }),
    };
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
