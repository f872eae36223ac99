/**
 * What a command builds upon, and no server could show: a file that is there and cannot be read is not a file that is missing. One that is
 * taken for missing is made anew, and whoever holds the former one is locked out. In: the intent and the looks. Out: why nothing may begin. Pure.
 */
import type { Diagnostic } from '../base/diagnostic.ts';
import type { HostView, Unread } from '../observe/survey.ts';
import type { Intent } from './intent.ts';

type About = Unread['about'];

/** What a value of one server stands for on all of them. A password file that its owner cannot read is put aside by `provision`. */
const shared: readonly About[] = ['clusterKey', 'environment', 'etcdCell', 'adopted'];
/** A renewal goes on where the files of all servers say that it stands. */
const ofRenewal: readonly About[] = ['clusterKey', 'replicationPassword', 'renewal', 'etcdCell'];

export function unreadable(intent: Intent, hosts: ReadonlyMap<string, HostView>): readonly Diagnostic[] {
  const isShown = (about: About): boolean => [...hosts.values()].some((host) => host[about] !== undefined);
  const blocks = (about: About): boolean =>
    intent.kind === 'renew' && !intent.renewal
      ? ofRenewal.includes(about)
      : shared.includes(about) && !isShown(about);
  return [...hosts].flatMap(([name, { unread = [] }]) =>
    unread.filter(({ about }) => blocks(about)).map((one) => told(name, one)),
  );
}

const told = (host: string, { file, why }: Unread): Diagnostic => ({
  code: 'HST002',
  host,
  what: `${file} of ${host} is there, and could not be read`,
  why: 'what it holds is not known: it would be made anew, and other servers may still use what it says',
  fix: `Let the instance administrator read it (owner, mode, the disk), or put back the one that was there; then run the same command again.`,
  evidence: [why],
});
