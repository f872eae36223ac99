/** Directories that lie in each other: a rebuild or a base backup of one would take the other along. Pure. */
import type { Diagnostic } from '../../base/diagnostic.ts';
import type { Draft, DraftHost, Path } from '../draft.ts';
import { areTwins, pairs, sharesMachine } from '../machines.ts';

interface Directory {
  readonly host: string;
  readonly key: string;
  readonly path: Path;
  readonly value: string;
}

/** `PostgreSQL: Connection Settings, unix_socket_directories`: the path of a socket has 107 bytes at most. */
const longestSocketPath = 107;

const inside = (inner: string, outer: string): boolean => inner.startsWith(outer === '/' ? '/' : `${outer}/`);
const overlap = (one: string, other: string): boolean =>
  one === other || inside(one, other) || inside(other, one);

function directories(host: DraftHost, keys: readonly string[]): Directory[] {
  const all = [
    { key: 'data_dir', path: ['postgres', 'data_dir'], value: host.dataDir },
    { key: 'wal_dir', path: ['postgres', 'wal_dir'], value: host.walDir },
    { key: 'management_dir', path: ['multiplexing', 'management_dir'], value: host.managementDir },
    { key: 'socket_dir', path: ['postgres', 'socket_dir'], value: host.socketDir },
    { key: 'passfile', path: ['postgres', 'passfile'], value: host.passfile },
  ];
  return all.flatMap(({ key, path, value }) =>
    value?.startsWith('/') && keys.includes(key) ? [{ host: host.name, key, path, value }] : [],
  );
}

const emptied = ['data_dir', 'wal_dir', 'management_dir'];

export function checkCollisions(draft: Draft): Diagnostic[] {
  const between = pairs(draft.hosts)
    .filter(([one, other]) => sharesMachine(one, other) && !areTwins(one, other))
    .flatMap(([one, other]) => checkTwoHosts(draft, one, other));
  return [
    ...draft.hosts.flatMap((host) => [...checkOneHost(draft, host), ...checkSocketPath(draft, host)]),
    ...between,
  ];
}

function checkOneHost(draft: Draft, host: DraftHost): Diagnostic[] {
  const [data, ...rest] = directories(host, emptied);
  const emptiedOnes = data === undefined ? rest : [data, ...rest];
  const nested = emptiedOnes.flatMap((one, index) =>
    emptiedOnes
      .slice(index + 1)
      .flatMap((other) => (overlap(one.value, other.value) ? [tellNested(draft, one, other)] : [])),
  );
  const kept = directories(host, ['socket_dir', 'passfile']).flatMap((file) =>
    directories(host, ['data_dir', 'wal_dir']).flatMap((outer) =>
      file.value === outer.value || inside(file.value, outer.value) ? [tellNested(draft, outer, file)] : [],
    ),
  );
  return [...nested, ...kept];
}

/** The host is not named here: for a value that holds for all hosts, the message is one and the same. */
function tellNested(draft: Draft, one: Directory, other: Directory): Diagnostic {
  const relation =
    one.value === other.value ? 'is the same as' : inside(other.value, one.value) ? 'is inside' : 'contains';
  const written = draft.has('hosts', other.host, ...other.path) || draft.has(...other.path);
  const blamed = written ? other : one;
  return {
    code: 'INV010',
    what: `${other.key} '${other.value}' ${relation} ${one.key} '${one.value}'`,
    why:
      other.key === 'management_dir' || one.key === 'management_dir'
        ? 'a rebuild empties the data, and the state of the controller must outlive that'
        : 'a rebuild empties one and would take the other along; a base backup would copy it',
    fix: `Keep the two apart, for example ${other.key}: ${suggestion(one.value, other.key)}.`,
    at: draft.hostValueAt(other.host, ...blamed.path),
  };
}

/** A path beside the given one and not below it. */
const suggestion = (path: string, key: string): string =>
  `${path === '/' ? '/inst1' : path}-${key.replace(/_dir$/, '')}`;

function checkTwoHosts(draft: Draft, one: DraftHost, other: DraftHost): Diagnostic[] {
  return directories(other, emptied).flatMap((later) => {
    const earlier = directories(one, emptied).find((candidate) => overlap(candidate.value, later.value));
    if (earlier === undefined) return [];
    const equal = earlier.value === later.value;
    return [
      {
        code: 'INV010' as const,
        what: equal
          ? `'${one.name}' and '${other.name}' share the directory '${later.value}' on one machine`
          : `${later.key} '${later.value}' of '${other.name}' and ${earlier.key} '${earlier.value}' of '${one.name}' lie in each other`,
        why: 'each server needs directories of its own; one would overwrite the other',
        fix: `Give '${other.name}' its own, for example ${later.path[0]}: { ${later.key}: ${earlier.value}_${other.name} }.`,
        at: draft.hostValueAt(other.name, ...later.path),
      },
    ];
  });
}

function checkSocketPath(draft: Draft, host: DraftHost): Diagnostic[] {
  if (host.socketDir === undefined) return [];
  const socket = `${host.socketDir}/.s.PGSQL.${host.port}`;
  const bytes = Buffer.byteLength(socket);
  if (bytes <= longestSocketPath) return [];
  const own = draft.has('postgres', 'socket_dir') || draft.has('hosts', host.name, 'postgres', 'socket_dir');
  return [
    {
      code: 'INV006',
      what: `the path of the Unix socket has ${bytes} bytes, and ${longestSocketPath} is the most`,
      why: `PostgreSQL would not start with ${socket}`,
      fix: 'Write a shorter socket_dir under postgres, for example /tmp.',
      at: draft.hostValueAt(
        host.name,
        ...(own ? ['postgres', 'socket_dir'] : ['multiplexing', 'management_dir']),
      ),
    },
  ];
}
