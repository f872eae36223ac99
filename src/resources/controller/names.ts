/**
 * names: the words by which the inventory calls the hosts mean the same hosts everywhere: none means a loopback address, this
 * host is meant by its own alone, and it connects from an address that the others let in. It only looks; what is wrong is refused.
 */
import type { Diagnostic } from '../../base/diagnostic.ts';
import { flag, text, wordList } from '../contract/field.ts';
import { type DesiredOf, fieldsOf, mapsOf } from '../contract/fields.ts';
import { present, type ResourceKind, refuse, same, unknown } from '../contract/kind.ts';
import { type NamesSeen, namesProbe, readNames } from './names-observation.ts';

const fields = fieldsOf({
  names: wordList('all names of the cluster'),
  addresses: wordList('all addresses of the cluster'),
  words: mapsOf(
    {
      word: text('a name or an address of the inventory'),
      of: text('the host that it stands for'),
      keys: text('the keys of the inventory that say so'),
      own: flag('it stands for this host, or for one on the same machine', false),
      replicates: flag('replication connects to it', false),
      numeric: wordList('the address in the spelling of the system, where the word is one'),
      means: wordList('its addresses, as the host that it stands for sees them'),
      interfaces: wordList('all addresses of that host'),
    },
    'the words, and what is known of them',
  ),
});
type Desired = DesiredOf<typeof fields>;
type Word = Desired['words'][number];

export const names: ResourceKind<Desired, NamesSeen> = {
  kind: 'names',
  summary:
    'The names and addresses of the cluster mean its hosts, as seen from this one. It is never changed: what is wrong is refused.',
  fields,
  key: () => 'mean the same everywhere',
  describe: () => 'names and addresses of the hosts',
  probe: namesProbe,
  read: (reply) => {
    const seen = readNames(reply);
    return seen ? present(seen) : unknown(reply.stderr.trim() || 'the names could not be looked up');
  },
  diff: (desired, observed) => {
    if (observed.state === 'absent') return same('there is none');
    const seen = observed.value;
    const told = [
      ...desired.words.flatMap((word) => meaning(word, seen) ?? []),
      ...(origin(desired.words, seen) ?? []),
    ];
    const [first] = told;
    return first ? refuse(refusal(first, told)) : same('they mean the hosts of the cluster');
  },
  steps: () => [],
};

interface Wrong {
  readonly what: string;
  readonly why: string;
  readonly fix: string;
}

const refusal = ({ what, why, fix }: Wrong, all: readonly Wrong[]): Diagnostic => ({
  code: 'SAF044',
  what,
  why,
  fix,
  ...(all.length > 1 ? { evidence: all.slice(1).map((one) => one.what) } : {}),
});

const isLoopback = (address: string): boolean => address === '::1' || address.startsWith('127.');

const shares = (some: readonly string[], others: readonly string[]): boolean =>
  some.some((one) => others.includes(one));

/** The addresses of a word on this host; undefined where nobody could say. */
const addressesOf = ({ word, numeric }: Word, seen: NamesSeen): readonly string[] | undefined =>
  numeric.length > 0 ? numeric : seen.meant[word];

function meaning(word: Word, seen: NamesSeen): Wrong | undefined {
  const addresses = addressesOf(word, seen);
  const source = seen.lines[word.word]?.map((line) => `/etc/hosts:${line}`).join(', ');
  const where = source ? ` (${source})` : '';
  const called = `'${word.word}' (${word.keys} of ${word.of})`;
  const write = `in /etc/hosts or DNS give ${word.word} the address by which the other hosts reach ${word.of}, or write that address into the inventory (${word.keys}).`;
  const repair = source
    ? `Take the name out of ${source.replace(/: .*/, '')}, and ${write}`
    : `Here ${write}`;
  if (addresses === undefined || addresses.length === 0)
    return {
      what: `the name ${called} ${addresses ? 'means nothing here' : 'could not be looked up here within 5 s'}`,
      why: 'controllers and replication look it up on the hosts, and would not find the server',
      fix: `On this host ${write}`,
    };
  const shown = `${addresses.join(' and ')}${where}`;
  const loopback = addresses.some(isLoopback);
  if (loopback)
    return {
      what: `${called} means ${shown} here`,
      why: word.own
        ? 'what listens there is reached by nobody on another host'
        : `it is this host itself, and never ${word.of}`,
      fix: repair,
    };
  if (word.own) return notHere(word, seen, addresses, { called, shown, repair });
  if (shares(addresses, seen.interfaces))
    return {
      what: `${called} means ${shown} here, which is this host itself`,
      why: `what is meant for ${word.of} would come to the wrong server`,
      fix: repair,
    };
  const theirs = [...word.means, ...word.interfaces];
  if (word.numeric.length > 0 || theirs.length === 0 || shares(addresses, theirs)) return undefined;
  return {
    what: `${called} means ${shown} here, and ${word.of} itself has ${word.means.join(' and ') || word.interfaces.join(' and ')}`,
    why: 'one name leads to different hosts, so that a server could follow or ask the wrong one',
    fix: repair,
  };
}

/** An address of another machine in front of it, which replication may pass, is one that nobody here can listen on. */
function notHere(
  { word, keys, of, numeric }: Word,
  { interfaces }: NamesSeen,
  addresses: readonly string[],
  { called, shown, repair }: { readonly called: string; readonly shown: string; readonly repair: string },
): Wrong | undefined {
  const isAdmin = keys.includes('admin_address');
  if (interfaces.length === 0 || shares(addresses, interfaces) || (numeric.length > 0 && !isAdmin))
    return undefined;
  return {
    what: `${called} means ${shown}, and no network interface of ${of} has that address`,
    why: 'its controller cannot listen there, or the others would reach another host',
    fix: numeric.length > 0 ? `Write an address that ${of} has instead of ${word} (${keys}).` : repair,
  };
}

/** From where this host replicates, where that is an address that no rule of pg_hba.conf lets in. */
function origin(words: readonly Word[], seen: NamesSeen): readonly Wrong[] | undefined {
  const ours = words.filter(({ own, replicates }) => own && replicates);
  const declared = ours.flatMap((word) => addressesOf(word, seen) ?? []);
  // Where the declared one is no address of this host, somebody in between makes it one.
  const [self] = ours;
  if (!self || !shares(declared, seen.interfaces)) return undefined;
  return words
    .filter(({ own, replicates }) => !own && replicates)
    .flatMap((word) => {
      const sources = (addressesOf(word, seen) ?? []).flatMap((address) => seen.from[address] ?? []);
      const [first] = sources;
      if (first === undefined || shares(sources, declared)) return [];
      return [
        {
          what: `this host connects to '${word.word}' (${word.of}) from ${first}, which is not ${self.word} (${self.keys})`,
          why: 'pg_hba.conf of the other servers lets replication in from the declared address alone',
          fix: `Write log_transfer_address: ${first} for ${self.of}, or give the host a route that begins at ${self.word} (ip route … src).`,
        },
      ];
    });
}
