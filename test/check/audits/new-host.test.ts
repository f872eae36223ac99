/** A new host in the place of a server that the primary has had. */
import { describe, expect, it } from 'vitest';
import { newHost } from '../../../src/check/audits/new-host.ts';
import type { ControllerRecord } from '../../../src/observe/record.ts';
import type { HostView } from '../../../src/observe/survey.ts';
import { reply, tell } from './context.ts';

const looked = reply(undefined, { stdout: 'content absent\n' });
const record: ControllerRecord = {
  primary: 'server1',
  timeline: 1,
  term: 0,
  members: ['server2'],
  voters: [],
  needed: 0,
  eligible: [],
  believers: [],
  bound: false,
  seen: 1,
  whole: true,
};
const bare: HostView = { data: { content: 'absent', files: [], standbySignal: false, running: false } };
const primary = { data: { content: 'cluster', files: [], standbySignal: false, running: true } } as const;

const shows = (views: Readonly<Record<string, HostView>>) =>
  tell(newHost, { server1: looked, server2: looked }, { views });

describe('a host', () => {
  it('that is new is told where the primary has had its server', () => {
    expect(shows({ server1: { ...primary, record }, server2: bare })).toEqual([
      {
        code: 'CTL014',
        host: 'server2',
        object: 'server2',
        declared: 'a standby of server1',
        found: 'nothing of it, and server1 has had a standby of that name',
      },
    ]);
  });

  it.each([
    ['that is new, and no server of the cluster was there', { server1: primary, server2: bare }],
    ['on which the server is', { server1: { ...primary, record } }],
  ] satisfies [string, Record<string, HostView>][])('%s is nothing to tell', (_, views) => {
    expect(shows(views)).toEqual([]);
  });
});
