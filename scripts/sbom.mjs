// The list of libraries of a release in the form of CycloneDX. In: what `npm sbom` says of the lock file, the libraries that
// are in the programs, package.json, the time of the release in seconds. Out: JSON with the bundled libraries alone, the
// same text for the same input. Pure.
import { createHash } from 'node:crypto';

export function billOfMaterials(listed, libraries, about, time) {
  const self = `${about.name}@${about.version}`;
  const bundled = new Set(libraries.map(({ name, version }) => `${name}@${version}`));
  const components = listed.components.filter((it) => bundled.has(idOf(it))).map(component);
  const missing = [...bundled].filter((id) => !components.some((it) => idOf(it) === id));
  if (missing.length > 0) throw new Error(`npm sbom does not list ${missing.join(', ')}`);
  const refs = new Set([self, ...components.map((it) => it['bom-ref'])]);
  const dependencies = listed.dependencies
    .filter(({ ref }) => refs.has(ref))
    .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter((it) => refs.has(it)) }));
  const metadata = {
    ...listed.metadata,
    timestamp: new Date(time * 1000).toISOString(),
    lifecycles: [{ phase: 'build' }],
    // npm names it after the folder.
    component: { ...listed.metadata.component, type: 'application', name: about.name },
  };
  const content = { metadata, components, dependencies };
  const { $schema, bomFormat, specVersion, version } = listed;
  const serialNumber = `urn:uuid:${uuidOf(JSON.stringify(content))}`;
  return `${JSON.stringify({ $schema, bomFormat, specVersion, serialNumber, version, ...content }, null, 2)}\n`;
}

const idOf = ({ name, version }) => `${name}@${version}`;

/** For npm a bundled library is one for development, since nobody has to install it; where it was fetched from varies. */
function component(listed) {
  return {
    ...listed,
    scope: 'required',
    properties: listed.properties.filter(({ name }) => name !== 'cdx:npm:package:development'),
    externalReferences: listed.externalReferences.filter(({ type }) => type !== 'distribution'),
  };
}

/** A UUID of version 8 (RFC 9562): its bits follow from the content. */
function uuidOf(content) {
  const hex = createHash('sha256').update(content).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
