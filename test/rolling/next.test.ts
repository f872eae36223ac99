/** What comes next: the sheet of three servers, and what a failover, a person and a skipped server change. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  after,
  leftOver,
  type Move,
  nextMove,
  type Situation,
  sheet,
  statesDuring,
  stepOf,
} from '../../src/rolling/next.ts';
import { asSeen, emptyRow, isDone } from '../../src/rolling/row.ts';
import { names, orderFor, situationFor } from './samples.ts';

const made = (situation: Situation, move: Move): Situation => after(situation, move, { began: 't', ms: 1 });
const line = (move: Move): string =>
  move.kind === 'work' ? `${move.server} ${move.step}` : `${move.kind} ${move.server} ${move.to}`;
const lines = (situation: Situation): readonly string[] => sheet(situation).map(({ move }) => line(move));

/** As far as the first move of which this is so. */
function until(situation: Situation, isIt: (move: Move) => boolean): Situation {
  for (let now = situation; ; ) {
    const move = nextMove(now);
    if (!move || isIt(move)) return now;
    now = made(now, move);
  }
}

describe('the sheet', () => {
  it('takes the standbys first, then the former primary, and gives it its role back', () => {
    expect(lines(situationFor(orderFor({ command: 'true' })))).toEqual([
      ...['server2', 'server3'].flatMap((name) =>
        ['out', 'command', 'proof', 'back', 'check'].map((step) => `${name} ${step}`),
      ),
      'switch server1 server2',
      ...['out', 'command', 'proof', 'back', 'check'].map((step) => `server1 ${step}`),
      'home server2 server1',
    ]);
  });

  it('stops the instance where its programs are replaced or its host goes down', () => {
    const steps = (work: Parameters<typeof orderFor>[0]) =>
      sheet(situationFor(orderFor(work))).flatMap(({ move }) =>
        move.server === 'server2' && move.kind === 'work' ? [move.step] : [],
      );
    expect(steps({ packages: { server2: { a: '1' } } })).toEqual([
      'fetch',
      'out',
      'stop',
      'packages',
      'proof',
      'back',
      'check',
    ]);
    expect(steps({ run: 'hash', reboot: true, pause: true })).toEqual([
      'out',
      'stop',
      'run',
      'reboot',
      'pause',
      'proof',
      'back',
      'check',
    ]);
    expect(steps({ pause: true })).not.toContain('stop');
  });

  it('leaves out a server that has what is asked for, and switches for nothing where the primary has it', () => {
    const order = orderFor({ packages: { server3: { a: '1' } } });
    expect(new Set(sheet(situationFor(order)).map(({ move }) => move.server))).toEqual(new Set(['server3']));
    expect(sheet(situationFor(orderFor({ packages: {} })))).toEqual([]);
  });

  it('has a state for every server in every row, and never more than one that is out', () => {
    for (const { states, move } of sheet(situationFor(orderFor({ reboot: true })))) {
      expect(Object.keys(states).sort()).toEqual([...names].sort());
      const all = Object.values(states);
      expect(
        all.filter((state) => state === 'primary'),
        stepOf(move),
      ).toHaveLength(1);
      expect(all.filter((state) => state === 'out').length).toBeLessThanOrEqual(1);
    }
  });

  it('stays the same while its moves are made', () => {
    const begin = situationFor(orderFor({ reboot: true }));
    const all = lines(begin);
    let now = begin;
    for (let move = nextMove(now); move; move = nextMove(now)) {
      now = made(now, move);
      expect(lines(now)).toEqual(all);
    }
    expect(sheet(now).every(({ state }) => state === 'done')).toBe(true);
    expect(leftOver(now)).toEqual([]);
  });

  it('ends where the roles are with --stay, and names the standby to switch to', () => {
    const order = orderFor({ command: 'true' }, { home: null, to: 'server3' });
    expect(lines(situationFor(order))).toContain('switch server1 server3');
    expect(lines(situationFor(order)).at(-1)).toBe('server1 check');
  });
});

describe('what comes in between', () => {
  const order = orderFor({ command: 'true' });

  it('a failover to a server that is done spares the switch', () => {
    const now = {
      ...until(situationFor(order), (move) => line(move) === 'server3 command'),
      primary: 'server2',
    };
    expect(lines(now)).not.toContain('switch server1 server2');
    expect(lines(now).at(-1)).toBe('home server2 server1');
  });

  it('a failover to a server that is open brings its turn behind a switch', () => {
    const now = { ...until(situationFor(order), (move) => line(move) === 'server3 out'), primary: 'server3' };
    const rest = sheet(now).flatMap(({ state, move }) => (state === 'open' ? [line(move)] : []));
    expect(rest[0]).toBe('server1 out');
    expect(rest).toContain('switch server3 server2');
    expect(rest.indexOf('switch server3 server2')).toBeLessThan(rest.indexOf('server3 out'));
  });

  it('a maintenance that somebody has ended begins again, and the work that is done stays done', () => {
    const now = until(situationFor(order), (move) => line(move) === 'server2 proof');
    const row = asSeen(now.rows.get('server2') ?? emptyRow(order.id), false);
    expect(isDone(row, 'out')).toBe(false);
    expect(isDone(row, 'command')).toBe(true);
    expect(asSeen(now.rows.get('server2') ?? emptyRow(order.id), true)).toEqual(now.rows.get('server2'));
  });

  it('what was done and does not hold any more stays in the sheet, and is done again', () => {
    const now = until(situationFor(order), (move) => line(move) === 'server2 back');
    const row = asSeen(now.rows.get('server2') ?? emptyRow(order.id), false);
    const rows = sheet({ ...now, out: new Set(), rows: new Map(now.rows).set('server2', row) });
    expect(rows.slice(0, 5).map(({ state, move }) => `${state} ${line(move)}`)).toEqual([
      'done server2 out',
      'done server2 command',
      'done server2 proof',
      'open server2 out',
      'open server2 proof',
    ]);
    const again = after(
      { ...now, rows: new Map([['server2', row]]) },
      { kind: 'work', server: 'server2', step: 'out' },
      { began: 't', ms: 1 },
    );
    expect(isDone(again.rows.get('server2') ?? row, 'out')).toBe(true);
    expect(isDone(asSeen(again.rows.get('server2') ?? row, true), 'out')).toBe(true);
  });

  it('a primary that was lost shows as held, gets no role, and is no way home', () => {
    const now = {
      ...until(situationFor(order), (move) => line(move) === 'server1 out'),
      primary: 'server2',
      held: new Set(['server1']),
    };
    const [first] = sheet(now).filter(({ state }) => state === 'open');
    expect(first && line(first.move)).toBe('server1 out');
    expect(statesDuring(now, { kind: 'work', server: 'server3', step: 'check' }).server1).toBe('held');
    const skipped = new Map(now.rows).set('server1', { ...emptyRow(order.id), skipped: true as const });
    expect(nextMove({ ...now, rows: skipped })).toBeUndefined();
    const back = {
      ...until(situationFor(order), (move) => move.kind === 'home'),
      held: new Set(['server1']),
    };
    expect(back.primary).not.toBe('server1');
    expect(nextMove(back)).toBeUndefined();
  });

  it('a skipped primary needs no switch, and a skipped standby is no heir', () => {
    const skip = (name: string): Situation => {
      const begin = situationFor(order);
      return {
        ...begin,
        rows: new Map(
          [...begin.rows].map(([one, row]) => [one, one === name ? { ...row, skipped: true as const } : row]),
        ),
      };
    };
    expect(lines(skip('server1')).some((one) => one.startsWith('switch'))).toBe(false);
    expect(lines(skip('server2'))).toContain('switch server1 server3');
    expect(leftOver(skip('server2'))).toContain('server2');
  });

  it('nobody who may not lead becomes primary: the work on the primary is left over', () => {
    const last = until(situationFor(order, { able: new Set(['server1']) }), () => false);
    expect(leftOver(last)).toEqual(['server1']);
  });
});

describe('whatever happens', () => {
  it('the update ends, no work is done on a primary, and one server at most is out', () => {
    const event = fc.record({
      at: fc.nat(40),
      primary: fc.constantFrom(...names),
      skip: fc.option(fc.constantFrom(...names)),
    });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 4 }), fc.boolean(), fc.boolean(), (events, reboot, stay) => {
        const order = orderFor({ reboot, command: 'true' }, stay ? { home: null } : {});
        let now = situationFor(order);
        let count = 0;
        for (let move = nextMove(now); move; move = nextMove(now)) {
          count += 1;
          expect(count).toBeLessThan(200);
          if (move.kind === 'work' && move.step !== 'check') expect(move.server).not.toBe(now.primary);
          if (move.kind !== 'work') expect(now.out.has(move.to)).toBe(false);
          now = made(now, move);
          expect(now.out.size).toBeLessThanOrEqual(1);
          const happens = events.find(({ at }) => at === count);
          // Whoever is out takes no role (ADR 18), and stays out when it is skipped.
          if (happens && !now.out.has(happens.primary) && now.out.size === 0) {
            const { skip } = happens;
            const rows =
              skip === null
                ? now.rows
                : new Map(now.rows).set(skip, {
                    ...(now.rows.get(skip) ?? emptyRow(order.id)),
                    skipped: true as const,
                  });
            now = { ...now, primary: happens.primary, rows };
          }
        }
        for (const name of leftOver(now))
          expect(now.rows.get(name)?.skipped || name === now.primary).toBe(true);
      }),
    );
  });
});
