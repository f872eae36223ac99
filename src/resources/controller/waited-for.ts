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

/** What, why and how to go on, where nobody would be left that commits wait for. */
export const wouldBeAlone = ({
  server,
  primary,
}: {
  readonly server: string;
  readonly primary: string;
}): [what: string, why: string, fix: string] => [
  `no commit would wait for any standby while ${server} is out`,
  `${primary} alone would have what is written meanwhile: if it is lost, that is lost, and nobody takes over`,
  '--alone says that this is meant',
];

/** Who has what is written while one is out, before anybody says yes. */
export const meanwhile = (left: readonly string[], primary: string): string =>
  left.length > 0
    ? `commits wait for ${left.join(', ')} meanwhile, and nobody else may take over`
    : `there is no second copy meanwhile: ${primary} alone has what is written, and nobody takes over from it`;
