/**
 * firewall: who reaches the ports of a unit, as a table of nftables of its own (ADR 31). Four things are declared of it, in this order: `opened`
 * widens what stands, `tried` loads what is declared for a while, `kept` makes that last, `absent` takes all of it away. No other table is touched.
 */
import { flag, map, oneOf, optional, text } from '../contract/field.ts';
import { fieldsOf } from '../contract/fields.ts';
import {
  change,
  type Difference,
  present,
  type ResourceKind,
  refuse,
  same,
  unknown,
  type Verdict,
} from '../contract/kind.ts';
import {
  type FirewallChange,
  type FirewallDesired,
  firewallLook,
  firewallScripts,
} from './firewall-scripts.ts';
import {
  type FirewallTable,
  missingIn,
  readTable,
  systemPath,
  tableFile,
  tableName,
  tableText,
  widened,
} from './firewall-table.ts';

const source = /^[0-9A-Fa-f:.]+(\/\d{1,3})?$/;

const fields = fieldsOf(
  {
    name: text('name of the unit whose ports they are'),
    cluster: text('name of the cluster'),
    state: oneOf(
      ['opened', 'tried', 'kept', 'absent'],
      'what is declared: what stands lets in who is declared; the table is in force, for a while; it stays; nothing of it is there',
    ),
    ports: map('by port who reaches it: networks and addresses with blanks between them, or `all`'),
    declared: flag('whether the inventory says that there is a firewall', true),
    problem: optional(text('why it cannot be as declared')),
    clusters: optional(text('of an arbiter: the directory of the clusters that it serves')),
    port: optional(text('of the server: its port of PostgreSQL, for a look at who is in')),
  },
  (
    { name, cluster, state, ports, declared, problem: objection = '', clusters, port },
    { entropy },
    problem,
  ) => {
    if (!/^[\w.-]+$/.test(name))
      problem('name', `'${name}' is no name of a unit`, "Write 'name: mcoi_inst1'.");
    for (const [each, words] of Object.entries(ports))
      if (!/^\d+$/.test(each) || !wordsOf(words).every((word) => word === 'all' || source.test(word)))
        problem(
          'ports',
          `'${each}: ${words}' is no port with networks`,
          "Write '27500: 10.0.0.0/8 10.1.0.1'.",
        );
    const read = Object.entries(ports).map(
      ([each, words]) => [each, words === 'all' ? ('all' as const) : wordsOf(words)] as const,
    );
    const desired: FirewallDesired = {
      table: { name, cluster, ports: new Map(read) },
      state,
      declared,
      run: entropy,
      problem: objection,
      asks: port !== undefined && state === 'tried',
      ...(clusters === undefined ? {} : { clusters }),
    };
    return desired;
  },
);

const wordsOf = (words: string): readonly string[] => words.split(/\s+/).filter((word) => word !== '');

type Live = 'same' | 'other' | 'none' | 'unseen';

interface Seen {
  /** The table in force: as declared, another one, or none; `unseen` where that was not asked. */
  readonly live: Live;
  /** A trial is under way, or was broken off. */
  readonly trial?: string;
  /** The text that is loaded at boot. */
  readonly kept?: string;
  /** Other files of ours are there. */
  readonly rests: boolean;
  /** Other clusters of an arbiter. */
  readonly others: readonly string[];
  /** Who is in at PostgreSQL and would not be let in again. */
  readonly sessions: readonly string[];
}

export const firewall: ResourceKind<FirewallDesired, Seen, FirewallChange> = {
  kind: 'firewall',
  summary: 'Who reaches the ports of a unit: a table of nftables of its own, tried before it is kept.',
  fields,
  key: ({ table, state }) => `${table.name} ${state}`,
  describe: ({ table, state }) => `firewall of ${table.name}, ${state}`,
  probe: (desired) => ({ shell: firewallLook(desired), ...sessionsProbe(desired) }),
  read: (reply) => {
    const at = reply.stdout.indexOf('\nkept\n');
    const head = (at < 0 ? reply.stdout : reply.stdout.slice(0, at)).split('\n');
    const live = /^live (same|other|none|unseen)$/.exec(head[0] ?? '')?.[1] as Live | undefined;
    if (reply.status !== 0 || live === undefined)
      return unknown(reply.stderr.trim() || 'the rules of the firewall could not be looked at');
    return present({
      live,
      ...trialIn(head),
      rests: head.includes('rests'),
      others: head.flatMap((line) => /^other (\S+)$/.exec(line)?.[1] ?? []),
      sessions: Array.isArray(reply.sql) ? reply.sql.filter((one) => typeof one === 'string') : [],
      ...(at < 0 ? {} : { kept: reply.stdout.slice(at + '\nkept\n'.length) }),
    });
  },
  diff: (desired, observed) => {
    if (observed.state === 'absent') return same('there is none');
    const seen = observed.value;
    if (desired.state === 'opened') return opening(desired, seen);
    if (desired.state === 'absent') return leaving(desired, seen);
    if (desired.problem !== '') return refuse(impossible(desired));
    if (seen.others.length > 0)
      return same('the arbiter serves other clusters, too', [openArbiter(desired, seen)]);
    return desired.state === 'tried' ? trying(desired, seen) : keeping(desired, seen);
  },
  steps: (decided, desired) => [
    { title: decided.summary, script: `${systemPath}\n${firewallScripts[desired.state](desired, decided)}` },
  ],
};

/** Containment is PostgreSQL's own. */
function sessionsProbe({ asks, table }: FirewallDesired): { readonly sql?: string } {
  const lists = [...table.ports.values()].map((sources) =>
    sources === 'all' ? ['0.0.0.0/0', '::/0'] : sources,
  );
  const [first] = lists;
  if (!asks || first === undefined) return {};
  const declared = [...first, '127.0.0.0/8', '::1/128'].map((one) => `'${one}'`).join(', ');
  return {
    sql: `SELECT coalesce(json_agg(DISTINCT host(client_addr)), '[]') FROM pg_stat_activity WHERE NOT (client_addr <<= ANY (ARRAY[${declared}]::inet[]))`,
  };
}

function opening(desired: FirewallDesired, { kept, trial }: Seen): Verdict<FirewallChange> {
  const { name, cluster } = desired.table;
  if (trial !== undefined && trial !== desired.run)
    return change({
      summary: `take the trial of the firewall of ${name} back`,
      reason: 'a run was broken off before it was kept',
    });
  if (kept === undefined) return same('there is no firewall of ours');
  const stands = readTable(name, kept);
  if (!stands) return same(`${tableFile(name)} is not as pgduet writes it`);
  const more = [...missingIn(stands, desired.table)];
  if (more.length > 0 && stands.cluster !== cluster)
    return refuse(anotherCluster(desired, stands.cluster, more));
  if (more.length === 0)
    return same(
      'it lets in who is declared',
      desired.declared || stands.cluster !== cluster ? [] : [undeclared(name)],
    );
  return change({
    wider: widened(stands, desired.table),
    summary: `let ${more.map(([port, sources]) => `${sources.join(', ')} in at port ${port}`).join(', and ')}`,
    reason: 'the firewall that stands keeps them out',
    differences: [
      ...more.map(
        ([port, sources]): Difference => ({
          code: 'FWL002',
          object: `port ${port}`,
          declared: `open to ${sources.join(', ')}`,
          found: 'not in the firewall that stands',
        }),
      ),
      ...(desired.declared ? [] : [undeclared(name)]),
    ],
  });
}

const undeclared = (name: string): Difference => ({
  code: 'FWL004',
  object: tableFile(name),
  declared: 'nothing',
  found: 'a firewall of pgduet',
});

function trying({ table, run }: FirewallDesired, seen: Seen): Verdict<FirewallChange> {
  // What an earlier run has on trial is taken back before this one begins.
  const isLeft = seen.trial !== undefined && seen.trial !== run;
  if (seen.live === 'same' && !isLeft) return same('it is in force');
  const loads = seen.kept === tableText(table);
  const difference: Difference = {
    code: 'FWL001',
    object: `inet ${tableName(table.name)}`,
    declared: portsText(table),
    found: seen.live === 'none' ? 'no such table' : isLeft ? 'on trial, and not kept' : 'another table',
  };
  const summary = loads
    ? `load the firewall of ${table.name} again`
    : `close the ports of ${table.name} on trial: ${portsText(table)}`;
  return change({
    summary,
    reason:
      seen.live === 'none'
        ? 'the table is not there'
        : isLeft
          ? 'a run was broken off before it was kept'
          : 'the table is another one',
    text: { before: seen.kept ?? '', after: tableText(table), name: tableFile(table.name) },
    notes: sessionNotes(seen.sessions),
    differences: [difference, ...outside(seen.sessions)],
  });
}

function trialIn(lines: readonly string[]): Pick<Seen, 'trial'> {
  const line = lines.find((each) => each.startsWith('trial '));
  return line === undefined ? {} : { trial: line.replace('trial # run ', '') };
}

const portsText = ({ ports }: FirewallTable): string =>
  [...ports]
    .map(
      ([port, sources]) =>
        `${port} ${sources === 'all' ? 'for all' : `for ${sources.join(', ') || 'nobody'}`}`,
    )
    .join('; ');

const sessionNotes = (sessions: readonly string[]): readonly string[] =>
  sessions.length === 0
    ? []
    : [
        `sessions of PostgreSQL from ${sessions.join(', ')} go on, and cannot come again: declare them (firewall.clients) if they are to`,
      ];

const outside = (sessions: readonly string[]): readonly Difference[] =>
  sessions.length === 0
    ? []
    : [
        {
          code: 'FWL003',
          object: sessions.join(', '),
          declared: 'not among clients or servers',
          found: 'in, now',
        },
      ];

function keeping({ table }: FirewallDesired, { kept }: Seen): Verdict<FirewallChange> {
  if (kept === tableText(table)) return same('it stays, also behind a reboot');
  return change({
    summary: `keep the firewall of ${table.name}`,
    reason: kept === undefined ? 'nothing loads it at boot' : 'another one is loaded at boot',
    differences: [
      {
        code: 'FWL005',
        object: tableFile(table.name),
        declared: 'as rendered',
        found: kept === undefined ? 'missing' : 'another content',
      },
    ],
  });
}

function leaving(
  { table: { name, cluster } }: FirewallDesired,
  { live, rests, kept }: Seen,
): Verdict<FirewallChange> {
  const owner = kept === undefined ? undefined : readTable(name, kept)?.cluster;
  if (owner !== undefined && owner !== cluster) return same(`it is the firewall of '${owner}'`);
  if (live === 'none' && !rests) return same('there is no firewall of ours');
  return change({
    summary: `take the firewall of ${name} away`,
    reason: 'it is not to be there',
    differences: [
      {
        code: 'FWL006',
        object: `inet ${tableName(name)}`,
        declared: 'no firewall of pgduet',
        found: 'a table, or its files',
      },
    ],
  });
}

const openArbiter = ({ table }: FirewallDesired, { others: names }: Seen): Difference => ({
  code: 'FWL007',
  object: [...table.ports.keys()].map((port) => `port ${port}`).join(', '),
  declared: portsText(table),
  found: `open: the arbiter serves ${names.join(', ')}, too`,
});

const impossible = ({ table, problem }: FirewallDesired) => ({
  code: 'SAF100' as const,
  what: `the firewall of ${table.name} cannot be as declared: ${problem}`,
  why: 'it would keep out who is to be let in, or would not last',
  fix: 'Repair that, or take the key firewall out of the inventory: what is there stays then.',
});

const anotherCluster = (
  { table }: FirewallDesired,
  owner: string,
  more: readonly (readonly [string, readonly string[]])[],
) => ({
  code: 'SAF101' as const,
  what: `the firewall of the cluster '${owner}' keeps '${table.cluster}' out of the arbiter`,
  why: 'the servers of this cluster would not reach it',
  fix: `Write firewall.servers: [${[...new Set(more.flatMap(([, sources]) => sources))].join(', ')}] into the inventory of '${owner}' and run 'pgduet provision' with it, then this command again.`,
});
