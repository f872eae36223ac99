/** A directory that is pgduet's with all that may stand in it: what is to be deleted with it, and what is in the way. Pure text. */
import { quote } from '../../base/shell.ts';
import { closedDirectory } from '../contract/preamble.ts';

/** Extended regular expressions for paths below the directory, by the type of the file. */
export interface OwnTree {
  readonly d?: string;
  readonly f: string;
  readonly s?: string;
}

/** Whether a path below the directory is ours, whatever its type. */
export const isOwn = (tree: OwnTree, path: string): boolean =>
  Object.values(tree).some((names) => new RegExp(`^(${names})$`).test(path));

/** What a power cut leaves of a file that was being written. */
export const unfinishedFiles = '\\.[A-Za-z0-9_.-]+\\.pgduet-tmp';

/** The program, where a user who is not root has no other place for it. */
export const ownProgram = 'mc_ctl|mc_arb|mc\\.cjs';

/** A text as a regular expression. */
export const literally = (text: string): string => text.replace(/[^A-Za-z0-9_-]/g, '[$&]');

const everything = '-regextype posix-extended -ignore_readdir_race -xdev -mindepth 1';

/** Terms of `find`: all of it that is ours. */
function ours(tree: OwnTree): string {
  const terms = Object.entries(tree).map(
    ([type, names]) => `-type ${type} -regex ${quote(`\\./(${names})`)}`,
  );
  return `\\( ${terms.join(' -o ')} \\)`;
}

/** Shell, for a subshell: prints what is not ours below a directory that is there, a path on a line, as its owner sees it; fails where it could not look. */
export const strangers = (directory: string, tree: OwnTree, owner: string): string => {
  const look = `cd "$1" && find . ${everything} \\( ${closedDirectory} -o ! ${ours(tree)} \\) -printf '%P\\n'`;
  return `walks ${quote(directory)} ${quote(owner)}; $walker sh -c ${quote(look)} sh ${quote(directory)}`;
};

/** Shell: ends the step if there is something that is not ours. */
export const onlyOurs = (
  directory: string,
  tree: OwnTree,
  owner: string,
): string => `seen=$(${strangers(directory, tree, owner)})
if [ -n "$seen" ]; then printf '%s\\n' ${quote(`${directory} holds what is not pgduet's, and nothing is deleted:`)} "$seen" >&2; exit 1; fi`;

/** Shell: deletes what is ours, but for these paths. */
export const deleteOurs = (directory: string, tree: OwnTree, but: readonly string[] = []): string =>
  `( cd ${quote(directory)} && find . ${everything} -depth ${ours(tree)} ${but.map((path) => `! -path ${quote(`./${path}`)} `).join('')}-delete )`;
