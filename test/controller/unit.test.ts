/** Which unit of systemd starts a controller: its file says so, and nothing else counts. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { unitFor } from '../../src/controller/io/unit.ts';

let places: { readonly running: string; readonly units: string };
beforeEach(() => {
  const root = mkdtempSync(join(tmpdir(), 'pgduet-units-'));
  places = { running: join(root, 'running'), units: join(root, 'units') };
  mkdirSync(places.running);
  mkdirSync(places.units);
});
afterEach(() => rmSync(join(places.units, '..'), { recursive: true }));

const write = (name: string, dir: string, id: string): void =>
  writeFileSync(
    join(places.units, name),
    `[Service]\nExecStart=/usr/bin/node /usr/local/lib/pgduet/mc.cjs daemon -M ${dir} --local-server ${id}\n`,
  );
const of = (dir: string, id: string) => unitFor({ dir, id }, places);

it('is the one that names directory and server, and no similar one', () => {
  symlinkSync('/dev/null', join(places.units, 'a.service'));
  symlinkSync('/nowhere', join(places.units, 'b.service'));
  mkdirSync(join(places.units, 'c.service'));
  write('mcoi_inst1.service', '/mcdir/inst1', 'server1');
  write('mcoi_two.service', '/mcdir/inst1', 'server11');
  write('copy.service.bak', '/mcdir/x', 'server1');
  expect(of('/mcdir/inst1', 'server1')).toBe('mcoi_inst1.service');
  expect(of('/mcdir/inst1', 'server11')).toBe('mcoi_two.service');
  expect(of('/mcdir.inst1', 'server1')).toBeUndefined();
  expect(of('/mcdir/inst1', 'server')).toBeUndefined();
  expect(of('/mcdir/x', 'server1')).toBeUndefined();
});

it('is none where systemd does not run, whatever its files say', () => {
  write('mcoi_inst1.service', '/mcdir/inst1', 'server1');
  rmSync(places.running, { recursive: true });
  expect(of('/mcdir/inst1', 'server1')).toBeUndefined();
});
