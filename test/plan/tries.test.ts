/** What a planned change leads to is asked of its host first; an objection refuses the plan, and silence is none. */
import { describe, expect, it } from 'vitest';
import { isEmpty, makePlan, refusals } from '../../src/plan/plan.ts';
import { objected, tried } from '../../src/plan/tries.ts';
import type { AnyKind, Change, ProbeReply } from '../../src/resources/contract/kind.ts';
import { toBeTried } from '../../src/resources/postgres/settings-tried.ts';
import { desiredOf, kindNamed } from '../resources/cases.ts';
import { observation } from './fakes.ts';

const said = (stdout: string): ProbeReply => ({ status: 0, stdout, stderr: '' });

/** A thing that asks "can NAME", and takes an answer for an objection. */
function cautious(id: string, seen: 'right' | 'wrong') {
  const one = observation(id, seen);
  const kind: AnyKind = {
    ...one.resource.kind,
    tries: (_change, desired) => ({ shell: `can ${(desired as { name: string }).name}` }),
    objection: ({ stdout }) =>
      stdout === '' ? undefined : { code: 'SAF031', what: stdout, why: 'it cannot', fix: 'Look.' },
  };
  return { ...one, resource: { ...one.resource, kind } };
}

describe('what is tried', () => {
  const plan = makePlan([cautious('a/x', 'wrong'), cautious('b/y', 'right'), observation('a/z', 'wrong')]);

  it('is each planned change of a kind that tries, and nothing that is right', () => {
    expect(tried(plan).map(({ resource, probe }) => [resource.host, probe.shell])).toEqual([['a', 'can x']]);
  });

  it('refuses the plan, with the host, where there is an objection', () => {
    const after = objected(
      plan,
      tried(plan).map((one) => ({ ...one, reply: said('no room') })),
    );
    expect(refusals(after)).toMatchObject([{ code: 'SAF031', what: 'no room', host: 'a' }]);
    expect(after.decisions.map(({ kind }) => kind)).toEqual(['refused', 'same', 'change']);
  });

  it('refuses nothing without an objection, or without an answer', () => {
    for (const reply of [said(''), undefined]) {
      const after = objected(
        plan,
        tried(plan).map((one) => ({ ...one, reply })),
      );
      expect(after).toEqual(plan);
      expect(isEmpty(after)).toBe(false);
    }
  });
});

describe('settings', () => {
  const planned = (action?: 'reload' | 'restart'): Change => ({
    summary: '',
    reason: '',
    ...(action ? { effects: [{ action, target: 'instance' }] } : {}),
  });
  const from = (before: string, after: string, action: 'reload' | 'restart', auto = '') =>
    toBeTried(planned(action), { before, after }, auto)?.settings;

  it('are tried where the server is to be restarted, and where a host may lack what is new', () => {
    expect(from('', 'max_connections = 9\n', 'restart')).toEqual({ max_connections: '9' });
    expect(from("ssl_cert_file = '/a'\n", "ssl_cert_file = '/b'\n", 'reload')).toEqual({
      ssl_cert_file: '/b',
    });
    expect(from('', "lc_messages = 'de_DE'\n", 'reload', "work_mem = '1GB'\n")).toEqual({
      lc_messages: 'de_DE',
      work_mem: '1GB',
    });
  });

  it('are not tried where any host can do what is new', () => {
    expect(
      from("ssl_cert_file = '/a'\nwork_mem = 1\n", "ssl_cert_file = '/a'\nwork_mem = 2\n", 'reload'),
    ).toBeUndefined();
  });
});

it.each(['standby', 'rebuild'])(
  'kind %s asks nothing where it does not know what the copy is started with',
  (name) => {
    const kind = kindNamed(name);
    const rest =
      name === 'standby'
        ? 'user: repl, slot: s, host: a, port: 1'
        : 'primary: server2, host: a, port: 1, user: repl, slot: s, rewind_user: r, rewind_password: !secret replication_password';
    const tries = (fields: string): string | undefined =>
      kind.tries?.({ summary: '', reason: '' }, desiredOf(name, `{ ${rest}${fields} }`))?.shell;
    expect(tries('')).toBeUndefined();
    expect(tries(', configuration: { ssl: on }')).toContain('ssl = on');
  },
);
