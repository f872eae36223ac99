/** An etcd in place of an arbiter: one that answers alone, members that can be spoken to, and names that its keys can have. Pure. */
import type { Diagnostic } from '../../base/diagnostic.ts';
import { etcdName, isHttpsEndpoint } from '../../base/endpoint.ts';
import { arbiterOf, type Draft } from '../draft.ts';

export function checkEtcd(draft: Draft): Diagnostic[] {
  if (draft.data.arbiter === undefined) return [];
  return [...checkAlone(draft), ...checkMembers(draft), ...checkTexts(draft)];
}

function checkAlone(draft: Draft): Diagnostic[] {
  const host = arbiterOf(draft);
  const named = draft.hosts.find(({ name }) => name.toLowerCase() === etcdName);
  return [
    ...(host
      ? [
          {
            code: 'INV008' as const,
            what: `there is an etcd besides the arbiter '${host.name}'`,
            why: 'two that each answer alone could give one answer to each server, and both would go on',
            fix: `Keep one of them: remove '${host.name}', or arbiter.`,
            at: draft.valueAt('hosts', host.name, 'role'),
          },
        ]
      : []),
    ...(named
      ? [
          {
            code: 'INV009' as const,
            what: `'${named.name}' cannot be the name of a host beside an etcd`,
            why: 'the controllers call the etcd so, and could not tell the two apart',
            fix: 'Give the host another name, for example server1.',
            at: draft.keyAt('hosts', named.name),
          },
        ]
      : []),
  ];
}

function checkMembers(draft: Draft): Diagnostic[] {
  const members = draft.data.arbiter?.etcd;
  if (members === undefined) return [];
  if (members.length === 0) {
    const fix = 'Write each member as https://HOST:PORT, for example [https://192.0.2.121:2379].';
    return [
      {
        ...{ code: 'INV004', what: 'arbiter.etcd names no member', why: 'nobody could be asked', fix },
        at: draft.keyAt('arbiter', 'etcd'),
      },
    ];
  }
  return members.flatMap((member, index) =>
    member === undefined ? [] : checkMember(draft, members, member, index),
  );
}

function checkMember(
  draft: Draft,
  members: readonly (string | undefined)[],
  member: string,
  index: number,
): Diagnostic[] {
  const told = (what: string, why: string, fix: string): Diagnostic[] => [
    { code: 'INV005', what, why, fix, at: draft.valueAt('arbiter', 'etcd', index) },
  ];
  if (members.indexOf(member) < index) {
    const why = 'each member is asked in turn, and this one would be asked twice';
    return told(`the member '${member}' stands twice`, why, 'Remove one of the two.');
  }
  if (isHttpsEndpoint(member)) return [];
  const host = member.replace(/^[a-z]*:?\/\//i, '').replace(/\/.*$/, '');
  const meant = `https://${/:\d+$/.test(host) ? host : `${host}:2379`}`;
  const fix = isHttpsEndpoint(meant) ? `Write ${meant}.` : 'Write https://HOST:PORT.';
  if (/^http:/i.test(member)) {
    const why = 'the password would be sent in clear text, and anybody in between could answer';
    return told(
      `the member '${member}' is asked without TLS`,
      why,
      `${fix} etcd needs --cert-file and --key-file for it.`,
    );
  }
  return told(
    `'${member}' is no member of an etcd`,
    'a member is https, a name or an address that can be one, and a port, and nothing else',
    fix,
  );
}

/** What the file of the controller and the keys of etcd can hold. */
function checkTexts(draft: Draft): Diagnostic[] {
  const { user, prefix } = draft.data.arbiter ?? {};
  const told = (key: 'user' | 'prefix', what: string, why: string, fix: string): Diagnostic[] => [
    { code: 'INV009', what, why, fix, at: draft.valueAt('arbiter', key) },
  ];
  return [
    ...(user === undefined || /^[\x21-\x7e]{1,63}$/.test(user)
      ? []
      : told(
          'user',
          `'${user}' cannot be a user of etcd here`,
          'the file of the controller takes plain ASCII without spaces, 63 bytes at most',
          'Write a plain name, for example pgduet.',
        )),
    ...(prefix === undefined || /^(?:\/[A-Za-z0-9._-]+)+\/?$/.test(prefix)
      ? []
      : told(
          'prefix',
          `'${prefix}' cannot be the prefix of keys`,
          'the right to them is given for everything below it, so that it must be one directory alone',
          "Write '/' and letters, digits, '.', '_' and '-', for example /pgduet.",
        )),
  ];
}
