/**
 * The generated parts of docs/errors.md, docs/playbooks.md and docs/check.md. In: the tables of the source. Out: texts. What the
 * variables of playbooks mean is written here by hand; `test/docs.test.ts` fails when one is missing or no longer there.
 */
export { checkDocument, groupless } from './check-docs.ts';
export { mutationsDocument } from './check-mutations.ts';
export { mcArbManual, mcArbText, mcCtlManual, mcCtlText, pgduetManual, readmeText } from './manual.ts';

import { codeGroups } from '../src/base/code-groups.ts';
import { type Code, codes } from '../src/base/codes.ts';
import { messagesDocument } from '../src/controller/core/messages.ts';
import type { Field, Shape } from '../src/resources/contract/field.ts';
import { kinds } from '../src/resources/registry.ts';
import { table, withParts } from './markdown.ts';

/** A file of docs/ as a link from another one. */
const linked = (text: string): string => text.replaceAll(/docs\/([\w-]+\.md)/g, '[$1]($1)');

export function errorsText(): string {
  const sections = Object.entries(codeGroups).map(([prefix, { title, advice }]) => {
    const rows = Object.entries(codes)
      .filter(([code]) => code.startsWith(prefix))
      .map(([code, { title: what, exit }]) => [code, what, String(exit)]);
    return `## ${prefix}: ${title}\n\n${linked(advice)}\n\n${table(['code', 'what has happened', 'exit status'], rows)}`;
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
  (Object.keys(codes) as Code[]).filter((code) => !(code.slice(0, 3) in codeGroups));

function kindsText(): string {
  return [...kinds.values()]
    .map(({ kind, summary, fields }) => {
      const rows = Object.entries(fields.table)
        .filter(([, field]) => !field.former)
        .map(([name, { shape, absent, meaning }]) => [
          `\`${name}\``,
          shapeText(shape),
          absentText(absent),
          meaning,
        ]);
      return `### \`${kind}\`\n\n${summary}\n\n${table(['field', 'value', 'default', 'meaning'], rows)}`;
    })
    .join('\n\n');
}

function shapeText(shape: Shape): string {
  switch (shape.type) {
    case 'flag':
      return '`true` or `false`';
    case 'integer':
      return 'whole number';
    case 'list':
      return shape.split ? 'list, or words in a text' : 'list';
    case 'maps':
      return `list of maps with ${Object.keys(shape.table)
        .map((name) => `\`${name}\``)
        .join(' and ')}`;
    case 'mode':
      return 'octal mode, in quotes';
    case 'one of':
      return shape.words.map((word) => `\`${word}\``).join(', ');
    case 'secret':
      return '`!secret NAME`';
    case 'size':
      return 'size, such as `256MB`';
    default:
      return shape.type;
  }
}

const absentText = (absent: Field<unknown>['absent']): string => {
  if (absent === 'required') return '**required**';
  return absent === 'optional' ? '—' : `\`${absent.default}\``;
};

/** Every variable of src/playbook/variables.ts that a playbook can use; `*` stands for the fields of a server. */
export const variables: Readonly<Record<string, string>> = {
  'cluster.name': 'name of the cluster',
  'cluster.replicationUser': 'the role that the standbys replicate with',
  'cluster.systemIdentifier': "of the primary's data; empty before there is any",
  'host.*': 'this server, and:',
  'host.unit': 'its unit, without `.service`',
  'host.privileged': '`true` where scripts run as root',
  'host.managed':
    '`true` with root on a host that starts services: what starts them, `/usr/local` and `/etc/services` may be written',
  'host.systemd': '`true` where it starts them by systemd, with root',
  'host.initTool':
    '`update-rc.d`, `chkconfig` or `rc-update` where it starts them by init scripts, with root; otherwise empty',
  'host.initScript': 'its init script, by name',
  'host.service':
    'what starts it with the host, for the field `unit` of `controller` and `stopped`: its unit, or `update-rc.d/rc_mcoi_inst1`; otherwise empty',
  'host.needrestart': '`true` where needrestart is installed',
  'host.ownSocketDir': '`true` where the directory of the Unix socket has to be made',
  'host.otherSocketDir':
    '`true` where it is one that others made, and has to be open to the instance administrator',
  'host.socketsBeside': '`true` where it is the management directory',
  'host.stopped': 'who has stopped it with `pgduet stop`, and when; otherwise empty',
  'platform.postgresPackage': 'the package of PostgreSQL, as the distribution calls it',
  'platform.nodePackage': 'the package of Node.js',
  'platform.pingPackage': 'the package of ping',
  'platform.noOwnCluster':
    '`path`, `content` and `directory` of the file that keeps the packages from making a cluster of their own; empty where they make none',
  'postgres.version': 'major version',
  'postgres.port': 'port of the instance',
  'postgres.dataDir': 'the data directory',
  'postgres.walDir': 'where WAL goes; empty when it has no place of its own',
  'postgres.owner': 'the instance administrator',
  'postgres.socketDir': 'directory of the Unix socket',
  'postgres.maxConnections':
    'max_connections, reckoned from client_connections; empty where that is not said',
  'postgres.settings': 'the settings of the inventory, a map',
  'postgres.unlock': '`postgres.unlock_command`; empty where there is none',
  'postgres.unlockSeconds': 'how long it may take',
  'postgres.unlockedByUnit': 'the same as a command line of a unit (`ExecStartPre=`), which prints nothing',
  'firewall.state': '`on`, `none`, or empty where the inventory says nothing of a firewall',
  'firewall.name': 'the unit whose ports it is about',
  'firewall.ports': 'by port who reaches it, a map',
  'firewall.goes': '`true` where it is taken away',
  'firewall.problem': 'why it cannot be as declared; else empty',
  'firewall.reaches': 'ports of others that are reached through their firewalls, a list of PORT@ADDRESS',
  'firewall.tables': 'what all tables of the cluster say',
  'postgres.listenAddresses': 'value of listen_addresses, from `postgres.listen`',
  'postgres.listensAhead': '`true` where it listens on declared addresses alone, also before they are there',
  'postgres.listensAhead6': '`true` where one of them is of IPv6',
  'postgres.hardening':
    'settings that follow from `postgres.hardening`, without those of the inventory, a map',
  'postgres.hardened': '`standard` or `cis` as `postgres.hardening` says; otherwise empty',
  'postgres.closed': '`true` with `postgres.hardening`, unless the server was there before',
  'postgres.roleConnections':
    'connections that the replication role may have at once, with `postgres.hardening`; otherwise 0',
  'multiplexing.managementDir': 'the management directory',
  'multiplexing.port': 'port of the controller',
  'multiplexing.failover': '`automatic` or `manual`, as the inventory says',
  'multiplexing.referenceAddresses':
    'addresses that tell a host whether it is cut off; empty when there are none',
  'multiplexing.unitAllows':
    'what the unit of the controller allows besides, words of `multiplexing.unit_allows`',
  'multiplexing.coreFilePath':
    'directory for a report when the controller crashes; empty where none is wanted',
  'duty.takeover': '`allowed`, or `never` without a person, as the inventory says of this server',
  'duty.priority': 'of several with the same data the highest takes over',
  'duty.replication': '`synchronous`, or `asynchronous`: commits never wait for it',
  'primary.*': 'the server that is primary now',
  standbys: 'all others but those in maintenance, a list of servers',
  waitedFor: 'those of them that may take over: commits wait for them as long as they are there',
  alone: '`yes` where everybody who might take over is in maintenance, else `no`',
  others: 'all servers but this one',
  servers: 'all servers',
  'target.*': 'the server that the command names; without one the first standby',
  tablespaces: 'those of the primary; each has a `path`',
  formerSlots: 'slots through which the standbys of a pair streamed before pgduet; each has a `name`',
  commands:
    'programs that the controller of this host starts; each has a `key` of the inventory and a `path`',
  libraries:
    'libraries that packages bring to this host, as `postgres.hardening: cis` has them; each has a `name`, its `package`, `extension` where one is created, and `askedFor`, the key that wants it',
  besides:
    "what is not PostgreSQL's own in the data directory of the server that keeps the data; each has a `path`, with a sum before it",
  'arbiter.name': 'name of the host of the arbiter; it and all below are empty where there is none',
  'arbiter.address': 'where the controllers call it',
  'arbiter.port': 'port that they call',
  'arbiter.managementDir': 'its management directory',
  'arbiter.clusterDir': 'the directory in it that belongs to this cluster alone',
  'arbiter.identities':
    'public parts of the keys of the servers, as `identities.json` beside the key of the arbiter has them',
  'arbiter.owner': 'user that it runs as',
  'arbiter.unit': 'its unit, without `.service`',
  'arbiter.service': 'what starts it with the host, as the kinds take it; empty where nothing does',
  'arbiter.node': 'Node.js on its host',
  'arbiter.bundle': 'where its program goes',
  'arbiter.mcArb': 'where `mc_arb` goes',
  'arbiter.othersNeedIt':
    'a shell command that succeeds as long as another arbiter, or a controller, of the machine needs the program',
  'arbiter.values': 'the keys of arbitration.conf with their values, a map',
  register:
    'names of those that answer who may act on a silence, a list: the arbiter, an etcd, or all servers; empty where nobody does',
  'renewal.open':
    'whether servers use other secrets than the new ones still; of a renewal, as all that begins so',
  'renewal.key': 'whether the cluster key is renewed',
  'renewal.password': 'whether the replication password is renewed',
  'renewal.speaks': 'mark of the new cluster key',
  'renewal.hears': 'marks of the cluster keys that are to be heard now',
  'names.asked': 'whether the hosts are several machines, so that names and addresses have to mean them',
  'names.names': 'all names that are looked up on the hosts, a list',
  'names.addresses': 'all addresses that are replicated from, a list',
  'names.words': 'what each of them has to mean, a list for kind `names`',
  'etcd.endpoints':
    'members of the etcd that decides in place of an arbiter, with commas; it and the next are empty where there is none',
  'etcd.ca': 'certificates that it is trusted by, as PEM',
  'identities.text':
    'public parts of the keys by which the controllers prove who they are, as `identities.json` has them',
  'identities.peers': 'servers that are to have proven theirs when the run has ended',
  'identities.arbiter': 'the arbiter, where it is to have done so, too',
  'etcd.cell': 'by which mark its cell is named, once the cluster key has been renewed; otherwise empty',
  configuration:
    'settings that a copy of the primary is started with, a map; empty where it is not known, and with `pgduet migrate`',
  'adopted.phase': '`taking` or `taken` where the first server was there before the cluster, otherwise empty',
  'adopted.logging': '`ours` or `theirs`: where its log goes; empty as long as that is not decided',
  'adopted.carried': 'settings that stood on its command line, a map',
  'adopted.hba': 'its pg_hba.conf as it was',
  'adopted.marker': 'the line above that',
  'adopted.environment': '`true` where the instances are started with variables of their own',
  'single.seen': '`true` with `pgduet migrate`: the server was looked at, and:',
  'single.architecture': 'of its host',
  'single.libc': 'of its host',
  'single.build': 'what its program says with `--version`',
  'single.rooms': 'how many bytes a copy of it takes where, a list of `path` and `bytes`',
  'single.libraries': 'that it loads when it starts, a list',
  'single.extensions': 'of its databases, a list',
  'single.locales': 'that its databases use, a list',
  'single.configuration': 'settings that a copy of it is started with, a map',
  'single.tablespaces': 'its tablespaces, a list of `path`',
  'single.follows': '`true` on a standby that was there before, and is not copied',
  'single.mayFollow': 'the same, and `true` on every standby as long as nothing has been seen',
  'single.sender': "how the primary's sender for such a standby does, and how many bytes it is behind",
  'single.streaming': 'standbys that were there before, a list',
  'single.slots': 'slots through which they stream, a list',
  'single.pair': '`true` where there is such a standby',
  'failover.state': '`on` or `off`: the word of `pgduet failover`; in other runs what the inventory declares',
  'maintenance.state': '`open` for `pgduet maintenance begin`, `over` for `end`',
  'maintenance.by': 'who works, of `pgduet maintenance`',
  'maintenance.reason': 'what `--reason` says',
  'maintenance.expected': 'what `--for` says, in minutes, such as `120m`',
  'maintenance.of': 'what `--of` says',
  'maintenance.replace': '`true` with `--replace`',
  'maintenance.alone': '`true` with `--alone`',
  'maintenance.returns':
    'not empty where the target of `pgduet maintenance end` can be reached, and is a standby',
  'maintenance.lasts': 'not empty where the server that is replaced is in maintenance',
  'detachment.state': '`out` for `pgduet detach`, `in` for `attach`',
  'detachment.alone': '`true` with `--alone`',
  'recovery.starts': 'with `pgduet recover`: `true` on a server that is started',
  'recovery.settles': '`true` on a server that is started, where a switch is ended by that',
  'recovery.heirs': 'names of the servers of which one becomes primary',
  'recovery.followers': 'standbys that are, too, and that commits wait for, a list of servers',
  'recovery.former': '`true` on a server that was primary before, and stays as it is',
  'recovery.formers': '`true` if any server was',
  'recovery.decides': '`true` as long as the primary does not run',
  'recovery.timeline': 'the timeline of the primary',
  'recovery.history': 'where it left each timeline before, as `1 0/5000148, 2 0/7000000`',
  'recovery.fork': 'where it left the timeline of this server; empty where that is not known',
  'recovery.restless': 'why this server would start by itself; empty where it waits',
  'recovery.successor':
    'the server that took over from this one directly; empty where that is none of those that lead',
  'recovery.unproven':
    'why the promise of this server does not say that only that one confirmed its commits; empty where it does',
  'recovery.joins': '`true` on a server that gave its role away in a switch, and is started, too',
  'recovery.promise': 'the promise of this server, in words',
  'recovery.commands': 'how a person starts the controllers',
  'memory.by':
    'the server that vouches for this one, whose management directory is lost; empty where none is lost, or none vouches',
  'memory.address': 'its address for replication',
  'memory.port': 'its port',
  'memory.systemIdentifier': 'whose data this server has, as both of them show it',
  'operating.means': '`true` on the servers that `pgduet reload`, `restart`, `stop` or `start` is about',
  'operating.since':
    'when such a server had read its files, or was started, before the command; empty with `--pending`, and in other runs',
  'operating.inSync': 'with `pgduet restart`: standbys that were in sync before, a list of names',
  'operating.switches': '`true` with `--switch-first`, if it is about the primary',
  'operating.standbys': '`true` if it is about a standby',
  'operating.names': 'all servers that it is about, a list of names',
  'operating.all': '`true` if these are all that there are',
  'operating.by': 'with `pgduet stop`: who has asked for it',
  'operating.runs': '`true` on a server that runs, or is about to',
  'operating.followers': 'standbys that do, and that commits wait for, a list of servers',
  'switch.maxWait': 'the seconds of `--max-wait` of `pgduet switch`; empty without',
  'rebuild.rewinds':
    '`true` as long as the target of `pgduet rebuild` is a former primary that could be rewound',
  'rebuild.user': 'the role that pg_rewind reads with, there only as long as that',
  'rebuild.address': 'from where it reads, as `pg_hba.conf` wants it',
  'rebuild.addresses': 'the same as a list: what a name means on this host, and the name',
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
  'tls.state':
    '`on`, `off`, `pending` as long as a certificate is still to be made, or empty where nothing is declared of TLS',
  'tls.ca': 'file of those who sign the certificates; empty without TLS',
  'tls.certificate': 'file of its certificate; empty without TLS',
  'tls.key': 'file of its key; empty without TLS',
  'tls.settings': 'what it is started with, as a map of settings',
  'tls.except': 'settings of our block that resources of their own declare, a list',
  'tls.upstream':
    '`kept`: a server that verifies its primary goes on doing so; `free`; or empty where the inventory says nothing of TLS',
  'tls.problem': 'what the hosts together show to be in the way of TLS; else empty',
  'tls.logins': 'connection strings to the other servers by name, as long as TLS is being turned on',
  'tls.demands': 'words of connection strings to the server that it follows, or would follow: a map',
  'tls.tried':
    'whether the settings can be tried before: `false` where they name files that the same run makes',
  'ownTls.beside':
    'where pgduet makes the certificate: the password file beside which a copy of the list lies, or `~` for the one in the home of the administrator; else empty',
  'ownTls.directory':
    'directory of the certificates and keys that pgduet makes, and of the list of those who sign',
  'ownTls.list': 'that list (PEM); empty where nobody says it',
  'ownTls.copy': 'path of its copy, once the host has said it',
  'ownTls.needsKey': '`true` where a key is to be made first',
  'ownTls.anew': '`true` where the server has a pair, and is given another one (`pgduet certificates renew`)',
  'ownTls.turns': '`true` where this run may turn the server to another pair',
  'ownTls.certificate': 'the certificate that is to be laid beside the key that waits; else empty',
  'ownTls.problem': 'why the server is given no certificate; else empty',
  'tls.rule': 'how rules for servers begin: `host`, or `hostssl` once every standby verifies',
  'tls.lockedOut':
    'sessions without TLS, in words, where client rules begin to demand it (`postgres.tls_clients`); else empty',
  'teardown.staying': 'names of the settings that clients rely on, a list',
  'teardown.replicating':
    'the same, and the settings that replication needs, a list; they stay where only the controllers go',
  'teardown.exact': '`true` on a server that was one of a pair before pgduet',
  'teardown.named': '`true` as long as the standbys replicate under their names of the inventory',
  'teardown.othersNeedIt':
    'a shell command that succeeds as long as another cluster of the machine has a controller',
  dropped:
    'the servers that a teardown takes away, a list; each with `systemIdentifier`, `position` and `timeline` of its data, and `runs`',
  'teardown.logFilename':
    '`log_filename` by which a server may have its log in the management directory; empty for the usual one',
  'item.*': 'with `each`: the server that is meant',
  'replication.conninfo': '`primary_conninfo` of this server',
  'replication.giveUpMs': 'after how many milliseconds a silent peer is given up',
  'replication.synchronousStandbyNames': '`synchronous_standby_names` of this server',
  'replication.statusIntervalSeconds': 'for wal_receiver_status_interval: below half of the time to give up',
  'replication.walKeepValue': 'how much WAL is kept, for wal_keep_size',
  'replication.addresses': 'from where the servers replicate, as `pg_hba.conf` wants it, a list',
  'replication.failoverSlots':
    '`on` with `sync_replication_slots: on` in the inventory, else `off`; empty before PostgreSQL 17',
  hba: 'the client rules of the inventory, a list of `line`; with TLS demanded where `postgres.tls_clients` says so',
  node: 'path of Node.js on the host',
  bundle: 'where the controller program goes',
  mcCtl: 'where `mc_ctl` goes',
  controllerVersion: 'version of the controller program that pgduet brings',
};

/** The fields of a server. */
export const serverVariables: Readonly<Record<string, string>> = {
  name: 'the server identifier',
  role: '`primary` or `standby`, as it is now',
  address: 'where clients and SSH go',
  adminAddress: 'between the controllers',
  logTransferAddress: 'for replication',
  port: 'port of the instance',
  mcPort: 'port of the controller',
  copySlot: 'name of the slot for its base backup',
  standbySlot: 'the slot that it streams through where standbys follow logical slots',
};

const variablesText = (): string =>
  [
    table(
      ['variable', 'meaning'],
      Object.entries(variables).map(([name, meaning]) => [`\`${name}\``, meaning]),
    ),
    '',
    'A server has these fields:',
    '',
    table(
      ['field', 'meaning'],
      Object.entries(serverVariables).map(([name, meaning]) => [`\`${name}\``, meaning]),
    ),
  ].join('\n');

/** The document with what stands between its marks made anew. */
export const playbooksText = (document: string): string =>
  withParts(document, { kinds: kindsText(), variables: variablesText() });

/** The text of docs/messages.md. */
export const messagesText = messagesDocument;
