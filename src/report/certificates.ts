/** The certificates of a cluster as a table for people, and as JSON for programs. What hosts say is shown with its control characters as codes. Pure. */
import type { CertificateRow, Certificates, ServerCertificate, Showing } from '../observe/certificates.ts';
import { colours } from './colour.ts';
import { shown } from './shown.ts';
import { table } from './table.ts';

const words: Readonly<Record<Showing, string>> = {
  serves: 'serves it',
  other: 'serves it, another one lies there',
  plain: 'offers no TLS',
  silent: 'does not answer',
  unseen: 'not reached',
};

const days = ({ untilMs, daysLeft }: CertificateRow): string =>
  `${new Date(untilMs).toISOString().slice(0, 10)} (${daysLeft < 0 ? 'has ended' : `${daysLeft} days`})`;

const common = (name: string): string => /^CN=([^,]*)$/.exec(name)?.[1] ?? name;

const cells = ({ server, showing, certificate }: ServerCertificate): readonly string[] =>
  [
    server,
    words[showing],
    certificate ? days(certificate) : '',
    certificate?.serial ?? '',
    certificate ? common(certificate.issuer) : '',
    certificate?.names.join(', ') ?? '',
  ].map(shown);

export function certificatesText(
  { cluster, primary, servers, signers }: Certificates,
  colour: boolean,
): string {
  const c = colours(colour);
  const [head = '', ...rows] = table([
    ['server', 'state', 'until', 'serial', 'signed by', 'names'],
    ...servers.map(cells),
  ]);
  const [signerHead = '', ...signerRows] = table([
    ['who signs', 'until', 'sha-256'],
    ...signers.map((one) => [common(one.subject), days(one), one.sha256].map(shown)),
  ]);
  const problems = servers.flatMap(({ server, problem }) =>
    problem === null ? [] : [c.red(shown(`${server}: ${problem}`))],
  );
  const notes = servers.flatMap(({ server, lies, next }) => [
    ...(lies ? [shown(`${server}: on its disk lies ${lies.serial}, until ${days(lies)}`)] : []),
    ...(next
      ? [
          shown(
            `${server}: ready to take its place is ${next.serial} by ${common(next.issuer)}, until ${days(next)}`,
          ),
        ]
      : []),
  ]);
  return [
    `cluster ${c.bold(shown(cluster))}`,
    '',
    c.dim(head),
    ...rows,
    '',
    ...(signers.length > 0
      ? [c.dim(signerHead), ...signerRows]
      : [
          `who signs is not known: ${primary === null ? 'no server was seen to be the one primary' : `${primary}, the primary, has no list`}`,
        ]),
    ...(notes.length > 0 ? ['', ...notes] : []),
    ...(problems.length > 0 ? ['', ...problems] : []),
  ].join('\n');
}

export const certificatesJson = ({ cluster, primary, servers, signers }: Certificates): object => ({
  schema: 1,
  verb: 'certificates',
  cluster,
  primary,
  servers: servers.map(({ server, showing, certificate, lies, next, problem }) => ({
    server,
    showing,
    certificate: certificate && row(certificate),
    lies: lies && row(lies),
    next: next && row(next),
    problem,
  })),
  signers: signers.map(row),
});

const row = ({ fromMs, untilMs, ...rest }: CertificateRow): object => ({
  ...rest,
  from: new Date(fromMs).toISOString(),
  until: new Date(untilMs).toISOString(),
});
