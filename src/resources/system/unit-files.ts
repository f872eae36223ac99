/** Where the units that pgduet writes lie, how one is looked for, and how it is removed. What a person has added to one stays. Pure. */
import { quote, sh } from '../../base/shell.ts';
import { ownDropIns } from '../contract/drop-ins.ts';
import type { ReplyLines } from '../contract/replies.ts';

/** `unit` is without its suffix. */
export const unitFile = (unit: string): string => `/etc/systemd/system/${unit}.service`;

const dropIns = (unit: string): string => `${unitFile(unit)}.d`;

/** Names of drop-ins of ours, and of one that a power cut has left unfinished. */
const ours = [...ownDropIns, ...ownDropIns.map((name) => `.${name}.pgduet-tmp`)];

/**
 * Shell: a line with the word where the unit is there, or what is ours of it; a line "beside-WORD PATH" for each drop-in that is somebody
 * else's.
 */
export const findUnit = (unit: string, word: string): string => {
  const own = [unitFile(unit), ...ours.map((name) => `${dropIns(unit)}/${name}`)].map(
    (path) => sh`[ -e ${path} ]`,
  );
  return `if ${own.join(' || ')}; then echo ${word}; fi
if [ -d ${quote(dropIns(unit))} ]; then find ${quote(`${dropIns(unit)}/`)} -mindepth 1 -maxdepth 1 ${ours.map((name) => sh`! -name ${name}`).join(' ')} -printf 'beside-${word} ${dropIns(unit)}/%f\\n'; fi`;
};

/** What a person should know of a unit that goes. */
export const keptBeside = ({ all }: Pick<ReplyLines, 'all'>, word: string): readonly string[] =>
  all(`beside-${word}`);

export const keptNotes = (paths: readonly string[]): readonly string[] =>
  paths.map((path) => `kept, since pgduet has not written it: ${path}`);

/** Shell: removes the unit first and its drop-ins afterwards: the unit must never be there without the condition that a drop-in holds. */
export const removeUnit = (unit: string): string => {
  const [name, path] = [`${unit}.service`, unitFile(unit)].map((text) => quote(text));
  return `if [ -e ${path} ]; then systemctl --quiet --no-reload disable ${name} 2>/dev/null || :; fi
rm -f ${quote(`/etc/systemd/system/multi-user.target.wants/${unit}.service`)} ${path}
rm -f ${ours.map((file) => quote(`${dropIns(unit)}/${file}`)).join(' ')} "$(unfinished ${path})"
rmdir ${quote(dropIns(unit))} 2>/dev/null || :
systemctl daemon-reload
systemctl reset-failed ${name} 2>/dev/null || :`;
};
