/** Paths on the hosts: absolute, and of characters that every file they are written to can carry. Pure. */
import { isAbsolute, normalize } from 'node:path/posix';
import type { Diagnostic } from '../../base/diagnostic.ts';
import { isSystemDirectory } from '../../base/host-paths.ts';
import { type Draft, type Path, remotePath } from '../draft.ts';

interface Written {
  readonly key: string;
  readonly path: Path;
  readonly value: string;
}

const postgresKeys = ['data_dir', 'wal_dir', 'bin_dir', 'socket_dir', 'passfile'] as const;

/** Directories that pgduet empties for a rebuild. */
const emptied: readonly string[] = ['data_dir', 'wal_dir', 'management_dir'];

export function checkPaths(draft: Draft): Diagnostic[] {
  return written(draft).flatMap((one) => {
    const problem = tellForm(one) ?? tellSystem(one);
    return problem === undefined ? [] : [{ ...problem, at: draft.valueAt(...one.path) }];
  });
}

/** Every path of the inventory, those for all hosts and those of one. */
function written(draft: Draft): Written[] {
  const sources = [
    { base: [] as Path, map: draft.data },
    ...draft.hosts.map(({ name }) => ({
      base: ['hosts', name] as Path,
      map: draft.data.hosts?.[name] ?? {},
    })),
  ];
  return sources.flatMap(({ base, map }) => {
    const management = map.multiplexing?.management_dir;
    const places = postgresKeys.map((key) => ({
      key,
      path: [...base, 'postgres', key],
      value: map.postgres?.[key],
    }));
    const tls = map.postgres?.tls;
    const files = typeof tls === 'object' ? Object.entries(tls) : [];
    const all = [
      ...places,
      ...files.map(([key, value]) => ({
        key: `tls.${key}`,
        path: [...base, 'postgres', 'tls', key],
        value,
      })),
      { key: 'management_dir', path: [...base, 'multiplexing', 'management_dir'], value: management },
    ];
    return all.flatMap(({ key, path, value }) => (value === undefined ? [] : [{ key, path, value }]));
  });
}

function tellForm({ key, value }: Written): Diagnostic | undefined {
  if (!isAbsolute(value)) {
    const home = value.startsWith('~');
    return {
      code: 'INV005',
      what: `${key} '${value}' is not an absolute path`,
      why: home
        ? '~ would depend on which user reads it'
        : 'it would depend on the directory that a command happens to run in',
      fix: home
        ? 'Write the path in full.'
        : `Write it from the root, for example /${normalize(value).replace(/^(\.\.?\/)+/, '')}.`,
    };
  }
  if (value.split('/').includes('..')) {
    return {
      code: 'INV005',
      what: `${key} '${value}' goes up with '..'`,
      why: 'over a symbolic link it would lead elsewhere than it seems',
      fix: `Write ${normalize(value)}.`,
    };
  }
  const plain = value
    .normalize('NFKD')
    .replace(/[^\x21-\x7e]+/g, '')
    .replace(/['"\\#$`%]/g, '');
  if (/[^\x21-\x7e]/.test(value)) return tellCharacters(key, value, plain);
  const odd = /['"\\#$`%]/.exec(value)?.[0];
  if (odd === undefined) return undefined;
  return {
    code: 'INV009',
    what: `${key} '${value}' holds the character ${odd}`,
    why: 'configuration files and units give it a meaning of its own',
    fix: `Use another directory, for example ${plain}.`,
  };
}

function tellCharacters(key: string, value: string, plain: string): Diagnostic {
  const odd = /\s/.test(value) ? 'a space' : 'characters that are not ASCII';
  const data = key === 'data_dir';
  return {
    code: 'INV009',
    what: `${key} '${value}' holds ${odd}${data ? ', so this instance cannot be multiplexed' : ''}`,
    why: 'the controller and its configuration files take plain ASCII without spaces',
    fix: data
      ? `If the instance exists, stop it, move it with: mv '${value}' ${plain}, correct its unit, start it; then write ${plain} here.`
      : `Use another path, for example ${plain}.`,
  };
}

function tellSystem({ key, value }: Written): Diagnostic | undefined {
  const path = remotePath(value) ?? value;
  if (!emptied.includes(key) || !isSystemDirectory(path)) return undefined;
  return {
    code: 'INV010',
    what: `${key} '${path}' is a directory of the system`,
    why: 'a rebuild empties this directory',
    fix: `Write a directory of its own below it, for example ${path === '/' ? '' : path}/inst1.`,
  };
}
