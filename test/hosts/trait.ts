/**
 * What a trait is: something that hosts of people have and those of the lab have not, as data. The files of `traits/` hold them.
 *
 * Texts may name, in braces: version, bin, data, conf (where postgresql.conf is), port, unit (that starts the single server), and of the host
 * and of the other one: name, address, address6, peer, peer_address, peer_address6.
 */
import type { YamlMap } from '../lab/support/inventory.ts';

export type Image = 'debian12' | 'debian13';
export const images: readonly Image[] = ['debian12', 'debian13'];

/**
 * What stands on the first host before pgduet comes: nothing, Debian's cluster with its files in /etc, or one of `initdb` with a unit
 * of its own. The second host has nothing but its packages.
 */
export type Start = 'fresh' | 'packaged' | 'unit';
export const starts: readonly Start[] = ['fresh', 'packaged', 'unit'];
/** Those with a server that is there already. */
export const single: readonly Start[] = ['packaged', 'unit'];

/** The first host is to be primary, the second one standby. */
export type Place = 'primary' | 'standby' | 'both';

/** What differs from the plain inventory, key by key; rules come on top. */
export interface Patch {
  readonly cluster?: string;
  /** In place of server1 and server2. */
  readonly names?: readonly [string, string];
  readonly ssh?: YamlMap;
  readonly postgres?: YamlMap;
  readonly settings?: YamlMap;
  readonly hba?: readonly YamlMap[];
  readonly multiplexing?: YamlMap;
  readonly secrets?: YamlMap;
  /** Of both hosts, each with its own names filled in. */
  readonly host?: YamlMap;
}

/** What is done to hosts. Scripts run as root, with `sh -eu`. */
export interface Acts {
  /** On each host of the place. */
  readonly shell?: string;
  /** On the other hosts. */
  readonly elsewhere?: string;
  /** In the single server as its superuser; an object has a text for each database. */
  readonly sql?: string | Readonly<Record<string, string>>;
  /** Where the single server is, while it is stopped. */
  readonly stopped?: string;
  /** The single server is restarted behind it. */
  readonly restart?: true;
  /** On the host of the single server, once it runs again. */
  readonly started?: string;
  readonly inventory?: Patch;
}

export interface Refusal {
  readonly kind: 'refused';
  /** Who says so: `validate` and every other verb, or those that look at hosts. */
  readonly by: 'validate' | 'plan';
  readonly code: string;
  /** What the message has to name. */
  readonly names: RegExp;
  /** What the message advises: its commands as they stand, or what they cannot say. Behind it the same verb goes on. */
  readonly fix: Acts | 'commands';
}

export type Right = { readonly kind: 'works' } | Refusal;
export const works: Right = { kind: 'works' };

export interface Trait extends Acts {
  /** Lower case with dashes: it stands in the command that repeats a round. */
  readonly name: string;
  /** What a person has there, in one sentence. */
  readonly has: string;
  readonly starts: readonly Start[];
  /** All of them where nothing is said. */
  readonly images?: readonly Image[];
  /** Where it may be; one of them is drawn. Both hosts where nothing is said. */
  readonly places?: readonly Place[];
  /** Two traits of one topic are never drawn together. */
  readonly topics?: readonly string[];
  /** Small disks of each host of the place, in MiB by mountpoint. */
  readonly disks?: Readonly<Record<string, number>>;
  /** Of the process that runs pgduet. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Directories in which others write all the time. */
  readonly lives?: readonly string[];
  /** Codes that `check` has to be allowed to tell, since they are so. */
  readonly tells?: readonly string[];
  /** What the plan has to say before anybody says yes. */
  readonly foretold?: RegExp;
  readonly right: Right;
  /** Why what is right does not hold yet. `npm test` leaves it out, `--open` runs it. */
  readonly open?: string;
}

export const placesOf = ({ places = ['both'] }: Trait): readonly Place[] => places;

/** Whether a trait can stand on hosts of an image with such a start. */
export const fits = (trait: Trait, image: Image, start: Start): boolean =>
  (trait.images ?? images).includes(image) && trait.starts.includes(start);

/** Whether two traits can stand beside each other. */
export const agree = (one: Trait, other: Trait): boolean =>
  one.name !== other.name && !(one.topics ?? []).some((topic) => other.topics?.includes(topic));
