/**
 * file: a whole file with its content, owner, group and mode. The content comes from `content`, from a template
 * (`template`) or from what pgduet ships (`asset`); a secret one is compared by checksum and never shown.
 */
import { createHash } from 'node:crypto';
import type { Secret } from '../base/secret.ts';
import { quote } from '../base/shell.ts';
import { type Fields, readFields } from './fields.ts';
import {
  absent,
  change,
  type Effect,
  type ParseContext,
  present,
  type ResourceKind,
  refuse,
  same,
  unknown,
} from './kind.ts';
import { putFile } from './preamble.ts';
import { type Ownership, ownershipDifference, readStat, type Stat, words } from './stat.ts';

interface Desired extends Ownership {
  readonly path: string;
  readonly content: string | Secret;
  /** Compare by checksum only: for secrets and for large files. */
  readonly opaque: boolean;
  readonly effects: readonly Effect[];
}

interface Seen {
  readonly stat: Stat;
  /** SHA-256 as hex. */
  readonly checksum: string;
  /** Absent for an opaque file. */
  readonly text?: string;
}

const targets = ['instance', 'controller', 'systemd'] as const satisfies readonly Effect['target'][];
const clear = (content: string | Secret): string =>
  typeof content === 'string' ? content : content.reveal();
const checksum = (text: string): string => createHash('sha256').update(text).digest('hex');

function content(f: Fields, context: ParseContext): { content: string | Secret; opaque: boolean } {
  const secret = f.secret('secret');
  const text = f.optionalText('content');
  const template = f.optionalText('template');
  const asset = f.optionalText('asset');
  if (secret) return { content: secret, opaque: true };
  if (text !== undefined) return { content: text.endsWith('\n') ? text : `${text}\n`, opaque: false };
  if (asset !== undefined) {
    const shipped = context.asset(asset);
    if (shipped === undefined)
      f.problem('asset', `pgduet ships no file '${asset}'`, "Build pgduet first with 'npm run build'.");
    return { content: shipped ?? '', opaque: true };
  }
  if (template === undefined) {
    f.problem('content', 'the content is missing', "Give one of 'content', 'template', 'asset' or 'secret'.");
    return { content: '', opaque: false };
  }
  const rendered = context.render(template);
  if (!rendered.ok) for (const d of rendered.diagnostics) f.problem('template', d.what, d.fix);
  return { content: rendered.ok ? rendered.value : '', opaque: false };
}

/** Shared with kind `unit`, which is a file that systemd has to read. */
export const file: ResourceKind<Desired, Seen> = {
  kind: 'file',
  summary: 'A whole file: content from the playbook, a template, or what pgduet ships.',
  parse: (node, context) =>
    readFields(node, context, 'file', (f) => {
      const group = f.optionalText('group');
      return {
        path: f.text('path'),
        owner: f.text('owner'),
        ...(group ? { group } : {}),
        mode: f.mode('mode', '0644'),
        ...content(f, context),
        effects: (['reload', 'restart'] as const).flatMap((action) =>
          f.optionalText(action) === undefined ? [] : [{ action, target: f.oneOf(action, targets) }],
        ),
      };
    }),
  key: (desired) => desired.path,
  describe: (desired) => `file ${desired.path}`,
  probe: (desired) => ({
    stat: desired.path,
    sum: desired.path,
    ...(desired.opaque
      ? {}
      : { shell: `if [ -f ${quote(desired.path)} ]; then cat ${quote(desired.path)}; fi` }),
  }),
  read: (reply, desired) => {
    const [first = '', second = '', ...rest] = reply.stdout.split('\n');
    const stat = readStat(first);
    if (stat === 'absent') return absent;
    if (stat === undefined || reply.status !== 0)
      return unknown(reply.stderr.trim() || 'the file could not be read');
    const seen = { stat, checksum: second.split(' ')[0] ?? '' };
    return present(desired.opaque ? seen : { ...seen, text: rest.join('\n') });
  },
  diff: (desired, observed) => {
    const after = desired.opaque ? '(not shown)\n' : clear(desired.content);
    const effects = { effects: desired.effects };
    if (observed.state === 'absent')
      return change({
        summary: `write ${desired.path} (${words(desired)})`,
        reason: 'it is not there',
        ...(desired.opaque ? {} : { text: { before: '', after, name: desired.path } }),
        ...effects,
      });
    const { stat, checksum: sum, text } = observed.value;
    if (stat.type !== 'file') return notAFile(desired.path, stat.type);
    if (sum !== checksum(clear(desired.content)))
      return change({
        summary: `rewrite ${desired.path}`,
        reason: desired.opaque ? 'its checksum differs' : 'its content differs',
        ...(desired.opaque ? {} : { text: { before: text ?? '', after, name: desired.path } }),
        ...effects,
      });
    const difference = ownershipDifference(desired, stat);
    return difference
      ? change({ summary: `set owner and mode of ${desired.path}`, reason: difference })
      : same('content, owner and mode are right');
  },
  steps: (_change, desired) => [
    {
      title: `file ${desired.path}`,
      script: putFile({ ...desired, content: clear(desired.content) }),
    },
  ],
};

const notAFile = (path: string, type: string) =>
  refuse({
    code: 'SAF002',
    what: `'${path}' should be a file and is a ${type}`,
    why: 'replacing it could destroy what it stands for',
    fix: 'Move it away and run the same command again.',
  });
