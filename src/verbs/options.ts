/**
 * The options that verbs have, each with what it takes and what it means. In: nothing. Out: data. A verb that means an option in
 * a way of its own says so where it is registered. Small, since every command loads it.
 */
import type { OptionSpec } from './verb.ts';

/** When PostgreSQL may be restarted. */
export const restartWords = ['when-needed', 'never', 'ask'] as const;
export type RestartWord = (typeof restartWords)[number];

export const checkFormats = ['text', 'json', 'nagios', 'junit', 'prometheus'] as const;
export type CheckFormat = (typeof checkFormats)[number];

export const defaultInventory = 'inventory.yml';

const nothing = { kind: 'nothing' } as const;
const host = { kind: 'host' } as const;

const options = {
  inventory: { short: 'i', takes: { kind: 'file' }, fallback: defaultInventory, summary: 'the inventory' },
  json: { takes: nothing, summary: 'one JSON document on stdout' },
  verbose: { takes: nothing, summary: 'say everything that is done' },
  'no-color': { takes: nothing, summary: 'no colours (NO_COLOR does the same)' },
  'accept-new-host-keys': {
    takes: nothing,
    summary: 'add unknown host keys to known_hosts instead of stopping',
  },
  check: { takes: nothing, summary: 'show what would be changed, with the text of files; change nothing' },
  diff: { takes: nothing, summary: 'show the text of files before and after (--check does that anyway)' },
  yes: { takes: nothing, summary: 'do not ask' },
  limit: { takes: host, summary: 'change this host only' },
  restart: {
    takes: { kind: 'word', words: restartWords },
    value: 'when',
    fallback: 'ask',
    summary:
      'PostgreSQL, where a setting needs it: ask before the primary is restarted (--yes answers), when-needed, never',
  },
  format: {
    takes: { kind: 'word', words: checkFormats },
    value: 'format',
    fallback: 'text',
    excludes: ['json'],
    summary: 'the form of the report',
  },
  watch: { takes: nothing, summary: 'look again every second until Ctrl-C' },
  login: {
    takes: { kind: 'user' },
    summary: "log in as this user in place of the inventory's, without sudo: one that may only read",
  },
  to: { takes: host, summary: 'this standby; without it the first one' },
  'max-wait': {
    takes: { kind: 'duration' },
    fallback: '30s',
    summary:
      'how long the primary waits, in service, until that standby has replayed enough; then the switch is given up',
  },
  copy: { takes: nothing, summary: 'a base backup in any case; without it pg_rewind where that is possible' },
  'keep-copy': {
    takes: { kind: 'directory' },
    summary: 'where its data is put aside if it may hold commits of its own',
  },
  keep: { takes: host, summary: 'the server that stays; without it the primary' },
  'keep-data': { takes: nothing, summary: 'leave the data of the servers that go where it is' },
  reason: { takes: { kind: 'text' }, summary: 'why, for everybody who looks; no place for a secret' },
  for: {
    takes: { kind: 'duration' },
    summary: 'how long it is expected to take (30m, 2h, 1d); after that check calls it overdue',
  },
  by: { takes: { kind: 'user' }, summary: 'who works; without it you, as USER@HOST' },
  'host-key': {
    takes: { kind: 'text' },
    value: 'SHA256:...',
    summary:
      'its new host key, as its console shows it; only that one is accepted, in place of the known one',
  },
  of: { takes: { kind: 'user' }, summary: 'end: also one that this person has begun' },
  replace: { takes: nothing, summary: 'begin: in the place of somebody else' },
  alone: {
    takes: nothing,
    summary: 'also where no commit waits for any standby then, so that there is no second copy',
  },
  force: { takes: nothing, summary: 'leave out servers that cannot be reached' },
  'controllers-only': {
    takes: nothing,
    summary: 'all servers stay and replicate; only the controllers go',
  },
  'all-data': { takes: nothing, summary: 'no server stays: the whole cluster goes, with all data' },
  'switch-first': {
    takes: nothing,
    summary: 'the primary gives its role to a standby first; it does not come back by itself',
  },
  pending: { takes: nothing, summary: 'only where a setting waits for a restart' },
  packages: {
    takes: { kind: 'text' },
    value: 'names',
    optional: true,
    summary: "install the offered versions of PostgreSQL's packages, and of those that are named (a,b)",
  },
  refresh: { takes: nothing, summary: 'read the package sources anew on every host before the plan' },
  run: { takes: { kind: 'file' }, summary: 'run this playbook on the host' },
  command: {
    takes: { kind: 'text' },
    summary: 'run this line as root on the host; its output is kept there',
  },
  reboot: { takes: nothing, summary: 'reboot the host' },
  'reboot-limit': {
    takes: { kind: 'duration' },
    fallback: '15m',
    summary: 'how long a host may take to be back',
  },
  pause: { takes: nothing, summary: 'stop there for work by hand; --continue goes on' },
  rebuild: { takes: nothing, summary: 'what cannot follow any more is rewound, or copied anew' },
  validate: {
    takes: { kind: 'text' },
    summary: 'a line that ends well, as root, where the host is fit to come back',
  },
  first: { takes: host, repeated: true, summary: 'this standby comes first; given again, that one is next' },
  skip: { takes: host, repeated: true, summary: 'leave this server out' },
  stay: { takes: nothing, summary: 'the preferred primary does not get its role back at the end' },
  despite: {
    takes: { kind: 'text' },
    repeated: true,
    value: 'point',
    summary:
      'this point does not count: check, lag, long-transactions, wal, services or collation of the preparation, mounts or sshd of the proof of a host',
  },
  continue: { takes: nothing, summary: 'go on with the update that is open' },
  abort: { takes: nothing, summary: 'end the update that is open: what is out comes back, nobody switches' },
  again: {
    takes: nothing,
    summary: 'with --continue: run a command once more of which nobody knows how it ended',
  },
  done: { takes: nothing, summary: 'with --continue: take such a command as done' },
  ca: { takes: nothing, summary: 'renew: a new CA, in two steps; the first one makes all ready' },
  finish: {
    takes: nothing,
    summary: 'renew --ca: the second step, once clients have the list; the former CA goes',
  },
  confirm: {
    takes: { kind: 'cluster' },
    summary: "the cluster's name, for --all-data without a terminal",
  },
} as const satisfies Readonly<Record<string, Omit<OptionSpec, 'name'>>>;

export type OptionName = keyof typeof options;

/** An option; `differs` is what a verb means by it in a way of its own. */
export const option = (name: OptionName, differs: Partial<Omit<OptionSpec, 'name'>> = {}): OptionSpec => ({
  name,
  ...options[name],
  ...differs,
});

/** Of every verb that contacts hosts. */
export const hostOptions: readonly OptionSpec[] = [
  option('json'),
  option('verbose'),
  option('no-color'),
  option('accept-new-host-keys'),
];

/** Of a verb that shows a plan and asks. */
export const planOptions: readonly OptionSpec[] = [
  option('inventory'),
  ...hostOptions,
  option('check'),
  option('diff'),
  option('yes'),
];

/** Of a verb that may be limited to one host. */
export const changeOptions: readonly OptionSpec[] = [...planOptions, option('limit'), option('restart')];
