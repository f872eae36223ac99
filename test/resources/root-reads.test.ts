/**
 * No script of a kind, of the survey or of an audit reads or runs, as root, a name that the administrator could have made: what such a
 * command is told stands behind `peek`, `reader`, `as` or `acting`. What `lines` and `contents` read is not seen here: the last name is no
 * link, and what is told of it are words of pgduet's own.
 */
import { expect, it } from 'vitest';
import { audits } from '../../src/check/audits.ts';
import { surveyProbes } from '../../src/observe/survey.ts';
import { kinds } from '../../src/resources/registry.ts';
import { clusterOf, pairInventory, serverNamed } from '../observe/cluster.ts';
import { tables } from './cases/tables.ts';
import { desiredOf, fullReply, kindNamed, sampleContext, samplePlace } from './cases.ts';

const programs = 'cat|sed|grep|head|tail|cmp|awk|cut|od|base64|sha256sum|wc';
/** What goes through directories: the names in them are no less than content, and "." or "$1" may be a place of his, too. */
const walkers = 'find|ls|du';
const postgres = 'postgres|pg_controldata|pg_isready|pg_config|pg_waldump|psql';

/** What is harmless, and why. */
const harmless: readonly (readonly [RegExp, string])[] = [
  [/^find \/etc\/systemd\/system\//, 'where only root writes'],
  [/^ls -A "\$(up|p|path)"$/, 'it is told only whether something stands there, and no name'],
  [
    /^grep -(l|q)s?xF .*ConditionPathExists=/,
    "the file is a unit's, where only root writes; the name of his is what is looked for",
  ],
];

/** A place of his: a path, or a variable that was given one. */
function places(script: string, his: readonly string[]): RegExp {
  const paths = his.map((path) => path.replaceAll('.', '[.]')).join('|');
  let found = `(?:${paths})/|"?\\$PASSFILE\\b`;
  for (let round = 0; round < 3; round += 1) {
    const given = [...script.matchAll(new RegExp(`(?:^|[\\s;])(\\w+)=["']?(?:${paths}|${found})`, 'gm'))];
    const names = [...new Set(given.map(([, name]) => name))].filter((name) => name !== 'PASSFILE');
    if (names.length > 0) found = `(?:${paths})/|"?\\$(?:PASSFILE|${names.join('|')})\\b`;
  }
  return new RegExp(found);
}

/** What stands behind `sh -c '…'` is the shell of whoever is named before it. */
const ownShell =
  /(?:\b(?:as|acting|acting_as)\s+\S+[^\n]*?|\breader env [^\n]*? setsid |\$walker )\bsh -e?c '(?:[^']|'\\'')*'/g;
/** So is what stands behind `received eval`: whoever acts has it. */
const ownText = /\bacting [^\n]*? received eval '(?:[^']|'\\'')*'/g;

const offences = (script: string, his: readonly string[]): readonly string[] => {
  const text = script.replace(ownShell, ':').replace(ownText, ':');
  const place = places(text, his);
  const begin = '(?:^|[|;&({]|\\b(?:then|do|else|if|while|until|!)\\s)\\s*(?:!\\s*)?(?:timeout \\d+ )?';
  const reads = [
    ...text.matchAll(new RegExp(`${begin}((?:${programs}) (?:'[^']*'|"[^"]*"|[^|;&)\\n'"])*)`, 'gm')),
  ]
    .map(([, command = '']) => command.trim().replace(/ 2>\S+$/, ''))
    .filter((command) => place.test(command) && !harmless.some(([form]) => form.test(command)));
  const walks = [
    ...text.matchAll(new RegExp(`${begin}((?:${walkers}) (?:'[^']*'|"[^"]*"|[^|;&)\\n'"])*)`, 'gm')),
  ]
    .map(([, command = '']) => command.trim().replace(/ 2>\S+$/, ''))
    .filter((command) => !harmless.some(([form]) => form.test(command)));
  const runs = [...text.matchAll(new RegExp(`${begin}("\\$PGBIN/(?:${postgres})"[^\\n]*)`, 'gm'))];
  return [...reads, ...walks, ...runs.map(([, command = '']) => command)];
};

/** Every probe, and every step that a case leads to. */
function* scriptsOfKinds(): Generator<readonly [string, string]> {
  for (const table of tables)
    for (const one of table.cases) {
      const kind = kindNamed(table.kind);
      const context = sampleContext({ server: { ...samplePlace, ...one.server } });
      const desired = desiredOf(table.kind, one.desired ?? table.desired, context);
      yield [table.kind, kind.probe(desired).shell ?? ''];
      const observed = kind.read(fullReply(one.reply), desired);
      if (observed.state === 'unknown') continue;
      const verdict = kind.diff(desired, observed);
      if (verdict.kind !== 'change') continue;
      for (const { script } of kind.steps(verdict.change, desired)) yield [table.kind, script];
    }
}

it('no script of a kind does', () => {
  const scripts = [...scriptsOfKinds()];
  expect(new Set(scripts.map(([kind]) => kind)).size).toBe(kinds.size);
  const found = scripts.flatMap(([kind, script]) =>
    offences(script, [samplePlace.dataDir, samplePlace.managementDir]).map((text) => `${kind}: ${text}`),
  );
  expect([...new Set(found)]).toEqual([]);
});

it('nor one of the survey or an audit', async () => {
  const pair = await clusterOf(pairInventory);
  const server1 = serverNamed(pair, 'server1');
  const his = [server1.postgres.dataDir, server1.multiplexing.managementDir];
  const probes = [
    ...Object.values(surveyProbes(pair, server1)),
    ...audits.map(({ probe }) => probe(server1, pair)),
  ];
  expect(probes.flatMap((probe) => offences(probe?.shell ?? '', his))).toEqual([]);
});

it.each([
  'sed -n 5p /data/postmaster.pid',
  'd=/data; if [ -e "$d" ]; then cat "$d/x"; fi',
  'k=$(grep -m 1 x "$PASSFILE")',
  'x=$("$PGBIN/pg_controldata" -D "$d")',
  'sha256sum /data/x',
  'cd "$d" && find . -type f -exec sha256sum {} +',
  'size() { du -sk "$1"; }',
  'names=$(ls -A "$anything")',
])('%s is seen', (script) => expect(offences(script, ['/data'])).toHaveLength(1));

it.each([
  'walks /data; $walker find /data',
  'peek cat /data/x',
  "as him sh -c 'cat /data/x'",
  "printf x | reader env A=b setsid sh -c 'cat /data/x'",
  'x=$(peek "$PGBIN/pg_config" --sharedir)',
])('%s is none', (script) => expect(offences(script, ['/data'])).toEqual([]));
