/** What every code of a finding says: how severe it is, what follows, what repairs it. */

/**
 * danger: data, commits or secrets are at risk. degraded: it works, and not as a whole; up to the controller or a person.
 * drift: not as declared. unknown: could not be looked at. note: worth knowing, and nothing to do.
 */
export const severities = ['danger', 'degraded', 'drift', 'unknown', 'note'] as const;
export type Severity = (typeof severities)[number];

export interface FindingRule {
  readonly severity: Severity;
  readonly title: string;
  /** What will happen if nothing is done; a sentence without its full stop. */
  readonly consequence: string;
  /** 'provision', or what a person does; `{host}` and `{object}` are put in. */
  readonly repair: string;
}
