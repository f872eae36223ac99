/**
 * Reads what the templates wrote, or a person changed since: text of network.conf and <serverIdentifier>.conf →
 * typed values, or every mistake at once with its file, line and fix. Never throws, never touches a file. Pure.
 */
import type { Code } from '../base/codes.ts';
import { type Diagnostic, failed, ok, type Result } from '../base/diagnostic.ts';
import { nearest } from '../base/nearest.ts';
import type { Position } from '../base/position.ts';
import { type ServerConf, type ServerLine, serverConfDefaults, serverKeys } from './config.ts';
import type { KeySpec, Token } from './config-value.ts';

interface Line {
  readonly number: number;
  readonly text: string;
  readonly file: string;
}

const specs: ReadonlyMap<string, { field: string; spec: KeySpec<unknown> }> = new Map(
  Object.entries(serverKeys).map(([field, spec]) => [spec.key, { field, spec: spec as KeySpec<unknown> }]),
);

function place(line: Line, part: string): Position {
  const found = part === '' ? -1 : line.text.indexOf(part);
  const column = found < 0 ? 1 : found + 1;
  // The excerpt is shown to the user, so a password must not stand in it.
  const text = line.text.replace(/(db_instance_password\W*).*/, '$1(secret)');
  return { file: line.file, line: line.number, column, length: Math.max(1, part.length), text };
}

function problem(code: Code, line: Line, part: string, what: string, why: string, fix: string): Diagnostic {
  return { code, what, why, fix, at: place(line, part) };
}

const linesOf = (text: string, file: string): Line[] =>
  text.split(/\r?\n/).map((content, index) => ({ number: index + 1, text: content, file }));

/** `key = value # comment` → its two sides; undefined when the line has another form. */
function assignment(text: string): { key: string; token: Token } | undefined {
  const match = /^\s*([A-Za-z_]\w*)\s*=\s*(?:'((?:[^'\\]|''|\\.)*)'|([^\s'#]+))\s*(?:#.*)?$/.exec(text);
  if (match?.[1] === undefined) return undefined;
  const quoted = match[2] !== undefined;
  const plain = quoted ? (match[2] ?? '').replace(/''|\\(.)/g, (_, escaped) => escaped ?? "'") : match[3];
  return { key: match[1], token: { text: plain ?? '', quoted } };
}

/** Reads <serverIdentifier>.conf. Defaults are filled in; a warning is never needed: what is wrong is an error. */
export function parseServerConf(text: string, file: string): Result<ServerConf> {
  const problems: Diagnostic[] = [];
  const values = new Map<string, unknown>();
  for (const line of linesOf(text, file)) {
    if (/^\s*(#|$)/.test(line.text)) continue;
    const parts = assignment(line.text);
    const mistake = parts === undefined ? notAnAssignment(line) : readKey(line, parts, values);
    if (mistake) problems.push(mistake);
  }
  const whole: Line = { number: 1, text: text.split('\n')[0] ?? '', file };
  for (const { field, spec } of specs.values()) {
    const named = values.has(field) || problems.some((it) => it.what.includes(`'${spec.key}'`));
    if (spec.required && !named) problems.push(missingKey(whole, spec));
  }
  if (problems.length > 0) return failed(...problems);
  // Each value was read by the spec of its own field, which is what KeyTable promises.
  return ok({ ...serverConfDefaults, ...(Object.fromEntries(values) as unknown as ServerConf) });
}

function notAnAssignment(line: Line): Diagnostic {
  return problem(
    'MCF003',
    line,
    line.text.trim(),
    `line ${line.number} is not of the form key = value`,
    'the controller does not start on a configuration that it understands only in part',
    "Write key = value; put text in single quotes, with '' for a quote inside, and comments behind '#'.",
  );
}

function missingKey(line: Line, spec: KeySpec<unknown>): Diagnostic {
  return problem(
    'MCF007',
    line,
    '',
    `the key '${spec.key}' is missing`,
    'there is no default for it, and the controller would not know what to watch',
    `Add a line ${spec.key} = … with ${spec.expected}.`,
  );
}

function readKey(
  line: Line,
  { key, token }: { key: string; token: Token },
  values: Map<string, unknown>,
): Diagnostic | undefined {
  const known = specs.get(key);
  if (!known) return unknownKey(line, key);
  if (values.has(known.field)) {
    const why = 'only one of the two values would count, and it is not clear which';
    return problem('MCF008', line, key, `the key '${key}' stands twice`, why, 'Remove one of the two lines.');
  }
  const reading = known.spec.read(token);
  // A password must not come back in a message, whatever is wrong with it.
  const shown = key === 'db_instance_password' ? '(secret)' : token.text;
  switch (reading.kind) {
    case 'value':
      values.set(known.field, reading.value);
      return key === 'heartbeat_error_action' && reading.value === 'arbitration'
        ? noArbitration(line, token.text)
        : undefined;
    case 'wrong-form': {
      const bare = !token.quoted && reading.expected.includes('single quotes');
      const what = `'${key}' cannot be ${bare ? `${shown} without quotes` : `'${shown}'`}`;
      return problem(
        'MCF005',
        line,
        token.text,
        what,
        `it must be ${reading.expected}`,
        correct(key, reading),
      );
    }
    case 'out-of-range': {
      const what = `'${key}' cannot be ${shown}`;
      return problem(
        'MCF006',
        line,
        token.text,
        what,
        `it must be ${reading.expected}`,
        correct(key, reading),
      );
    }
  }
}

function correct(key: string, { expected }: { expected: string }): string {
  const optional = specs.get(key)?.spec.required === false;
  return `Set ${key} to ${expected}${optional ? ', or remove the line to get the default' : ''}.`;
}

function unknownKey(line: Line, key: string): Diagnostic {
  const meant = nearest(key, [...specs.keys()]);
  return problem(
    'MCF004',
    line,
    key,
    `the key '${key}' is not known`,
    'a mistyped key would silently leave its default in force',
    meant ? `Did you mean '${meant}'? Otherwise remove the line.` : 'Remove the line.',
  );
}

function noArbitration(line: Line, text: string): Diagnostic {
  return problem(
    'MCF009',
    line,
    text,
    "heartbeat_error_action 'arbitration' is not available yet",
    'there is no arbiter that could answer, so nothing would ever be switched',
    "Use 'fallback', 'message' or 'command'.",
  );
}

/** Reads network.conf. At least one server; identifiers and address:port pairs are unique. */
export function parseNetworkConf(text: string, file: string): Result<readonly ServerLine[]> {
  const problems: Diagnostic[] = [];
  const servers: ServerLine[] = [];
  for (const line of linesOf(text, file)) {
    if (/^\s*(#|$)/.test(line.text)) continue;
    const read = readServer(line, servers);
    if ('code' in read) problems.push(read);
    else servers.push(read);
  }
  if (servers.length === 0 && problems.length === 0) {
    const whole: Line = { number: 1, text: '', file };
    const why = 'the controllers find each other by this file';
    const fix = 'Write one line per server: serverIdentifier host port.';
    problems.push(problem('MCF007', whole, '', 'no server stands in the file', why, fix));
  }
  return problems.length > 0 ? failed(...problems) : ok(servers);
}

function readServer(line: Line, before: readonly ServerLine[]): ServerLine | Diagnostic {
  const [id = '', hosts = '', ports = '', kind = 'server', ...rest] = line.text.trim().split(/\s+/);
  if (ports === '' || rest.length > 0 || !['server', 'arbiter'].includes(kind)) {
    const what = `line ${line.number} is not of the form serverIdentifier host port`;
    const fix = 'Write serverIdentifier host[,host] port[,port] [server], with no space after a comma.';
    return problem(
      'MCF003',
      line,
      line.text.trim(),
      what,
      'the controllers find each other by this line',
      fix,
    );
  }
  if (kind === 'arbiter') {
    const why = 'this version has no arbitration; the line would promise a safety that is not there';
    const what = 'a line of kind arbiter is not available yet';
    return problem(
      'MCF009',
      line,
      kind,
      what,
      why,
      'Remove the line; give every server reference_addresses.',
    );
  }
  if (!/^[\x21-\x7e]{1,64}$/.test(id) || /[#/]/.test(id) || id.startsWith('.')) {
    const why = "a server identifier is ASCII without space, '#' or '/', at most 64 bytes; it names files";
    return problem('MCF005', line, id, `'${id}' cannot name a server`, why, 'Choose a shorter, plain name.');
  }
  return readAddresses(line, id, hosts.split(','), ports.split(','), before);
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
