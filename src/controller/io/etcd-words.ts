/**
 * What an etcd says, as far as it is understood. In: the JSON of its answers. Out: the code and the words of an error, and the trouble that
 * follows. Whoever answers may be a proxy, or lie: only printable characters leave, and of an answer to a login none of its words. Pure.
 */

/** Why there is no answer that counts. */
export class EtcdTrouble extends Error {
  readonly kind: 'silent' | 'member' | 'login' | 'refused';

  /** silent: it has not answered. member: it says no. login: the password is not taken. refused: it is not to be asked so. */
  constructor(why: string, kind: EtcdTrouble['kind'] = 'member') {
    super(why);
    this.kind = kind;
  }
}

export type Json = Readonly<Record<string, unknown>>;

export const isJson = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Null where it is no object of JSON. */
export function parsed(text: string): Json | null {
  try {
    const value: unknown = JSON.parse(text);
    return isJson(value) ? value : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

/** For a log and a terminal: what could steer one is a space. */
export const printable = (words: string): string => words.replace(/[^\x21-\x7e]+/g, ' ').trim();

/** 3.4 and 3.5 say `error` as well as `message`. */
export function errorOf(said: Json | null): { readonly code: number; readonly words: string } {
  const { code, message, error } = said ?? {};
  const words = typeof message === 'string' ? message : typeof error === 'string' ? error : '';
  return { code: typeof code === 'number' ? code : 0, words: words.replace(/^etcdserver: /, '') };
}

/** UNAUTHENTICATED of gRPC, and of HTTP. */
const [unauthenticated, unauthorized] = [16, 401];

const staleWords =
  /invalid auth token|auth store is old|user name is empty|(?:auth: )?revision in header is old/;

/** It wants to be told the password anew. Early releases of 3.5 say so of a signed token with another code. */
export function isStale({ status, text }: { readonly status: number; readonly text: string }): boolean {
  if (status === 200) return false;
  const { code, words } = errorOf(parsed(text));
  return status === unauthorized || code === unauthenticated || staleWords.test(words);
}

/** Its words may repeat the password: of them only what is known is told. */
export function loginTrouble(status: number, said: Json | null, user: string): EtcdTrouble {
  const { words } = errorOf(said);
  if (status === 404)
    return new EtcdTrouble('it has no JSON gateway: enable-grpc-gateway has to be true', 'refused');
  if (/invalid user ID or password|authentication failed/.test(words))
    return new EtcdTrouble(`it does not take the password of user '${user}'`, 'login');
  if (/authentication is not enabled/.test(words))
    return new EtcdTrouble('its authentication is off, so that everybody could write there', 'login');
  return new EtcdTrouble(`it answers the login with status ${status}`);
}
