/**
 * What `mc_ctl status` says in every state that a person may find: why, since when, what to do. One golden text that a DBA
 * can read from top to bottom: golden/status-texts.txt.
 */
import { expect, it } from 'vitest';
import type { ServerConf } from '../../src/controller/config.ts';
import type { Happening } from '../../src/controller/core/event.ts';
import { renderStatus, statusReport } from '../../src/controller/core/status.ts';
import type { InstanceReport } from '../../src/controller/core/view.ts';
import { answer, boot, Conversation, heard, inSync, report, sender, view } from './support/conversation.ts';

const ask = (request: Extract<Happening, { kind: 'control' }>['request']): Happening => ({
  kind: 'control',
  id: 9,
  request,
});
const alone = { synchronousStandbyNames: '', senders: [] };
const noReceiver = answer(report('standby', { receiver: null }));
const by = { pid: 4711, user: 'postgres', server: 'server2' };

const primary = (conf: Partial<ServerConf> = {}) =>
  new Conversation('server1', 2, conf)
    .after(0, '', boot({ running: true }))
    .after(10, '', answer(report('primary')))
    .after(5, '', heard(view('server2', 'standby')))
    .after(20, '', { kind: 'checkpointed', purpose: 'proof', why: null })
    .after(20, '', answer(report('primary')))
    .silence(800);

const standby = (conf: Partial<ServerConf> = {}) =>
  new Conversation('server2', 2, conf)
    .after(0, '', boot({ running: true, standby: true }))
    .after(10, '', answer(report('standby')))
    .after(5, '', heard(view('server1', 'primary', { sync: inSync })))
    .silence(800);

const promoted = (it: Conversation) =>
  it
    .after(30, '', { kind: 'receiver-cut', lsn: '0/3000060' })
    .after(90, '', { kind: 'promoted', timeline: 2 })
    .after(10, '', answer(report('primary', { ...alone, timeline: 2 })));

const newPrimary = view('server2', 'primary', {
  report: report('primary', { ...alone, timeline: 2 }),
  lastTimeline: 2,
});
const outOf = (it: Conversation) =>
  it.after(20, '', { kind: 'names-set', ids: [], needed: 0 }).after(20, '', answer(report('primary', alone)));
const told = (epoch: number, change: Parameters<typeof view>[2] = {}) =>
  heard(view('server2', 'standby', { ...change, sync: { ...inSync, epoch } }));
const promoting = {
  from: 'server1',
  kind: 'handover',
  id: 7,
  checkpoint: null,
  stage: 'promote',
  lsn: '0/3000060',
} as const;
/** Both acknowledge alone; their histories part at 0/3000060. */
const apart = (older: Partial<InstanceReport>, newer: Partial<InstanceReport>) => {
  const there = { ...alone, timeline: 2, history: [{ timeline: 1, endsAt: '0/3000060' }], ...newer };
  return outOf(
    primary()
      .silence(4000)
      .after(10, '', answer(report('primary', { senders: [] })))
      .silence(2400),
  )
    .after(20, '', answer(report('primary', { ...alone, history: [], ...older })))
    .after(60_000, '', heard({ ...newPrimary, report: report('primary', there) }));
};
const given = () =>
  primary()
    .after(100, '', { kind: 'instance-check', outcome: { kind: 'gone' } })
    .after(30, '', { kind: 'instance-stopped', proof: null });

const states: readonly (readonly [string, Conversation])[] = [
  ['All is well', primary()],
  [
    'Automatic switch and disconnection are off',
    primary().after(10, '', ask({ kind: 'set-failover', enabled: false })),
  ],
  [
    'A switch is being prepared',
    primary().after(10, '', ask({ kind: 'switch', force: false, noFencing: false, by })),
  ],
  [
    'A switch, seen from the standby',
    standby().after(
      100,
      '',
      heard(
        view('server1', 'primary', {
          phase: 'stopped',
          report: null,
          sync: inSync,
          handover: { id: 7, kind: 'switch', to: 'server2', checkpoint: '0/3000060' },
        }),
      ),
    ),
  ],
  [
    'The standby shuts the primary out before it takes over',
    standby({ fencingCommand: '/usr/local/bin/fence' }).silence(4000).after(10, '', noReceiver).silence(1600),
  ],
  [
    'Switched: the old primary is not heard',
    promoted(standby().silence(4000).after(10, '', noReceiver).silence(1600)),
  ],
  [
    'Switched: the old primary is stopped, seen from the new one',
    promoted(standby().silence(4000).after(10, '', noReceiver).silence(1600)).after(
      5000,
      '',
      heard(view('server1', 'primary', { phase: 'stopped', report: null })),
    ),
  ],
  [
    'Switched: the old primary comes back and is held back',
    new Conversation('server1').after(0, '', boot()).after(20, '', heard(newPrimary)),
  ],
  [
    'The old primary has given its role away, and the other server dies in the middle',
    given()
      .after(
        100,
        '',
        heard(
          view('server2', 'standby', {
            takeover: { ...promoting, lsn: '0/0' },
          }),
        ),
      )
      .silence(8000),
  ],
  [
    'A former primary waits for the word of the server that may have taken over',
    new Conversation('server1', 2, { heartbeatErrorAction: 'message' })
      .after(0, '', boot({ restored: primary().state.persisted }))
      .silence(8000),
  ],
  [
    'The standby is out: its instance is down',
    outOf(
      primary()
        .after(100, '', told(2, { phase: 'down', report: null }))
        .after(20, '', told(3, { phase: 'down', report: null })),
    ),
  ],
  [
    'The standby is out: a disk has failed',
    outOf(
      primary()
        .after(100, '', told(2, { failedDisks: ['data'] }))
        .after(20, '', told(3, { failedDisks: ['data'] })),
    ),
  ],
  [
    'The standby is out: its controller is not running',
    primary().after(100, '', { kind: 'peer-refused', peer: 'server2' }),
  ],
  [
    'The standby was taken out by a person',
    outOf(
      primary()
        .after(100, '', ask({ kind: 'detach', noFencing: false, by }))
        .after(20, '', told(3)),
    ),
  ],
  [
    'A person takes the standby out, and pre_detach_command runs',
    primary({ preDetachCommand: '/usr/local/bin/pre_detach' }).after(
      100,
      '',
      ask({ kind: 'detach', noFencing: false, by }),
    ),
  ],
  [
    'The standby catches up',
    primary().after(100, '', answer(report('primary', { senders: [sender('server2', 'catchup', 'async')] }))),
  ],
  [
    'The standby is silent, with heartbeat_error_action = message',
    primary({ heartbeatErrorAction: 'message' }).silence(8000),
  ],
  [
    'The primary is silent, with heartbeat_error_action = message',
    standby({ heartbeatErrorAction: 'message' }).silence(4000).after(10, '', noReceiver).silence(4000),
  ],
  [
    'Two primaries, as fallback makes them when only the network has failed',
    outOf(
      primary()
        .silence(4000)
        .after(10, '', answer(report('primary', { senders: [] })))
        .silence(2400),
    ).after(60_000, '', heard(newPrimary)),
  ],
  [
    'Two primaries: the one that was left on the lower timeline has gone on, and holds more',
    apart({ lsn: '0/3C00060', nextXid: 790 }, { lsn: '0/301A060', nextXid: 748 }),
  ],
  [
    'Two primaries: the newer one holds more',
    apart({ lsn: '0/3002060', nextXid: 748 }, { lsn: '0/5C00060', nextXid: 790 }),
  ],
  [
    'Two primaries: nothing tells which of them holds more',
    apart({ lsn: '0/3002060', nextXid: 748 }, { lsn: '0/3002060', nextXid: 748 }),
  ],
  [
    'The standby is being promoted, and has much to replay',
    given().after(
      100,
      '',
      heard(
        view('server2', 'standby', {
          takeover: promoting,
          replay: { leftBytes: 300 * 1024 ** 2, bytesPerSecond: 12 * 1024 ** 2 },
        }),
      ),
    ),
  ],
  [
    'Another standby was being promoted, and is not heard any more',
    new Conversation('server3', 3, { heartbeatErrorAction: 'message' })
      .after(0, '', boot({ running: true, standby: true }))
      .after(10, '', noReceiver)
      .after(5, '', heard(view('server2', 'standby', { takeover: { ...promoting, kind: 'force' } })))
      .silence(8000),
  ],
  [
    'A former primary whose record is torn waits for the word of everybody',
    new Conversation('server1', 2, { heartbeatErrorAction: 'message' })
      .after(0, '', boot({ torn: true }))
      .silence(8000),
  ],
  [
    'The standby was suspended, and its primary is not heard since',
    standby().suspended(60_000).after(10, '', noReceiver).silence(8000),
  ],
  [
    'The instance of the primary does not answer',
    [1, 2, 3, 4].reduce(
      (it) => it.silence(800).after(900, '', { kind: 'instance-check', outcome: { kind: 'timeout' } }),
      primary(),
    ),
  ],
  [
    'The instance of the primary is down, and automatic switch is off',
    primary()
      .after(10, '', ask({ kind: 'set-failover', enabled: false }))
      .after(100, '', { kind: 'instance-check', outcome: { kind: 'gone' } }),
  ],
];

it('every state says why, since when and what to do', async () => {
  const texts = states.map(([title, it]) => {
    it.remember();
    const { state } = it;
    const report = statusReport(state, { pid: 4711, node: '18.20.8' });
    return `## ${title} (asked on ${state.self.id})\n\n${renderStatus(report)}`;
  });
  await expect(texts.join('\n')).toMatchFileSnapshot('./golden/status-texts.txt');
});

it('whatever is not switchable has a reason and something to do', () => {
  const silent = states
    .map(([title, { state }]) => [title, state.mirroring] as const)
    .filter(([, { status, reason, advice }]) => status !== 'switchable' && (reason === '' || advice === ''));
  expect(silent).toEqual([]);
});
