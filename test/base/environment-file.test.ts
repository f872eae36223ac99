/** The environment of an instance as a file: what is written is read back, and a shell reads the same. */
import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { environmentText, parseEnvironment } from '../../src/base/environment-file.ts';

const odd = {
  ARCHIVE_TO: '/archive',
  EMPTY: '',
  QUOTES: `it's "so" \\ and $HOME \`date\``,
  LINES: "one\n two=2\n'three'\n",
  BLANKS: '  # no comment  ',
};

describe('the environment of an instance', () => {
  it('comes back as it was written', () => {
    expect(parseEnvironment(environmentText(odd))).toEqual(odd);
  });

  it('means the same to a shell', () => {
    const script = 'f=$(mktemp); cat >"$f"; set -a; . "$f"; set +a; rm "$f"; env -0';
    const { stdout } = spawnSync('sh', ['-c', script], {
      input: environmentText(odd),
      encoding: 'utf8',
      env: { PATH: process.env.PATH },
    });
    const seen = Object.fromEntries(
      stdout.split('\0').map((entry) => [entry.split('=')[0], entry.slice(entry.indexOf('=') + 1)]),
    );
    expect(seen).toMatchObject(odd);
  });

  it.each([
    [
      'what people write',
      '# backups\nexport_is=no\n\nPATH=/opt/bin:/bin\nNAME=a\\ b\n',
      { export_is: 'no', PATH: '/opt/bin:/bin', NAME: 'a b' },
    ],
    ['a last line without its end', "A='1'", { A: '1' }],
    ['the quotes of either kind', `A='b c'\nB="d \\"\\z"e\n`, { A: 'b c', B: 'd "\\ze' }],
    ['nothing', '', {}],
  ])('reads %s', (_, text, wanted) => {
    expect(parseEnvironment(text)).toEqual(wanted);
  });

  it.each(['A = b\n', "A='open\n", 'A=$(date)\n', 'A="$x"\n', 'A="x\n', '1A=x\n'])(
    'reads nothing of a file with %j: half of an environment is none',
    (text) => {
      expect(parseEnvironment(`OK='1'\n${text}`)).toBeUndefined();
    },
  );

  it('leaves out what no program could be given', () => {
    expect(environmentText({ 'BASH_FUNC_x%%': '() { :; }', NUL: 'a\0b', A: '1' })).toBe('A="1"\n');
  });
});
