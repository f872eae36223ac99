/** What a management directory that is lost forbids, for every command; and the way on where nobody vouches for the data. */
import { describe, expect, it } from 'vitest';
import type { Diagnostic } from '../../src/base/diagnostic.ts';
import type { Intent } from '../../src/intent/intent.ts';
import { lostObstacles } from '../../src/intent/lost.ts';
import type { HostView } from '../../src/observe/survey.ts';
import { binDirCandidates } from '../../src/postgres/bindirs.ts';
import type { DataDirectory } from '../../src/resources/data/data-directory.ts';
import { clusterOf, pairInventory, serverNamed, threeInventory } from '../observe/cluster.ts';

const pair = await clusterOf(pairInventory);
const three = await clusterOf(threeInventory);
const port = serverNamed(pair, 'server1').postgres.port;

const control = {
  ...{
    systemIdentifier: '77',
    state: 'in production',
    timeline: 1,
    checkpoint: '0/3000060',
    checksums: true,
  },
  reached: { position: '0/3000060', timeline: 1 },
};
const data = (more: Partial<DataDirectory>): HostView => ({
  facts: { serviceManager: 'systemd' } as never,
  data: {
    ...{ content: 'cluster', files: [], version: 15, standbySignal: false, running: true, started: true },
    ...{ control, tablespaces: [], ...more },
  },
});
const whole = { recorded: '77' } as const;
const lost = { directoryLost: true } as const;
const standby = { standbySignal: true } as const;
const down = { running: false } as const;

const sending = (...names: string[]): HostView['streams'] => ({
  receiver: null,
  senders: names.map((name) => ({ name, state: 'streaming', address: '192.0.2.110' })),
});
const receiving: HostView['streams'] = {
  receiver: { host: '192.0.2.100', port, status: 'streaming' },
  senders: [],
};
const withStreams = (view: HostView, streams: HostView['streams']): HostView => ({
  ...view,
  ...(streams ? { streams } : {}),
});

const hosts = (...views: HostView[]): ReadonlyMap<string, HostView> =>
  new Map(views.map((view, index) => [`server${index + 1}`, view]));

/** server1 leads, and server2 streams from it. */
const streaming = (one: Partial<DataDirectory>, two: Partial<DataDirectory>) =>
  hosts(withStreams(data(one), sending('server2')), withStreams(data({ ...standby, ...two }), receiving));
const vouched = streaming(whole, lost);

const commands: Readonly<Record<Intent['kind'] | 'rolling-update', string | undefined>> = {
  provision: undefined,
  migrate: 'SAF086',
  run: 'SAF086',
  switch: 'SAF086',
  failover: 'SAF086',
  detach: 'SAF086',
  maintenance: 'SAF086',
  reload: 'SAF086',
  restart: 'SAF086',
  stop: 'SAF086',
  start: 'SAF086',
  rebuild: 'SAF086',
  recover: 'SAF086',
  replace: 'SAF086',
  teardown: 'SAF086',
  renew: 'SAF086',
  certificates: 'SAF086',
  'rolling-update': 'SAF086',
};
type Named = keyof typeof commands;

describe('a management directory that is lost, and vouched for,', () => {
  it.each(Object.entries(commands) as [Named, string | undefined][])('says of %s: %s', (command, code) => {
    const [told, ...more] = lostObstacles(command, pair, vouched);
    expect(more).toEqual([]);
    expect(told?.code).toBe(code);
    if (told)
      expect(told).toMatchObject({
        host: 'server2',
        what: 'the management directory of server2 is lost (/mcdir/inst1)',
        commands: [{ run: 'pgduet provision' }],
      });
  });

  it.each(Object.keys(commands) as Named[])('says nothing of %s where all is whole', (command) => {
    expect(lostObstacles(command, pair, streaming(whole, whole))).toEqual([]);
  });

  it('is brought back where it is that of the primary, too', () => {
    expect(lostObstacles('provision', pair, streaming(lost, whole))).toEqual([]);
  });
});

describe('a directory that may be on a disk that is not mounted', () => {
  it.each(Object.keys(commands) as Named[])('refuses %s, and is to be mounted', (command) => {
    const away = streaming(whole, { directoryAway: 'nothing is mounted on /mcdir' });
    expect(lostObstacles(command, pair, away)).toMatchObject([
      { code: 'SAF008', host: 'server2', what: expect.stringContaining('nothing is mounted on /mcdir') },
    ]);
  });
});

describe('a directory that is a link which leads nowhere', () => {
  it.each(Object.keys(commands) as Named[])('refuses %s, and says what is done', (command) => {
    const seen = streaming(whole, {
      directoryAway: '/mcdir is a symbolic link to /disk, and that is not there',
      directoryLink: '/mcdir',
    });
    const [told, ...more] = lostObstacles(command, pair, seen);
    expect(more).toEqual([]);
    expect(told).toMatchObject({
      code: 'SAF008',
      host: 'server2',
      what: expect.stringContaining('/mcdir is a symbolic link to /disk, and that is not there'),
      commands: [
        { on: 'server2', run: 'rm /mcdir', onlyIf: 'what it led to is gone for good' },
        { on: null, run: 'pgduet provision' },
      ],
    });
  });
});

/** The refusal of a provisioning for server2, or the one that is named. */
const refusal = (seen: ReadonlyMap<string, HostView>, of = 'server2', cluster = pair): Diagnostic => {
  const told = lostObstacles('provision', cluster, seen).find(({ host }) => host === of);
  if (!told) throw new Error(`nothing is said of ${of}`);
  return told;
};
const runs = ({ commands: named = [] }: Diagnostic): readonly string[] =>
  named.map(({ run, on, as }) => [...(on ? [`${on}:`] : []), ...(as ? [`(${as})`] : []), run].join(' '));

const owner = serverNamed(pair, 'server1').postgres.owner;
const made = (name: string): string =>
  `${name}: install -d -m 0700 -o ${owner} -g "$(id -gn ${owner})" /mcdir/inst1`;
const written = (name: string): string =>
  `${name}: (${owner}) umask 077 && : > /mcdir/inst1/${name}.state.json.torn && printf %s 77 > /mcdir/inst1/${name}.system`;

describe('what nobody vouches for', () => {
  it('names what was seen', () => {
    const told = refusal(
      hosts(withStreams(data(whole), sending('server3')), data({ ...standby, ...lost, ...down })),
    );
    expect(told).toMatchObject({
      code: 'SAF084',
      what: 'the management directory of server2 is lost (/mcdir/inst1), and no server vouches for its data',
    });
    expect(told.evidence?.join('\n')).toContain('server1 sends to server3 at 192.0.2.110: streaming');
    expect(told.evidence?.join('\n')).toContain('server2: stopped');
  });

  it('is moved aside where it is a standby that does not run beside its primary', () => {
    const sleeps = { ...standby, ...lost, ...down, tablespaces: ['/spaces/a', 'pg_x'] };
    const told = refusal(hosts(data(whole), data(sleeps)));
    expect(runs(told)).toEqual([
      'server2: systemctl stop mcoi_inst1',
      'server2: [ ! -e /database/inst1.lost ] && mv -T /database/inst1 /database/inst1.lost && [ ! -e /spaces/a.lost ] && mv -T /spaces/a /spaces/a.lost',
      'pgduet provision',
    ]);
    expect(told.fix).toContain('is not started');
  });

  it('is a new server behind that where the primary has known it', () => {
    const record = { members: ['server2'] } as never;
    const told = refusal(hosts({ ...data(whole), record }, data({ ...standby, ...lost, ...down })));
    expect(runs(told).at(-1)).toBe('pgduet replace server2');
  });

  it('is to stream again where it is a standby that runs beside its primary', () => {
    const told = refusal(hosts(data(whole), data({ ...standby, ...lost })));
    expect(told.fix).toContain('See why it does not stream from server1');
    expect(runs(told)).toEqual(['server2: systemctl stop mcoi_inst1']);
    expect(told.fix).not.toContain('.lost');
    const plain = { ...data({ ...standby, ...lost }), facts: { serviceManager: 'update-rc.d' } as never };
    expect(runs(refusal(hosts(data(whole), plain)))).toEqual(['server2: /etc/init.d/rc_mcoi_inst1 stop']);
  });

  it.each([
    ['runs', {}],
    ['does not run', down],
  ])('and is a standby that %s, where no primary runs, is all that may be left', (_, state) => {
    const told = refusal(hosts(data({ ...whole, ...down }), data({ ...standby, ...lost, ...state })));
    expect(told.fix).toContain('nothing of it is moved or emptied');
    expect(told.fix).not.toContain('.lost');
    const [first, ...forced] = runs(told);
    expect(first).toBe('server1: systemctl start mcoi_inst1');
    const path = `PATH=${binDirCandidates(15).join(':')}:"$PATH"`;
    const promoted = `server2: (${owner}) ${path} pg_ctl promote -w -D /database/inst1`;
    const started = `server2: (${owner}) ${path} pg_ctl start -w -D /database/inst1 -l /dev/null`;
    expect(forced).toEqual([
      ...('running' in state ? ['server2: systemctl stop mcoi_inst1', started] : []),
      promoted,
      made('server2'),
      written('server2'),
      'pgduet provision -i inventory.yml',
    ]);
    const unsure = told.commands?.filter(({ run }) => run.includes('pg_ctl')) ?? [];
    for (const { onlyIf } of unsure) expect(onlyIf).toContain('the primary is lost for good');
  });

  it.each([
    ['runs', {}],
    ['does not run', down],
  ])('and is a standby that %s, is no candidate where another one is whole', (_, state) => {
    const seen = hosts(
      data({ ...whole, ...down }),
      data({ ...standby, ...whole }),
      data({ ...standby, ...lost, ...state }),
    );
    const told = refusal(seen, 'server3', three);
    expect(told.fix).toContain('Make none of server3: server2 may hold what server3 lacks');
    expect(runs(told)).toEqual([
      'server1: systemctl start mcoi_inst1',
      `server2: (${owner}) mc_ctl switch --force`,
    ]);
    expect(told.fix).not.toContain('promote');
    const unlisted = hosts(
      undefined as never,
      data({ ...standby, ...whole }),
      data({ ...standby, ...lost, ...state }),
    );
    expect(refusal(unlisted, 'server3', three).fix).toContain('Make none of server3');
  });

  it('is a primary that does not run: a person writes down whose data it is', () => {
    const told = refusal(hosts(data({ ...lost, ...down }), data({ ...standby, ...whole })), 'server1');
    expect(runs(told)).toEqual([made('server1'), written('server1'), 'pgduet provision -i inventory.yml']);
    expect(told.commands?.[1]?.onlyIf).toContain('no other server leads');
  });

  it('is a primary that runs alone: a standby that streams again would vouch for it', () => {
    const told = refusal(hosts(data(lost), data({ ...standby, ...whole })), 'server1');
    expect(told.fix).toContain('See why no standby streams from it');
    expect(runs(told)).toContain(written('server1'));
  });

  it('is a former primary: it is rebuilt behind that', () => {
    const told = refusal(hosts(data({ ...lost, ...down }), data(whole)), 'server1');
    expect(runs(told)).toEqual([made('server1'), written('server1'), 'pgduet rebuild server1']);
  });

  it('is one of two that run as primary: nothing is written', () => {
    const told = refusal(hosts(data(lost), data(whole)), 'server1');
    expect(told.fix).toContain('docs/runbooks/two-primaries.md');
    expect(runs(told)).toEqual([]);
  });

  it('cannot be written down where PostgreSQL is not installed', () => {
    const told = refusal(
      hosts(data({ ...lost, ...down, control: undefined as never }), data(whole)),
      'server1',
    );
    expect(told.fix).toContain('install PostgreSQL 15 there');
    expect(runs(told)).toEqual([]);
  });
});

describe('two that are lost', () => {
  it('are refused, also where a third one vouches for both', () => {
    const from = withStreams(data(whole), sending('server2', 'server3'));
    const one = withStreams(data({ ...standby, ...lost }), receiving);
    const seen = hosts(from, one, one);
    expect(lostObstacles('provision', three, seen).map(({ code }) => code)).toEqual(['SAF084', 'SAF084']);
    const first = refusal(seen, 'server2', three);
    expect(runs(first)).toContain(written('server2'));
    expect(first.commands?.[1]?.onlyIf).toBe('it streams with server1, and server1 is whole');
    expect(refusal(seen, 'server3', three).fix).toContain('First the directory of server2');
    // Behind that one alone is left.
    expect(
      lostObstacles(
        'provision',
        three,
        hosts(from, withStreams(data({ ...standby, ...whole }), receiving), one),
      ),
    ).toEqual([]);
  });

  it('are the former primary and a standby that streams from the new one: no former primary vouches', () => {
    const from = withStreams(data(whole), sending('server2'));
    const seen = hosts(
      from,
      withStreams(data({ ...standby, ...lost }), receiving),
      data({ ...lost, ...down }),
    );
    expect(refusal(seen, 'server2', three).commands?.[1]?.onlyIf).toContain('server1 is whole');
    expect(runs(refusal(seen, 'server3', three)).at(-1)).toBe('pgduet rebuild server3');
  });

  it('are no candidates beside a standby that is whole', () => {
    const gone = data({ ...standby, ...lost, ...down });
    const seen = hosts(data({ ...standby, ...whole }), gone, gone);
    for (const name of ['server2', 'server3'])
      expect(refusal(seen, name, three).fix).toContain(`Make none of ${name}: server1 may hold`);
  });

  it('begin with the one that leads', () => {
    const seen = streaming(lost, lost);
    expect(runs(refusal(seen, 'server1'))).toContain(written('server1'));
    const second = refusal(seen, 'server2');
    expect(second.fix).toContain('server1 then vouches for server2');
    expect(runs(second)).toEqual([]);
  });

  it('and lead both, are left to a person', () => {
    const seen = hosts(data({ ...lost, ...down }), data({ ...lost, ...down }));
    expect(refusal(seen).fix).toContain('docs/runbooks/two-primaries.md');
    expect(runs(refusal(seen))).toEqual([]);
  });
});

/** Of three servers, each in one of these states. */
const states = {
  /** Whole: the primary, or a standby; `d`: down. */
  P: data(whole),
  Pd: data({ ...whole, ...down }),
  S: withStreams(data({ ...standby, ...whole }), receiving),
  Sd: data({ ...standby, ...whole, ...down }),
  /** The same, lost. */
  LP: data(lost),
  LPd: data({ ...lost, ...down }),
  LS: withStreams(data({ ...standby, ...lost }), receiving),
  LSd: data({ ...standby, ...lost, ...down }),
  /** A standby that reaches further than the others. */
  LSa: data({
    ...{ ...standby, ...lost, ...down },
    control: { ...control, reached: { position: '0/4000000', timeline: 1 } },
  }),
  /** On a disk that is not mounted. */
  AS: data({ ...standby, directoryAway: 'nothing is mounted on /mcdir' }),
  AP: data({ directoryAway: 'nothing is mounted on /mcdir' }),
  /** It runs as primary, and nothing says whose it is. */
  U: data({}),
  /** Nothing is known of it. */
  N: undefined,
} as const;
type State = keyof typeof states;
const trio = (...named: readonly State[]): ReadonlyMap<string, HostView> => {
  const primary = named.find((state) => state === 'P' || state === 'LP');
  return new Map(
    named.flatMap((state, index): [string, HostView][] => {
      const view = states[state];
      const others = named.flatMap((one, at) => (one === 'S' || one === 'LS' ? [`server${at + 1}`] : []));
      if (!view) return [];
      return [[`server${index + 1}`, state === primary ? withStreams(view, sending(...others)) : view]];
    }),
  );
};

describe('of three servers, lost beside others,', () => {
  const away = 'First that of server3, as is said there';
  const hand = 'umask 077 && : > /mcdir/inst1';
  it.each([
    // Two are lost, the primary is whole.
    [['P', 'LS', 'LS'], { server2: hand, server3: 'First the directory of server2' }],
    [['P', 'LS', 'LSd'], { server2: hand, server3: '.lost' }],
    [['P', 'LSd', 'LSd'], { server2: '.lost', server3: '.lost' }],
    [['P', 'LS', 'LPd'], { server2: hand, server3: 'pgduet rebuild server3' }],
    [['P', 'LS', 'LP'], { server2: hand, server3: 'docs/runbooks/two-primaries.md' }],
    [['Pd', 'LS', 'LS'], { server2: 'systemctl start mcoi_inst1', server3: 'systemctl start mcoi_inst1' }],
    [['Pd', 'LPd', 'LS'], { server2: 'pgduet recover', server3: 'First the directory of server2' }],
    // The primary and a standby are lost, the other standby is whole.
    [['LP', 'LS', 'S'], { server1: hand, server2: 'server1 then vouches for server2' }],
    [['LPd', 'LSd', 'Sd'], { server1: 'no other server leads', server2: 'First the directory of server1' }],
    [['N', 'LSd', 'S'], { server2: 'Make none of server2: server3 may hold' }],
    [['N', 'LSa', 'Sd'], { server2: 'Make neither server2 nor server3 primary' }],
    [['LSd', 'LSa', 'S'], { server1: 'Make none of server1', server2: 'Make neither server2 nor server3' }],
    [['N', 'LSd', 'LSa'], { server2: 'First the directory of server3', server3: hand }],
    // One is on a disk that is away: that is mounted first.
    [['P', 'LS', 'AS'], { server2: away, server3: 'Mount it' }],
    [['LP', 'LS', 'AS'], { server1: away, server2: away, server3: 'Mount it' }],
    [['LSd', 'S', 'AP'], { server1: away, server3: 'Mount it' }],
    [['Pd', 'LSd', 'AS'], { server2: away, server3: 'Mount it' }],
    // One runs as primary, and nothing says whose it is.
    [['U', 'LSd', 'S'], { server2: 'server1 runs as primary' }],
    [['U', 'LS', 'LS'], { server2: 'server1 runs as primary', server3: 'server1 runs as primary' }],
    [['U', 'LPd', 'S'], { server2: 'server1 runs as primary' }],
    [['Pd', 'LPd', 'S'], { server2: 'pgduet recover' }],
    [['P', 'LS', 'S'], {}],
    [['LP', 'S', 'S'], {}],
  ] satisfies [State[], Readonly<Record<string, string>>][])('%s', (named, ways) => {
    const told = lostObstacles('provision', three, trio(...named));
    const texts = told.map(({ host = '', fix = '' }) => [host, fix] as const);
    expect(texts.map(([host]) => host)).toEqual(Object.keys(ways));
    for (const [host, fix] of texts) expect(fix).toContain((ways as Record<string, string>)[host]);
  });

  const all = Object.keys(states) as State[];
  it.each(all)(
    'beside %s: nothing is promoted beside a server that runs, moved without a primary, or without a way on',
    (first) => {
      for (const second of all)
        for (const last of all) {
          const seen = trio(first, second, last);
          const told = lostObstacles('provision', three, seen);
          const named = `${first} ${second} ${last}`;
          const running = (but: string, is: (view: HostView) => boolean) =>
            [...seen].some(([name, view]) => name !== but && view.data?.running && is(view));
          for (const one of told) {
            const way = runs(one).join('\n');
            const leading = running(one.host ?? '', ({ data: it }) => it?.standbySignal === false);
            if (leading) expect(way, named).not.toMatch(/promote|switch --force|pg_ctl start/);
            if (running(one.host ?? '', () => true)) expect(way, named).not.toContain('promote');
            if (![first, second, last].includes('P')) expect(way, named).not.toContain('mv -T');
          }
          const ends = ({ fix, commands: way = [] }: Diagnostic) =>
            way.length > 0 || /Mount|two-primaries|runs as primary/.test(fix ?? '');
          if (told.length > 0) expect(told.some(ends), named).toBe(true);
          const written = told.filter((one) => runs(one).some((run) => run.includes('printf %s')));
          // Without a server that is whole there is nothing to compare with.
          if (![first, second, last].some((state) => ['P', 'S', 'Sd'].includes(state)))
            expect(written.length, named).toBeLessThan(2);
        }
    },
  );
});

describe('one that was there before pgduet', () => {
  const unit = '/etc/systemd/system/postgresql@15-main.service';
  const path = `${unit}.d/pgduet.conf`;

  it('is refused although it is vouched for, with both ways', () => {
    const told = refusal(streaming(whole, { ...lost, dropIns: [path] }));
    expect(told.code).toBe('SAF085');
    expect(told.fix).toContain('/mcdir/inst1/server2.before.json');
    expect(runs(told)).toEqual([
      made('server2'),
      `server2: if [ -f ${unit} ] && [ ! -L ${unit} ]; then mv -nT ${unit} ${unit}.before-pgduet; else systemctl mask postgresql@15-main.service; fi && rm ${path} && systemctl daemon-reload`,
      made('server2'),
      written('server2'),
      'pgduet provision -i inventory.yml',
    ]);
    for (const { onlyIf } of told.commands?.slice(1, 2) ?? [])
      expect(onlyIf).toBe('its way back is given up');
    expect(told.commands?.[3]?.onlyIf).toContain('its way back is given up');
    // Followed, there is nothing in the way any more, although what travels with the data still names it.
    const followed = new Map(streaming(whole, whole));
    followed.set('server2', {
      ...(followed.get('server2') as HostView),
      adopted: { server: 'server2' } as never,
    });
    expect(lostObstacles('provision', pair, followed)).toEqual([]);
  });

  it('is known by its data where no unit had started it', () => {
    const seen = new Map(streaming(lost, whole));
    seen.set('server1', { ...(seen.get('server1') as HostView), adopted: { server: 'server1' } as never });
    const told = refusal(seen, 'server1');
    expect(told.code).toBe('SAF085');
    expect(runs(told)).toEqual([
      made('server1'),
      made('server1'),
      written('server1'),
      'pgduet provision -i inventory.yml',
    ]);
  });

  it('is brought back once its record is there', () => {
    const seen = streaming(whole, { ...lost, dropIns: [path], before: 'standby' });
    expect(lostObstacles('provision', pair, seen)).toEqual([]);
  });

  it('is none that was copied from it', () => {
    const seen = new Map(vouched);
    seen.set('server2', { ...(seen.get('server2') as HostView), adopted: { server: 'server1' } as never });
    expect(lostObstacles('provision', pair, seen)).toEqual([]);
  });
});
