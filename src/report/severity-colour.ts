/** The colour of each severity, the same wherever a finding is shown. Pure. */
import type { Severity } from '../base/findings/rule.ts';
import type { Colours } from './colour.ts';

export function severityPaint(c: Colours, severity: Severity): (text: string) => string {
  switch (severity) {
    case 'danger':
      return (text) => c.bold(c.red(text));
    case 'degraded':
      return c.red;
    case 'drift':
      return c.yellow;
    case 'unknown':
      return c.cyan;
    case 'note':
      return c.dim;
  }
}
