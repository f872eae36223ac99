/** Servers that are down, as the survey shows them: data that leads or follows, and what their controllers have written down. */
import type { lastPrimary } from '../../src/observe/last-primary.ts';
import type { ControllerRecord } from '../../src/observe/record.ts';
import type { HostView } from '../../src/observe/survey.ts';
import type { Lineage } from '../../src/postgres/lineage.ts';
import type { DataDirectory } from '../../src/resources/data/data-directory.ts';

export const first: Lineage = { timeline: 1, left: [] };
export const second: Lineage = { timeline: 2, left: [{ timeline: 1, at: '0/5000148' }] };
export const third: Lineage = { timeline: 3, left: [...second.left, { timeline: 2, at: '0/7000000' }] };

export const promise = (primary: string, more: Partial<ControllerRecord> = {}): ControllerRecord => ({
  primary,
  timeline: 1,
  term: 0,
  members: [],
  voters: [],
  needed: 0,
  eligible: [],
  believers: [],
  bound: false,
  seen: 1,
  whole: true,
  ...more,
});
export const counting = (on: readonly string[], needed = 1, more: Partial<ControllerRecord> = {}) => ({
  voters: on,
  eligible: on,
  believers: on,
  needed,
  ...more,
});

export const taking = (from: string, more: Partial<NonNullable<ControllerRecord['takeover']>> = {}) => ({
  takeover: { from, kind: 'handover', stage: 'promote', ...more },
});
export const given = (to: string, kind = 'switch') => ({ handover: { to, kind } });

export interface Shown {
  readonly data?: Partial<DataDirectory>;
  readonly state?: string;
  readonly system?: string;
  readonly record?: ControllerRecord | null;
  readonly more?: Partial<HostView>;
}
export function shows(lineage: Lineage | null, record: ControllerRecord, over: Shown = {}): HostView {
  const systemIdentifier = over.system ?? '7';
  const timeline = lineage?.timeline ?? 2;
  const control = {
    systemIdentifier,
    state: over.state ?? 'in production',
    timeline,
    checkpoint: '0/8000000',
    checksums: true,
    reached: { position: '0/8000000', timeline },
  };
  return {
    data: {
      content: 'cluster',
      files: [],
      standbySignal: false,
      running: false,
      recorded: systemIdentifier,
      control,
      ...over.data,
    },
    origin: lineage ? { lineage } : {},
    ...(over.record === null ? {} : { record: over.record ?? record }),
    ...over.more,
  };
}

export const one = (over: Shown = {}) => shows(first, promise('server1', counting(['server2'])), over);
export const two = (over: Shown = {}) => shows(second, promise('server2', { timeline: 2 }), over);
/** By name, from server1 on. */
export const hostsOf = (...views: readonly HostView[]): ReadonlyMap<string, HostView> =>
  new Map(views.map((view, index) => [`server${index + 1}`, view]));

type Found = ReturnType<typeof lastPrimary>;

export const codeOf = (found: Found): string =>
  'refused' in found ? found.refused.code : found.last.primary;
export const formerOf = (found: Found, name = 'server1') =>
  'last' in found ? found.last.formers.find((former) => former.name === name) : undefined;
