/** What a check has found as text for a person. Pure. */
import type { CheckReport } from '../check/report.ts';

export interface CheckTextOptions {
  readonly colour: boolean;
  readonly diff: boolean;
  readonly width?: number;
}

export const checkText = (report: CheckReport, _options: CheckTextOptions): string =>
  report.clusters
    .map(({ cluster, findings }) =>
      [
        cluster,
        ...findings.map(
          (one) =>
            `${one.severity} ${one.code} ${one.host ?? ''} ${one.what}: ${one.declared} / ${one.found} (${one.source ?? ''}) ${one.since ?? ''} mend: ${one.mend}`,
        ),
      ].join('\n'),
    )
    .join('\n\n');
