/** Roles that no resource declares. */
import { expect, it } from 'vitest';
import { passwords, superusers } from '../../../src/check/audits/roles.ts';
import { serverNamed } from '../../observe/cluster.ts';
import { brief, pair, reply, tell } from './context.ts';

const both = (sql: unknown) => ({ server1: reply(sql), server2: reply(sql) });

it('passwords and superusers are told once, by the primary', () => {
  expect(brief(tell(passwords, both(['old', 'older'])))).toEqual([
    'ROL005 server1 old',
    'ROL005 server1 older',
  ]);
  expect(brief(tell(superusers, both(['boss']), { primary: 'server2' }))).toEqual(['ROL006 server2 boss']);
  expect(brief(tell(superusers, { server2: reply(['boss']) }))).toEqual(['ROL006 server2 boss']);
});

it('nothing is nothing to tell', () => {
  expect([...tell(passwords, both([])), ...tell(superusers, both([])), ...tell(superusers, {})]).toEqual([]);
});

it('how passwords are kept is unknown to a login that may not see it; superusers are not', () => {
  const refused = {
    status: 0,
    stdout: '',
    stderr: '',
    sqlProblem: 'ERROR:  permission denied for table pg_authid',
  };
  expect(passwords.read(refused, serverNamed(pair, 'server1'))).toEqual({
    state: 'unknown',
    reason: 'ERROR:  permission denied for table pg_authid',
  });
  expect(superusers.probe(serverNamed(pair, 'server1'), pair).sql).not.toContain('pg_authid');
});
