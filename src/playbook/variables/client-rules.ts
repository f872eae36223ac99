/**
 * The client rules of the inventory as lines of pg_hba.conf, and when they begin to demand TLS (ADR 28, point 7): not before the server was
 * seen to serve it, and what stands stays. Pure.
 */
import type { Situation } from '../../intent/intent.ts';
import { crossesInClear, loopbackIn, namesText, sameClients, wordsOf } from '../../inventory/client-rules.ts';
import type { HbaRule, Server } from '../../inventory/cluster.ts';
import type { View } from '../../observe/survey.ts';
import { rowWords } from '../../postgres/hba-rows.ts';
import { sessionsWords } from '../../postgres/plain-sessions.ts';
import { cidr } from './replication.ts';

/** Do the client rules of this server demand TLS? Who does not serve it would keep everybody out; a teardown begins nothing. */
export function clientsNeedTls(
  { view, intent }: Pick<Situation, 'view' | 'intent'>,
  server: Server,
): boolean {
  if (server.postgres.tlsClients !== 'required') return false;
  const { tls, clients } = view.hosts.get(server.name) ?? {};
  const mayBegin = tls?.served !== 'none' && (intent.kind !== 'teardown' || clients === undefined);
  return mayBegin || demandingIn(server).some(isStanding(view, server));
}

/** Those who are in without TLS as the rules begin to demand it, in words; empty where nothing begins. */
export function lockedOut(view: View, server: Server): string {
  const stands = isStanding(view, server);
  if (server.postgres.tlsClients !== 'required' || demandingIn(server).every(stands)) return '';
  const sessions = view.hosts.get(server.name)?.clients?.sessions ?? [];
  return sessions.length > 0
    ? `sessions of now without TLS go on, and come again with TLS only, unless a rule still lets them in without it: ${sessionsWords(sessions)}`
    : '';
}

const demandingIn = ({ postgres: { hba } }: Server): readonly HbaRule[] => hba.filter(isDemanding);

/** It refuses already who comes without TLS: TLS that was turned off by hand opens no such rule. */
function isStanding(view: View, { name }: Server): (rule: HbaRule) => boolean {
  const refusals = (view.hosts.get(name)?.clients?.rules ?? [])
    .filter(({ type, method }) => type === 'hostnossl' && method === 'reject')
    .map(rowWords);
  return (rule) => refusals.some((words) => sameClients(words, wordsOf(rule)));
}

const isDemanding = (rule: HbaRule): boolean => crossesInClear(rule) && rule.tls !== 'optional';

export const clientRules = (
  { postgres: { hba } }: Server,
  needTls: boolean,
): readonly { readonly line: string }[] =>
  hba.flatMap((rule) => (needTls ? demanding(rule) : [text(rule)])).map((line) => ({ line }));

/** No later rule takes who comes without TLS. GSSAPI proves who a client is, and encrypts only where the client asks for that. */
function demanding(rule: HbaRule): readonly string[] {
  if (!isDemanding(rule)) return [text(rule)];
  return [
    ...loopbackIn(rule.address ?? '').map((address) => text({ ...rule, address })),
    text(rule, 'hostssl'),
    ...(rule.method === 'gss' ? [text(rule, 'hostgssenc')] : []),
    text({ ...rule, method: 'reject' }, 'hostnossl'),
  ];
}

const text = ({ type, database, user, address, method }: HbaRule, kind: string = type): string =>
  [kind, namesText(database), namesText(user), addressText(address), method]
    .filter((field) => field !== '')
    .join('  ');

const addressText = (address: string | undefined): string =>
  address === undefined ? '' : address.includes('/') ? address : cidr(address);
