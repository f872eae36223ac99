// Which files of the lab a run of the tests takes: the main way always; of the others as many as there is time for, first those that come early, then
// in an order that follows the commit, so that each has its turn. In: names, the seconds of test/times.json, a commit, what the machine showed.
// Out: names. Nothing here reads a file or a clock.
import { createHash } from 'node:crypto';

const labFiles = (names) => names.map((name) => `test/lab/${name}.test.ts`);

/** The main way: a pair is made, looked at, switched, lost and found, and taken apart; and a server that was there before comes and goes. */
export const always = labFiles([
  'check/mutations/settings',
  'check/one-look',
  'demo',
  'faults/split',
  'faults/standby-takes-over',
  'lost/told',
  'provision/pair',
  'provision/tls-new',
  'provisioned',
  'single/round-trip-packaged',
  'trouble/two-at-once',
  'verbs/failover',
  'verbs/switch-and-rebuild',
  'verbs/teardown',
]);

/** What comes next, whatever the commit: the other verbs, a third party, bare hosts, and what no verb may ever do. */
export const early = labFiles([
  'secrets',
  'provision/arbiter',
  'verbs/certificates',
  'verbs/recover',
  'check/changes-nothing',
  'verbs/rolling-update',
  'provision/bare',
  'verbs/replace',
  'provision/firewall',
  'faults/majority',
  'verbs/maintenance',
  'check/several',
  'verbs/restart',
]);

/** What a file counts as that was never timed. */
const unknownSeconds = 60;

export const secondsOf = (files, times) =>
  files.reduce((sum, file) => sum + (times[file] ?? unknownSeconds), 0);

/**
 * Of these files what fits into `seconds` of the clock, where a second of `times` takes `pace` seconds of it: the next one that fits, again and
 * again, the early ones in their order, then in that of the commit.
 */
export function drawn({ files, times, commit, seconds, pace }) {
  const place = (file) => createHash('sha256').update(`${commit} ${file}`).digest('hex');
  const others = files.filter((file) => !early.includes(file)).sort((a, b) => (place(a) < place(b) ? -1 : 1));
  const order = [...early.filter((file) => files.includes(file)), ...others];
  let left = seconds;
  return order.filter((file) => {
    const cost = secondsOf([file], times) * pace;
    if (cost > left) return false;
    left -= cost;
    return true;
  });
}
