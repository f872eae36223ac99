/**
 * The management directory: finds the local server, and reads files that nobody else can read or write. Mistakes are diagnostics.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import type { Code } from '../../base/codes.ts';
import { type Diagnostic, DiagnosticError, type Result } from '../../base/diagnostic.ts';
import { exitCode } from '../../base/exit-codes.ts';
import { Secret } from '../../base/secret.ts';

export const diagnostic = (code: Code, what: string, why: string, fix: string): Diagnostic => ({
  code,
  what,
  why,
  fix,
});

export const refuse = (code: Code, what: string, why: string, fix: string): DiagnosticError =>
  new DiagnosticError([diagnostic(code, what, why, fix)], exitCode.inputWrong);

export const errorText = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** What went wrong, in one line for the log: each mistake with its place. */
export const shortly = (error: unknown): string =>
  error instanceof DiagnosticError
    ? error.diagnostics.map((it) => `${it.at ? `${it.at.file}:${it.at.line}: ` : ''}${it.what}`).join('; ')
    : errorText(error);

/** Which server of the directory is meant: the one that was named, or the only one that has a configuration. */
export function findLocalServer(dir: string, wanted: string | undefined): string {
  const ids = configuredServers(dir);
  const choices = ids.length > 0 ? ids.join(', ') : 'none';
  if (wanted !== undefined) {
    if (ids.includes(wanted)) return wanted;
    const why = `the directory holds the configuration of: ${choices}`;
    const fix =
      ids.length > 0
        ? 'Name one of them with --local-server.'
        : `Check -M or MCCONTROLDIR; where it is the right one, pgduet provision makes ${wanted}.conf there.`;
    throw refuse('MCF010', `'${wanted}' has no ${wanted}.conf in ${dir}`, why, fix);
  }
  const [only] = ids;
  if (only !== undefined && ids.length === 1) return only;
  const why = 'every command acts on one server of this machine';
  if (only === undefined) {
    const fix = 'Check -M or MCCONTROLDIR; provisioning makes <serverIdentifier>.conf there.';
    throw refuse('MCF010', `no server is configured in ${dir}`, why, fix);
  }
  throw refuse('MCF010', `${dir} holds several servers: ${choices}`, why, 'Say which with --local-server.');
}

function configuredServers(dir: string): string[] {
  try {
    const names = readdirSync(dir).filter((name) => name.endsWith('.conf') && name !== 'network.conf');
    return names.map((name) => name.slice(0, -'.conf'.length)).sort();
  } catch (error) {
    const fix = 'Give the management directory with -M or MCCONTROLDIR.';
    throw refuse('MCF001', `${dir} cannot be read`, errorText(error), fix);
  }
}

/** How a command speaks of whoever may give it. */
export interface Administrator {
  readonly command: string;
  readonly title: string;
  readonly controls: string;
  readonly notRoot: string;
}

const instanceAdministrator: Administrator = {
  command: 'mc_ctl',
  title: 'instance administrator',
  controls: 'its instance',
  notRoot: 'PostgreSQL does not run as root',
};

/** Only the owner of the directory may act: root's files would lock the real owner out of its own cluster. */
export async function checkAdministrator(dir: string, words = instanceAdministrator): Promise<void> {
  const owner = statSync(dir).uid;
  const me = process.getuid?.() ?? -1;
  if (me === owner && me !== 0) return;
  // Loaded here, so that whoever may act does not pay for what starts programs.
  const { userName } = await import('./user-name.ts');
  const name = userName(owner);
  const what = me === 0 ? 'root may not do this' : `user ${userName(me)} may not do this`;
  if (owner === 0) {
    const fix = `Give the directory to the ${words.title}: chown -R USER ${dir}`;
    throw refuse('MCF011', what, `${dir} belongs to root, and ${words.notRoot}`, fix);
  }
  const why = `only the ${words.title}, ${name}, may control ${words.controls}`;
  throw refuse('MCF011', what, why, `Run it as that user: runuser -u ${name} -- ${words.command} …`);
}

/** Reads a file that only its owner may see. */
export function readPrivate(path: string): Result<string> {
  const bad = (code: Code, what: string, why: string, fix: string) =>
    ({ ok: false, diagnostics: [diagnostic(code, what, why, fix)] }) as const;
  try {
    const { mode, uid } = statSync(path);
    if (uid !== process.getuid?.()) {
      const why = 'its content decides what the controller does, so nobody else may change it';
      return bad('MCF002', `${path} belongs to another user`, why, `chown it to the instance administrator.`);
    }
    if ((mode & 0o077) !== 0) {
      const shown = (mode & 0o777).toString(8).padStart(4, '0');
      const why = `its mode is ${shown}, so other users can read or change it`;
      return bad('MCF002', `${path} is open to others`, why, `chmod 0600 ${path}`);
    }
    return { ok: true, value: readFileSync(path, 'utf8') };
  } catch (error) {
    return bad(
      'MCF001',
      `${path} cannot be read`,
      errorText(error),
      'Provision the host again, or restore the file.',
    );
  }
}

export function parsed<T>(path: string, parse: (text: string, file: string) => Result<T>): Result<T> {
  const text = readPrivate(path);
  return text.ok ? parse(text.value, path) : text;
}

export function parseKey(text: string, file: string): Result<Secret> {
  const line = text.trim();
  const bytes = /^[0-9a-fA-F]{64}$/.test(line) ? Buffer.from(line, 'hex') : Buffer.from(line, 'base64');
  if (bytes.length === 32) return { ok: true, value: new Secret(bytes.toString('hex')) };
  const why = 'it must be one line with 32 random bytes in hex or base64';
  const fix = 'Copy it from another server of the cluster, or provision again.';
  return { ok: false, diagnostics: [diagnostic('MCF012', `${file} holds no key`, why, fix)] };
}

/** Who can write into the directory can put other files in the place of the private ones. */
export function checkDirectory(dir: string): Diagnostic[] {
  if ((statSync(dir).mode & 0o022) === 0) return [];
  const why = 'other users can replace the files in it';
  return [diagnostic('MCF002', `${dir} can be written by others`, why, `chmod 0700 ${dir}`)];
}
