/** `shared_preload_libraries` as a list: names with commas between them, each perhaps quoted or with the place where PostgreSQL looks anyway. Pure. */

export const librariesIn = (list: string): readonly string[] =>
  list
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');

/** "\"$libdir/auth_delay\"" → "auth_delay" */
export const bareLibrary = (name: string): string =>
  name.replace(/^"(.*)"$/, '$1').replace(/^\$libdir\//, '');
