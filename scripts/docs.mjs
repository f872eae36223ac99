/**
 * Writes what is generated from the source: `docs/errors.md`, `docs/messages.md`, the tables of `docs/playbooks.md` and
 * `docs/check.md`, the help texts in `docs/mc_ctl.md` and `docs/mc_arb.md`, the table of verbs in `README.md`, and the
 * manual pages in `man/`.
 * Tests check that all are up to date. Run: node scripts/docs.mjs
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadTypeScript } from './typescript.mjs';

const root = join(import.meta.dirname, '..');
const {
  checkDocument,
  errorsText,
  mcArbManual,
  mcArbText,
  mcCtlManual,
  mcCtlText,
  messagesText,
  mutationsDocument,
  pgduetManual,
  playbooksText,
  readmeText,
} = await loadTypeScript('scripts/reference.ts');
await writeFile(join(root, 'docs/errors.md'), errorsText());
await writeFile(join(root, 'docs/messages.md'), messagesText());
const playbooks = join(root, 'docs/playbooks.md');
await writeFile(playbooks, playbooksText(await readFile(playbooks, 'utf8')));
const check = join(root, 'docs/check.md');
await writeFile(check, mutationsDocument(checkDocument(await readFile(check, 'utf8'))));
const ctl = join(root, 'docs/mc_ctl.md');
await writeFile(ctl, mcCtlText(await readFile(ctl, 'utf8')));
const arb = join(root, 'docs/mc_arb.md');
await writeFile(arb, mcArbText(await readFile(arb, 'utf8')));
const readme = join(root, 'README.md');
await writeFile(readme, readmeText(await readFile(readme, 'utf8')));
await mkdir(join(root, 'man'), { recursive: true });
await writeFile(join(root, 'man/mc_ctl.1'), mcCtlManual());
await writeFile(join(root, 'man/mc_arb.1'), mcArbManual());
await writeFile(join(root, 'man/pgduet.1'), pgduetManual());
