/**
 * The order of a rolling update: what was asked for, written once and never changed, on every server, by root. And the mark that ends it.
 * In: options, or the text of a file. Out: the order, or why a text is none. Pure.
 */
import { failed, ok, type Result } from '../base/diagnostic.ts';
import { isObject } from '../base/json.ts';

/** What is done on a host, in the order in which it is done. */
export const workSteps = ['packages', 'run', 'command', 'reboot', 'pause'] as const;
export type WorkStep = (typeof workSteps)[number];

/** Exact versions, by package. */
export type Pins = Readonly<Record<string, string>>;

export interface Work {
  /** By server: a package may have another version where the architecture is another one. */
  readonly packages?: Readonly<Record<string, Pins>>;
  /** SHA-256 of the playbook and of what it includes; the text comes from whoever goes on. */
  readonly run?: string;
  /** For a shell, as root. */
  readonly command?: string;
  readonly reboot: boolean;
  readonly pause: boolean;
  /** For a shell, as root: it ends well where the host may come back. */
  readonly validate?: string;
}

/** What was agreed to beside the sheet. */
export interface Agreed {
  /** No commit need wait for any standby while one is out. */
  readonly alone: boolean;
  /** A server that cannot follow any more is rewound or copied anew. */
  readonly rebuild: boolean;
  /** Points of the preparation that do not count. */
  readonly despite: readonly string[];
}

export interface Order {
  readonly format: 1;
  /** Random; also the name by which the maintenances are begun. */
  readonly id: string;
  readonly cluster: string;
  readonly systemIdentifier: string;
  readonly by: string;
  /** ISO 8601. */
  readonly made: string;
  /** In the order of work, the first primary last. */
  readonly servers: readonly { readonly name: string; readonly machineId: string }[];
  /** Who was primary at the begin. */
  readonly primary: string;
  /** Who is primary at the end; null: whoever it is then. */
  readonly home: string | null;
  /** Who takes over before the work on the primary; null: the first one that is done. */
  readonly to: string | null;
  readonly work: Work;
  /** How long one server is expected to be out, as mc_ctl takes it. */
  readonly expected: string;
  /** How long a host may take to reboot. */
  readonly rebootMs: number;
  readonly agreed: Agreed;
  /** What check found before: "severity CODE host object". Only what is new counts behind the work. */
  readonly known: readonly string[];
}

export const orderText = (order: Order): string => `${JSON.stringify(order, null, 1)}\n`;

/** What root reads of its own file: a text of another form is refused whole, whatever the reason. */
export function parseOrder(text: string): Result<Order> {
  try {
    const value: unknown = JSON.parse(text);
    if (isOrder(value)) return ok(value);
  } catch {
    // Refused below.
  }
  return failed({
    code: 'SAF065',
    what: 'what a host holds of a rolling update is not as this version of pgduet writes it',
    why: 'a newer pgduet has begun it, or the file is damaged; what is left to do cannot be told from it',
    fix: 'Go on with the pgduet that has begun it.',
  });
}

const isText = (value: unknown): value is string => typeof value === 'string';
const isTextOrNull = (value: unknown): boolean => value === null || isText(value);
const areTexts = (value: unknown): boolean => Array.isArray(value) && value.every(isText);

function isOrder(value: unknown): value is Order {
  if (!isObject(value) || value.format !== 1) return false;
  const { servers, work, agreed } = value;
  return (
    [
      value.id,
      value.cluster,
      value.systemIdentifier,
      value.by,
      value.made,
      value.primary,
      value.expected,
    ].every(isText) &&
    [value.home, value.to].every(isTextOrNull) &&
    typeof value.rebootMs === 'number' &&
    areTexts(value.known) &&
    Array.isArray(servers) &&
    servers.every((one) => isObject(one) && isText(one.name) && isText(one.machineId)) &&
    isObject(agreed) &&
    typeof agreed.alone === 'boolean' &&
    typeof agreed.rebuild === 'boolean' &&
    areTexts(agreed.despite) &&
    isObject(work) &&
    isWork(work)
  );
}

const isWork = ({
  packages,
  run,
  command,
  reboot,
  pause,
  validate,
}: Readonly<Record<string, unknown>>): boolean =>
  typeof reboot === 'boolean' &&
  typeof pause === 'boolean' &&
  [run, command, validate].every((one) => one === undefined || isText(one)) &&
  (packages === undefined ||
    (isObject(packages) &&
      Object.values(packages).every((pins) => isObject(pins) && Object.values(pins).every(isText))));
