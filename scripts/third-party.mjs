// The libraries that are part of the built programs, and their licences as one text. In: esbuild's accounts of what it
// has bundled. Out: names, versions and licence texts. A library without a licence ends the build.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const folder = /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/;

/** One entry for each version of a library of which at least one byte is in an output, sorted by name. */
export function bundledLibraries(metafiles) {
  const inputs = metafiles
    .flatMap(({ outputs }) => Object.values(outputs))
    .flatMap((output) => Object.entries(output.inputs))
    .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
    .map(([path]) => folder.exec(path)?.[0])
    .filter((path) => path !== undefined);
  const libraries = [...new Set(inputs)].map((path) => library(path));
  return [...new Map(libraries.map((it) => [`${it.name}@${it.version}`, it])).values()].sort((a, b) =>
    `${a.name} ${a.version}` < `${b.name} ${b.version}` ? -1 : 1,
  );
}

function library(path) {
  const about = JSON.parse(readFileSync(join(root, path, 'package.json'), 'utf8'));
  const license = about.license ?? about.licenses?.map(({ type }) => type).join(' OR ');
  if (!license) throw new Error(`${path} says nothing of its licence: it cannot be shipped`);
  return { name: about.name, version: about.version, license, text: licenceText(path, about) };
}

/** The library's own file; the few without one name their author in package.json. */
function licenceText(path, about) {
  const name = readdirSync(join(root, path)).find((it) => /^(?:licen[cs]e|copying)(?:\.\w+)?$/i.test(it));
  if (name !== undefined) return readFileSync(join(root, path, name), 'utf8').trim();
  const author = about.author?.name ?? about.author ?? about.contributors?.[0]?.name;
  if (!author) throw new Error(`${path} has neither a licence text nor an author: it cannot be shipped`);
  return `Copyright ${author}\n(The package holds no text of its licence.)`;
}

export function thirdPartyText(libraries) {
  const rule = '-'.repeat(100);
  const parts = libraries.map(
    ({ name, version, license, text }) => `${rule}\n${name} ${version}\nLicence: ${license}\n\n${text}\n`,
  );
  return `pgduet contains these libraries, each under its own licence.\n\n${parts.join('\n')}`;
}
