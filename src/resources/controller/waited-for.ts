/** For whom commits wait, as the report of a primary's controller says. Pure. */
import type { ControllerReport } from './controller-status.ts';

type Row = ControllerReport['servers'][number];

export const isWaitedFor = ({ sync_state }: Pick<Row, 'sync_state'>): boolean =>
  sync_state === 'sync' || sync_state === 'quorum' || sync_state === 'potential';

/** Standbys that commits would wait for if one of them were out. */
export const secondCopies = (
  { servers }: ControllerReport,
  { primary, without }: { readonly primary: string; readonly without: string },
): readonly string[] =>
  servers
    .filter((it) => it.server_id !== primary && it.server_id !== without && isWaitedFor(it))
    .map(({ server_id }) => server_id);
