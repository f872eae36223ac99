/**
 * Gets past sudo: waits until the shell behind it says that it is there, and gives the password when, and only when,
 * sudo asks for it. In: the streams of the command made by `sudoCommand`. Out: nothing, or CON006.
 * Must never: send anything before the prompt or the announcement was seen; send the password twice.
 */
import { randomBytes } from 'node:crypto';
import type { DiagnosticError } from '../base/diagnostic.ts';
import type { Secret } from '../base/secret.ts';
import { quote } from '../base/shell.ts';
import { evidenceOf, refusal, tooLong } from './refusal.ts';
import { announcingCommand } from './remote-shell.ts';
import type { ShellStreams } from './session.ts';

export interface SudoWords {
  readonly prompt: string;
  readonly ready: string;
}

/** Words that nothing else on the host writes. They are no secret: both stand in the process list. */
export function sudoWords(): SudoWords {
  const nonce = randomBytes(8).toString('hex');
  return { prompt: `[pgduet ${nonce}] password: `, ready: `pgduet-ready-${nonce}` };
}

/** `-k` makes sudo ignore a remembered password, so that every run behaves alike. */
export function sudoCommand(words: SudoWords): string {
  return `sudo -S -k -H -p ${quote(words.prompt)} -- ${announcingCommand(words.ready)}`;
}

export interface SudoLogin {
  readonly host: string;
  readonly user: string;
  readonly words: SudoWords;
  readonly password?: Secret;
  /** How long sudo may take; PAM modules wait a few seconds after a wrong password. */
  readonly timeoutMs: number;
}

function refused(login: SudoLogin, seen: string): DiagnosticError {
  const { host, user, words } = login;
  const text = seen.replaceAll(words.prompt, '').replaceAll(words.ready, '');
  const fixes: [RegExp, string][] = [
    [
      /(unrecognized|invalid|unknown|unexpected|unsupported) .*(option|argument|flag)|usage: sudo/i,
      `The sudo of '${host}' does not take '-S -k -H -p PROMPT -- COMMAND': it may be sudo-rs of an early version ('sudo --version' says it). Install the package sudo or a newer sudo-rs there, or log in as root with become: none.`,
    ],
    [/not found|No such file/i, `Install sudo on '${host}', or log in as root with become: none.`],
    [/must have a tty/i, `Remove 'requiretty' for '${user}' from the sudoers of '${host}'.`],
    [
      // The last one is what sudo-rs says.
      /not in the sudoers|not allowed|may not run|afraid I can't do that/i,
      `Allow '${user}' to run a shell as root in the sudoers of '${host}'.`,
    ],
    [
      /no new privileges|nosuid|effective uid/i,
      `Make sudo work on '${host}' first: log in as '${user}' and try sudo -v.`,
    ],
  ];
  return refusal({
    code: 'CON006',
    what: `sudo refused '${user}' on '${host}'`,
    why: 'the scripts of a run need root, and become: sudo says that sudo gives it',
    fix:
      fixes.find(([pattern]) => pattern.test(text))?.[1] ??
      `Log in to '${host}' as '${user}' and try: sudo -v`,
    host,
    ...evidenceOf(text),
  });
}

function wrongPassword(login: SudoLogin): DiagnosticError {
  return refusal({
    code: 'CON006',
    what: `sudo on '${login.host}' does not accept the password of '${login.user}'`,
    why: 'the scripts of a run need root; pgduet gives a password only once, so that no account is locked',
    fix: `Correct ssh.become_password of '${login.host}' in the inventory.`,
    host: login.host,
  });
}

function noPassword(login: SudoLogin): DiagnosticError {
  return refusal({
    code: 'CON006',
    what: `sudo on '${login.host}' asks for the password of '${login.user}', and the inventory has none`,
    why: 'the scripts of a run need root, and nobody is there to type the password',
    fix: 'Give ssh.become_password in the inventory (!env NAME, !file PATH or !age), or allow NOPASSWD in sudoers.',
    host: login.host,
  });
}

function silent(login: SudoLogin, seen: string): DiagnosticError {
  return refusal({
    code: 'CON006',
    what: `sudo on '${login.host}' did not start a shell within ${Math.round(login.timeoutMs / 1000)} s`,
    why: 'it may be asking for something other than a password, such as a one-time code',
    fix: `Log in to '${login.host}' as '${login.user}', try: sudo -v, and make it work with a password alone.`,
    host: login.host,
    ...evidenceOf(seen.replaceAll(login.words.prompt, '')),
  });
}

/** A lecture, a prompt and what PAM has to say are far shorter. */
const longestTalk = 64 * 1024;

/** Resolves when the shell behind sudo has announced itself on both outputs. */
export function passSudo(streams: ShellStreams, login: SudoLogin): Promise<void> {
  return new Promise((resolve, reject) => {
    let out = '';
    let err = '';
    let settled = false;
    let asked = 0;
    const finish = (error?: DiagnosticError) => {
      if (settled) return;
      settled = true;
      clearTimeout(timer);
      streams.stdout.off('data', onOut);
      streams.stderr.off('data', onErr);
      if (error) reject(error);
      else resolve();
    };
    const timer = setTimeout(() => finish(silent(login, `${out}\n${err}`)), login.timeoutMs);
    const look = () => {
      if (out.length + err.length > longestTalk) return finish(tooLong(login.host, longestTalk));
      const prompts = err.split(login.words.prompt).length - 1;
      if (out.includes(login.words.ready) && err.includes(`${login.words.ready}\n`)) return finish();
      if (prompts <= asked) return;
      if (prompts > 1) return finish(wrongPassword(login));
      if (login.password === undefined) return finish(noPassword(login));
      asked = prompts;
      streams.stdin.write(`${login.password.reveal()}\n`);
    };
    const onOut = (chunk: Buffer) => {
      out += chunk.toString('utf8');
      look();
    };
    const onErr = (chunk: Buffer) => {
      err += chunk.toString('utf8');
      look();
    };
    streams.stdout.on('data', onOut);
    streams.stderr.on('data', onErr);
    streams.stdin.on('error', () => undefined);
    streams.gone.then(() =>
      finish(
        asked > 0 && /incorrect password|no password/i.test(err)
          ? wrongPassword(login)
          : refused(login, `${out}\n${err}`),
      ),
    );
  });
}
