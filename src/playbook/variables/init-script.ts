/** What the init script of a server says, and that of an arbiter: the context of `templates/rc.hbs`. Pure. */
import { initScriptOf } from '../../base/service-managers.ts';
import type { Arbiter, Cluster, Server } from '../../inventory/cluster.ts';
import type { View } from '../../observe/survey.ts';
import { serviceManager } from './host.ts';

export interface InitContext {
  readonly initScript: string;
  /** The form of OpenRC, which runs no other script. */
  readonly openrc: boolean;
  /** What it starts: in a sentence, for a list, and in a word for messages. */
  readonly about: string;
  readonly short: string;
  readonly long: string;
  readonly what: string;
  readonly owner: string;
  readonly directory: string;
  /** Its file in the directory is `<id>.pid`. */
  readonly id: string;
  readonly program: string;
  /** The directory of the sockets, where a boot empties it; else empty. */
  readonly runDir: string;
  /** Seconds that a stop may take. */
  readonly patience: number;
  /** False: an arbiter, which has no instance. */
  readonly server: boolean;
}

export const serverScript = (
  cluster: Cluster,
  { name, unit, host, multiplexing, postgres }: Server,
  view: View,
  mcCtl: string,
): InitContext => ({
  initScript: initScriptOf(unit),
  openrc: serviceManager(host, view) === 'rc-update',
  about: `the Mirroring Controller of cluster ${cluster.name} on ${name} and, through it, the PostgreSQL instance`,
  short: 'Mirroring Controller and PostgreSQL instance',
  long: 'Starts the controller, which starts the instance; stops the instance, then the controller.',
  what: `the Mirroring Controller of ${name}`,
  owner: postgres.owner,
  directory: multiplexing.managementDir,
  id: name,
  program: mcCtl,
  runDir: /^(\/var)?\/run\/[^/]+$/.test(postgres.socketDir) ? postgres.socketDir : '',
  patience: 900,
  server: true,
});

export const arbiterScript = (
  { unit, host, managementDir, owner }: Arbiter,
  view: View,
  mcArb: string,
): InitContext => ({
  initScript: initScriptOf(unit),
  openrc: serviceManager(host, view) === 'rc-update',
  about: 'the arbiter, which says who may act when the servers of a cluster do not hear each other',
  short: 'Arbiter of the Mirroring Controllers',
  long: 'Answers, once for each term, which server may act on a silence.',
  what: 'the arbiter',
  owner,
  directory: managementDir,
  id: 'arbiter',
  program: mcArb,
  runDir: '',
  patience: 30,
  server: false,
});
