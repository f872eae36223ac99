/** A secret does not show itself, and the mask finds it in whatever form it left. */
import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Mask, Secret } from '../../src/base/secret.ts';
import { quote } from '../../src/base/shell.ts';
import { quoteLiteral } from '../../src/postgres/quote.ts';
import { scramVerifier } from '../../src/postgres/scram.ts';

const clear = 'canary-7f3a';
const secret = new Secret(clear);

describe('Secret', () => {
  it.each([
    ['String()', String(secret)],
    ['concatenation', `a ${secret} b`],
    ['JSON', JSON.stringify({ secret, list: [secret] })],
    ['inspect', inspect({ secret }, { depth: 9, showHidden: true })],
    ['its keys', JSON.stringify(Object.entries(secret))],
    [
      'an error',
      new Error('because', { cause: secret }).message + inspect(new Error('x', { cause: secret })),
    ],
    ['a spread', JSON.stringify({ ...secret })],
    ['a clone', inspect(structuredClone({ ...secret }))],
  ])('does not show its value through %s', (_, shown) => {
    expect(shown).not.toContain(clear);
  });

  it('gives its value to who asks for it by name', () => {
    expect(secret.reveal()).toBe(clear);
    expect(secret.equals(new Secret(clear))).toBe(true);
    expect(secret.equals(new Secret('other'))).toBe(false);
  });
});

describe('Mask', () => {
  const masked = (value: string, text: string): string => {
    const mask = new Mask();
    mask.add(new Secret(value));
    return mask.apply(text);
  };
  const awkward = `pa'ss"wo\\rd`;

  it.each([
    ['as it is', awkward],
    ['quoted for a shell', quote(awkward)],
    ['quoted for SQL', quoteLiteral(awkward)],
    ['quoted for SQL, then for a shell', quote(`ALTER ROLE a PASSWORD ${quoteLiteral(awkward)}`)],
    ['in JSON', JSON.stringify({ password: awkward })],
    ['in a line of a password file', `h:1:d:u:${awkward.replaceAll('\\', '\\\\').replaceAll(':', '\\:')}`],
  ])('hides a secret %s', (_, text) => {
    const shown = masked(awkward, text);
    expect(shown).toContain('(secret)');
    for (const part of ['pa', 'ss"', 'wo'])
      expect(shown.replaceAll('PASSWORD', '').replaceAll('password', '')).not.toContain(part);
  });

  it('hides every occurrence of every secret', () => {
    const mask = new Mask();
    mask.add(new Secret('alpha-1'));
    mask.add(new Secret('beta-2'));
    expect(mask.apply('alpha-1 beta-2 alpha-1')).toBe('(secret) (secret) (secret)');
  });

  it('hides the longer of two secrets of which one is a part of the other', () => {
    const mask = new Mask();
    mask.add(new Secret('secret-part'));
    mask.add(new Secret('secret-part-and-the-rest'));
    expect(mask.apply('x secret-part-and-the-rest y')).toBe('x (secret) y');
  });

  it('leaves short values alone: they would blank out ordinary words', () => {
    expect(masked('abc', 'abc')).toBe('abc');
  });

  it('leaves no whole secret in any shell text', () => {
    const password = fc.string({ minLength: 4, unit: 'grapheme-ascii' });
    fc.assert(
      fc.property(password, fc.string(), (value, around) => {
        const shown = masked(value, `${around}${quote(value)}${around}`);
        expect(shown).toContain('(secret)');
      }),
    );
  });

  it('has no need to hide a verifier: it does not hold the password', () => {
    expect(scramVerifier(clear, Buffer.alloc(16))).not.toContain(clear);
  });
});
