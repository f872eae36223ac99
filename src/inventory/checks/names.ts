/** Names: the cluster, the hosts, the database users. Each rule comes from where the name is written to. Pure. */
import type { Diagnostic } from '../../base/diagnostic.ts';
import { inheritedNames } from '../../base/own-value.ts';
import { copySlotName, slotName } from '../../postgres/replication-names.ts';
import { defaults } from '../defaults.ts';
import { type Draft, isArbiter } from '../draft.ts';
import { pairs } from '../machines.ts';

const problem = (what: string, why: string, fix: string, at: NonNullable<Diagnostic['at']>): Diagnostic => ({
  code: 'INV009',
  what,
  why,
  fix,
  at,
});

export function checkNames(draft: Draft): Diagnostic[] {
  return [
    ...checkCluster(draft),
    ...draft.hosts.flatMap((host) => checkHost(draft, host.name)),
    ...checkCase(draft),
    ...checkSlots(draft),
    ...checkOwner(draft),
    ...checkReplicationUser(draft),
  ];
}

function checkCluster(draft: Draft): Diagnostic[] {
  const name = draft.data.cluster;
  if (name === undefined || /^[A-Za-z][A-Za-z0-9]{0,15}$/.test(name)) return [];
  const reason =
    name === ''
      ? 'it is empty'
      : !/^[A-Za-z]/.test(name)
        ? 'it does not begin with a letter'
        : /[^A-Za-z0-9]/.test(name)
          ? 'it holds more than letters and digits'
          : `it has ${name.length} bytes, and 16 is the most`;
  const allowed =
    name
      .replace(/[^A-Za-z0-9]/g, '')
      .replace(/^\d+/, '')
      .slice(0, 16) || 'inst1';
  return [
    problem(
      `'${name}' cannot be the name of a cluster: ${reason}`,
      'units, log idents and services are named after it',
      `Write a letter first, then letters and digits, for example ${allowed}.`,
      draft.valueAt('cluster'),
    ),
  ];
}

/** 63 and not 64: PostgreSQL cuts application_name there, and a name cut off never counts as synchronous. */
const longestHostName = 63;

function checkHost(draft: Draft, name: string): Diagnostic[] {
  const wrong = (reason: string, why: string) => [
    problem(
      `'${name}' cannot be the name of a host: ${reason}`,
      why,
      "Begin with a letter or a digit, then letters, digits, '.', '_' and '-', 63 bytes at most, for example server1.",
      draft.keyAt('hosts', name),
    ),
  ];
  if (/[^\x20-\x7e]/.test(name)) {
    return wrong('it is not plain ASCII', 'network.conf takes ASCII only');
  }
  if (/[ #]/.test(name)) {
    return wrong("it holds a space or '#'", 'in network.conf a space ends the name and # begins a comment');
  }
  if (name.length > longestHostName) {
    return wrong(
      `it has ${name.length} bytes`,
      'it is the application_name of the replication, which PostgreSQL cuts after 63 bytes',
    );
  }
  if (inheritedNames.includes(name)) {
    return wrong(
      'JavaScript has a meaning of its own for it',
      'the controllers keep what they know by this name',
    );
  }
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name)) {
    const char = /^[^A-Za-z0-9]/.exec(name)?.[0] ?? /[^A-Za-z0-9._-]/.exec(name)?.[0] ?? '';
    const reason = name === '' ? 'it is empty' : `it holds '${char}' where that is not allowed`;
    return wrong(reason, 'files, units and synchronous_standby_names carry it');
  }
  return [];
}

/** synchronous_standby_names is compared without regard to case, and so are file names on some systems. */
function checkCase(draft: Draft): Diagnostic[] {
  return pairs(draft.hosts).flatMap(([one, other]) =>
    one.name !== other.name && one.name.toLowerCase() === other.name.toLowerCase()
      ? [
          problem(
            `'${one.name}' and '${other.name}' differ in upper and lower case only`,
            'synchronous_standby_names does not tell the two apart',
            `Give '${other.name}' another name.`,
            draft.keyAt('hosts', other.name),
          ),
        ]
      : [],
  );
}

/** Two names that are different may be one where only letters, digits and underscores count, and only so many of them. */
function checkSlots(draft: Draft): Diagnostic[] {
  // Nobody copies data to an arbiter.
  return pairs(draft.hosts.filter((host) => !isArbiter(host))).flatMap(([one, other]) =>
    one.name.toLowerCase() !== other.name.toLowerCase() && copySlotName(one.name) === copySlotName(other.name)
      ? [
          problem(
            `'${one.name}' and '${other.name}' ${likeness(one.name, other.name)}`,
            `both would be copied with the slot '${copySlotName(one.name)}'`,
            `Give '${other.name}' another name.`,
            draft.keyAt('hosts', other.name),
          ),
        ]
      : [],
  );
}

/** PostgreSQL cuts the name of a slot, so that what comes behind its end tells nothing apart. */
const likeness = (one: string, other: string): string =>
  slotName(one) === slotName(other)
    ? "differ in '.', '-' and '_' only"
    : `are the same in their first ${copySlotName(one).length - copySlotName('').length} bytes`;

function checkOwner(draft: Draft): Diagnostic[] {
  const owner = draft.data.postgres?.owner;
  if (owner === undefined) return [];
  const at = draft.valueAt('postgres', 'owner');
  if (owner === 'root') {
    return [
      problem(
        "'root' cannot own an instance",
        'PostgreSQL refuses to run as root',
        'Write another user, usually postgres.',
        at,
      ),
    ];
  }
  if (/^[a-z_][a-z0-9_-]{0,31}$/.test(owner) && !owner.startsWith('pg_')) return [];
  return [
    problem(
      `'${owner}' cannot own an instance`,
      'it must be an OS user and a database superuser of one name; names that begin with pg_ belong to PostgreSQL',
      'Write a lower case letter first, then lower case letters, digits, _ and -, for example postgres.',
      at,
    ),
  ];
}

function checkReplicationUser(draft: Draft): Diagnostic[] {
  const user = draft.data.replication_user;
  if (user === undefined) return [];
  const at = draft.valueAt('replication_user');
  const owner = draft.data.postgres?.owner ?? defaults.owner;
  if (user === owner) {
    return [
      problem(
        `'${user}' is the owner of the instance and cannot replicate as well`,
        'the password of the replication stands in files; it must not open the whole database',
        `Write another name, or leave it out for ${defaults.replicationUser}.`,
        at,
      ),
    ];
  }
  const keyword = ['all', 'public', 'none', 'replication', 'samerole', 'sameuser'].includes(user);
  if (/^[a-z_][a-z0-9_]{0,62}$/.test(user) && !user.startsWith('pg_') && !keyword) return [];
  return [
    problem(
      `'${user}' cannot be the user of the replication`,
      keyword
        ? 'in pg_hba.conf or in SQL this word means something else'
        : 'names that begin with pg_ belong to PostgreSQL, and others would have to be quoted everywhere',
      `Write lower case letters, digits and _, for example ${defaults.replicationUser}.`,
      at,
    ),
  ];
}
