/** Reads the answer of the lock script. In: its reply. Out: held or refused, or an error when there can be no lock. Pure. */
import type { Diagnostic } from '../base/diagnostic.ts';
import type { LockReply, Reply } from './port.ts';
import { evidenceOf, refusal } from './refusal.ts';
import { lockStatus } from './remote-shell.ts';

export function lockReply(host: string, reply: Reply): LockReply {
  const said = reply.stdout.trim();
  if (reply.status === lockStatus.held) return { held: true };
  if (reply.status === lockStatus.refused) return { held: false, owner: said === '' ? 'unknown' : said };
  throw refusal({ host, ...(reasons[reply.status]?.(host, said) ?? failedLock(host, reply)) });
}

type Reason = Pick<Diagnostic, 'code' | 'what' | 'why' | 'fix' | 'evidence'>;

const reasons: Readonly<Record<number, (host: string, said: string) => Reason>> = {
  [lockStatus.noDirectory]: (host) => ({
    code: 'HST012',
    what: `no lock can be taken on '${host}': neither /run/lock nor /tmp can be written`,
    why: 'without a lock a second run could change the host at the same time',
    fix: 'Make /run/lock writable for the login user, or set become: sudo in the inventory.',
  }),
  [lockStatus.foreign]: (host, file) => ({
    code: 'HST012',
    what: `the lock file '${file}' on '${host}' belongs to another user or is not a plain file`,
    why: 'the directory is open to everyone, so a file of somebody else is not trusted',
    fix: `Look who made it (ls -l ${file}); remove it when no other run is under way.`,
  }),
  [lockStatus.noFlock]: (host) => ({
    code: 'HST001',
    what: `'flock' is missing on '${host}'`,
    why: 'the lock against a second run at the same time is taken with it',
    fix: 'Install the package util-linux there.',
  }),
};

const failedLock = (host: string, reply: Reply): Reason => ({
  code: 'HST001',
  what: `the lock on '${host}' failed with exit status ${reply.status}`,
  why: 'without a lock a second run could change the host at the same time',
  fix: 'Look at the lines below; /run/lock must be writable for the user that scripts run as.',
  ...evidenceOf(`${reply.stdout}\n${reply.stderr}`),
});
