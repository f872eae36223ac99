/** Files in a data directory that say what a server is, where the management directory is, checksums; and the shell itself. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { dataDirectory } from '../../../src/check/audits/data-directory.ts';
import type { Server } from '../../../src/inventory/cluster.ts';
import type { HostView } from '../../../src/observe/survey.ts';
import { serverNamed } from '../../observe/cluster.ts';
import { brief, pair, reply, tell } from './context.ts';

const shows = (recovery: boolean | undefined, stdout: string) =>
  brief(tell(dataDirectory, { server1: reply(recovery, { stdout }) }));

describe('the files of a data directory', () => {
  it.each<[string, boolean | undefined, string, string[]]>([
    ['a primary', false, '', []],
    ['a standby', true, 'file standby.signal\n', []],
    ['a server that is stopped', undefined, 'file standby.signal\n', []],
    ['a primary with the mark of a standby', false, 'file standby.signal\n', ['standby.signal']],
    ['a standby without its mark', true, '', ['standby.signal']],
    ['a recovery that ends', true, 'file standby.signal\nfile recovery.signal\n', ['recovery.signal']],
    ['a stopped one with it', undefined, 'file recovery.signal\n', ['recovery.signal']],
    ['a backup on a primary', false, 'file backup_label\n', ['backup_label']],
  ])('of %s', (_, recovery, stdout, objects) => {
    expect(shows(recovery, stdout)).toEqual(objects.map((object) => `REP012 server1 ${object}`));
  });

  it('are unknown where they cannot be seen, and absent where there is no directory', () => {
    const read = (recovery: boolean | undefined, stdout: string) =>
      dataDirectory.read(reply(recovery, { stdout }), serverNamed(pair, 'server1')).state;
    expect([read(true, 'unseen\n'), read(true, 'absent\n'), read(undefined, 'absent\n')]).toEqual([
      'unknown',
      'unknown',
      'absent',
    ]);
  });
});

it('checksums are told of every server that has none, as the survey saw it', () => {
  const view = (checksums: boolean): HostView => ({
    data: {
      content: 'cluster',
      files: [],
      standbySignal: false,
      running: true,
      control: {
        systemIdentifier: '7',
        state: 'in production',
        timeline: 1,
        checkpoint: '0/1',
        checksums,
        reached: { position: '0/1', timeline: 1 },
      },
    },
  });
  const views = { server1: view(false), server2: view(true) };
  expect(brief(tell(dataDirectory, {}, { views }))).toEqual(['SUM001 server1 data checksums']);
  // Of a server that was there before nobody has declared them: a note.
  const adopted = { ...views, server1: { ...view(false), adopted: { phase: 'taken' } as never } };
  expect(brief(tell(dataDirectory, {}, { views: adopted }))).toEqual(['SUM002 server1 data checksums']);
});

describe('the look at a real directory', () => {
  const dir = mkdtempSync(join(tmpdir(), 'pgduet-audit-'));
  afterAll(() => rmSync(dir, { recursive: true }));
  const data = join(dir, "it's data");
  mkdirSync(join(data, 'inside'), { recursive: true });
  mkdirSync(join(dir, 'beside'));
  symlinkSync(join(data, 'inside'), join(dir, 'link'));
  writeFileSync(join(data, 'PG_VERSION'), '15\n');
  writeFileSync(join(data, 'backup_label'), '');

  const look = (dataDir: string, managementDir: string): string => {
    const server = serverNamed(pair, 'server1');
    const asked: Server = {
      ...server,
      postgres: { ...server.postgres, dataDir },
      multiplexing: { ...server.multiplexing, managementDir },
    };
    return execFileSync('sh', ['-c', dataDirectory.probe(asked, pair).shell ?? ''], { encoding: 'utf8' });
  };

  it('follows links of the management directory', () => {
    expect(look(data, join(dir, 'link'))).toBe(`file backup_label\ninside ${join(data, 'inside')}\n`);
    expect(look(data, join(dir, 'beside'))).toBe('file backup_label\n');
    expect(look(data, join(dir, 'none'))).toBe('file backup_label\n');
  });

  it('says where there is none', () => {
    expect(look(join(dir, 'none'), join(dir, 'beside'))).toBe('absent\n');
  });

  it('is told as a danger', () => {
    const stdout = 'inside /database/inst1/mc\n';
    expect(tell(dataDirectory, { server1: reply(false, { stdout }) })).toEqual([
      {
        code: 'DIR005',
        host: 'server1',
        object: '/mcdir/inst1',
        declared: 'outside of /database/inst1',
        found: '/database/inst1/mc',
      },
    ]);
  });
});
