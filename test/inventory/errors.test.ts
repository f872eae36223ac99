/**
 * Every broken inventory of `golden/` with the exact text that its reader sees, NAME.golden beside NAME.yml.
 * UPDATE_GOLDEN=1 writes the golden files anew; look at the difference before committing it.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { codes } from '../../src/base/codes.ts';
import type { Diagnostic } from '../../src/base/diagnostic.ts';
import { parseInventory } from '../../src/inventory/load.ts';
import { renderDiagnostic } from '../../src/report/diagnostic.ts';
import { fakeLookups } from './lookups.ts';

const here = import.meta.dirname;
const names = readdirSync(join(here, 'golden'))
  .filter((name) => name.endsWith('.yml'))
  .map((name) => name.replace(/\.yml$/, ''));

async function problemsOf(name: string): Promise<{ text: string; diagnostics: readonly Diagnostic[] }> {
  const text = readFileSync(join(here, 'golden', `${name}.yml`), 'utf8');
  const result = await parseInventory(text, `errors/${name}.yml`, fakeLookups());
  return { text, diagnostics: result.ok ? [] : result.diagnostics };
}

describe('broken inventories', () => {
  it.each(names)('%s is told as agreed', async (name) => {
    const { diagnostics } = await problemsOf(name);
    const told = diagnostics.map((one) => renderDiagnostic(one, { color: false }));
    const golden = join(here, 'golden', `${name}.golden`);
    if (process.env.UPDATE_GOLDEN) {
      writeFileSync(golden, `${told.join('\n\n')}\n`);
    }
    expect(`${told.join('\n\n')}\n`).toBe(readFileSync(golden, 'utf8'));
  });

  it.each(names)('%s has at least one error, each with a place inside the file', async (name) => {
    const { text, diagnostics } = await problemsOf(name);
    expect(diagnostics.length).toBeGreaterThan(0);
    const lines = text.split('\n');
    for (const { at, code, what, why, fix } of diagnostics) {
      expect(codes[code].title).toBeTruthy();
      expect(at?.file).toBe(`errors/${name}.yml`);
      const line = lines[(at?.line ?? 0) - 1] ?? '';
      const shown = (at?.text ?? '').replace(/\*\*\*$/, '');
      expect(line.startsWith(shown)).toBe(true);
      expect(at?.column).toBeGreaterThanOrEqual(1);
      expect((at?.column ?? 0) - 1 + (at?.length ?? 0)).toBeLessThanOrEqual(line.length + 1);
      expect(what).not.toMatch(/[.\n]$|undefined|\[object/);
      expect(why).not.toMatch(/undefined|\[object/);
      expect(fix).toMatch(/[.]$/);
    }
  });

  it('no golden text shows a secret, and none is left over', () => {
    for (const file of readdirSync(join(here, 'golden')).filter((name) => name.endsWith('.golden'))) {
      expect(names).toContain(file.replace(/\.golden$/, ''));
      expect(readFileSync(join(here, 'golden', file), 'utf8')).not.toMatch(/hunter|123456|pa ss|my password/);
    }
  });

  it('every code of the stage has a case', async () => {
    const seen = new Set(
      (await Promise.all(names.map(problemsOf))).flatMap(({ diagnostics }) =>
        diagnostics.map((one) => one.code),
      ),
    );
    const elsewhere = ['INV001', 'INV020', 'INV021'];
    const missing = Object.keys(codes).filter(
      (code) => code.startsWith('INV') && !elsewhere.includes(code) && ![...seen].some((one) => one === code),
    );
    expect(missing).toEqual([]);
  });
});
