/** Resources of a kind that exists in tests only: it knows one value and one wish. */
import type { ObservedResource, Resource } from '../../src/plan/plan.ts';
import { text } from '../../src/resources/contract/field.ts';
import { fieldsOf } from '../../src/resources/contract/fields.ts';
import {
  type AnyKind,
  anyKind,
  change,
  degraded,
  type Effect,
  type Observed,
  present,
  refuse,
  same,
  unknown,
} from '../../src/resources/contract/kind.ts';

export interface Wish {
  readonly name: string;
  readonly effects?: readonly Effect[];
  readonly touches?: string;
  readonly renews?: string;
  readonly inside?: string;
  readonly runsFrom?: string;
  /** Nothing is to be written: its effects alone make it so. */
  readonly idle?: boolean;
}

/** Seen "right", "wrong", "degraded" or "refused". */
function fakeKind(kind: string, is: { waits?: true; looksAgain?: true } = {}): AnyKind {
  return anyKind<Wish, string, { summary: string; reason: string; effects: readonly Effect[] }>({
    kind,
    summary: 'A thing of tests.',
    ...is,
    fields: fieldsOf({ name: text('name of the thing') }),
    key: (wish) => wish.name,
    describe: (wish) => `thing ${wish.name}`,
    probe: (wish) => ({ shell: `see ${wish.name}` }),
    read: (reply) => present(reply.stdout),
    diff: (wish, observed) => {
      const seen = observed.state === 'present' ? observed.value : 'wrong';
      if (seen === 'right') return same('right');
      if (seen === 'refused')
        return refuse({ code: 'SAF001', what: `not ${wish.name}`, why: 'data', fix: 'Look.' });
      if (seen === 'degraded')
        return degraded({
          code: 'HST013',
          what: `without ${wish.name}`,
          why: 'it is out',
          fix: 'Rebuild it.',
        });
      return change({ summary: `make ${wish.name}`, reason: seen, effects: wish.effects ?? [] });
    },
    steps: (_change, wish) =>
      wish.idle ? [] : [{ title: `step ${wish.name}`, script: `make ${wish.name}` }],
    touches: (wish) => wish.touches as string,
    renews: (wish) => wish.renews as string,
    inside: (wish) => wish.inside as string,
    runsFrom: (wish) => wish.runsFrom as string,
  });
}

const kinds = {
  thing: fakeKind('thing'),
  wait: fakeKind('wait', { waits: true }),
  again: fakeKind('again', { looksAgain: true }),
};

export interface Reported extends Omit<Wish, 'name'> {
  /** Names like "host/name". */
  readonly after?: readonly string[];
  readonly late?: boolean;
  readonly waits?: boolean;
}

const kindName = (name: string): keyof typeof kinds =>
  name.startsWith('wait') ? 'wait' : name.startsWith('again') ? 'again' : 'thing';

/** "a/one" is the thing 'one' of host 'a'; a name that begins with "wait" only waits, one with "again" looks itself in its steps. */
export function resource(id: string, told: Reported = {}): Resource {
  const [host = '', name = ''] = id.split('/');
  const { after = [], late = false, ...wish } = told;
  return {
    host,
    id: `${kindName(name)} ${name}`,
    kind: kinds[kindName(name)],
    desired: { name, ...wish },
    after: after.map((ref) => {
      const [on = '', other = ''] = ref.split('/');
      return { host: on, id: `${kindName(other)} ${other}` };
    }),
    late,
  };
}

export type Seen = 'right' | 'wrong' | 'absent' | 'degraded' | 'refused' | 'unknown';

export function observation(id: string, seen: Seen, told: Reported = {}): ObservedResource {
  const observed: Observed<unknown> =
    seen === 'unknown' ? unknown('could not look') : seen === 'absent' ? { state: 'absent' } : present(seen);
  return { resource: resource(id, told), observed };
}
