/**
 * Proves that what a host's overlay shows is what a look from inside shows: the paths that a person or a daemon has changed,
 * however it was done. In: a host. It compares with find(1) and checksums on the host itself.
 */
import { afterAll, beforeAll, expect } from 'vitest';
import { type Changes, differences } from './harness/changes.ts';
import { describeLab, labTest } from './harness/describe.ts';
import { type Host, Lab } from './harness/lab.ts';

/** Each kind of change, on files of the image and on new ones. */
const work = `set -e
mkdir -p /srv/new/dir; echo text >/srv/new/dir/file; ln -s ../target /srv/new/link; mkfifo /srv/new/fifo
ln /srv/new/dir/file /srv/new/hard; mv /srv/new/dir /srv/new/renamed
ln /etc/services /etc/services.hard; echo more >>/etc/services
chmod 600 /etc/protocols; chown ops /etc/rpc 2>/dev/null || chown ops /etc/profile
touch /etc/bash.bashrc; : >>/etc/shells
cp -p /etc/debconf.conf /srv/kept; sed -i 's/Driver/driveR/' /etc/debconf.conf; touch -r /srv/kept /etc/debconf.conf
rm /etc/issue.net; mv /etc/issue /etc/issue.renamed
rm -r /etc/skel
rm -r /etc/security; mkdir /etc/security; echo one >/etc/security/limits.conf
mv /etc/pam.d /etc/pam.renamed
rm /etc/environment; printf '' >/etc/environment
rm /etc/os-release; ln -s /somewhere /etc/os-release
rm /etc/debian_version; mkdir /etc/debian_version
touch /usr/share/added; mkdir /etc/cron.d/made && rmdir /etc/cron.d/made
python3 -c 'import os; os.setxattr("/etc/nsswitch.conf", "user.note", b"1")'
echo memory >/run/in-memory; echo small >/small/file`;

/** What the system itself does while the test looks twice. */
const restless = /^\/(run|tmp|dev\/shm|var\/log|var\/lib\/systemd)\b(?!\/in-memory)/;

/** Like `facts`, but from inside: by path. With `times`, also of what lies between two times. */
async function inside(host: Host, times: boolean): Promise<Map<string, string>> {
  const format = times ? '%p\t%y %m %U:%G %T@ %C@ %l' : '%p\t%y %m %U:%G %l';
  const places = '/ /run /small';
  const { stdout } = await host.sh(
    `find ${places} -xdev -printf '${format}\\n'
find /etc /srv /usr/share/added /run/in-memory /small -xdev -type f -exec sha256sum {} + 2>/dev/null | sed -E 's/^([0-9a-f]+)  (.*)/\\2\\t\\1/'`,
    { timeoutMs: 120_000 },
  );
  const found = new Map<string, string>();
  for (const line of stdout.split('\n').filter((it) => it.includes('\t'))) {
    const [path = '', text = ''] = line.split('\t');
    found.set(path, `${found.get(path) ?? ''} ${text}`);
  }
  return found;
}

const steady = (paths: Iterable<string>): string[] =>
  [...paths].filter((path) => !restless.test(path)).sort();

/** What was below a directory that is gone is not listed from outside. */
function differing(before: Look, after: Look): string[] {
  const paths = [...new Set([...before.keys(), ...after.keys()])];
  const found = paths.filter((path) => before.get(path) !== after.get(path));
  const gone = found.filter((path) => !after.has(path));
  return steady(
    found.filter((path) => after.has(path) || !gone.some((above) => path.startsWith(`${above}/`))),
  );
}

type Look = ReadonlyMap<string, string>;

describeLab('the changes of a host', () => {
  let lab: Lab;
  /** From outside and from inside, without and with times; before and after the work. */
  let outside: readonly [Changes, Changes];
  let plain: readonly [Look, Look];
  let timed: readonly [Look, Look];
  beforeAll(async () => {
    lab = await Lab.open();
    const [host] = await lab.hosts(1);
    await host.smallDisk('/small', 16);
    await host.sh('systemctl is-system-running --wait');
    const [plainBefore, timedBefore] = [await inside(host, false), await inside(host, true)];
    const before = host.changes();
    await host.sh(work, { check: true });
    outside = [before, host.changes()];
    plain = [plainBefore, await inside(host, false)];
    timed = [timedBefore, await inside(host, true)];
  });
  afterAll(() => lab?.close());

  labTest('are those that a person inside would find', async () => {
    const expected = differing(...plain);
    expect(expected).toEqual(
      expect.arrayContaining(['/etc/issue', '/etc/skel', '/small/file', '/run/in-memory']),
    );
    expect(expected.length).toBeGreaterThan(30);
    expect(steady(differences(...outside).keys())).toEqual(expected);
  });

  labTest('are those with another time, too, if that is asked for', async () => {
    const expected = differing(...timed);
    expect(expected).toEqual(expect.arrayContaining(['/', '/etc/bash.bashrc', '/etc/nsswitch.conf']));
    expect(steady(differences(...outside, { times: true }).keys())).toEqual(expected);
  });
});
