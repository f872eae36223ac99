/** The login: keys that go together, and files of this machine that have to be there. Looks at files, changes none. */
import { type Advised, advised, fixOf, here } from '../../base/command.ts';
import type { Diagnostic } from '../../base/diagnostic.ts';
import type { Position } from '../../base/position.ts';
import { type Draft, localPath, type Path } from '../draft.ts';

/** What a local host may still say: how its scripts become root. */
const localKeys = ['become', 'become_password'];

export async function checkSsh(draft: Draft): Promise<Diagnostic[]> {
  const sections: Path[] = [['ssh'], ...draft.hosts.map(({ name }) => ['hosts', name, 'ssh'])];
  const files = await Promise.all(sections.map((section) => checkFiles(draft, section)));
  return [
    ...sections.flatMap((section) => [...checkTogether(draft, section), ...checkUser(draft, section)]),
    ...draft.hosts.flatMap(({ name, connection }) => (connection === 'local' ? checkLocal(draft, name) : [])),
    ...files.flat(),
  ];
}

const keysOf = (draft: Draft, section: Path) =>
  section.length === 1 ? draft.data.ssh : draft.data.hosts?.[String(section[1])]?.ssh;

const hostsOf = (draft: Draft, section: Path) =>
  section.length === 1 ? draft.hosts : draft.hosts.filter(({ name }) => name === section[1]);

const idle = (what: string, why: string, fix: string, at: Position): Diagnostic[] => [
  { code: 'INV005', what, why, fix, at },
];

function checkTogether(draft: Draft, section: Path): Diagnostic[] {
  const hosts = hostsOf(draft, section);
  const sudo = hosts.some((host) => host.ssh.become === 'sudo');
  const key = hosts.some((host) => host.ssh.identityFile !== undefined);
  const name = section.join('.');
  return [
    ...(draft.has(...section, 'become_password') && !sudo && !isWrong(draft, section, 'become')
      ? idle(
          `'${name}.become_password' has no effect without become: sudo`,
          'the scripts would run as the login user, without root',
          'Add become: sudo, or remove become_password.',
          draft.keyAt(...section, 'become_password'),
        )
      : []),
    ...(draft.has(...section, 'passphrase') && !key && !isWrong(draft, section, 'identity_file')
      ? idle(
          `'${name}.passphrase' has no effect without identity_file`,
          'it is not known which key it opens',
          'Add identity_file, or remove passphrase and load the key into the agent.',
          draft.keyAt(...section, 'passphrase'),
        )
      : []),
  ];
}

/** The key is in the file but was taken out of the draft: what is wrong with it has been said. */
const isWrong = (draft: Draft, section: Path, key: 'become' | 'identity_file'): boolean =>
  [section, ['ssh']].some((place) => draft.has(...place, key) && keysOf(draft, place)?.[key] === undefined);

function checkUser(draft: Draft, section: Path): Diagnostic[] {
  const user = keysOf(draft, section)?.user;
  if (user === undefined || /^[A-Za-z0-9_][A-Za-z0-9_.@\\-]*\$?$/.test(user)) return [];
  return [
    {
      code: 'INV009',
      what: `'${user}' cannot be a login user`,
      why: 'no system has a user of this name, and a shell could read something else in it',
      fix: 'Write the name of the user alone, for example deploy.',
      at: draft.valueAt(...section, 'user'),
    },
  ];
}

function checkLocal(draft: Draft, name: string): Diagnostic[] {
  const keys = Object.keys(keysOf(draft, ['hosts', name, 'ssh']) ?? {}).filter(
    (key) => !localKeys.includes(key),
  );
  return keys.flatMap((key) =>
    idle(
      `'${name}' has connection: local, so '${key}' has no effect`,
      'nobody logs in to this machine; the scripts run here',
      `Remove ${key}, or write connection: ssh.`,
      draft.keyAt('hosts', name, 'ssh', key),
    ),
  );
}

async function checkFiles(draft: Draft, section: Path): Promise<Diagnostic[]> {
  const keys = keysOf(draft, section);
  // A file that no SSH connection will use need not be there.
  if (keys === undefined || hostsOf(draft, section).every((host) => host.connection === 'local')) return [];
  const config =
    keys.config_file === undefined
      ? undefined
      : await checkFile(draft, section, 'config_file', keys.config_file);
  const identity =
    keys.identity_file === undefined
      ? undefined
      : await checkFile(draft, section, 'identity_file', keys.identity_file);
  return [config, identity].flatMap((problem) => problem ?? []);
}

async function checkFile(
  draft: Draft,
  section: Path,
  key: 'config_file' | 'identity_file',
  written: string,
): Promise<Diagnostic | undefined> {
  // %d, %h and so on are filled in by ssh when it knows the host.
  if (written.includes('%')) return undefined;
  const path = localPath(written, draft.file, draft.lookups);
  const facts = await draft.lookups.stat(path);
  const told = (what: string, why: string, fix: string | Advised): Diagnostic => ({
    code: key === 'identity_file' ? 'INV011' : 'INV005',
    what,
    why,
    ...fixOf(fix),
    at: draft.valueAt(...section, key),
  });
  if (facts?.kind !== 'file') {
    const shown = path === written ? '' : ` (${path})`;
    return told(
      `${key} '${written}'${shown} is ${facts === undefined ? 'not there' : 'not a file'}`,
      key === 'identity_file'
        ? 'without its key pgduet cannot log in'
        : 'ssh would refuse to start without it',
      'Correct the path, or leave it out: then ~/.ssh/config and the agent are asked.',
    );
  }
  if (key === 'config_file') return undefined;
  if (written.endsWith('.pub')) {
    return told(
      `identity_file '${written}' is a public key`,
      'the private key proves who logs in',
      `Write ${written.slice(0, -4)}.`,
    );
  }
  if ((facts.mode & 0o077) === 0) return undefined;
  return told(
    `identity_file '${written}' has mode ${facts.mode.toString(8).padStart(4, '0')}`,
    'other users of this machine may read the key; ssh refuses such a key too',
    advised`Run: ${here`chmod 600 ${path}`}.`,
  );
}
