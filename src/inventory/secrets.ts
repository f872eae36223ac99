/**
 * The secrets of an inventory: `!env NAME`, `!file PATH`, `!age |`. The one home of `age-encryption`.
 * In: the nodes of the file and the lookups. Out: Secrets by path, and what is wrong with them.
 * Never: a clear text in a message, in an excerpt or anywhere but in a Secret.
 */

import { createPrivateKey } from 'node:crypto';
import { advised, here } from '../base/command.ts';
import type { Diagnostic } from '../base/diagnostic.ts';
import { nearest } from '../base/nearest.ts';
import { ownValue } from '../base/own-value.ts';
import { Secret } from '../base/secret.ts';
import type { Node, ScalarNode } from '../base/yaml.ts';
import { localPath, type Path } from './draft.ts';
import type { Lookups } from './lookups.ts';

const tags = ['!env', '!file', '!age'] as const;
const sshSecrets = new Set(['passphrase', 'password', 'become_password']);

/** Whether the key at this path holds a secret. */
export function isSecretPath(path: Path): boolean {
  const [first, second, third, fourth] = path;
  if (path.length === 2 && first === 'secrets') return second === 'replication_password' || isKey(path);
  if (path.length === 2 && first === 'arbiter') return second === 'password';
  if (path.length === 2 && first === 'ssh') return sshSecrets.has(String(second));
  return path.length === 4 && first === 'hosts' && third === 'ssh' && sshSecrets.has(String(fourth));
}

/** A private key has lines; every other secret is one. */
const isKey = ([first, second]: Path): boolean => first === 'secrets' && second === 'ca_key';

export interface SecretsRead {
  readonly byPath: ReadonlyMap<string, Secret>;
  readonly problems: readonly Diagnostic[];
}

/** Reads every secret of the file. A tag where no secret belongs is reported too: it would be lost silently. */
export async function readSecrets(root: Node, file: string, lookups: Lookups): Promise<SecretsRead> {
  const byPath = new Map<string, Secret>();
  const problems: Diagnostic[] = [];
  for (const { path, node, keyAt } of leaves(root)) {
    const secret = isSecretPath(path);
    const problem = (what: string, why: string, fix: string) =>
      problems.push({ code: 'INV011', what, why, fix, at: node.at });
    if (!secret && node.tag !== undefined) {
      problems.push(strayTag(path, node));
    } else if (secret && node.tag === undefined && node.value !== null) {
      problems.push({ ...clearText(path), at: keyAt });
    } else if (secret && node.tag !== undefined) {
      const answer = await readOne(node, file, lookups, isKey(path) ? asKey : oneLine);
      if (answer instanceof Secret) byPath.set(path.join('.'), answer);
      else problem(answer.what, answer.why, answer.fix);
    }
  }
  return { byPath, problems };
}

interface Leaf {
  readonly path: Path;
  readonly node: ScalarNode;
  readonly keyAt: Node['at'];
}

/** Every scalar with its path; collections that carry a tag are left to the check of their type. */
function leaves(node: Node, path: Path = [], keyAt = node.at): Leaf[] {
  if (node.kind === 'scalar') return [{ path, node, keyAt }];
  if (node.kind === 'seq')
    return node.items.flatMap((item, index) => leaves(item, [...path, index], item.at));
  return node.entries.flatMap((entry) => leaves(entry.value, [...path, entry.key], entry.keyAt));
}

const strayTag = (path: Path, node: ScalarNode): Diagnostic => ({
  code: 'INV005',
  what: `'${path.join('.')}' cannot take the tag ${node.tag}`,
  why: 'tags are read for secrets only; the value here would be taken literally',
  fix: 'Write the value itself, without a tag.',
  at: node.at,
});

const clearText = (path: Path) => ({
  code: 'INV012' as const,
  what: `'${path.join('.')}' stands in clear text`,
  why: 'an inventory is copied, shown and kept in version control, and the secret would go with it',
  fix: `Take it out and write ${path.at(-1)}: !env NAME, or !file PATH, or an !age block; then change the secret, since it was readable.`,
});

interface Trouble {
  readonly what: string;
  readonly why: string;
  readonly fix: string;
}

/** Makes a secret of a text that was read, or says what is wrong with it. */
type Take = (text: string, source: string) => Secret | Trouble;

async function readOne(
  node: ScalarNode,
  file: string,
  lookups: Lookups,
  take: Take,
): Promise<Secret | Trouble> {
  const value = String(node.value ?? '');
  switch (node.tag) {
    case '!env':
      return fromEnvironment(value.trim(), lookups, take);
    case '!file':
      return fromFile(value.trim(), file, lookups, take);
    case '!age':
      return fromAge(value, lookups, take);
    default: {
      const meant = nearest(String(node.tag), tags);
      return {
        what: `${node.tag} is not a way to give a secret`,
        why: 'pgduet reads secrets with !env, !file and !age only',
        fix: meant ? `Write ${meant}.` : 'Write !env NAME, !file PATH or !age |.',
      };
    }
  }
}

function fromEnvironment(name: string, lookups: Lookups, take: Take): Secret | Trouble {
  // The name is not repeated when it is none: then it may be the secret itself.
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
    return {
      what: '!env is not followed by the name of an environment variable',
      why: 'a name has letters, digits and underscores only',
      fix: 'Write the name of the variable after !env, without a $, for example !env PGDUET_SECRET.',
    };
  }
  const value = ownValue(lookups.env, name);
  if (value !== undefined && value !== '') return take(value, `the environment variable ${name}`);
  return {
    what: `the environment variable ${name} is ${value === undefined ? 'not set' : 'empty'}`,
    why: 'the inventory takes a secret from it',
    fix: `Set it for this run without writing it to the history, for example: read -rs ${name} && export ${name}.`,
  };
}

async function fromFile(path: string, file: string, lookups: Lookups, take: Take): Promise<Secret | Trouble> {
  if (path === '') {
    return {
      what: '!file is not followed by a path',
      why: 'no secret can be read',
      fix: 'Write the path after !file.',
    };
  }
  const text = await privateText(localPath(path, file, lookups), lookups);
  return typeof text === 'string' ? take(text, `the file ${path}`) : text;
}

/** The text of a file that only its owner may read. */
async function privateText(path: string, lookups: Lookups): Promise<string | Trouble> {
  const facts = await lookups.stat(path);
  if (facts?.kind !== 'file') {
    const what = facts === undefined ? `the secret file ${path} is not there` : `${path} is not a file`;
    return {
      what,
      why: 'the inventory takes a secret from it',
      fix: 'Create it with mode 0600, or correct the path.',
    };
  }
  if ((facts.mode & 0o077) !== 0) {
    return {
      what: `the secret file ${path} has mode ${facts.mode.toString(8).padStart(4, '0')}`,
      why: 'other users of this machine may read it',
      ...advised`${here`chmod 600 ${path}`}. If others could log in here meanwhile, change the secret as well.`,
    };
  }
  try {
    return await lookups.readFile(path);
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : 'it cannot be read';
    return {
      what: `the secret file ${path} cannot be read`,
      why: `the system says: ${reason}`,
      fix: 'Give it to the user that runs pgduet.',
    };
  }
}

/** A password of one line. The line break that editors put at the end of a file does not count. */
function oneLine(text: string, source: string): Secret | Trouble {
  const value = text.replace(/\r?\n$/, '');
  if (value === '')
    return {
      what: `${source} is empty`,
      why: 'a secret must have at least one character',
      fix: 'Put the secret there.',
    };
  if (!/[\r\n\0]/.test(value)) return new Secret(value);
  return {
    what: `${source} holds more than one line`,
    why: 'a password file and sudo read one line; the rest would be cut off',
    fix: 'Keep only the secret there, on one line.',
  };
}

/** The key of a CA, as pgduet signs with it. */
function asKey(text: string, source: string): Secret | Trouble {
  try {
    const { asymmetricKeyType, asymmetricKeyDetails } = createPrivateKey(text);
    if (asymmetricKeyType === 'ec' && asymmetricKeyDetails?.namedCurve === 'prime256v1')
      return new Secret(text);
  } catch {
    // The words of the library may quote the key.
  }
  return {
    what: `${source} holds no private key for ECDSA P-256 without a passphrase (PEM)`,
    why: 'pgduet signs the certificates of the servers with it, and with no other kind of key',
    fix: 'Make one: openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out ca.key; chmod 600 ca.key.',
  };
}

const noIdentity: Trouble = {
  what: 'there is no key for the !age block',
  why: 'neither PGDUET_AGE_KEY_FILE nor AGE_IDENTITY is set',
  fix: 'Set PGDUET_AGE_KEY_FILE to the file that age-keygen wrote (mode 0600).',
};

async function fromAge(block: string, lookups: Lookups, take: Take): Promise<Secret | Trouble> {
  const keys = await ageKeys(lookups);
  if (!Array.isArray(keys)) return keys;
  try {
    // Loaded only when it is needed: it would add a third to the start of every command.
    const { armor, Decrypter } = await import('age-encryption');
    const decrypter = new Decrypter();
    for (const key of keys) decrypter.addIdentity(key);
    return take(await decrypter.decrypt(armor.decode(block), 'text'), 'the !age block');
  } catch {
    // The library's own words may quote the block or the key; the two causes are these.
    return {
      what: 'the !age block cannot be decrypted',
      why: 'it is damaged, or it was encrypted for another key',
      fix: 'Encrypt the secret again for your key: age -r RECIPIENT -a; keep the lines between BEGIN and END as they are.',
    };
  }
}

async function ageKeys(lookups: Lookups): Promise<string[] | Trouble> {
  const path = lookups.env.PGDUET_AGE_KEY_FILE;
  const text = path ? await privateText(localPath(path, '', lookups), lookups) : lookups.env.AGE_IDENTITY;
  if (typeof text === 'object') return text;
  const keys = (text ?? '')
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line.startsWith('AGE-SECRET-KEY-'));
  if (keys.length > 0) return keys;
  if (text === undefined || text === '') return noIdentity;
  return {
    what: `${path ? `the file ${path}` : 'AGE_IDENTITY'} holds no age key`,
    why: 'a line that begins with AGE-SECRET-KEY- is needed',
    fix: 'Name the file that age-keygen wrote.',
  };
}
