/** Client rules: complete, and never unsafe. Pure. */
import type { Diagnostic } from '../../base/diagnostic.ts';
import { nearest } from '../../base/nearest.ts';
import type { Position } from '../../base/position.ts';
import { listedNames } from '../../postgres/hba-tokens.ts';
import { isHostAddress, isNetwork } from '../addresses.ts';
import { crossesInClear, takesAllOf, wordsOf } from '../client-rules.ts';
import type { HbaRule } from '../cluster.ts';
import type { Draft, Partly } from '../draft.ts';

type Rule = Partly<HbaRule>;
type Place = (key: keyof HbaRule) => Position;

/** Methods without options, which the format has no place for. */
const networkMethods = ['scram-sha-256', 'cert', 'gss', 'pam', 'reject'];
const localMethods = ['peer', 'scram-sha-256', 'pam', 'reject'];

const unsafe: Readonly<Record<string, string>> = {
  trust: 'anybody who reaches the port is let in as any user, without a password',
  password: 'the password crosses in clear text',
  md5: 'its hashes can be used like the password itself, and are broken',
  ident: 'the client says itself who it is, and nobody checks it',
};

export function checkHba(draft: Draft): Diagnostic[] {
  return draft.hba.flatMap((rule, index) => {
    if (rule === undefined) return [];
    const at: Place = (key) => draft.valueAt('postgres', 'hba', index, key);
    const told = [...checkAddress(rule, at), ...checkMethod(rule, at), ...checkWords(rule, at)];
    return told.length > 0 ? told : checkOptional(draft, rule, index, at);
  });
}

const wrong = (what: string, why: string, fix: string, at: Position): Diagnostic[] => [
  { code: 'INV014', what, why, fix, at },
];

function checkAddress({ type, address }: Rule, at: Place): Diagnostic[] {
  if (type === undefined) return [];
  if (type === 'local') {
    if (address === undefined) return [];
    return wrong(
      'a rule of type local takes no address',
      'it is for the Unix socket, which has no network',
      'Remove the address, or write type: host.',
      at('address'),
    );
  }
  if (address === undefined) {
    return wrong(
      `a rule of type ${type} needs an address`,
      'PostgreSQL would not read the file',
      'Add the network that clients come from, for example address: 10.0.0.0/8.',
      at('type'),
    );
  }
  const name = address.startsWith('.') ? address.slice(1) : address;
  if (isNetwork(address) || isHostAddress(name)) return [];
  return wrong(
    `'${address}' is neither a network nor a host`,
    'PostgreSQL would not read the file, and nobody could log in after a restart',
    'Write for example 10.0.0.0/8, 2001:db8::/32, .example.com or all.',
    at('address'),
  );
}

function checkMethod({ type, method }: Rule, at: Place): Diagnostic[] {
  if (type === undefined || method === undefined) return [];
  const local = type === 'local';
  const allowed = local ? localMethods : networkMethods;
  const danger = Object.hasOwn(unsafe, method) ? unsafe[method] : undefined;
  if (danger !== undefined) {
    return wrong(
      `method ${method} is not safe`,
      danger,
      `Write ${local ? 'peer' : 'scram-sha-256'}.`,
      at('method'),
    );
  }
  if (!allowed.includes(method)) {
    const meant = nearest(method, allowed);
    const why =
      method === 'peer'
        ? 'only the Unix socket knows which OS user asks, and this rule is for a network'
        : `for type ${type} there are: ${allowed.join(', ')}`;
    return wrong(
      `method '${method}' does not go with type ${type}`,
      why,
      `Write ${meant ?? allowed[0]}.`,
      at('method'),
    );
  }
  if ((method === 'cert' || method === 'pam') && !local && type !== 'hostssl') {
    const why =
      method === 'cert' ? 'certificates are shown in TLS only' : 'the password would cross in clear text';
    return wrong(`method ${method} needs type hostssl`, why, 'Write type: hostssl.', at('type'));
  }
  return [];
}

/** Where nothing is required, or an earlier rule has refused its clients already, the word would mean nothing. */
function checkOptional(draft: Draft, rule: Rule, index: number, at: Place): Diagnostic[] {
  if (rule.tls !== 'optional') return [];
  const because = withoutMeaning(draft, rule, index);
  if (because === undefined) return [];
  const [why, fix] = because;
  return wrong('tls: optional says nothing at this rule', why, fix, at('tls'));
}

function withoutMeaning(draft: Draft, rule: Rule, index: number): readonly [string, string] | undefined {
  if (draft.data.postgres?.tls_clients !== 'required')
    return ['no rule demands TLS', 'Remove it, or write postgres.tls_clients: required.'];
  if (!isWhole(rule)) return undefined;
  if (!crossesInClear(rule))
    return [
      'only a rule of type host, for another address than loopback, and with another method than reject, would demand TLS',
      'Remove it.',
    ];
  const earlier = draft.hba
    .slice(0, index)
    .findIndex(
      (other) =>
        other !== undefined &&
        isWhole(other) &&
        other.tls !== 'optional' &&
        crossesInClear(other) &&
        takesAllOf(wordsOf(other), wordsOf(rule)),
    );
  return earlier < 0
    ? undefined
    : [
        `rule ${earlier + 1} of the list takes the same clients first, and refuses them without TLS`,
        'Move this rule in front of that one.',
      ];
}

const isWhole = (rule: Rule): rule is HbaRule =>
  rule.type !== undefined &&
  rule.database !== undefined &&
  rule.user !== undefined &&
  rule.method !== undefined;

/** Names are written into one line of the file, in quotes where they need them. */
function checkWords(rule: Rule, at: Place): Diagnostic[] {
  return (['database', 'user'] as const).flatMap((key) => {
    const value = rule[key];
    if (value === undefined || listedNames(value) !== undefined) return [];
    return wrong(
      wordProblem(key, value),
      'PostgreSQL would read another rule than the one that is meant',
      `Write a name, a list with commas, or all.${/[",]/.test(value) ? ` A name with a comma stands in quotes: '"one, two"'.` : ''}`,
      at(key),
    );
  });
}

function wordProblem(key: string, value: string): string {
  if (value.trim() === '') return `the ${key} of a rule is empty`;
  if (/[\u0000-\u001f\u007f]/.test(value))
    return `the ${key} of a rule holds a character that is not allowed`;
  return value.includes('"')
    ? `the ${key} of a rule has a quote in the middle of a name, or one that is not closed`
    : `the ${key} of a rule is a list with an empty name in it`;
}
