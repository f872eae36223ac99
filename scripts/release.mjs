// npm run release [-- --allow-dirty] [-- --keep]: the files of a release, the same bytes from the same commit whenever and
// wherever it is made. Sets everything up itself; needs git and dpkg-deb. Out: the npm package, the Debian package, the
// list of libraries (CycloneDX) and SHA256SUMS in release/. It must never read a clock.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { debianName, debianTree } from './deb.mjs';
import { keepRelease } from './keep-release.mjs';
import { billOfMaterials } from './sbom.mjs';
import { scratch } from './scratch.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const about = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const no = { type: 'boolean', default: false };
const { values: options } = parseArgs({ options: { 'allow-dirty': no, keep: no } });

function fail(why) {
  console.error(why);
  process.exit(1);
}

function output(command, args, env = process.env) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd: root, encoding: 'utf8', env });
  return status === 0
    ? stdout
    : fail(`${command} ${args.join(' ')} failed:\n${error?.message ?? stderr.trim()}`);
}

/** Seconds since 1970 that all files of the release bear: SOURCE_DATE_EPOCH, or the time of the commit. */
function releaseTime() {
  const changed = options['allow-dirty'] ? '' : output('git', ['status', '--porcelain']).trim();
  if (changed !== '')
    fail(
      `These files differ from the commit, so that the release would not be of it:\n${changed}\nCommit them, or use: npm run release -- --allow-dirty`,
    );
  return Number(process.env.SOURCE_DATE_EPOCH ?? output('git', ['log', '-1', '--format=%ct']));
}

/** What npm would pack, with modes that do not depend on the umask of whoever made the clone. */
function stage(shipped) {
  const [{ files }] = JSON.parse(output('npm', ['pack', '--dry-run', '--json', '--ignore-scripts']));
  for (const { path } of files) {
    mkdirSync(dirname(join(shipped, path)), { recursive: true });
    copyFileSync(join(root, path), join(shipped, path));
    chmodSync(join(shipped, path), path === about.bin.pgduet ? 0o755 : 0o644);
  }
}

const time = releaseTime();
await import('./setup.mjs');
const { libraries } = await import('./build.mjs');

const out = join(root, 'release');
rmSync(out, { recursive: true, force: true });
mkdirSync(out);
const work = mkdtempSync(join(scratch, 'release-'));
process.on('exit', () => rmSync(work, { recursive: true, force: true }));

const shipped = join(work, 'package');
stage(shipped);
output('npm', ['pack', shipped, '--ignore-scripts', '--pack-destination', out]);

const tree = join(work, 'tree');
debianTree(tree, { root, shipped, about, time });
// More threads make other blocks, so that the bytes would depend on the number of cores.
const build = [
  '--root-owner-group',
  '-Zxz',
  '--threads-max=1',
  '--build',
  tree,
  join(out, debianName(about)),
];
output('dpkg-deb', build, { ...process.env, SOURCE_DATE_EPOCH: String(time) });

const listed = JSON.parse(output('npm', ['sbom', '--package-lock-only', '--sbom-format=cyclonedx']));
writeFileSync(
  join(out, `${about.name}-${about.version}.cdx.json`),
  billOfMaterials(listed, libraries, about, time),
);

const sum = (name) =>
  createHash('sha256')
    .update(readFileSync(join(out, name)))
    .digest('hex');
const sums = readdirSync(out)
  .sort()
  .map((name) => `${sum(name)}  ${name}\n`)
  .join('');
writeFileSync(join(out, 'SHA256SUMS'), sums);
console.log(`${out}:\n${sums.trimEnd()}`);
if (options.keep) {
  await keepRelease(root, join(root, 'test/released'), about.version);
  console.log(
    'test/released has its controller, for the tests of the next version: commit it with the next number.',
  );
}
