/**
 * file: a whole file with its content, owner, group and mode. The content comes from `content`, from a template
 * (`template`) or from what pgduet ships (`asset`); a secret one is compared by checksum and never shown.
 */
import { createHash } from 'node:crypto';
import type { Diagnostic } from '../../base/diagnostic.ts';
import type { Secret } from '../../base/secret.ts';
import { sh } from '../../base/shell.ts';
import { flag, mode, oneOf, optional, secret, template, text } from '../contract/field.ts';
import { type DesiredOf, fieldsOf } from '../contract/fields.ts';
import {
  type Change,
  change,
  type Difference,
  type Effect,
  type ParseContext,
  present,
  type ResourceKind,
  same,
  unknown,
} from '../contract/kind.ts';
import { ownFile, putFile } from '../contract/preamble.ts';
import {
  notAFile,
  ownershipDifference,
  ownershipDifferences,
  readStat,
  type Stat,
  words,
} from '../contract/stat.ts';

interface Content {
  readonly content: string | Secret;
  /** Compare by checksum only: for secrets and for large files. */
  readonly opaque: boolean;
}

type Problem = (name: 'asset' | 'content', what: string, fix: string) => void;

interface Source {
  readonly content?: string | undefined;
  readonly template?: string | undefined;
  readonly asset?: string | undefined;
  readonly secret?: Secret | undefined;
}

function sourceOf(source: Source, { asset }: ParseContext, problem: Problem): Content {
  if (source.secret) return { content: source.secret, opaque: true };
  const { content: own } = source;
  if (own !== undefined) return { content: own.endsWith('\n') ? own : `${own}\n`, opaque: false };
  if (source.asset !== undefined) {
    const shipped = asset(source.asset);
    if (shipped === undefined)
      problem('asset', `pgduet ships no file '${source.asset}'`, "Build pgduet first with 'npm run build'.");
    return { content: shipped ?? '', opaque: true };
  }
  if (source.template === undefined)
    problem('content', 'the content is missing', "Give one of 'content', 'template', 'asset' or 'secret'.");
  return { content: source.template ?? '', opaque: false };
}

const targets = ['instance', 'controller', 'systemd'] as const satisfies readonly Effect['target'][];

const fields = fieldsOf(
  {
    path: text('absolute path'),
    owner: text('user'),
    group: optional(text("group; without it the owner's own")),
    mode: mode('permissions', '0644'),
    content: optional(text('the text itself')),
    template: optional(template('or the name of a template, beside the playbook or of `templates/`')),
    asset: optional(text('or the name of a file that pgduet ships')),
    secret: secret('or a secret: `!secret cluster_key`; it is compared by checksum and never shown'),
    reload: optional(oneOf(targets, 'what reads the file again after a change')),
    restart: optional(oneOf(targets, 'what is restarted after a change')),
    shared: flag('whether that secret is one by which the servers recognise each other', true),
    declared_in: optional(text('where an inventory says what stands in it, for messages')),
    in_turn: flag('that restart: on one server after the other, the primary last', false),
  },
  ({ content, template, asset, secret, reload, restart, inTurn, ...place }, context, problem) => ({
    ...place,
    ...sourceOf({ content, template, asset, secret }, context, problem),
    effects: [
      ...(reload ? [{ action: 'reload', target: reload } as const] : []),
      ...(restart ? [{ action: 'restart', target: restart, ...(inTurn ? { inTurn } : {}) } as const] : []),
    ],
  }),
);
type Desired = DesiredOf<typeof fields>;

interface Seen {
  readonly stat: Stat;
  /** The whole text; of an opaque file SHA-256 as hex. */
  readonly content: string;
}

interface FileChange extends Change {
  /** False where only owner or mode are wrong. */
  readonly rewrite: boolean;
}

const clear = (content: string | Secret): string =>
  typeof content === 'string' ? content : content.reveal();
const checksum = (text: string): string => createHash('sha256').update(text).digest('hex');

const codes = { owner: 'FIL003', mode: 'FIL004', open: 'FIL005' } as const;

export const file: ResourceKind<Desired, Seen, FileChange> = {
  kind: 'file',
  summary: 'A whole file: content from the playbook, a template, or what pgduet ships.',
  fields,
  key: (desired) => desired.path,
  describe: (desired) => `file ${desired.path}`,
  probe: ({ path, opaque }) => ({
    stat: path,
    ...(opaque
      ? { sum: path }
      : { shell: sh`if [ -f ${path} ] && [ ! -L ${path} ]; then contents ${path}; fi` }),
  }),
  read: (reply, desired) => {
    const [first = '', ...rest] = reply.stdout.split('\n');
    const stat = readStat(first, reply.stderr || 'the file could not be read');
    if (stat.state !== 'present') return stat;
    if (reply.status !== 0) return unknown(reply.stderr.trim() || 'the file could not be read');
    const content = rest.join('\n');
    return present({ stat: stat.value, content: desired.opaque ? content.slice(0, 64) : content });
  },
  diff: (desired, observed) => {
    if (observed.state === 'absent') return change(missing(desired));
    const { stat, content } = observed.value;
    if (stat.type !== 'file') return notAFile(desired.path, stat);
    const other = otherContent(desired, observed.value);
    const ownership = ownershipDifference(desired, stat);
    if (!other && !ownership) return same('content, owner and mode are right');
    const secret = isSecret(desired);
    const reason = desired.opaque ? 'its checksum differs' : 'its content differs';
    return change({
      summary: `${other ? 'rewrite' : 'set owner and mode of'} ${desired.path}`,
      reason: [...(other ? [reason] : []), ...(ownership ? [ownership] : [])].join('; '),
      ...(other ? { ...shown(desired, content), effects: desired.effects } : {}),
      rewrite: other !== undefined,
      differences: [
        ...(other ? [other] : []),
        ...ownershipDifferences(desired.path, { ...desired, secret }, stat, codes),
      ],
    });
  },
  // Images of a system have a /usr that nobody writes to. What lies elsewhere is on a disk that is looked at by its own.
  tries: (_change, { path, owner }) =>
    owner === 'root' && path.startsWith('/usr/') ? { shell: sealedProbe(path) } : undefined,
  objection: (reply, _change, { path }) => {
    const [, place] = /^sealed (.+)$/m.exec(reply.stdout) ?? [];
    return place === undefined ? undefined : sealed(path, place);
  },
  steps: ({ rewrite }, desired) => [
    {
      title: `file ${desired.path}`,
      script: (rewrite ? putFile : ownFile)({ ...desired, content: clear(desired.content) }),
    },
  ],
};

const isSecret = ({ content }: Desired): boolean => typeof content !== 'string';

/** Before and after, of what may be shown. */
const shown = (desired: Desired, before: string): Pick<Change, 'text'> =>
  desired.opaque ? {} : { text: { before, after: clear(desired.content), name: desired.path } };

/** What runs was not started from a file that is not there: whether its turn has come is seen where it is looked at. */
const missing = (desired: Desired): FileChange => ({
  summary: `write ${desired.path} (${words(desired)})`,
  reason: 'it is not there',
  ...shown(desired, ''),
  effects: desired.effects.filter((effect) => !('inTurn' in effect)),
  rewrite: true,
  differences: [{ code: 'FIL001', object: desired.path, declared: words(desired), found: 'missing' }],
});

/** Not even the checksum of a secret is shown: a short one could be found by trying. */
function otherContent(desired: Desired, { stat, content }: Seen): Difference | undefined {
  const text = clear(desired.content);
  const wanted = desired.opaque ? checksum(text) : text;
  if (content === wanted) return undefined;
  const told = { object: desired.path, since: stat.modified };
  if (isSecret(desired) && desired.shared)
    return { code: 'FIL006', declared: 'the secret of the cluster', found: 'another one', ...told };
  if (isSecret(desired) || !desired.opaque)
    return { code: 'FIL002', declared: rendered(desired), found: 'another content', ...told };
  return { code: 'FIL002', declared: short(wanted), found: short(content), ...told };
}

/** One file has one author: what is to stay has to be said where the file is made from. */
const rendered = ({ declaredIn }: Desired): string =>
  declaredIn === undefined ? 'as rendered' : `as rendered; what is to stay is declared in ${declaredIn}`;

const short = (sum: string): string => `checksum ${sum.slice(0, 12)}`;

/** Root may write wherever a file system takes it, so that what is not open to root is read-only. */
const sealedProbe = (path: string): string => sh`d=${path}
while [ ! -d "$d" ]; do d=\${d%/*}; d=\${d:-/}; done
if [ -n "$ROOT" ] && [ ! -w "$d" ]; then echo "sealed $d"; fi`;

const sealed = (path: string, place: string): Diagnostic => ({
  code: 'SAF049',
  what: `${path} cannot be written: ${place} is on a file system that is mounted read-only`,
  why: 'the program is kept there, where every login finds it; nothing has been changed',
  fix: 'Make it writable for this run (mount -o remount,rw /usr, where it is a mount of its own), or have /usr/local on a file system that is writable; what stands there already may be read-only.',
});
