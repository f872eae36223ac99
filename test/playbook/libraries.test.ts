/** Libraries from packages: on every server before a setting names them, on a server that is rebuilt, and never on one that was there before. */
import { describe, expect, it } from 'vitest';
import { debian } from '../../src/base/platform.ts';
import type { Intent } from '../../src/intent/intent.ts';
import { type HostView, preferredView } from '../../src/observe/survey.ts';
import type { Resource } from '../../src/plan/plan.ts';
import { packageKind } from '../../src/resources/system/package.ts';
import { clusterOf, threeInventory } from '../observe/cluster.ts';
import { declaredBy } from './declared.ts';

async function declared(level: string, intent: Intent, looks: Readonly<Record<string, HostView>> = {}) {
  const cluster = await clusterOf(
    threeInventory.replace('data_dir: /database/inst1', `data_dir: /database/inst1, hardening: ${level}`),
  );
  const preferred = preferredView(cluster);
  const view = { ...preferred, hosts: new Map([...preferred.hosts, ...Object.entries(looks)]) };
  return declaredBy(intent, cluster, view);
}

const provision: Intent = { kind: 'provision' };
const libraries = ['postgresql-15-pgaudit', 'postgresql-15-set-user'];
const packages = libraries.map((name) => `package ${name}`);
const servers = ['server1', 'server2', 'server3'];
const ours = (resources: readonly Resource[]): readonly string[] =>
  resources
    .filter(({ id }) => packages.includes(id) || id.startsWith('extension '))
    .map(({ host, id }) => `${host} ${id}`);
const preloaded = ({ desired }: Resource): string | undefined =>
  (desired as { readonly values: Readonly<Record<string, string>> }).values.shared_preload_libraries;

describe('libraries of cis', () => {
  it('come to every server, and settings name them behind those of all', async () => {
    const resources = await declared('cis', provision);
    expect(ours(resources).toSorted()).toEqual(
      [
        ...servers.flatMap((host) => packages.map((id) => `${host} ${id}`)),
        'server1 extension set_user',
      ].toSorted(),
    );
    for (const host of servers) {
      const one = resources.find((it) => it.host === host && it.id === 'settings server');
      expect(one && preloaded(one)).toBe('auth_delay, passwordcheck, pgaudit, set_user');
      expect(one?.desired).toMatchObject({ brought: ['pgaudit', 'set_user'] });
      for (const other of servers)
        for (const id of packages) expect(one?.after).toContainEqual({ host: other, id });
    }
    for (const host of ['server2', 'server3']) {
      const ids = resources.filter((it) => it.host === host).map(({ id }) => id);
      const copy = ids.findIndex((id) => id.startsWith('standby '));
      for (const id of packages) expect(ids.indexOf(id)).toBeLessThan(copy);
    }
  });

  it('come to a server that is rebuilt, before it is', async () => {
    const resources = await declared('cis', { kind: 'rebuild', host: 'server3', copy: true });
    expect(ours(resources)).toEqual(packages.map((id) => `server3 ${id}`));
    const ids = resources.filter((it) => it.host === 'server3').map(({ id }) => id);
    const rebuilt = ids.findIndex((id) => id.startsWith('rebuild '));
    for (const id of packages) expect(ids.indexOf(id)).toBeLessThan(rebuilt);
  });

  it('are of no other level', async () => {
    expect(ours(await declared('standard', provision))).toEqual([]);
  });

  it('are not for a server that was there before', async () => {
    const record = { logging: 'theirs', carried: {}, hba: '' };
    const resources = await declared('cis', provision, { server1: { adopted: record } as never });
    expect(ours(resources)).toEqual([]);
    const one = resources.find(({ host, id }) => host === 'server1' && id === 'settings server');
    expect(one && preloaded(one)).toBeUndefined();
  });
});

describe('a package that something asks for', () => {
  const desired = {
    name: 'postgresql-15-pgaudit',
    provides: 'pglib:pgaudit',
    askedFor: 'postgres.hardening: cis',
  };
  const planned = (again: boolean) => ({ summary: '', reason: '', manager: debian.manager, again });
  const objection = (stdout: string) =>
    packageKind.objection?.({ status: 0, stdout, stderr: '' }, planned(false), desired);

  it('is asked for before the plan is shown, and only where it is new', () => {
    expect(packageKind.tries?.(planned(false), desired)?.shell).toContain('apt-get install -q -s');
    expect(packageKind.tries?.(planned(true), desired)).toBeUndefined();
    expect(packageKind.tries?.(planned(false), { name: 'nodejs' })).toBeUndefined();
  });

  it('is refused where no source has it', () => {
    expect(objection('E: Unable to locate package postgresql-15-pgaudit\n')).toMatchObject({
      code: 'HST004',
      what: "no package source of the host has 'postgresql-15-pgaudit'",
      why: expect.stringContaining('postgres.hardening: cis needs the library pgaudit'),
      fix: expect.stringContaining('pg_config --pkglibdir'),
    });
  });

  it('is not refused where nobody could look', () => {
    expect(objection('')).toBeUndefined();
    expect(objection('E: Failed to fetch http://mirror/ Temporary failure resolving\n')).toBeUndefined();
  });
});
