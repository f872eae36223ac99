/** The variables of the arbiter: where it is, and who it runs as. The same on every host. Pure. */

import { serviceWord } from '../../base/service-managers.ts';
import { arbiterConf, arbiterConfContext } from '../../controller/config-arbiter.ts';
import type { Cluster } from '../../inventory/cluster.ts';
import type { View } from '../../observe/survey.ts';
import { bundleFile, commandFile, installed, nodePath, otherControllers } from './controller.ts';
import { hostWithoutServer, serviceManager } from './host.ts';
import { arbiterIdentities } from './identities.ts';
import { arbiterScript, type InitContext } from './init-script.ts';

/** Empty texts where the inventory has no arbiter. */
export interface ArbiterVariables {
  readonly name: string;
  readonly address: string;
  readonly port: number | '';
  readonly managementDir: string;
  /** What belongs to this cluster alone; all else serves every cluster of the arbiter. */
  readonly clusterDir: string;
  readonly owner: string;
  readonly unit: string;
  /** What starts it with the host, as the kinds take it; empty where nothing does. */
  readonly service: string;
  readonly node: string;
  readonly bundle: string;
  readonly mcArb: string;
  /** What is laid in the directory of this cluster: the public parts of its servers. */
  readonly identities: string;
  /** A shell command that succeeds as long as another program of this machine needs the bundle. */
  readonly othersNeedIt: string;
  /** By key of arbitration.conf, in the form of the file. Every cluster of the arbiter renders the same. */
  readonly values: Readonly<Record<string, string>>;
}

const none: ArbiterVariables = {
  name: '',
  address: '',
  port: '',
  managementDir: '',
  clusterDir: '',
  owner: '',
  unit: '',
  service: '',
  node: '',
  bundle: '',
  mcArb: '',
  identities: '',
  othersNeedIt: '',
  values: {},
};

export function arbiterVariables(whole: Cluster, view: View): ArbiterVariables {
  const { name: cluster, arbiter } = whole;
  if (!arbiter) return none;
  const { name, adminAddress, port, managementDir, owner, unit, host } = arbiter;
  const { managed } = hostWithoutServer(host, view);
  return {
    name,
    address: adminAddress,
    port,
    managementDir,
    clusterDir: `${managementDir}/clusters/${cluster}`,
    owner,
    unit,
    service: serviceWord(serviceManager(host, view), unit),
    node: nodePath(host, view),
    bundle: installed(managed, managementDir, bundleFile),
    mcArb: installed(managed, managementDir, commandFile('mc_arb')),
    identities: arbiterIdentities(whole, view),
    othersNeedIt: otherControllers(arbiter),
    ...arbiterConfContext(arbiterConf({ port, myAddress: adminAddress })),
  };
}

/** What its host starts it by, where that runs init scripts. */
export const arbiterInit = ({ arbiter }: Cluster, view: View, mcArb: string): InitContext | undefined =>
  arbiter && arbiterScript(arbiter, view, mcArb);
