/**
 * An etcd, spoken to by the JSON of its own gateway (3.4 and newer), over TLS and as a user with a password. In: requests. Out:
 * answers, or an EtcdTrouble with the reason in words. One member at a time is asked; the caller goes on to the next one.
 */
import { Agent, request } from 'node:https';
import type { Secret } from '../../base/secret.ts';
import { timerMs } from './timer.ts';

export interface EtcdAccess {
  /** https://host:port of each member. */
  readonly endpoints: readonly string[];
  readonly user: string;
  readonly password: Secret;
  /** The certificates that those of the members are signed by, as PEM. Those of the system do not count. */
  readonly ca: string;
}

/** How long an answer may take, in milliseconds. A login costs etcd a slow hash. */
export interface EtcdLimits {
  readonly call: number;
  readonly login: number;
}

/** Why there is no answer that counts. */
export class EtcdTrouble extends Error {
  readonly kind: 'member' | 'login' | 'refused';

  /** member: another one may answer; login: the password is not taken; refused: every member would say so. */
  constructor(why: string, kind: EtcdTrouble['kind'] = 'member') {
    super(why);
    this.kind = kind;
  }
}

export type Json = Readonly<Record<string, unknown>>;

export const isJson = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

interface Answer {
  readonly status: number;
  readonly text: string;
}

/** Far more than any answer to what is asked here. */
const longest = 256 * 1024;

/** PERMISSION_DENIED of gRPC. */
const denied = 7;

export class Etcd {
  readonly #access: EtcdAccess;
  readonly #limits: () => EtcdLimits;
  readonly #agent: Agent;
  #at = 0;
  #token: string | null = null;

  constructor(access: EtcdAccess, limits: () => EtcdLimits) {
    this.#access = access;
    this.#limits = limits;
    this.#agent = new Agent({
      keepAlive: true,
      maxSockets: 1,
      ca: access.ca,
      minVersion: 'TLSv1.2',
      // An environment variable could switch this off for the whole process.
      rejectUnauthorized: true,
    });
  }

  get endpoint(): string {
    return this.#access.endpoints[this.#at] ?? '';
  }

  /** What fails at one member is tried at the next one. */
  next(): void {
    this.#at = (this.#at + 1) % this.#access.endpoints.length;
  }

  /** An etcd that was put back waits for the future that the token is of, and answers nobody who shows it. */
  forgetLogin(): void {
    this.#token = null;
  }

  close(): void {
    this.#agent.destroy();
  }

  /** A token that etcd does not know any more, or that is older than a change of its users, is renewed once. */
  async call(path: string, body: Json): Promise<Json> {
    if (this.#token !== null) {
      const answer = await this.#post(path, body, this.#token);
      if (!isStale(answer)) return this.#read(answer);
    }
    this.#token = await this.#logIn();
    return this.#read(await this.#post(path, body, this.#token));
  }

  async #logIn(): Promise<string> {
    const { user, password } = this.#access;
    const login = { name: user, password: password.reveal() };
    const answer = await this.#post('/v3/auth/authenticate', login, null, this.#limits().login);
    const { token } = this.#read(answer);
    if (typeof token !== 'string') throw new EtcdTrouble('it says nothing that can be understood');
    return token;
  }

  #read(answer: Answer): Json {
    const said = parsed(answer.text);
    if (answer.status === 200 && said) return said;
    throw this.#trouble(answer.status, said);
  }

  #trouble(status: number, said: Json | null): EtcdTrouble {
    const { user } = this.#access;
    const { code, words } = errorOf(said);
    if (status === 404)
      return new EtcdTrouble('it has no JSON gateway: enable-grpc-gateway has to be true', 'refused');
    if (/invalid user ID or password|authentication failed/.test(words))
      return new EtcdTrouble(`it does not take the password of user '${user}'`, 'login');
    if (/authentication is not enabled/.test(words))
      return new EtcdTrouble('its authentication is off, so that everybody could write there', 'login');
    if (code === denied)
      return new EtcdTrouble(`user '${user}' may not read and write the keys of this cluster`, 'refused');
    return new EtcdTrouble(words === '' ? `it answers with status ${status}` : `it says: ${words}`);
  }

  #post(path: string, body: Json, token: string | null, limitMs = this.#limits().call): Promise<Answer> {
    const text = JSON.stringify(body);
    const headers = {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(text),
      ...(token === null ? {} : { authorization: token }),
    };
    return new Promise((resolve, reject) => {
      const fail = (why: string): void => {
        clearTimeout(timer);
        call.destroy();
        reject(new EtcdTrouble(why));
      };
      const timer = setTimeout(() => fail('it does not answer'), timerMs(limitMs));
      const call = request(new URL(path, this.endpoint), { method: 'POST', headers, agent: this.#agent });
      call.on('error', (error) => fail(wordsOf(error)));
      call.on('response', (response) => {
        let came = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          came += chunk;
          if (came.length > longest) fail('it says more than can be meant');
        });
        response.on('error', (error) => fail(wordsOf(error)));
        response.on('end', () => {
          clearTimeout(timer);
          resolve({ status: response.statusCode ?? 0, text: came });
        });
      });
      call.end(text);
    });
  }
}

function parsed(text: string): Json | null {
  try {
    const value: unknown = JSON.parse(text);
    return isJson(value) ? value : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

/** 3.4 and 3.5 say `error` as well as `message`. */
function errorOf(said: Json | null): { readonly code: number; readonly words: string } {
  const { code, message, error } = said ?? {};
  const words = typeof message === 'string' ? message : typeof error === 'string' ? error : '';
  return {
    code: typeof code === 'number' ? code : 0,
    words: words.replace(/^etcdserver: /, '').slice(0, 200),
  };
}

/** It wants to be told the password anew. */
const isStale = ({ status, text }: Answer): boolean =>
  status !== 200 &&
  /invalid auth token|auth store is old|user name is empty/.test(errorOf(parsed(text)).words);

function wordsOf(error: Error): string {
  const code = 'code' in error ? String(error.code) : '';
  if (code === 'ECONNREFUSED') return 'nobody listens there';
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return 'its certificate is one of another name or address';
  if (/CERT|SIGNATURE|ISSUER/.test(code)) return `its certificate is not trusted (${code})`;
  if (/^ERR_SSL|^EPROTO/.test(code)) return `it does not speak TLS as it should (${code})`;
  return error.message;
}
