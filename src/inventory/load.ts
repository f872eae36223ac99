/**
 * Inventory file → Cluster, or everything that is wrong with the file at once, before any host is contacted.
 * In: the path or the text, and the lookups. Out: a Result; it never throws, whatever the file holds.
 * Order: YAML → form (zod) → secrets → cross checks on whatever has the right form → Cluster.
 */
import type { Diagnostic, Result } from '../base/diagnostic.ts';
import { failed, ok } from '../base/diagnostic.ts';
import type { Secret } from '../base/secret.ts';
import { readYaml } from '../base/yaml.ts';
import { buildCluster } from './build.ts';
import { readCertificates } from './certificates.ts';
import { crossChecks } from './checks/all.ts';
import type { Cluster } from './cluster.ts';
import { makeDraft } from './draft.ts';
import { tellIssues } from './issues.ts';
import { type Lookups, machineLookups } from './lookups.ts';
import { meantIssues } from './meant.ts';
import { redact } from './redact.ts';
import { inventorySchema } from './schema.ts';
import { readSecrets } from './secrets.ts';
import { plainInventory, prune } from './tidy.ts';
import { warnings } from './warnings.ts';

export interface LoadedInventory {
  readonly cluster: Cluster;
  /** What is allowed but carries a risk that the user should have read once. */
  readonly warnings: readonly Diagnostic[];
  /** Every secret that was read, for the Mask. */
  readonly secrets: readonly Secret[];
}

/** Reads and checks an inventory. Lookups that are not given are those of this machine. */
export async function loadInventory(
  path: string,
  replaced: Partial<Lookups> = {},
): Promise<Result<LoadedInventory>> {
  const lookups = machineLookups(replaced);
  let text: string;
  try {
    text = await lookups.readFile(path);
  } catch (error) {
    return failed(unreadable(path, error));
  }
  return parseInventory(text, path, lookups);
}

function unreadable(path: string, error: unknown): Diagnostic {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const reasons: Readonly<Record<string, readonly [string, string]>> = {
    ENOENT: ['there is no such file', 'Correct the path after -i, or run pgduet init to write an inventory.'],
    EACCES: [
      'its mode or that of a directory above forbids it',
      'Give the file to the user that runs pgduet.',
    ],
    EISDIR: ['it is a directory', 'Name the file in it.'],
  };
  const [why, fix] = reasons[code] ?? [
    `the system says: ${code || 'no reason'}`,
    'Correct the path after -i.',
  ];
  return { code: 'INV001', what: `the inventory '${path}' cannot be read`, why, fix };
}

/** The core of the stage: it touches the world through the lookups only. */
export async function parseInventory(
  text: string,
  file: string,
  lookups: Lookups,
): Promise<Result<LoadedInventory>> {
  const { node: root, problems } = readYaml(
    text,
    file,
    { syntax: 'INV002', duplicateKey: 'INV018' },
    redact(text),
  );
  if (root === undefined) return failed(...problems);
  const value = plainInventory(root);
  const issues = meantIssues(inventorySchema.safeParse(value).error?.issues ?? []);
  const told = tellIssues(issues, root);
  const secrets = await readSecrets(root, file, lookups);
  const draft = makeDraft(prune(value, issues), root, file, lookups);
  // With a key that stands twice, one of two hosts or roles is not seen: what they make together is not known.
  const crossed = (await crossChecks(draft, told.mistyped)).filter(
    ({ code }) => code !== 'INV008' || problems.length === 0,
  );
  const { text: ca, problems: uncertified } = await readCertificates(draft);
  const found = inOrder([...problems, ...told.problems, ...secrets.problems, ...crossed, ...uncertified]);
  if (found.length > 0) return failed(...found);
  const cluster = buildCluster(draft, secrets.byPath, ca);
  if (cluster === undefined) return failed(ourDefect);
  return ok({ cluster, warnings: warnings(draft), secrets: [...secrets.byPath.values()] });
}

const ourDefect: Diagnostic = {
  code: 'BUG001',
  what: 'the inventory passed every check, but no cluster could be made of it',
  why: 'a check is missing in pgduet',
  fix: 'Report this with the inventory, without its secrets.',
};

/** By place in the file, as one reads it; each message once. */
function inOrder(problems: readonly Diagnostic[]): Diagnostic[] {
  const seen = new Set<string>();
  return problems
    .filter((one) => {
      const mark = `${one.code} ${one.what} ${one.at?.line}:${one.at?.column}`;
      return seen.has(mark) ? false : seen.add(mark);
    })
    .sort((a, b) => (a.at?.line ?? 0) - (b.at?.line ?? 0) || (a.at?.column ?? 0) - (b.at?.column ?? 0));
}
