/**
 * What a case of a resource kind is: a desired state as YAML, what the host answered, and the verdict that follows.
 * The tables stand in `cases/`; `kinds.test.ts` runs them all and fails when a kind of the registry has none.
 */
import type { Code } from '../../src/base/codes.ts';
import { ok, type Result } from '../../src/base/diagnostic.ts';
import { Secret } from '../../src/base/secret.ts';
import { parseYaml } from '../../src/base/yaml.ts';
import { formerRulesMarker } from '../../src/postgres/hba-file.ts';
import type { ParseContext, ServerPlace } from '../../src/resources/contract/context.ts';
import type { AnyKind, Difference, Effect, ProbeReply } from '../../src/resources/contract/kind.ts';
import { kinds } from '../../src/resources/registry.ts';

type Words = string | RegExp;

export type Expected =
  | { readonly unknown: Words }
  | { readonly same: Words; readonly differences?: readonly string[] }
  | { readonly refuse: Code; readonly what: Words; readonly fix?: Words }
  | { readonly degraded: Words; readonly why: Words; readonly fix: Words }
  | {
      readonly change: Words;
      readonly reason: Words;
      readonly effects?: readonly Effect[];
      /** Each as "CODE object: declared → found", with " @since" and " < source" where they are known. */
      readonly differences?: readonly string[];
      /** Words of the notes beside it. */
      readonly notes?: readonly string[];
      /** What the scripts of its steps, put together, must hold. */
      readonly script?: readonly Words[];
      /** What they must not hold. */
      readonly scriptLacks?: readonly string[];
      /** True for a change that needs nothing but its effects. */
      readonly noSteps?: boolean;
    };

/** What a difference must say; what is left out does not matter. */
export type ExpectedDifference = Partial<Difference> & Pick<Difference, 'code'>;

export interface Case {
  readonly title: string;
  /** All that it tells one by one, whatever the verdict; left out: it is not looked at. */
  readonly tells?: readonly ExpectedDifference[];
  /** Taken from the table when it is left out. */
  readonly desired?: string;
  /** Where this case has the server elsewhere. */
  readonly server?: Partial<ServerPlace>;
  readonly reply: Partial<ProbeReply>;
  readonly gives: Expected;
}

export interface ErrorCase {
  readonly desired: string;
  readonly what: Words;
  /** Line and column of the desired YAML. */
  readonly at: string;
  /** The schema of playbooks does not see it: it depends on files, on other fields, or on what a text says. */
  readonly beyondSchema?: true;
}

export interface KindCases {
  readonly kind: string;
  readonly desired: string;
  /** The key of `desired`: what tells two resources of the kind apart. */
  readonly key: string;
  readonly describes: string;
  readonly errors: readonly ErrorCase[];
  readonly cases: readonly Case[];
}

/** Stands for every secret; it must never be seen outside of a step. */
export const canary = "canary-Se'cret-1";

export const samplePlace: ServerPlace = {
  id: 'server1',
  version: 15,
  dataDir: '/database/inst1',
  socketDir: '/run/postgresql',
  port: 27500,
  owner: 'postgres',
  managementDir: '/mcdir/inst1',
  mcCtl: '/usr/local/bin/mc_ctl',
};

export const sampleContext = (over: Partial<ParseContext> = {}): ParseContext => ({
  server: samplePlace,
  secret: (name) => (name === 'replication_password' ? new Secret(canary) : undefined),
  render: (name): Result<string> =>
    name === 'missing.hbs'
      ? {
          ok: false,
          diagnostics: [
            { code: 'PLY004', what: `there is no template '${name}'`, why: 'it is needed', fix: 'Add it.' },
          ],
        }
      : ok(templates[name] ?? ''),
  asset: (name) => (name === 'mc.cjs' ? 'the bundle' : undefined),
  entropy: '000102030405060708090a0b0c0d0e0f',
  ...over,
});

const templates: Readonly<Record<string, string>> = {
  'text.hbs': 'one\ntwo\n',
  'ldap.hbs': 'host all all 10.0.0.0/8 ldap ldapserver=a ldapbindpasswd="a#b"\n',
  'limits.hbs':
    '[Service]\nNoNewPrivileges=yes\nCapabilityBoundingSet=CAP_NET_RAW CAP_IPC_LOCK CAP_NET_BIND_SERVICE\n',
  'unit.hbs':
    '[Service]\n# a mark\nEnvironment=PGDUET_UNIT=\n[Install]\nWantedBy=multi-user.target graphical.target\n',
  'hba.hbs': '# rules\nlocal  all  all  peer\nhost all  all 10.0.0.0/8 scram-sha-256\n',
  'adopted.hbs': `local all all peer\n${formerRulesMarker}\nlocal all all peer\n`,
  'trust.hbs': 'host all all 10.0.0.0/8 trust\n',
  'conf.hbs': "# settings\nport = 27500\nlisten_addresses = '*'\n",
};

export function kindNamed(name: string): AnyKind {
  const kind = kinds.get(name);
  if (!kind) throw new Error(`there is no kind '${name}'`);
  return kind;
}

export function parseDesired(name: string, yaml: string, context = sampleContext()): Result<unknown> {
  const node = parseYaml(yaml, 'case.yml', { syntax: 'PLY001', duplicateKey: 'PLY002' });
  return node.ok ? kindNamed(name).fields.parse(node.value, context, name) : node;
}

/** The desired state; a table whose YAML is wrong is a defect of the table. */
export function desiredOf(name: string, yaml: string, context = sampleContext()): unknown {
  const parsed = parseDesired(name, yaml, context);
  if (!parsed.ok) throw new Error(`${name}: ${parsed.diagnostics.map((d) => d.what).join('; ')}`);
  return parsed.value;
}

export const fullReply = (reply: Partial<ProbeReply>): ProbeReply => ({
  status: 0,
  stdout: '',
  stderr: '',
  ...reply,
});

/** A difference as the tables write it. */
export const differenceText = ({ code, object, declared, found, since, source }: Difference): string =>
  `${code} ${object}: ${declared} → ${found}${since === undefined ? '' : ` @${since}`}${source === undefined ? '' : ` < ${source}`}`;
