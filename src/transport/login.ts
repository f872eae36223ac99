/**
 * Which keys and passwords are tried at a login, and in which order. In: a target, the secrets of the inventory.
 * Out: attempts, each made once. What the inventory names is used alone; without it, as ssh does: configured keys, the
 * agent, the default files; then the password. Must never: read a key that was not configured or is no default.
 */

import { readFile, stat } from 'node:fs/promises';
import { type Advised, advised, fixOf, here } from '../base/command.ts';
import type { DiagnosticError } from '../base/diagnostic.ts';
import type { Secret } from '../base/secret.ts';
import { refusal } from './refusal.ts';
import { type Attempt, agentKeys, parseKeyFile, type SigningKey } from './ssh.ts';
import type { IdentityFile, Target } from './ssh-target.ts';

export interface Credentials {
  readonly passphrase?: Secret;
  readonly password?: Secret;
}

/** The attempts, and what was left out: lines for the user who is refused. */
export interface LoginPlan {
  readonly attempts: readonly Attempt[];
  readonly skipped: readonly string[];
}

type AgentKey = Extract<SigningKey, { kind: 'agent' }>;

interface Identity {
  readonly attempt?: Attempt;
  readonly skipped?: string;
}

function unusableKey(target: Target, path: string, problem: string, fix: string | Advised): DiagnosticError {
  return refusal({
    code: 'CON005',
    what: `the key file '${path}' cannot be used: ${problem}`,
    why: `it is the key that the inventory names for '${target.name}'`,
    ...fixOf(fix),
    host: target.name,
  });
}

/** The public key that stands unencrypted at the head of an OpenSSH key file, or in the .pub file beside it. */
async function publicBlob(path: string, bytes: Buffer): Promise<Buffer | undefined> {
  const body = bytes.toString('latin1').match(/BEGIN OPENSSH PRIVATE KEY-----([\s\S]+?)-----END/)?.[1];
  if (body !== undefined) {
    const blob = Buffer.from(body, 'base64');
    let at = 'openssh-key-v1\0'.length;
    const field = () => {
      const length = blob.readUInt32BE(at);
      at += 4 + length;
      return blob.subarray(at - length, at);
    };
    field(); // cipher
    field(); // key derivation
    field(); // its options
    at += 4; // number of keys
    return field();
  }
  const line = await readFile(`${path}.pub`, 'latin1').catch(() => '');
  return line === '' ? undefined : Buffer.from(line.split(' ')[1] ?? '', 'base64');
}

/** Undefined when there is no such file: ssh passes over it, too. */
async function readIdentity(path: string): Promise<{ bytes: Buffer; open: boolean } | Error> {
  try {
    const [bytes, { mode, uid }] = await Promise.all([readFile(path), stat(path)]);
    return { bytes, open: uid === process.getuid?.() && (mode & 0o077) !== 0 };
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

async function identity(
  target: Target,
  file: IdentityFile,
  agent: AgentKey[],
  credentials: Credentials,
): Promise<Identity> {
  const named = file.origin === 'inventory';
  const { path } = file;
  const refuse = (problem: string, fix: string | Advised): Identity => {
    if (named) throw unusableKey(target, path, problem, fix);
    return { skipped: `${path}: ${problem}` };
  };
  const found = await readIdentity(path);
  if (found instanceof Error) {
    if (!named && 'code' in found && found.code === 'ENOENT') return {};
    return refuse(
      found.message.replace(/,.*$/, ''),
      'Correct ssh.identity_file in the inventory, or let the file be read.',
    );
  }
  if (found.open)
    return refuse(
      'others may read it, so it is no secret any more',
      advised`Run: ${here`chmod 600 ${path}`}`,
    );
  const passphrase = credentials.passphrase?.reveal();
  const parsed = parseKeyFile(found.bytes, passphrase);
  if (parsed.kind === 'key') {
    return { attempt: { kind: 'publickey', label: `key ${path}`, signer: { kind: 'key', key: parsed.key } } };
  }
  const blob = await publicBlob(path, found.bytes).catch(() => undefined);
  const held = agent.find((candidate) => blob?.equals(candidate.key.getPublicSSH()));
  if (held) return { attempt: { kind: 'publickey', label: `key ${path} (by the agent)`, signer: held } };
  if (parsed.kind === 'unreadable')
    return refuse(parsed.reason, 'Name a private key in OpenSSH format (ssh-keygen makes them).');
  return passphrase === undefined
    ? refuse(
        'it is encrypted',
        `Give ssh.passphrase in the inventory, or add the key to the agent: ssh-add ${path}`,
      )
    : refuse('the passphrase does not open it', 'Correct ssh.passphrase in the inventory.');
}

function passwordAttempts(password: Secret | undefined): Attempt[] {
  if (password === undefined) return [];
  const value = password.reveal();
  return [
    { kind: 'password', label: 'password', password: value },
    { kind: 'keyboard-interactive', label: 'password (keyboard-interactive)', password: value },
  ];
}

/** Which of the sources of ssh apply: what the inventory names is not mixed with keys that happen to lie around. */
function wanted(
  target: Target,
  credentials: Credentials,
): { files: readonly IdentityFile[]; wholeAgent: boolean } {
  const origin = target.identityFiles[0]?.origin;
  if (origin === 'inventory') return { files: target.identityFiles, wholeAgent: false };
  if (credentials.password !== undefined) {
    return { files: target.identityFiles.filter((file) => file.origin === 'config'), wholeAgent: false };
  }
  return { files: target.identityFiles, wholeAgent: !target.identitiesOnly };
}

export async function planLogin(target: Target, credentials: Credentials): Promise<LoginPlan> {
  const { files, wholeAgent } = wanted(target, credentials);
  const socket = target.agentSocket;
  const keys = await agentKeys(socket);
  const agent = keys.map((key): AgentKey => ({ kind: 'agent', key, socket: socket ?? '' }));
  const identities = await Promise.all(files.map((file) => identity(target, file, agent, credentials)));
  const fromFiles = identities.flatMap(({ attempt }) => (attempt ? [attempt] : []));
  const blobs = fromFiles.map((attempt) =>
    attempt.kind === 'publickey' ? attempt.signer.key.getPublicSSH() : undefined,
  );
  const fromAgent = (wholeAgent ? agent : [])
    .filter((held) => !blobs.some((blob) => blob?.equals(held.key.getPublicSSH())))
    .map(
      (held): Attempt => ({
        kind: 'publickey',
        label: `agent key ${held.key.comment || held.key.type}`,
        signer: held,
      }),
    );
  const configured = files.some((file) => file.origin !== 'default');
  return {
    attempts: [
      ...(configured ? [...fromFiles, ...fromAgent] : [...fromAgent, ...fromFiles]),
      ...passwordAttempts(credentials.password),
    ],
    skipped: identities.flatMap(({ skipped }) => (skipped === undefined ? [] : [skipped])),
  };
}
