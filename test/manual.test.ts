/** The manual pages: made from the help texts and the registry of verbs, complete, and without anything that groff would complain about. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  arbiterManagementFiles,
  managementFiles,
  mcArbManual,
  mcArbText,
  mcCtlManual,
  mcCtlText,
  pgduetManual,
  readmeText,
  roffOfHelp,
} from '../scripts/manual.ts';
import { arbiterHelp, arbiterModes } from '../src/controller/arbiter/help.ts';
import { helpText, modes } from '../src/controller/ctl-help.ts';

const root = join(import.meta.dirname, '..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const pages = ['man/mc_arb.1', 'man/mc_ctl.1', 'man/pgduet.1'];

describe('manual pages', () => {
  it('man/mc_ctl.1 is up to date (node scripts/docs.mjs)', () => {
    expect(read('man/mc_ctl.1')).toBe(mcCtlManual());
  });

  it('man/mc_arb.1 is up to date (node scripts/docs.mjs)', () => {
    expect(read('man/mc_arb.1')).toBe(mcArbManual());
  });

  it('man/pgduet.1 is up to date (node scripts/docs.mjs)', () => {
    expect(read('man/pgduet.1')).toBe(pgduetManual());
  });

  it('the table of verbs in README.md is up to date (node scripts/docs.mjs)', () => {
    expect(readmeText(read('README.md'))).toBe(read('README.md'));
  });

  it('the help texts and keys of docs/mc_ctl.md are up to date (node scripts/docs.mjs)', () => {
    const text = read('docs/mc_ctl.md');
    expect(mcCtlText(text)).toBe(text);
  });

  it('the help texts and keys of docs/mc_arb.md are up to date (node scripts/docs.mjs)', () => {
    const text = read('docs/mc_arb.md');
    expect(mcArbText(text)).toBe(text);
  });

  it.each([
    ['docs/mc_ctl.md', managementFiles],
    ['docs/mc_arb.md', arbiterManagementFiles],
  ])('%s names the files of the manual page', (path, files) => {
    const text = read(path);
    expect(files.map(([name]) => name).filter((name) => !text.includes(`\`${name}\``))).toEqual([]);
  });

  it.each([
    ['man/mc_ctl.1', modes.map((mode) => [mode, helpText(mode)] as const)],
    ['man/mc_arb.1', arbiterModes.map((mode) => [mode, arbiterHelp(mode)] as const)],
  ])('%s has every mode and every option of the help', (path, all) => {
    const page = read(path).replaceAll('\\-', '-');
    for (const [mode, help] of all) {
      expect(page).toContain(`.SS ${mode}`);
      const options = [...help.matchAll(/^ {2}(-[^\s,]+)/gm)].map((match) => match[1]);
      for (const option of options) expect(page).toContain(`.B ${option}`);
    }
  });

  it('a line that begins like a request of roff is only text', () => {
    expect(roffOfHelp('.so /etc/passwd\n\\fB')).toBe('\\&.so /etc/passwd\n\\efB');
  });

  it.skipIf(!existsSync('/usr/bin/groff')).each(pages)('groff has no complaint about %s', (path) => {
    const { stdout, stderr, status } = spawnSync('groff', ['-man', '-ww', '-z', '-Tutf8', join(root, path)], {
      encoding: 'utf8',
    });
    expect([status, stdout, stderr]).toEqual([0, '', '']);
  });
});
