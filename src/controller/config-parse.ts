/**
 * Reads what the templates wrote, or a person changed since: text of network.conf, <serverIdentifier>.conf and arbitration.conf →
 * typed values, or every mistake at once with its file, line and fix. Never throws, never touches a file. Pure.
 */
import { type Diagnostic, failed, ok, type Result } from '../base/diagnostic.ts';
import { inheritedNames } from '../base/own-value.ts';
import {
  type ArbiterLine,
  type NetworkConf,
  type ServerConf,
  type ServerLine,
  serverKeys,
} from './config.ts';
import { type ArbiterConf, arbiterKeys } from './config-arbiter.ts';
import { type Doubt, parseKeys } from './config-keys.ts';
import { isEmpty, type Line, linesOf, problem, wholeFile } from './config-lines.ts';

/** Reads <serverIdentifier>.conf. `arbitrated`: network.conf names somebody who can arbitrate. */
export function parseServerConf(text: string, file: string, arbitrated = false): Result<ServerConf> {
  const namesEtcd = /^\s*etcd_endpoints\s*=/m.test(text);
  const read = parseKeys(text, file, serverKeys, arbitrated || namesEtcd ? noDoubt : noArbitration);
  if (!read.ok) return read;
  const problems = etcdMistakes(read.value, wholeFile(text, file));
  return problems.length > 0 ? failed(...problems) : read;
}

/** What an etcd needs besides its addresses. */
function etcdMistakes({ etcdEndpoints, etcdUser, etcdPrefix }: ServerConf, line: Line): Diagnostic[] {
  if (etcdEndpoints.length === 0) return [];
  const missing = [...(etcdUser ? [] : ['etcd_user']), ...(etcdPrefix ? [] : ['etcd_prefix'])];
  const problems = missing.map((key) => {
    const why = 'an etcd is asked as a user with a password, and about the keys of this cluster only';
    return problem(
      'MCF007',
      line,
      '',
      `etcd_endpoints needs the key '${key}'`,
      why,
      `Add a line ${key} = '…'.`,
    );
  });
  if (etcdPrefix && !/^\/.*[^/]\/$/.test(etcdPrefix)) {
    const why = 'below a prefix without a slash at its end are the keys of other clusters, too';
    const fix = "Write etcd_prefix = '/pgduet/CLUSTER/'.";
    problems.push(problem('MCF005', line, '', `'etcd_prefix' cannot be '${etcdPrefix}'`, why, fix));
  }
  return problems;
}

/** Reads arbitration.conf. */
export const parseArbiterConf = (text: string, file: string): Result<ArbiterConf> =>
  parseKeys(text, file, arbiterKeys, noDoubt);

const noDoubt: Doubt = () => undefined;

const noArbitration: Doubt = (line, key, value, text) =>
  key === 'heartbeat_error_action' && value === 'arbitration'
    ? problem(
        'MCF009',
        line,
        text,
        "heartbeat_error_action 'arbitration' has nobody who could answer",
        'network.conf names no arbiter and fewer than three servers, and there is no etcd, so nothing would ever be switched',
        "Add a line of kind arbiter to every network.conf, or etcd_endpoints here; or use 'fallback', 'message' or 'command'.",
      )
    : undefined;

/** Reads network.conf. At least one server, at most one arbiter; identifiers and address:port pairs are unique. */
export function parseNetworkConf(text: string, file: string): Result<NetworkConf> {
  const problems: Diagnostic[] = [];
  const read: ReadLine[] = [];
  for (const line of linesOf(text, file)) {
    if (isEmpty(line)) continue;
    const next = readLine(line, read);
    if ('code' in next) problems.push(next);
    else read.push(next);
  }
  const servers = read.flatMap((it) => (it.kind === 'server' ? [it.line] : []));
  const arbiters = read.flatMap((it) => (it.kind === 'arbiter' ? [it.line] : []));
  if (servers.length === 0 && problems.length === 0) {
    const why = 'the controllers find each other by this file';
    const fix = 'Write one line per server: serverIdentifier host port.';
    problems.push(problem('MCF007', wholeFile('', file), '', 'no server stands in the file', why, fix));
  }
  return problems.length > 0 ? failed(...problems) : ok({ servers, arbiters });
}

type ReadLine =
  | { readonly kind: 'server'; readonly line: ServerLine }
  | { readonly kind: 'arbiter'; readonly line: ArbiterLine };

function readLine(line: Line, before: readonly ReadLine[]): ReadLine | Diagnostic {
  const [id = '', hosts = '', ports = '', kind = 'server', ...rest] = line.text.trim().split(/\s+/);
  if (ports === '' || rest.length > 0 || !['server', 'arbiter'].includes(kind)) {
    const what = `line ${line.number} is not of the form serverIdentifier host port`;
    const fix =
      'Write serverIdentifier host[,host] port[,port] [server], with no space after a comma; an arbiter: identifier host port arbiter.';
    return problem(
      'MCF003',
      line,
      line.text.trim(),
      what,
      'the controllers find each other by this line',
      fix,
    );
  }
  if (!/^[\x21-\x7e]{1,64}$/.test(id) || /[#/]/.test(id) || id.startsWith('.')) {
    const why = "a server identifier is ASCII without space, '#' or '/', at most 64 bytes; it names files";
    return problem('MCF005', line, id, `'${id}' cannot name a server`, why, 'Choose a shorter, plain name.');
  }
  if (inheritedNames.includes(id)) {
    const why =
      'JavaScript has a meaning of its own for it, and the controllers keep what they know by this name';
    return problem('MCF005', line, id, `'${id}' cannot name a server`, why, 'Choose another name.');
  }
  const others = before.map((it) => it.line);
  const read = readAddresses(line, id, hosts.split(','), ports.split(','), others);
  if ('code' in read) return read;
  return kind === 'arbiter' ? readArbiter(line, read, before) : { kind: 'server', line: read };
}

function readArbiter(line: Line, read: ServerLine, before: readonly ReadLine[]): ReadLine | Diagnostic {
  const { arbitrationHost, id, host, port } = read;
  if (arbitrationHost !== undefined) {
    const what = `the arbiter '${id}' has two addresses`;
    return problem(
      'MCF005',
      line,
      arbitrationHost,
      what,
      'the servers call it at one',
      'Give one host and one port.',
    );
  }
  const first = before.find((it) => it.kind === 'arbiter');
  if (first) {
    const what = `'${id}' is an arbiter besides '${first.line.id}'`;
    const why = 'one arbiter answers for a cluster; of two nobody knows which one counts';
    return problem('MCF008', line, 'arbiter', what, why, 'Remove one of the two lines.');
  }
  return { kind: 'arbiter', line: { id, host, port } };
}

function readAddresses(
  line: Line,
  id: string,
  [host = '', arbitrationHost, ...moreHosts]: string[],
  [port = '', arbitrationPort, ...morePorts]: string[],
  before: readonly ServerLine[],
): ServerLine | Diagnostic {
  const pairs = (arbitrationHost === undefined) === (arbitrationPort === undefined);
  if (!pairs || moreHosts.length > 0 || morePorts.length > 0) {
    const why =
      'every address needs a port of its own: first the admin network, then the arbitration network';
    const fix = 'Give one host and one port, or two of each.';
    return problem(
      'MCF005',
      line,
      line.text.trim(),
      `'${id}' has hosts and ports that do not pair`,
      why,
      fix,
    );
  }
  for (const each of [host, arbitrationHost ?? host]) {
    if (/^[A-Za-z0-9.:_-]+(%[A-Za-z0-9._-]+)?$/.test(each)) continue;
    const why = 'a host is a name or an IPv4 or IPv6 address';
    return problem('MCF005', line, each, `'${each}' is no address`, why, 'Correct the address.');
  }
  for (const each of [port, arbitrationPort ?? port]) {
    if (/^\d+$/.test(each) && Number(each) >= 1 && Number(each) <= 65_535) continue;
    const why = 'a port is a number from 1 to 65535';
    return problem('MCF006', line, each, `'${each}' is no port`, why, 'Give the port of the admin network.');
  }
  const read = { id, host, port: Number(port) };
  const twice = before.find((other) => other.id === id || (other.host === host && other.port === read.port));
  if (twice) {
    const what = twice.id === id ? `'${id}' stands twice` : `'${id}' and '${twice.id}' share ${host}:${port}`;
    const why = 'each controller has one name and listens on one port of its own';
    return problem('MCF008', line, twice.id === id ? id : port, what, why, 'Change one of the two lines.');
  }
  return arbitrationHost === undefined
    ? read
    : { ...read, arbitrationHost, arbitrationPort: Number(arbitrationPort) };
}
