// Which files of the lab a run of the tests takes: those of every day always, of the others as many as there is time for, in an order that
// follows the commit, so that each has its turn. In: names, the seconds of test/times.json, a commit, what the machine showed.
// Out: names. Nothing here reads a file or a clock.
import { createHash } from 'node:crypto';

/** Each verb once from its beginning to its end, the main faults, and what no verb may ever do. */
export const everyday = [
  'check/changes-nothing',
  'check/mutations/settings',
  'check/one-look',
  'check/several',
  'demo',
  'faults/majority',
  'faults/split',
  'faults/standby-takes-over',
  'lost/told',
  'provision/arbiter',
  'provision/bare',
  'provision/firewall',
  'provision/pair',
  'provision/tls-new',
  'provisioned',
  'secrets',
  'single/round-trip-packaged',
  'trouble/two-at-once',
  'verbs/certificates',
  'verbs/failover',
  'verbs/maintenance',
  'verbs/recover',
  'verbs/replace',
  'verbs/restart',
  'verbs/rolling-update',
  'verbs/switch-and-rebuild',
  'verbs/teardown',
].map((name) => `test/lab/${name}.test.ts`);

/** What a file counts as that was never timed. */
const unknownSeconds = 60;

export const secondsOf = (files, times) =>
  files.reduce((sum, file) => sum + (times[file] ?? unknownSeconds), 0);

/**
 * Of these files what fits into `seconds` of the clock, where a second of `times` takes `pace` seconds of it: the next one that fits, again and
 * again, in the order of the commit.
 */
export function drawn({ files, times, commit, seconds, pace }) {
  const place = (file) => createHash('sha256').update(`${commit} ${file}`).digest('hex');
  const order = [...files].sort((a, b) => (place(a) < place(b) ? -1 : 1));
  let left = seconds;
  return order.filter((file) => {
    const cost = secondsOf([file], times) * pace;
    if (cost > left) return false;
    left -= cost;
    return true;
  });
}
