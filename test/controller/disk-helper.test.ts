/** The process that touches the disks, on directories of this machine. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { DiskReport } from '../../src/controller/io/disk-helper.ts';
import { gone } from '../child-end.ts';
import { bundleController } from './support/pair.ts';

const dir = mkdtempSync(join(tmpdir(), 'mc-disks-'));
const data = join(dir, 'data');
const space = join(data, 'pg_tblspc', '16400');
let helper: ChildProcess;
/** The last word on each part. */
const told = new Map<string, DiskReport>();

beforeAll(async () => {
  for (const sub of ['pg_wal', 'pg_tblspc']) mkdirSync(join(data, sub), { recursive: true });
  await bundleController(join(dir, 'mc.cjs'));
  helper = spawn(process.execPath, [join(dir, 'mc.cjs'), 'disk-helper', data, '50', '5000'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let rest = '';
  helper.stdout?.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const report = JSON.parse(line) as DiskReport;
      told.set(report.part, report);
    }
  });
});
afterAll(async () => {
  helper.stdin?.end();
  await gone(helper);
  rmSync(dir, { recursive: true });
});

const says = (part: string, ok: boolean) =>
  expect.poll(() => told.get(part)?.ok, { timeout: 20_000 }).toBe(ok);

it('tells a tablespace that cannot be written, and that it is no more where it has gone', async () => {
  await says('data', true);
  symlinkSync(join(dir, 'nowhere'), space);
  await says('tablespace', false);
  rmSync(space);
  await says('tablespace', true);
  symlinkSync(join(dir, 'nowhere'), space);
  await says('tablespace', false);
  mkdirSync(join(dir, 'nowhere'));
  await says('tablespace', true);
});
