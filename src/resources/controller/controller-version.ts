/**
 * controller_version: no newer controller has run here than the one that pgduet brings. It changes nothing. A newer one may have
 * written and told what an older one does not understand, and what is not understood cannot be kept.
 */
import { quote } from '../../base/shell.ts';
import { text } from '../contract/field.ts';
import { type DesiredOf, serverFields } from '../contract/fields.ts';
import { change, present, type ResourceKind, refuse, same, unknown } from '../contract/kind.ts';
import { closed } from '../contract/stat.ts';

const fields = serverFields({ at_most: text('the version of the controller that pgduet brings') });
type Desired = DesiredOf<typeof fields>;

/** Versions of controllers, each with the file that it stands in. */
type Seen = readonly { readonly version: string; readonly path: string }[];

/** How far the state file is understood follows from its version; the status file tells what ran last, or runs. */
const pathsOf = ({ managementDir, id }: Desired): readonly string[] =>
  ['state', 'status'].map((name) => `${managementDir}/${id}.${name}.json`);

const patterns = ['^{"format":[0-9]*,"version":"', '^.*"versions":{"controller":"'];

/** Shell: prints the versions, and which of the files has each; nothing where there is no file, or no version in it. */
function versionsIn(paths: readonly string[]): string {
  const hidden = paths.map(
    (path) => `unseen ${quote(path)}\ncase $unseen in closed*) echo "$unseen"; exit;; esac`,
  );
  const texts = paths.map((path) => `if [ -f ${quote(path)} ]; then text_of ${quote(path)}; echo; fi`);
  const words = patterns.map((pattern, index) => `-e 's/${pattern}\\([^"]*\\)".*/\\1 ${index}/p'`);
  return `${hidden.join('\n')}\n{ ${texts.join('\n')}; } | sed -n ${words.join(' ')}`;
}

export const controllerVersionKind: ResourceKind<Desired, Seen> = {
  kind: 'controller_version',
  summary: 'No newer controller has run here than the one that pgduet brings. It changes nothing.',
  fields,
  key: () => 'not newer',
  describe: ({ id, atMost }) => `the controller of ${id} is no newer one than ${atMost}`,
  probe: (desired) => ({ shell: `${versionsIn(pathsOf(desired))}\necho looked` }),
  read: (reply, desired) => {
    const paths = pathsOf(desired);
    const lines = reply.stdout.split('\n').filter((line) => line !== '');
    const hidden = lines.map(closed).find((it) => it !== undefined);
    if (hidden) return unknown(hidden);
    if (lines.pop() !== 'looked') return unknown(reply.stderr.trim() || 'its files could not be looked at');
    return present(
      lines.map((line) => {
        const [version = '', index = ''] = line.split(' ');
        return { version, path: paths[Number(index)] ?? '' };
      }),
    );
  },
  diff: ({ id, atMost }, observed) => {
    // `read` never says absent; the type of the contract still has to be answered.
    if (observed.state === 'absent') return change({ summary: `look at ${id}`, reason: 'nothing was seen' });
    const newer = observed.value.find((it) => isNewer(it.version, atMost));
    if (!newer) return same('no newer controller has run here');
    return refuse({
      code: 'SAF013',
      what: `a controller of version ${newer.version} has run for ${id}, and this pgduet would bring ${atMost}`,
      why: 'an older controller does not understand all that a newer one has written down and promised, and could lose acknowledged commits',
      fix: `Use pgduet ${newer.version} or newer (pgduet --version says which one this is).`,
      evidence: [`${newer.path}: version ${newer.version}`],
    });
  },
  steps: () => [],
};

/** Compares the numbers of two versions, and nothing behind them. */
function isNewer(one: string, other: string): boolean {
  const [ones, others] = [one, other].map((it) => it.split(/[-+]/)[0]?.split('.').map(Number) ?? []);
  for (const [index, number] of (ones ?? []).entries()) {
    const difference = number - (others?.[index] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return false;
}
