/**
 * shared_memory: systemd-logind leaves the shared memory of the instance administrator alone. Of a user with the number of a person
 * it removes everything once the last session has ended (RemoveIPC), also what a running server needs.
 */
import { sh } from '../../base/shell.ts';
import { type DesiredOf, serverFields } from '../contract/fields.ts';
import { change, present, type ResourceKind, same, unknown } from '../contract/kind.ts';
import { putFile } from '../contract/preamble.ts';

const fields = serverFields({});
type Desired = DesiredOf<typeof fields>;

interface Seen {
  readonly uid: number;
  /** Why nothing is removed; absent: it is. */
  readonly safe?: string;
}

const directory = '/etc/systemd/logind.conf.d';
/** The last file counts, by the order of the names. */
const logindFile = `${directory}/zz-pgduet.conf`;
const content = `# Written by pgduet: the server needs its shared memory also when nobody of its user is logged in.
[Login]
RemoveIPC=no
`;

/** What the running one goes by: it may have been started before its files were changed. Asking must not start it. */
const running = `if systemctl --quiet is-active systemd-logind.service 2>/dev/null; then busctl get-property org.freedesktop.login1 /org/freedesktop/login1 org.freedesktop.login1.Manager RemoveIPC 2>/dev/null; fi`;

export const sharedMemory: ResourceKind<Desired, Seen> = {
  kind: 'shared_memory',
  summary: 'The shared memory of the instance administrator stays when a session ends (RemoveIPC).',
  fields,
  key: (desired) => desired.owner,
  describe: (desired) => `shared memory of ${desired.owner}`,
  probe: () => ({
    shell: `uid=\${OWNER_ENTRY#*:*:}
uid=\${uid%%:*}
if [ -z "$uid" ]; then echo 'uid 0 the user is made for the system'; exit; fi
last=$(awk '$1 == "SYS_UID_MAX" && $2 ~ /^[0-9]+$/ { last = $2 } END { print last }' /etc/login.defs 2>/dev/null)
if [ "$uid" -le "\${last:-999}" ]; then echo "uid $uid it is a user of the system"; exit; fi
if [ ! -e /usr/lib/systemd/systemd-logind ] && [ ! -e /lib/systemd/systemd-logind ]; then echo "uid $uid there is no systemd-logind"; exit; fi
set=$(systemd-analyze cat-config systemd/logind.conf 2>/dev/null | sed -n 's/^[[:space:]]*RemoveIPC[[:space:]]*=[[:space:]]*//p' | tail -n 1)
runs=$(${running})
case $set in no|false|off|0|n|f) if [ "$runs" != 'b true' ]; then echo "uid $uid RemoveIPC is $set"; exit; fi;; esac
echo "uid $uid"`,
  }),
  read: (reply) => {
    const [, uid, safe] = /^uid (\d+)(?: (.+))?$/m.exec(reply.stdout) ?? [];
    if (reply.status !== 0 || uid === undefined)
      return unknown(reply.stderr.trim() || 'systemd-logind could not be looked at');
    return present({ uid: Number(uid), ...(safe ? { safe } : {}) });
  },
  diff: ({ owner }, observed) => {
    if (observed.state === 'absent') return same('there is none');
    const { uid, safe } = observed.value;
    if (safe !== undefined) return same(safe);
    const found = `${owner} has the number of a person (${uid}), and RemoveIPC is on`;
    return change({
      summary: `keep systemd-logind from removing the shared memory of ${owner} (${logindFile})`,
      reason: found,
      notes: [
        `when the last session of ${owner} ends, logind removes the shared memory of the running server, and nobody can connect any more; the file holds for every user of the host. A user of the system as postgres.owner needs none`,
      ],
      differences: [
        { code: 'USR002', object: owner, declared: 'its shared memory stays', found: 'logind removes it' },
      ],
    });
  },
  // It reads its files again by this signal, and does not end by it.
  steps: (_change, { owner }) => [
    {
      title: `shared memory of ${owner} stays`,
      script: `${sh`mkdir -p ${directory}`}
${putFile({ path: logindFile, owner: 'root', group: 'root', mode: '0644', content })}
systemctl kill -s HUP systemd-logind.service 2>/dev/null || :
n=0
while [ "$(${running})" = 'b true' ] && [ $n -lt 40 ]; do n=$((n + 1)); sleep 0.05; done`,
    },
  ],
};
