/** hba: pg_hba.conf as a whole, in force in the running server. It is never written with a rule that lets anyone in without proof. */
import { withoutOurRules } from '../postgres/hba-file.ts';
import {
  type ConfigurationFile,
  configurationProbe,
  isStale,
  readConfiguration,
} from './configuration-file.ts';
import { readFields } from './fields.ts';
import { type Change, change, type Instance, type ResourceKind, same } from './kind.ts';
import { putFile } from './preamble.ts';

interface Desired {
  readonly instance: Instance;
  readonly content: string;
}

interface Live {
  readonly loaded: number;
  readonly errors: readonly string[];
}

const path = (desired: Desired): string => `${desired.instance.dataDir}/pg_hba.conf`;
/** The rules alone: comments and spacing do not matter to the server. */
const rules = (text: string): string =>
  text
    .split('\n')
    .map((line) => line.replace(/#.*/, '').trim().replace(/\s+/g, ' '))
    .filter((line) => line !== '')
    .join('\n');

/** Rules that a server had before are not ours to judge here; the migration has named them. */
const ownPart = (text: string): string => text.slice(0, text.length - (withoutOurRules(text) ?? '').length);

interface HbaChange extends Change {
  readonly write: boolean;
}

export const hba: ResourceKind<Desired, ConfigurationFile<Live>, HbaChange> = {
  kind: 'hba',
  summary: 'pg_hba.conf as a whole, from a template, in force in the running server.',
  parse: (node, context) =>
    readFields(node, context, 'hba', (f) => {
      const rendered = context.render(f.text('template'));
      if (!rendered.ok) for (const d of rendered.diagnostics) f.problem('template', d.what, d.fix);
      const content = rendered.ok ? rendered.value : '';
      if (/\btrust\s*$/m.test(rules(ownPart(content))))
        f.problem(
          'template',
          "a rule uses 'trust'",
          "Use 'peer' on the socket and 'scram-sha-256' elsewhere.",
        );
      return { instance: context.instance, content };
    }),
  key: (desired) => path(desired),
  inside: path,
  describe: (desired) => `client rules in ${path(desired)}`,
  probe: (desired) => ({
    shell: configurationProbe(desired.instance.dataDir, 'pg_hba.conf'),
    sql: `select json_build_object('loaded', extract(epoch from pg_conf_load_time()),
 'errors', (select coalesce(json_agg(format('line %s: %s', line_number, error)), '[]') from pg_hba_file_rules where error is not null))`,
  }),
  read: (reply) => readConfiguration<Live>(reply, 'pg_hba.conf'),
  diff: (desired, observed) => {
    if (observed.state === 'absent') return same('nothing to say');
    const { text, live } = observed.value;
    const write = rules(text) !== rules(desired.content);
    const effects = live ? ([{ action: 'reload', target: 'instance' }] as const) : [];
    if (write)
      return change({
        summary: `rewrite ${path(desired)}`,
        reason: 'its rules differ',
        text: { before: `${rules(text)}\n`, after: `${rules(desired.content)}\n`, name: path(desired) },
        effects,
        write,
      });
    if (isStale(observed.value))
      return change({
        summary: `bring ${path(desired)} into force`,
        reason: 'the server has not read it since it was written',
        effects,
        write,
      });
    return same(`${rules(text).split('\n').length} rules are in force${live ? '' : ' at the next start'}`);
  },
  steps: (planned, desired) =>
    planned.write
      ? [
          {
            title: `client rules ${path(desired)}`,
            script: putFile({
              path: path(desired),
              mode: '0600',
              owner: desired.instance.owner,
              content: desired.content,
            }),
          },
        ]
      : [],
};
