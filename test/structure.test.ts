/**
 * The import table of ARCHITECTURE.md, proven from the source: who may import whom, what pure folders may not touch, where
 * each library lives. In: the files of src/. It reads them as text, so that nothing has to run.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..');
const source = join(root, 'src');

interface SourceFile {
  /** Relative to src/. */
  readonly path: string;
  readonly text: string;
  /** Paths relative to src/, or names of packages. */
  readonly imports: readonly string[];
}

const files: readonly SourceFile[] = readdirSync(source, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts'))
  .sort()
  .map((path) => {
    const text = readFileSync(join(source, path), 'utf8');
    const found = [...text.matchAll(/(?:^|\s)(?:from|import)\s*\(?\s*'([^']+)'/g)].map(
      (match) => match[1] ?? '',
    );
    return {
      path,
      text,
      imports: found.map((name) => (name.startsWith('.') ? normalize(join(dirname(path), name)) : name)),
    };
  });

/** The folder of a file as the table names it; what several parts of the controller share stands by itself. */
function folderOf(path: string): string {
  if (/^controller\/(?:config|version)/.test(path)) return 'controller/config';
  if (path === 'shipped.ts') return 'shipped';
  const [first = '', second = ''] = path.split('/');
  if (first === 'controller' && (second === 'core' || second === 'io')) return `controller/${second}`;
  if (first === 'resources' && !second.endsWith('.ts')) return `resources/${second}`;
  return path.includes('/') ? first : 'cli';
}

/** The picture of ARCHITECTURE.md as a table: a folder may import itself and these. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  base: [],
  postgres: ['base'],
  inventory: ['base', 'postgres'],
  'resources/contract': ['base', 'postgres'],
  'resources/system': ['base', 'resources/contract'],
  'resources/postgres': ['base', 'postgres', 'resources/contract'],
  'resources/controller': ['base', 'postgres', 'resources/contract'],
  'resources/arbiter': ['base', 'resources/contract', 'resources/system'],
  'resources/data': ['base', 'postgres', 'resources/contract', 'resources/controller'],
  'resources/single': [
    'base',
    'postgres',
    'resources/contract',
    'resources/system',
    'resources/postgres',
    'resources/controller',
    'resources/data',
  ],
  resources: [
    'resources/contract',
    'resources/system',
    'resources/postgres',
    'resources/controller',
    'resources/arbiter',
    'resources/data',
    'resources/single',
  ],
  transport: ['base', 'inventory'],
  observe: [
    'base',
    'postgres',
    'inventory',
    'resources/contract',
    'resources/controller',
    'resources/data',
    'resources/single',
    'transport',
  ],
  rolling: ['base', 'postgres', 'resources/contract'],
  plan: ['base', 'resources/contract'],
  intent: ['base', 'inventory', 'resources/data', 'observe'],
  playbook: [
    'base',
    'postgres',
    'inventory',
    'resources/contract',
    'resources/data',
    'resources/single',
    'observe',
    'intent',
    'plan',
    'controller/config',
  ],
  apply: ['base', 'inventory', 'resources/contract', 'observe', 'intent', 'plan', 'transport'],
  check: [
    'base',
    'postgres',
    'inventory',
    'resources/contract',
    'resources/system',
    'resources/postgres',
    'resources/data',
    'observe',
    'plan',
  ],
  report: [
    'base',
    'postgres',
    'inventory',
    'resources/contract',
    'resources/controller',
    'observe',
    'rolling',
    'plan',
    'apply',
    'check',
  ],
  verbs: [
    'base',
    'postgres',
    'inventory',
    'resources',
    'resources/contract',
    'observe',
    'intent',
    'rolling',
    'plan',
    'playbook',
    'apply',
    'check',
    'report',
    'transport',
    'controller/config',
    'controller/core',
    'shipped',
  ],
  cli: ['base', 'verbs', 'shipped'],
  shipped: [],
  'controller/config': ['base'],
  'controller/core': ['postgres', 'controller/config'],
  'controller/io': ['base', 'postgres', 'controller/config', 'controller/core'],
  controller: ['base', 'controller/config', 'controller/core', 'controller/io'],
};

/** Every chain of imports that comes back to where it began. */
function circles(edges: ReadonlyMap<string, readonly string[]>): readonly string[] {
  const found: string[] = [];
  const done = new Set<string>();
  const visit = (name: string, path: readonly string[]): void => {
    const begin = path.indexOf(name);
    if (begin >= 0) found.push([...path.slice(begin), name].join(' → '));
    if (begin >= 0 || done.has(name)) return;
    for (const next of edges.get(name) ?? []) visit(next, [...path, name]);
    done.add(name);
  };
  for (const name of edges.keys()) visit(name, []);
  return found;
}

const local = ({ imports }: SourceFile): readonly string[] => imports.filter((name) => name.endsWith('.ts'));

describe('imports', () => {
  it('go only where the table allows', () => {
    const wrong = files.flatMap((file) => {
      const from = folderOf(file.path);
      return local(file)
        .filter((path) => folderOf(path) !== from && !allowed[from]?.includes(folderOf(path)))
        .map((path) => `${file.path} imports ${path}`);
    });
    expect(wrong).toEqual([]);
  });

  it('use everything that the table allows, so that it says no more than is true', () => {
    const used = new Set(
      files.flatMap((file) => local(file).map((path) => `${folderOf(file.path)} ${folderOf(path)}`)),
    );
    const idle = Object.entries(allowed).flatMap(([from, to]) =>
      to.map((one) => `${from} ${one}`).filter((pair) => !used.has(pair)),
    );
    expect(idle).toEqual([]);
  });

  it('are of files that exist', () => {
    const paths = new Set(files.map(({ path }) => path));
    expect(files.flatMap((file) => local(file).filter((path) => !paths.has(path)))).toEqual([]);
  });

  it('never come back to the folder where they began', () => {
    expect(circles(new Map(Object.entries(allowed)))).toEqual([]);
  });

  it('never come back to the file where they began', () => {
    // Types may know each other: they are gone before anything runs.
    const edges = files.map((file) => {
      const values = file.text.replaceAll(/^(?:import|export) type [^;]*;/gms, '');
      return [
        file.path,
        local(file).filter((path) => values.includes(`/${path.split('/').at(-1)}'`)),
      ] as const;
    });
    expect(circles(new Map(edges))).toEqual([]);
  });

  it('stand in the picture of ARCHITECTURE.md exactly so', () => {
    const text = readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8');
    const rows = [...text.matchAll(/^\| `([^`]+)` +\| ([^|]*?) *\|/gm)].map((match): [string, string[]] => [
      match[1] ?? '',
      [...(match[2] ?? '').matchAll(/`([^`]+)`/g)].map((word) => word[1] ?? '').sort(),
    ]);
    const told = Object.fromEntries(rows.filter(([name]) => name in allowed));
    expect(told).toEqual(
      Object.fromEntries(Object.entries(allowed).map(([name, to]) => [name, [...to].sort()])),
    );
  });
});

describe('pure folders', () => {
  const pure = [
    'base',
    'postgres',
    'resources',
    'resources/contract',
    'resources/system',
    'resources/postgres',
    'resources/controller',
    'resources/arbiter',
    'resources/data',
    'resources/single',
    'rolling',
    'plan',
    'intent',
    'playbook',
    'check',
    'controller/config',
    'controller/core',
  ];
  const mine = files.filter(
    ({ path }) =>
      pure.includes(folderOf(path)) || (folderOf(path) === 'observe' && path !== 'observe/look.ts'),
  );
  /** Of Node they use what computes: hashes, and how a value is shown. */
  const harmless = ['node:crypto', 'node:util'];

  it('import nothing of Node that reaches outside', () => {
    const wrong = mine.flatMap((file) =>
      file.imports
        .filter((name) => name.startsWith('node:') && !harmless.includes(name))
        .map((name) => `${file.path} imports ${name}`),
    );
    expect(wrong).toEqual([]);
  });

  it.each([
    ['a clock', /\bDate\.now\b|\bnew Date\(\)|\bperformance\.now\b/],
    ['randomness', /\bMath\.random\b|\brandom(?:Bytes|UUID|Int)\b/],
    ['timers', /\bset(?:Timeout|Interval|Immediate)\b/],
    ['the process', /\bprocess\.(?:env|argv|exit|std\w+|cwd|on)\b/],
    ['promises', /\basync (?:function|\()|\bawait\b|\bnew Promise\b/],
  ])('know nothing of %s', (_, pattern) => {
    // Text for other machines is no code of ours: a program in a template literal.
    const own = (text: string): string => text.replace(/^const program = `[^`]*`;/m, '');
    expect(mine.filter(({ text }) => pattern.test(own(text))).map(({ path }) => path)).toEqual([]);
  });
});

describe('libraries', () => {
  const homes: readonly (readonly [string, RegExp])[] = [
    ['@peculiar/asn1-schema', /^postgres\/certificate-made\.ts$/],
    ['@peculiar/asn1-x509', /^postgres\/certificate-made\.ts$/],
    ['ssh2', /^transport\/ssh/],
    ['ssh-config', /^transport\//],
    ['yaml', /^base\/yaml\.ts$/],
    ['handlebars', /^playbook\/render\.ts$/],
    ['listr2', /^report\/tree\.ts$/],
    ['pg', /^controller\/io\//],
    ['zod', /^inventory\//],
    ['diff', /^report\/diff\.ts$/],
    ['age-encryption', /^inventory\//],
    ['commander', /^cli\.ts$/],
  ];

  it.each(homes)('%s has one home', (name, home) => {
    const users = files.filter(({ imports }) =>
      imports.some((one) => one === name || one.startsWith(`${name}/`)),
    );
    expect(users.map(({ path }) => path)).not.toEqual([]);
    expect(users.map(({ path }) => path).filter((path) => !home.test(path))).toEqual([]);
  });

  it('are those with a home and no others', () => {
    const used = files.flatMap(({ imports }) =>
      imports.filter((name) => !name.endsWith('.ts') && !name.startsWith('node:')),
    );
    expect([...new Set(used)].sort()).toEqual(homes.map(([name]) => name).sort());
  });
});

describe('source files', () => {
  it('are at most 400 lines long', () => {
    expect(files.filter(({ text }) => text.split('\n').length > 401).map(({ path }) => path)).toEqual([]);
  });

  it('begin by saying what they are for', () => {
    expect(files.filter(({ text }) => !text.startsWith('/**')).map(({ path }) => path)).toEqual([]);
  });

  it.each([
    ['any', /\bas any[\s;,)\]]*$|\(\w+: any\b|<any>|\bany\[\]/m],
    ['suppressed checks', /@ts-ignore|@ts-nocheck|@ts-expect-error|biome-ignore/],
    ['empty catches', /catch\s*(?:\([^)]*\))?\s*\{\s*\}/],
    [
      'functions that Node 18 lacks',
      /\.to(?:Sorted|Spliced|Reversed)\(|\.with\(|(?:Object|Map)\.groupBy|withResolvers|fromAsync|AbortSignal\.any|import\.meta\.(?:dir|file)name|styleText|(?:is|to)WellFormed/,
    ],
  ])('hold no %s', (_, pattern) => {
    expect(files.filter(({ text }) => pattern.test(text)).map(({ path }) => path)).toEqual([]);
  });
});

it('tests that play a module are alone in their worker, so that nobody meets what they leave behind', () => {
  const tests = readdirSync(import.meta.dirname, { recursive: true, encoding: 'utf8' }).filter(
    (path) => path.endsWith('.test.ts') && !path.endsWith('.alone.test.ts'),
  );
  const playing = tests.filter((path) =>
    /\bvi\.(?:do)?mock\(/.test(
      readFileSync(join(import.meta.dirname, path), 'utf8').replace(/^\s*[/*].*$/gm, ''),
    ),
  );
  expect(playing).toEqual([]);
});

describe('words', () => {
  // The glossary of ARCHITECTURE.md has another word for each of these.
  it.each([
    ['sight', 'observation', /\bsights?\b|\w+Sights?\b|\bSights?\b/],
    ['mend', 'repair', /\b[mM]end(?:s|ed|ing|edBy)?\b/],
    ['wish', 'options', /\b\w*[wW]ish(?:es)?\b/],
    ['grave', 'severe', /\bgrave(?:st)?\b/],
  ])('no source says %s, where the word is %s', (_, __, pattern) => {
    // The JSON of check keeps the names of its fields: they are an interface.
    const own = files.filter(({ path }) => path !== 'report/check-json.ts');
    const lines = own.flatMap(({ path, text }) =>
      text
        .split('\n')
        .flatMap((line, at) => (pattern.test(line) ? [`${path}:${at + 1}: ${line.trim()}`] : [])),
    );
    expect(lines).toEqual([]);
  });
});
