/** directory: a directory with owner, group and mode. Missing parents are made, 0755, by who makes it. Never removes anything. */
import { isOfSystem, misfit } from '../../base/host-paths.ts';
import { sh } from '../../base/shell.ts';
import { flag, mode, optional, text } from '../contract/field.ts';
import { type DesiredOf, fieldsOf } from '../contract/fields.ts';
import { change, type ResourceKind, refuse, same } from '../contract/kind.ts';
import { makeDirectory } from '../contract/preamble.ts';
import {
  chownWord,
  ownershipDifference,
  ownershipDifferences,
  readStat,
  type Stat,
  words,
} from '../contract/stat.ts';

const fields = fieldsOf({
  path: text('absolute path'),
  owner: text('user'),
  group: optional(text("group; without it the owner's own, whatever its name")),
  mode: mode('permissions', '0755'),
  from_another_host: flag(
    "the path is what another host says: a missing one is made, one that is there is not changed and has to be the owner's",
    false,
  ),
});
type Desired = DesiredOf<typeof fields>;

const codes = { owner: 'DIR002', mode: 'DIR003', open: 'DIR004' } as const;

export const directory: ResourceKind<Desired, Stat> = {
  kind: 'directory',
  summary: 'A directory with owner, group and mode; its parents are made if they are missing.',
  fields,
  key: (desired) => desired.path,
  describe: (desired) => `directory ${desired.path}`,
  probe: (desired) => ({ stat: desired.path }),
  read: (reply) => readStat(reply.stdout.trim(), reply.stderr),
  diff: (desired, observed) => {
    const problem = desired.fromAnotherHost && misfit(desired.path);
    if (problem) return refuse(unusable(desired, problem));
    const wanted = words(desired);
    if (observed.state === 'absent')
      return change({
        summary: `create directory ${desired.path} (${wanted})`,
        reason: 'it is not there',
        differences: [{ code: 'DIR001', object: desired.path, declared: wanted, found: 'missing' }],
      });
    if (observed.value.type !== 'directory')
      return refuse({
        code: 'SAF002',
        what: `'${desired.path}' should be a directory and is a ${observed.value.type}`,
        why: 'replacing it could destroy what is in it',
        fix: 'Move it away, or name another directory in the inventory.',
      });
    if (desired.fromAnotherHost) return asItIs(desired, observed.value);
    const difference = ownershipDifference(desired, observed.value);
    if (!difference) return same(`${wanted}, as it should be`);
    return change({
      summary: `set owner and mode of ${desired.path}`,
      reason: difference,
      differences: ownershipDifferences(desired.path, desired, observed.value, codes),
    });
  },
  steps: (_change, desired) => [
    {
      title: `directory ${desired.path}`,
      script: desired.fromAnotherHost ? beginning(desired) : makeDirectory(desired),
    },
  ],
};

const unusable = ({ path }: Desired, problem: string) =>
  ({
    code: 'SAF041',
    what: `a directory '${path}' is wanted, because another host has one there: ${problem}`,
    why: 'what another host says decides nothing about the directories of this one',
    fix: 'Look at the tablespaces of the primary (\\db in psql) and at the links in its pg_tblspc; move the tablespace, or remove a link that is none.',
  }) as const;

/** It may hold anything: what another host says is no reason to change it. */
function asItIs({ path, owner }: Desired, seen: Stat) {
  if (seen.owner === owner) return same(`it is ${owner}'s`);
  return refuse({
    code: 'SAF040',
    what: `'${path}' belongs to ${seen.owner}, and is wanted for ${owner}, because another host has such a directory`,
    why: 'what another host says is no reason to give away a directory of this one',
    fix: `Look what is in it. If it is meant for that: chown ${owner}: '${path}' (empty before a copy), then run the same command again.`,
  });
}

/**
 * One that has come to be there meanwhile is not taken. In the trees of the system a new directory may be read as
 * configuration, so that root makes none there; the owner makes it, as far as that user may.
 */
const beginning = ({ path, owner, mode: bits, group }: Desired): string => {
  const wanted = { owner, mode: bits, group };
  const begun = sh`begun ${path} ${bits} ${chownWord(wanted)}`;
  const hint = sh`echo ${`if it is right, make it as root: install -d -o ${owner} -m ${bits} '${path}'`} >&2`;
  return `${isOfSystem(path) ? sh`acting_as ${owner} ` : sh`acting ${path} ${owner} `}${begun} || { ${hint}; exit 1; }`;
};
