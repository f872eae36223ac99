/**
 * The verbs of pgduet, in the order in which help shows them. A new verb is a file beside this one and an entry here; help, the
 * manual page, the table in README.md and completions follow. In: nothing. Out: data, and the way to each verb's code.
 */
import { changeOptions, hostOptions, option, planOptions } from './options.ts';
import type { Verb } from './verb.ts';

export const programSummary =
  'One inventory in; a PostgreSQL primary with synchronous standbys out, watched by a Mirroring Controller.';

/** None: all servers. */
const hosts = { name: 'host', takes: { kind: 'host' }, repeated: true } as const;

export const verbs: readonly Verb[] = [
  {
    name: 'init',
    summary: 'write an inventory to begin with',
    arguments: [],
    options: [option('inventory')],
    load: async () => (await import('./init.ts')).init,
  },
  {
    name: 'validate',
    summary: 'find every mistake of the inventory at once, with its line; contacts no host',
    arguments: [],
    options: [option('inventory'), option('json'), option('no-color')],
    load: async () => (await import('./validate.ts')).validate,
  },
  {
    name: 'provision',
    summary: 'make bare hosts a primary with synchronous standbys, and prove it',
    arguments: [],
    options: changeOptions,
    load: async () => (await import('./provision.ts')).provision,
  },
  {
    name: 'migrate',
    summary:
      'make a running single server, or a primary with its standby, a cluster; each restart is announced',
    arguments: [],
    options: planOptions,
    load: async () => (await import('./migrate.ts')).migrate,
  },
  {
    name: 'check',
    summary:
      'report what differs from the inventory: how severe, from where, what repairs it; changes nothing',
    arguments: [],
    options: [
      option('inventory', {
        repeated: true,
        summary: 'the inventory; given again, another one is checked too',
      }),
      ...hostOptions,
      option('format'),
      option('diff', { summary: 'show the text of files: what stands there and what is declared' }),
      option('watch', {
        takes: { kind: 'duration' },
        value: 'interval',
        optional: true,
        summary: 'look again and again (every 60s) and report what changes, until Ctrl-C',
      }),
      option('limit', { summary: 'report on this host only' }),
      option('login'),
    ],
    load: async () => (await import('./check.ts')).check,
  },
  {
    name: 'status',
    summary: 'show every server: role, controller, WAL position, lag, and the connection string for clients',
    arguments: [],
    options: [option('inventory'), ...hostOptions, option('watch')],
    load: async () => (await import('./status.ts')).status,
  },
  {
    name: 'ca',
    summary: 'print the certificates of those who sign for the servers: what a client needs that verifies',
    arguments: [],
    options: [option('inventory'), ...hostOptions],
    load: async () => (await import('./ca.ts')).ca,
  },
  {
    name: 'certificates',
    summary:
      'show which server shows which certificate, until when and by whom; renew: make new ones while everything runs',
    arguments: [{ name: 'action', takes: { kind: 'word', words: ['renew'] }, optional: true }, hosts],
    options: [option('ca'), option('finish'), ...planOptions],
    load: async () => (await import('./certificates.ts')).certificates,
  },
  {
    name: 'switch',
    summary: 'make a standby primary, and the primary its standby; refused when something could be lost',
    arguments: [],
    options: [option('to'), option('max-wait'), ...planOptions],
    load: async () => (await import('./switch.ts')).switchRoles,
  },
  {
    name: 'failover',
    summary: 'on or off: whether the controllers switch by themselves when something fails',
    arguments: [{ name: 'state', takes: { kind: 'word', words: ['on', 'off'] } }],
    options: planOptions,
    load: async () => (await import('./failover.ts')).failover,
  },
  {
    name: 'detach',
    summary:
      'take a standby out: commits do not wait for it; until attach, or the next start of its instance',
    arguments: [{ name: 'host', takes: { kind: 'host' } }],
    options: [option('alone'), ...planOptions],
    load: async () => (await import('./detach.ts')).detach,
  },
  {
    name: 'attach',
    summary: 'let a standby in again that was taken out: commits wait for it once it streams',
    arguments: [{ name: 'host', takes: { kind: 'host' } }],
    options: planOptions,
    load: async () => (await import('./detach.ts')).attach,
  },
  {
    name: 'maintenance',
    summary: 'begin or end: a standby is left out by everybody for as long as its host is worked on',
    arguments: [
      { name: 'goal', takes: { kind: 'word', words: ['begin', 'end'] } },
      { name: 'host', takes: { kind: 'host' } },
    ],
    options: [
      option('reason'),
      option('for'),
      option('alone'),
      option('replace'),
      option('of'),
      option('by'),
      ...planOptions,
    ],
    load: async () => (await import('./maintenance.ts')).maintenance,
  },
  {
    name: 'rolling-update',
    summary: 'packages, a playbook, a command, a reboot on every host in turn, while clients go on',
    arguments: [],
    options: [
      option('packages'),
      option('refresh'),
      option('run'),
      option('command'),
      option('reboot'),
      option('reboot-limit'),
      option('pause'),
      option('validate'),
      option('for', { summary: 'how long one server is expected to be out (30m, 2h, 1d)', fallback: '30m' }),
      option('first'),
      option('skip'),
      option('to', { summary: 'this standby takes over before the work on the primary' }),
      option('stay'),
      option('alone'),
      option('rebuild'),
      option('despite'),
      option('continue'),
      option('abort'),
      option('again'),
      option('done'),
      option('inventory'),
      ...hostOptions,
      option('check', { summary: 'show the sheet; change nothing' }),
      option('yes'),
    ],
    load: async () => (await import('./rolling-update.ts')).rollingUpdate,
  },
  {
    name: 'stop',
    summary: 'stop the cluster, standbys first, or the servers that are named; they stay down until start',
    arguments: [hosts],
    options: [option('switch-first'), ...planOptions],
    load: async () => (await import('./stop.ts')).stop,
  },
  {
    name: 'start',
    summary: 'start what was stopped, the primary first, and prove that the standbys follow',
    arguments: [hosts],
    options: planOptions,
    load: async () => (await import('./start.ts')).start,
  },
  {
    name: 'recover',
    summary:
      'all servers are down: start the one that was primary last and holds everything; says what the others alone hold',
    arguments: [],
    options: planOptions,
    load: async () => (await import('./recover.ts')).recover,
  },
  {
    name: 'restart',
    summary:
      'restart PostgreSQL: standbys first, one after the other, then the primary in place or by a switch',
    arguments: [hosts],
    options: [option('pending'), option('switch-first'), ...planOptions],
    load: async () => (await import('./restart.ts')).restart,
  },
  {
    name: 'reload',
    summary:
      'make the servers read their files; refused where they cannot, and says what waits for a restart',
    arguments: [hosts],
    options: planOptions,
    load: async () => (await import('./reload.ts')).reload,
  },
  {
    name: 'rebuild',
    summary: 'make a server that is out a standby again; what it alone may know is kept',
    arguments: [{ name: 'host', takes: { kind: 'host' } }],
    options: [option('copy'), option('keep-copy'), ...planOptions],
    load: async () => (await import('./rebuild.ts')).rebuild,
  },
  {
    name: 'replace',
    summary: 'the host of a standby is a new one: lock the former host out, and make the new one a standby',
    arguments: [{ name: 'host', takes: { kind: 'host' } }],
    options: [
      option('host-key'),
      option('of', { summary: 'end its maintenance also where this person has begun it' }),
      ...planOptions,
    ],
    load: async () => (await import('./replace.ts')).replace,
  },
  {
    name: 'secrets',
    summary: 'renew: change the replication password and the cluster key while everything runs',
    arguments: [{ name: 'action', takes: { kind: 'word', words: ['renew'] } }],
    options: planOptions,
    load: async () => (await import('./secrets.ts')).secrets,
  },
  {
    name: 'teardown',
    summary:
      'back to a single server, as it was before; the others go, with their data, or only the controllers',
    arguments: [],
    options: [
      option('keep'),
      option('keep-data'),
      option('force'),
      option('all-data'),
      option('controllers-only'),
      option('confirm'),
      ...planOptions,
    ],
    load: async () => (await import('./teardown.ts')).teardown,
  },
  {
    name: 'explain',
    summary: 'say what the code of a message or finding means, and what to do; contacts no host',
    arguments: [{ name: 'code', takes: { kind: 'code' } }],
    options: [option('json'), option('no-color')],
    load: async () => (await import('./explain.ts')).explain,
  },
  {
    name: 'run',
    summary: 'run a playbook of your own',
    arguments: [{ name: 'playbook', takes: { kind: 'file' } }],
    options: changeOptions,
    load: async () => (await import('./run.ts')).runPlaybook,
  },
];
