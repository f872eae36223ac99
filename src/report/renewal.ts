/** How far a renewal of certificates has come, as its last look has seen it: for people and for programs. Pure. */
import type { Cluster } from '../inventory/cluster.ts';
import { type Certificates, certificatesOf, type ServerCertificate } from '../observe/certificates.ts';
import type { Renewing } from '../observe/renewed.ts';
import type { View } from '../observe/survey.ts';
import { shown } from './shown.ts';

export interface RenewalState {
  readonly action: Renewing['action'];
  /** By server: the serial number of what it shows, and of what is ready to take its place; null where there is none, or it was not seen. */
  readonly servers: Readonly<
    Record<string, { readonly shows: string | null; readonly ready: string | null }>
  >;
  /** Those who sign, by the list of the primary. */
  readonly signers: readonly string[];
  /** What is left of it; a sentence each. */
  readonly unfinished: readonly string[];
}

export function renewalState(cluster: Cluster, view: View, renewing: Renewing): RenewalState {
  const told = certificatesOf(cluster, view.hosts, view.primary);
  return {
    action: renewing.action,
    servers: Object.fromEntries(
      told.servers.map(({ server, showing, certificate, next }) => [
        server,
        {
          shows: showing === 'serves' || showing === 'other' ? (certificate?.serial ?? null) : null,
          ready: next?.serial ?? null,
        },
      ]),
    ),
    signers: told.signers.map(({ subject }) => common(subject)),
    unfinished: unfinished(told, view, renewing),
  };
}

const common = (name: string): string => name.replace(/^CN=/, '');

function unfinished(told: Certificates, view: View, renewing: Renewing): readonly string[] {
  const meant = ({ server }: ServerCertificate) =>
    renewing.hosts.length === 0 || renewing.hosts.includes(server);
  const why = ({ server, showing }: ServerCertificate): string => {
    if (view.absent?.has(server)) return 'is away';
    if (view.maintained?.has(server)) return 'is in maintenance';
    return showing === 'serves' ? 'shows what it had' : 'was not seen to show what lies there';
  };
  switch (renewing.action) {
    case 'renew':
      return told.servers
        .filter((one) => meant(one) && (isOut(one, view) || one.showing !== 'serves'))
        .map((one) => `${one.server} ${why(one)}: it got no new certificate.`);
    case 'ca':
      return told.servers
        .filter((one) => meant(one) && isOut(one, view))
        .map(
          (one) =>
            `${one.server} ${why(one)}: it does not know the new CA, and has no certificate by it. Run the same command again when it is back.`,
        );
    case 'finish': {
      const used = new Set(
        told.servers.flatMap((one) => (isOut(one, view) || !one.certificate ? [] : [one.certificate.issuer])),
      );
      const stray = told.signers.filter(({ subject }) => !used.has(subject));
      const open = told.servers.filter((one) => isOut(one, view) || one.showing !== 'serves' || one.next);
      if (stray.length === 0 && open.length === 0) return [];
      const stays = stray.map(({ subject }) => common(subject)).join(', ');
      return [
        ...open.map(
          (one) =>
            `${one.server} ${why(one)}: it may show a certificate by a former CA${isOut(one, view) ? ', and may not know the new one: it could not follow its primary before pgduet provision has brought it the list' : ''}. When it is back: pgduet provision, then pgduet certificates renew --ca and pgduet certificates renew --ca --finish.`,
        ),
        ...(stray.length > 0 ? [`On the list stays, until every server was seen: ${stays}.`] : []),
      ];
    }
  }
}

const isOut = ({ server }: ServerCertificate, view: View): boolean =>
  view.absent?.has(server) === true || view.maintained?.has(server) === true || !view.hosts.has(server);

export function renewalText({ action, servers, signers, unfinished: open }: RenewalState): string {
  const rows = Object.entries(servers).map(([name, { shows, ready }]) =>
    shown(
      `  ${name}: ${shows === null ? 'not seen' : `shows ${shows}`}${ready === null ? '' : `, ready is ${ready}`}`,
    ),
  );
  const isReady = Object.values(servers).some(({ ready }) => ready !== null);
  return [
    'As seen at the end:',
    ...rows,
    shown(`  who signs: ${signers.join(', ')}`),
    ...(action === 'ca' && isReady
      ? [
          'Not finished: no server shows what is ready. Give your clients the list (pgduet ca), then run pgduet certificates renew --ca --finish.',
        ]
      : []),
    ...(open.length > 0
      ? [...(action === 'ca' ? [] : ['Not finished:']), ...open.map((line) => shown(`  ${line}`))]
      : []),
  ].join('\n');
}
