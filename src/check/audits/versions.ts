/**
 * Versions of PostgreSQL and of Node.js on the servers of a cluster, and of the PostgreSQL that is installed beside the one
 * that runs. Costs no process where the running server is the installed one. Pure.
 */
import { commandWords, here } from '../../base/command.ts';
import { quote } from '../../base/shell.ts';
import type { Server } from '../../inventory/cluster.ts';
import type { View } from '../../observe/survey.ts';
import { makerOf } from '../../postgres/bindirs.ts';
import { type Observed, type ProbeReply, present, unknown } from '../../resources/contract/kind.ts';
import { program } from '../../resources/system/program.ts';
import type { Audit, AuditContext } from '../audit.ts';
import type { Reported } from '../finding.ts';

interface Versions {
  readonly running: string;
  /** Absent: the installed program is the one that runs. */
  readonly installed?: string;
  /** Of the build that runs; see `makerOf`. */
  readonly maker: string;
  /** Where the programs are, and from where the server runs in place of that. */
  readonly elsewhere?: { readonly declared: string; readonly found: string };
}

/** The program of a running process and the installed one are one file, or there has been an update since. */
const script = (dataDir: string): string => `[ -n "$PGBIN" ] || exit 1
postmaster ${quote(dataDir)} || :
if [ "/proc/$pid/exe" -ef "$PGBIN/postgres" ]; then echo same; exit; fi
peek "$PGBIN/postgres" --version || exit 1
exe=$(readlink "/proc/$pid/exe" 2>/dev/null) || exit 0
exe=\${exe% (deleted)}
if ! [ "\${exe%/*}" -ef "$PGBIN" ]; then printf '%s\\n' "$PGBIN" "\${exe%/*}"; fi`;

export const postgresVersions: Audit<Versions> = {
  name: 'versions of PostgreSQL',
  probe: ({ postgres }) => ({
    shell: script(postgres.dataDir),
    sql: `select to_json(current_setting('server_version'))`,
  }),
  read: readVersions,
  judge: ({ view }, seen) => [
    ...[...seen].flatMap((one) => ofInstalled(one, view)),
    ...[...seen].flatMap(ofPlace),
    ...ofServers(seen),
    ...ofMakers(seen),
  ],
};

/** "15.4 (Debian 15.4-1)" → "15.4". Corrections of a distribution do not count. */
const numberIn = (text: string): string | undefined => /\d+(\.\d+|[a-z]+\d+)*/.exec(text)?.[0];

function readVersions(reply: ProbeReply): Observed<Versions> {
  const running = typeof reply.sql === 'string' ? numberIn(reply.sql) : undefined;
  if (running === undefined) return unknown(reply.sqlProblem ?? 'the server did not say its version');
  const maker = makerOf(String(reply.sql));
  const [text = '', declared, found] = reply.stdout.trim().split('\n');
  if (text === 'same') return present({ running, maker });
  const installed = numberIn(text);
  if (reply.status !== 0 || installed === undefined)
    return unknown(reply.stderr.trim() || 'the installed PostgreSQL did not say its version');
  return present({
    running,
    installed,
    maker,
    ...(declared && found ? { elsewhere: { declared, found } } : {}),
  });
}

/** Of dotted numbers: negative when the first one is the older. To begin with the rules of a language takes longer than all audits. */
const order = (one: string, other: string): number =>
  one === other ? 0 : one.localeCompare(other, 'en', { numeric: true });

/** A rolling update goes on by systemd alone. */
function ofInstalled(
  [host, { running, installed }]: readonly [string, Versions],
  { hosts }: View,
): readonly Reported[] {
  const manager = hosts.get(host)?.facts?.serviceManager ?? 'systemd';
  if (installed === undefined || order(installed, running) <= 0) return [];
  return [
    {
      code: 'PKG003',
      host,
      object: 'PostgreSQL',
      declared: `${installed} is installed`,
      found: `${running} runs`,
      ...(manager === 'systemd' ? {} : inPlace),
    },
  ];
}

const restart = here`pgduet restart`;
const inPlace = {
  repair: `restart every server, which begins with the standbys: ${commandWords(restart)}`,
  commands: [restart],
};

/** Whoever started it has looked for its programs elsewhere: another build, maybe. */
const ofPlace = ([host, { elsewhere }]: readonly [string, Versions]): readonly Reported[] =>
  elsewhere
    ? [
        {
          code: 'PKG006',
          host,
          object: 'PostgreSQL',
          declared: `it runs from ${elsewhere.declared}`,
          found: `it runs from ${elsewhere.found}`,
        },
      ]
    : [];

/** The numbers are told apart already. */
function ofMakers(seen: ReadonlyMap<string, Versions>): readonly Reported[] {
  const [first] = [...seen];
  if (!first) return [];
  const [where, { maker: wanted }] = first;
  const word = (maker: string): string => (maker === '' ? 'a build without a mark' : `a build of ${maker}`);
  return [...seen]
    .filter(([, { maker }]) => maker !== wanted)
    .map(([host, { maker }]) => ({
      code: 'PKG007',
      host,
      object: 'PostgreSQL',
      declared: `${word(wanted)}, as on ${where}`,
      found: word(maker),
    }));
}

function ofServers(seen: ReadonlyMap<string, Versions>): readonly Reported[] {
  const [newest] = [...seen].sort(([, one], [, other]) => order(other.running, one.running));
  if (!newest) return [];
  const [where, { running: wanted }] = newest;
  return [...seen]
    .filter(([, { running }]) => running !== wanted)
    .map(([host, { running }]) => ({
      code: 'PKG004',
      host,
      object: 'PostgreSQL',
      declared: `${wanted}, as on ${where}`,
      found: running,
    }));
}

/** Asks exactly what the resource that wants a recent Node.js asks, so that it is asked once, and Node is not started. */
const node = (server: Server) => ({
  name: 'node',
  atLeast: 18,
  pidFile: `${server.multiplexing.managementDir}/${server.name}.pid`,
});

export const nodeVersions: Audit<string> = {
  name: 'versions of Node.js',
  probe: (server) => program.probe(node(server)),
  read: (reply, server) => {
    const seen = program.read(reply, node(server));
    return seen.state === 'present' ? present(seen.value.version) : seen;
  },
  judge: ofNode,
};

function ofNode({ primary }: AuditContext, seen: ReadonlyMap<string, string>): readonly Reported[] {
  const major = (version: string): string => version.split('.')[0] ?? '';
  const [first] = [...seen].sort(([one], [other]) => Number(other === primary) - Number(one === primary));
  if (!first) return [];
  const [where, wanted] = first;
  return [...seen]
    .filter(([, version]) => major(version) !== major(wanted))
    .map(([host, version]) => ({
      code: 'PKG005',
      host,
      object: 'Node.js',
      declared: `${wanted}, as on ${where}`,
      found: version,
    }));
}
