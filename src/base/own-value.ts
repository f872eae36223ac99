/**
 * Words of others as keys. An object answers to some that nobody has put in, such as `constructor`: what is looked up by a word of an
 * inventory, a file or an environment has to be its own. Pure.
 */

/** What every object answers to. Who is indexed by name all over a program cannot be called so. */
export const inheritedNames: readonly string[] = Object.getOwnPropertyNames(Object.prototype);

export const ownValue = <T>(all: Readonly<Record<string, T>>, name: string): T | undefined =>
  Object.hasOwn(all, name) ? all[name] : undefined;
