/** A code that nothing tells would be documented, and never be seen. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { findingCodes } from '../../src/base/finding-codes.ts';

const source = join(import.meta.dirname, '../../src');

it('every code of a finding is told somewhere', () => {
  const text = readdirSync(source, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts') && !/^base.finding-codes/.test(path))
    .map((path) => readFileSync(join(source, path), 'utf8'))
    .join('\n');
  const unused = Object.keys(findingCodes).filter((code) => !new RegExp(`\\b${code}\\b`).test(text));
  expect(unused).toEqual([]);
});
