/** The variables about the words by which hosts are called: what has to mean what on one host. Pure. */
import { canonicalAddress, isHostAddress, isHostName, isLoopback } from '../../inventory/addresses.ts';
import type { Cluster } from '../../inventory/cluster.ts';
import { calledBy, endpointsOf } from '../../observe/names.ts';
import type { View } from '../../observe/survey.ts';

export interface WordVariables {
  readonly word: string;
  readonly of: string;
  readonly keys: string;
  readonly own: boolean;
  readonly replicates: boolean;
  readonly numeric: readonly string[];
  readonly means: readonly string[];
  readonly interfaces: readonly string[];
}

export interface NamesVariables {
  /** Empty where all hosts are one machine, and a loopback address is as good as any. */
  readonly asked: string;
  readonly names: readonly string[];
  readonly addresses: readonly string[];
  readonly words: readonly WordVariables[];
}

export function namesVariables(cluster: Cluster, host: string, view: View): NamesVariables {
  const machine = cluster.hosts.find(({ name }) => name === host)?.machine;
  const called = calledBy(cluster);
  const words = endpointsOf(cluster).map(({ word, of, keys, replicates }): WordVariables => {
    const seen = view.hosts.get(of)?.names;
    const isOwn = cluster.hosts.some((one) => one.name === of && one.machine === machine);
    return {
      word,
      of,
      keys: keys.join(', '),
      own: isOwn,
      replicates,
      numeric: isHostName(word) ? [] : [canonicalAddress(word)],
      means: seen?.meant[word] ?? [],
      interfaces: seen?.interfaces ?? [],
    };
  });
  return { asked: called ? 'yes' : '', ...(called ?? { names: [], addresses: [] }), words };
}

/**
 * What this host takes the name of a server for, beside the name itself: the server looks an address up by the name that
 * stands first for it, which is often a longer one. What no other host comes from is left out.
 */
export const meantAddresses = (word: string, host: string, view: View): readonly string[] =>
  isHostName(word)
    ? (view.hosts.get(host)?.names?.meant[word] ?? []).filter(
        (address) => isHostAddress(address) && !isLoopback(address) && !/^fe80:/i.test(address),
      )
    : [];
