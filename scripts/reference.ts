/**
 * The generated parts of docs/errors.md, docs/playbooks.md and docs/check.md. In: the tables of the source. Out: texts. What a kind's
 * fields and the words mean is written here by hand; `test/docs.test.ts` fails when one is missing or no longer there.
 */
export { checkDocument, groupless } from './check-docs.ts';
export { mutationsDocument } from './check-mutations.ts';
export { mcCtlManual, mcCtlText, pgduetManual, readmeText } from './manual.ts';

import { type Code, codes } from '../src/base/codes.ts';
import { ok } from '../src/base/diagnostic.ts';
import { Secret } from '../src/base/secret.ts';
import { parseYaml } from '../src/base/yaml.ts';
import { messagesDocument } from '../src/controller/core/messages.ts';
import type { AnyKind, ParseContext } from '../src/resources/contract/kind.ts';
import { kinds } from '../src/resources/registry.ts';
import { table, withParts } from './markdown.ts';

const groups: Readonly<Record<string, readonly [title: string, advice: string]>> = {
  INV: [
    'The inventory',
    'No host was contacted. Correct the place that the message names; `pgduet validate` checks again.',
  ],
  PLY: [
    'The playbook',
    'No host was changed. Correct the place that the message names; kinds, fields and words stand in [playbooks.md](playbooks.md).',
  ],
  CLI: [
    'The command line',
    'Nothing was done. `pgduet --help` and `pgduet VERB --help` show what is possible.',
  ],
  CON: [
    'The connection to a host',
    'Try the same login with `ssh`. Nothing was changed unless the message says so; the same command continues.',
  ],
  HST: [
    'The state of a host',
    'Mend what the message names on the host, then run the same command again: it continues where it stopped.',
  ],
  SAF: [
    'Refused, to protect data',
    'Nothing was changed. Read the evidence and decide which data counts; pgduet never decides that.',
  ],
  RUN: [
    'The run itself',
    'Nothing is broken. Run the same command again: it looks first and does only what is left.',
  ],
  BUG: [
    'Defects',
    'This is a defect of pgduet. Report it with the lines of the message; running the same command again is safe.',
  ],
  MCF: [
    'Files of the controller',
    'Correct the line that the message names, or let `pgduet provision` write the file again, then start the controller.',
  ],
};

export function errorsText(): string {
  const sections = Object.entries(groups).map(([prefix, [title, advice]]) => {
    const rows = Object.entries(codes)
      .filter(([code]) => code.startsWith(prefix))
      .map(([code, { title: what, exit }]) => [code, what, String(exit)]);
    return `## ${prefix}: ${title}\n\n${advice}\n\n${table(['code', 'what has happened', 'exit status'], rows)}`;
  });
  return `# Messages and their codes

Every message says what has happened, why it matters and what to do; where a file is to blame, it shows the line. Its code
never changes its meaning. The messages of the Mirroring Controller in the system log are in [messages.md](messages.md).

${sections.join('\n\n')}

<!-- made by scripts/docs.mjs from src/base/codes.ts, do not edit -->
`;
}

/** Codes that no group explains. */
export const unexplained = (): readonly Code[] =>
  (Object.keys(codes) as Code[]).filter((code) => !(code.slice(0, 3) in groups));

/** What each field means; a star marks one that must be given. */
const meanings: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  command: {
    name: 'what the plan calls it; without it the text of `run`',
    run: 'the shell command',
    unless:
      'a shell command that changes nothing: status 0 means that there is nothing to do, 1 that there is',
    user: 'who both are run as; without it root, or the login user',
  },
  controller: {
    management_dir: 'the management directory',
    mc_ctl: 'path of `mc_ctl`',
    bundle: 'path of the controller program; a running one that is older is restarted',
    unit: 'the systemd unit that starts it; without it `mc_ctl start` does',
    timeout: 'seconds until the instance has to answer (60)',
  },
  directory: {
    path: 'absolute path',
    owner: 'user',
    group: "group; without it the owner's own, whatever it is called",
    mode: 'octal, in quotes (`"0755"`)',
  },
  erased: {
    data_dir: 'the data directory',
    wal_dir: 'where WAL is; without it where `pg_wal` leads',
    management_dir: 'the management directory, which remembers whose data this is, and what is unfinished',
    version: 'major version of PostgreSQL, which names its part of a tablespace',
    proof:
      '`standby` (as it is when left out): it has to be a standby of the keeper, which `holds` proves to have all of it; `later`: the keeper becomes primary first; `none`: the whole cluster goes',
    keeper: 'name of the server that stays',
    system_identifier: "the keeper's, as it was seen; data of another cluster is never touched",
    serves: '`true` if the keeper runs as primary (`false`)',
  },
  file: {
    path: 'absolute path',
    owner: 'user',
    group: "group; without it the owner's own",
    mode: 'octal, in quotes (`"0644"`)',
    content: 'the text itself',
    template: 'or the name of a template, beside the playbook or of `templates/`',
    asset: 'or the name of a file that pgduet ships',
    secret: 'or a secret: `!secret cluster_key`; it is compared by checksum and never shown',
    reload: 'what reads the file again after a change: `instance`, `controller` or `systemd`',
    restart: 'what is restarted after a change; the same words',
  },
  forgotten: { id: 'the server identifier', management_dir: 'the management directory' },
  gone: {
    path: 'the file or the directory',
    unless: 'a shell command; as long as it succeeds the path stays',
    except: 'for a directory: names of files in it that go too, a list',
  },
  group: { name: 'name of the group' },
  hba: { template: 'template of the whole file; a rule with `trust` is an error' },
  holds: {
    server: 'name of the other server',
    system_identifier: 'of its data',
    position: 'how far its data reaches; without one it has none that counts',
    timeline: 'the timeline of that position',
    runs: '`true` as long as it still receives WAL (`false`)',
  },
  instance: {
    id: 'the server identifier',
    data_dir: 'the data directory',
    wal_dir: 'where WAL goes; without it `pg_wal` in the data directory',
    management_dir: 'the management directory, which remembers whose data this is',
    owner: 'the instance administrator',
    version: 'major version of PostgreSQL',
    locale: 'locale of the databases (`C.UTF-8`)',
    encoding: 'their encoding (`UTF8`)',
  },
  line: {
    path: 'the file',
    line: 'the line; a line with the same first word is replaced',
    state: '`present` (as it is when left out) or `absent`',
  },
  mirroring: {
    management_dir: 'the management directory',
    mc_ctl: 'path of `mc_ctl`',
    timeout: 'seconds to wait (30)',
    failover:
      '`automatic` or `manual`: what is told if the controllers do otherwise; only a person turns it on or off',
  },
  package: {
    name: 'name of the package',
    provides: 'a program that makes it unnecessary; `pgbin:postgres` means one of PostgreSQL itself',
  },
  passfile: {
    owner: 'the instance administrator',
    host: 'first field of the line',
    port: 'second field',
    database: 'third field',
    user: 'fourth field',
    password: 'a secret: `!secret replication_password`',
    state: '`present` (as it is when left out) or `absent`',
  },
  port: {
    port: 'number of the TCP port',
    for: 'what it is meant for, in words',
    pid_file: 'a file whose first line is the process id of who may use it',
  },
  program: {
    name: 'name of the program',
    at_least: 'the oldest major version that will do',
    pid_file:
      'of a process that runs it and has written its version there, so that it need not be started to ask',
  },
  rebuild: {
    id: 'the server identifier',
    data_dir: 'the data directory',
    wal_dir: 'where WAL goes; without it `pg_wal` in the data directory',
    management_dir: 'the management directory, which remembers whose data this is, and what is unfinished',
    owner: 'the instance administrator',
    version: 'major version of PostgreSQL',
    mc_ctl: 'path of `mc_ctl`',
    primary: 'name of the server that is primary',
    host: "the primary's address for replication",
    port: 'its port',
    user: 'the role that replicates',
    slot: 'the slot that keeps WAL during a base backup',
    rewind_user: 'the role that pg_rewind reads with',
    rewind_password: 'its password: `!secret rewind_password`, made for each run',
    copy: '`true` for a base backup in any case (`false`)',
    keep_copy:
      'where data is put aside that may hold commits of its own; without it beside the data directory',
  },
  retired: {
    management_dir: 'the management directory',
    mc_ctl: 'path of `mc_ctl`',
    unit: 'the systemd unit of the controller; without it `mc_ctl stop` does',
    plain_unit: 'the unit that `single` makes; it goes too',
  },
  rewind_source: {
    name: 'name of the role',
    state: '`present` (as it is when left out) or `absent`',
    password: 'a secret: `!secret rewind_password`; the server gets a SCRAM verifier only',
  },
  replication: {
    standbys: 'their names: a list, or a text with spaces',
    state: '`streaming`, or `sync`: no commit returns before a standby has it',
    timeout: 'seconds to wait (60)',
  },
  role: {
    name: 'name of the role',
    replication: '`true` if it may replicate (`false`)',
    password: 'a secret: `!secret replication_password`; the server gets a SCRAM verifier only',
  },
  room: {
    path: 'any path on the file system',
    at_least: 'how much has to be free: `256MB`',
    for: 'what it is wanted for, in words',
  },
  service: { name: 'name of the unit', state: '`started` (as it is when left out) or `stopped`' },
  settings: {
    name: 'what the plan calls them',
    template: 'a template whose lines are settings',
    values: 'a map of settings; they count before those of the template',
    adopted:
      '`taking` or `taken` on a server that was there before: what is as good for multiplexing stays as it is',
    logging: '`theirs` if the log of such a server stays where it was, or `ours`',
    except: 'with it, what pgduet set earlier and is wanted no more is taken back, but for these names',
  },
  single: {
    management_dir: 'the management directory, which holds the record of what was before',
    mc_ctl: 'path of `mc_ctl`',
    unit: 'the systemd unit of the controller',
    plain_unit: 'name of the unit for a server that had none before; without it a person starts it',
    plain_template: 'its template; `@PGBIN@` stands for the directory of the programs',
    hba_template: 'template of pg_hba.conf for a server that was made multiplexed',
    staying: 'names of settings that stay there, a text with spaces',
    roles: 'roles that are dropped, a text with spaces',
    slots: 'slots that are dropped, a text with spaces',
    later: '`true` if it becomes primary first (`false`)',
  },
  slot: { name: 'name of the slot', state: '`present` (as it is when left out) or `absent`' },
  adopt: {
    id: 'the server identifier',
    data_dir: 'the data directory of the running server',
    wal_dir: 'where its WAL goes; without it `pg_wal` in the data directory',
    management_dir: 'the management directory, where what was there before is recorded',
    version: 'major version of PostgreSQL',
    template: 'a template whose lines are the settings that it shall have',
    values: 'a map of settings; they count before those of the template',
    standbys: 'names of the servers that will follow it, for the plan',
    addresses: 'where they come from, for the plan',
    roles: 'roles that pgduet makes; those that are there already are recorded',
    managed: '`false` where units and files of the system cannot be written (`true`)',
  },
  takeover: {
    id: 'the server identifier',
    management_dir: 'the management directory',
    mc_ctl: 'path of `mc_ctl`',
    unit: 'the unit of the controller; without it `mc_ctl` starts it',
    template: 'a template whose lines are the settings that it shall have: some need a restart',
    values: 'a map of settings; they count before those of the template',
  },
  copy_target: {
    management_dir: 'the management directory, which remembers whose data this is, and what is unfinished',
    rooms: 'how many bytes of the copy go where: `/database/inst1=123456 /space1=99`',
    architecture: "the primary's, as `uname -m` says",
    libc: "the primary's, as `getconf GNU_LIBC_VERSION` says",
    libraries: 'that the server loads when it starts',
    extensions: 'of the databases of the primary',
    locales: 'of the operating system, that its databases use',
    tablespaces: 'their directories, which have to be empty',
  },
  standby: {
    id: 'the server identifier',
    data_dir: 'the data directory',
    wal_dir: 'where WAL goes; without it `pg_wal` in the data directory',
    management_dir: 'the management directory, which remembers whose data this is',
    owner: 'the instance administrator',
    version: 'major version of PostgreSQL',
    host: "the primary's address for replication",
    port: 'its port',
    user: 'the role that replicates',
    slot: 'the slot that keeps WAL during the copy',
    tablespaces: 'their directories, with spaces between: the copy writes to the same places',
    system_identifier: "the primary's, as it was seen; data of another cluster is never touched",
  },
  switchover: {
    to: 'name of the server that shall be primary',
    management_dir: 'the management directory',
    mc_ctl: 'path of `mc_ctl`',
  },
  symlink: { path: 'the link', target: 'where it leads', owner: 'user' },
  unit: {
    name: 'without `.service`',
    template: 'template of the file',
    enabled: '`false` to disable it (`true`)',
  },
  user: {
    name: 'name of the user',
    home: 'home directory (`/var/lib/NAME`)',
    shell: 'login shell (`/bin/bash`)',
  },
};

export interface FieldOf {
  readonly name: string;
  readonly required: boolean;
}

const context: ParseContext = {
  host: 'server1',
  instance: { dataDir: '/d', socketDir: '/s', port: 1, owner: 'o' },
  secret: () => new Secret('x'),
  render: () => ok(''),
  asset: () => '',
  entropy: '',
};

/** The fields of a kind, by asking it: it names all of them when it meets one that it does not know. */
export function fieldsOf(kind: AnyKind): readonly FieldOf[] {
  const node = parseYaml('{ ____________________________________: 1 }', 'x', {
    syntax: 'PLY001',
    duplicateKey: 'PLY002',
  });
  const parsed = node.ok ? kind.parse(node.value, context) : node;
  const problems = parsed.ok ? [] : parsed.diagnostics;
  const known = problems.flatMap(({ fix }) => /^Known fields: (.*)\.$/.exec(fix)?.[1]?.split(', ') ?? []);
  const missing = problems.flatMap(({ what }) => /the field '(.+)' is missing/.exec(what)?.[1] ?? []);
  return known.map((name) => ({ name, required: missing.includes(name) }));
}

/** "kind.field" of every field that has no meaning here, and of every meaning without a field. */
export function undescribed(): readonly string[] {
  const real = [...kinds.values()].flatMap((kind) =>
    fieldsOf(kind).map(({ name }) => `${kind.kind}.${name}`),
  );
  const told = Object.entries(meanings).flatMap(([kind, fields]) =>
    Object.keys(fields).map((name) => `${kind}.${name}`),
  );
  return [...real.filter((name) => !told.includes(name)), ...told.filter((name) => !real.includes(name))];
}

function kindsText(): string {
  return [...kinds.values()]
    .map((kind) => {
      const rows = fieldsOf(kind).map(({ name, required }) => [
        `\`${name}\`${required ? ' \\*' : ''}`,
        meanings[kind.kind]?.[name] ?? '',
      ]);
      return `### \`${kind.kind}\`\n\n${kind.summary}\n\n${table(['field', 'meaning'], rows)}`;
    })
    .join('\n\n');
}

/** Every word of src/playbook/words.ts that a playbook can use; `*` stands for the fields of a server. */
export const words: Readonly<Record<string, string>> = {
  'cluster.name': 'name of the cluster',
  'cluster.replicationUser': 'the role that the standbys replicate with',
  'cluster.systemIdentifier': "of the primary's data; empty before there is any",
  'host.*': 'this server, and:',
  'host.unit': 'its unit, without `.service`',
  'host.privileged': '`true` where scripts run as root',
  'host.managed': '`true` with root and systemd: units, `/usr/local` and `/etc/services` may be written',
  'host.systemd': 'the same',
  'host.ownSocketDir': '`true` where the directory of the Unix socket has to be made',
  'postgres.version': 'major version',
  'postgres.port': 'port of the instance',
  'postgres.dataDir': 'the data directory',
  'postgres.walDir': 'where WAL goes; empty when it has no place of its own',
  'postgres.owner': 'the instance administrator',
  'postgres.socketDir': 'directory of the Unix socket',
  'postgres.settings': 'the settings of the inventory, a map',
  'multiplexing.managementDir': 'the management directory',
  'multiplexing.port': 'port of the controller',
  'multiplexing.failover': '`automatic` or `manual`, as the inventory says',
  'primary.*': 'the server that is primary now',
  standbys: 'all others, a list of servers',
  others: 'all servers but this one',
  servers: 'all servers',
  'target.*': 'the server that the command names; without one the first standby',
  tablespaces: 'those of the primary; each has a `path`',
  'adopted.phase': '`taking` or `taken` where the first server was there before the cluster, otherwise empty',
  'adopted.logging': '`ours` or `theirs`: where its log goes; empty as long as that is not decided',
  'adopted.carried': 'settings that stood on its command line, a map',
  'adopted.hba': 'its pg_hba.conf as it was',
  'adopted.marker': 'the line above that',
  'single.seen': '`true` with `pgduet migrate`: the server was looked at, and:',
  'single.architecture': 'of its host',
  'single.libc': 'of its host',
  'single.rooms': 'how many bytes a copy of it takes where',
  'single.libraries': 'that it loads when it starts',
  'single.extensions': 'of its databases',
  'single.locales': 'that its databases use',
  'single.tablespaces': 'their directories',
  'rebuild.rewinds':
    '`true` as long as the target of `pgduet rebuild` is a former primary that could be rewound',
  'rebuild.user': 'the role that pg_rewind reads with, there only as long as that',
  'rebuild.address': 'from where it reads, as `pg_hba.conf` wants it',
  'rebuild.copy': '`true` with `--copy`',
  'rebuild.keepCopy': 'the directory of `--keep-copy`; empty without',
  'teardown.drops': 'with `pgduet teardown`: `true` on a server that goes',
  'teardown.last': '`true` on the server that goes when all others are gone',
  'teardown.keepData': '`true` with `--keep-data`',
  'teardown.allData': '`true` with `--all-data`',
  'teardown.switches': '`true` as long as the server that stays is not primary',
  'teardown.settles': '`true` until the others follow it',
  'teardown.systemIdentifier': 'of the data of the server that stays',
  'teardown.serves': '`true` if that runs, and is no standby',
  'teardown.revives':
    '`true` if that is down, and all others are stopped standbys, or gone: none of them can have become primary',
  'teardown.staying': 'names of the settings that clients rely on',
  'teardown.othersNeedIt':
    'a shell command that succeeds as long as another cluster of the machine has a controller',
  dropped:
    'the servers that a teardown takes away, a list; each with `systemIdentifier`, `position` and `timeline` of its data, and `runs`',
  'item.*': 'with `each`: the server that is meant',
  'replication.conninfo': '`primary_conninfo` of this server',
  'replication.giveUpMs': 'after how many milliseconds a silent peer is given up',
  'replication.synchronousStandbyNames': '`synchronous_standby_names` of this server',
  'replication.walKeepName': 'the setting that keeps WAL, by version',
  'replication.walKeepValue': 'its value',
  'replication.addresses': 'from where the servers replicate, as `pg_hba.conf` wants it, a list',
  hba: 'the client rules of the inventory, a list of `line`',
  node: 'path of Node.js on the host',
  bundle: 'where the controller program goes',
  mcCtl: 'where `mc_ctl` goes',
};

/** The fields of a server. */
export const serverWords: Readonly<Record<string, string>> = {
  name: 'the server identifier',
  role: '`primary` or `standby`, as it is now',
  address: 'where clients and SSH go',
  adminAddress: 'between the controllers',
  logTransferAddress: 'for replication',
  port: 'port of the instance',
  mcPort: 'port of the controller',
  copySlot: 'name of the slot for its base backup',
};

const wordsText = (): string =>
  [
    table(
      ['word', 'meaning'],
      Object.entries(words).map(([name, meaning]) => [`\`${name}\``, meaning]),
    ),
    '',
    'A server has these fields:',
    '',
    table(
      ['field', 'meaning'],
      Object.entries(serverWords).map(([name, meaning]) => [`\`${name}\``, meaning]),
    ),
  ].join('\n');

/** The document with what stands between its marks made anew. */
export const playbooksText = (document: string): string =>
  withParts(document, { kinds: kindsText(), words: wordsText() });

/** The text of docs/messages.md. */
export const messagesText = messagesDocument;
