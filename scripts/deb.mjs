// The tree of the Debian package, in Debian's places. In: the files of the npm package, the project for its documents, the time
// in seconds that all files bear. Out: a directory for `dpkg-deb --build`. It has no maintainer scripts and no configuration
// files: nothing runs and nothing is asked when it is installed.
import { createHash } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { gzipSync } from 'node:zlib';

const maintainer = 'The pgduet developers <pgduet@pgduet.invalid>';
const share = 'usr/share/pgduet';
const doc = 'usr/share/doc/pgduet';
const completions = {
  'pgduet.bash': 'usr/share/bash-completion/completions/pgduet',
  _pgduet: 'usr/share/zsh/vendor-completions/_pgduet',
  'pgduet.fish': 'usr/share/fish/vendor_completions.d/pgduet.fish',
};
/** What semver calls a prerelease is older than the release for Debian, too. */
const debianVersion = ({ version }) => version.replace('-', '~');
export const debianName = (about) => `${about.name}_${debianVersion(about)}_all.deb`;

/** Fills the directory `tree`. `shipped` has what the npm package has; `about` is package.json. */
export function debianTree(tree, { root, shipped, about, time }) {
  const from = (path) => readFileSync(join(shipped, path), 'utf8');
  const put = (path, content) => {
    mkdirSync(dirname(join(tree, path)), { recursive: true });
    writeFileSync(join(tree, path), content);
  };
  for (const name of ['dist', 'playbooks', 'templates', 'schema', 'inventories', 'package.json'])
    cpSync(join(shipped, name), join(tree, share, name), { recursive: true });
  // These have places of their own.
  for (const name of ['completions', 'THIRD-PARTY.txt'])
    rmSync(join(tree, share, 'dist', name), { recursive: true });
  // Debian's own Node, whatever else PATH may have.
  put(`${share}/dist/pgduet.js`, from('dist/pgduet.js').replace(/^#!.*/, '#!/usr/bin/node'));
  link(tree, `${share}/dist/pgduet.js`, 'usr/bin/pgduet');
  for (const [name, path] of Object.entries(completions)) put(path, from(`dist/completions/${name}`));
  for (const page of about.man) put(`usr/share/man/man1/${basename(page)}.gz`, compressed(from(page)));
  for (const name of ['README.md', 'CHANGELOG.md', 'docs'])
    cpSync(join(root, name), join(tree, doc, name), { recursive: true });
  put(`${doc}/changelog.gz`, compressed(changelog(about, time)));
  put(`${doc}/copyright`, copyright(from('dist/THIRD-PARTY.txt')));
  const files = filesBelow(tree);
  put('DEBIAN/md5sums', sums(tree, files));
  put('DEBIAN/control', control(about, tree, files));
  settle(tree, tree, time);
}

function link(tree, target, path) {
  mkdirSync(dirname(join(tree, path)), { recursive: true });
  symlinkSync(relative(dirname(path), target), join(tree, path));
}

/** Without a name and a time in the header, as `gzip -n`. */
const compressed = (text) => gzipSync(text, { level: 9 });

const changelog = (about, time) => `${about.name} (${debianVersion(about)}) unstable; urgency=medium

  * CHANGELOG.md in this directory says what has changed.

 -- ${maintainer}  ${new Date(time * 1000).toUTCString().replace('GMT', '+0000')}
`;

const copyright = (
  thirdParty,
) => `pgduet is licensed under the Apache License, Version 2.0. On Debian systems the text of
that licence is in /usr/share/common-licenses/Apache-2.0.

${thirdParty}`;

const control = (about, tree, files) => `Package: ${about.name}
Version: ${debianVersion(about)}
Architecture: all
Section: database
Priority: optional
Maintainer: ${maintainer}
Installed-Size: ${Math.ceil(files.reduce((size, path) => size + lstatSync(join(tree, path)).size, 0) / 1024)}
Depends: nodejs (>= ${about.engines.node.replace('>=', '')})
Description: PostgreSQL primary with synchronous standbys from one inventory
 pgduet makes hosts a PostgreSQL primary with synchronous standbys, watched on
 every host by a Mirroring Controller that switches by itself. It says what
 differs from the inventory, makes a single server the primary of a cluster
 and takes a cluster back to a single server.
 .
 This package is for the operator's machine. The hosts need sshd, systemd, and root or sudo.
`;

/** Regular files in the order of their names, relative to the tree. */
function filesBelow(tree) {
  return readdirSync(tree, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(tree, join(entry.parentPath, entry.name)))
    .sort();
}

const sums = (tree, files) =>
  files
    .map(
      (path) =>
        `${createHash('md5')
          .update(readFileSync(join(tree, path)))
          .digest('hex')}  ${path}\n`,
    )
    .join('');

/** One mode for each kind of file and one time for all, whatever umask and clock this machine has. */
function settle(tree, path, time) {
  const about = lstatSync(path);
  if (about.isDirectory()) for (const name of readdirSync(path)) settle(tree, join(path, name), time);
  const runs = about.isDirectory() || path === join(tree, share, 'dist/pgduet.js');
  if (!about.isSymbolicLink()) chmodSync(path, runs ? 0o755 : 0o644);
  lutimesSync(path, time, time);
}
