/**
 * An etcd, spoken to by the JSON of its own gateway (3.4 and newer), over TLS and as a user with a password. In: requests. Out:
 * answers, or an EtcdTrouble with the reason in words. One member at a time is asked; the caller goes on to the next one.
 */
import type { ClientRequest, OutgoingHttpHeaders } from 'node:http';
import { Agent, request } from 'node:https';
import type { Secret } from '../../base/secret.ts';
import { versionTrouble } from './etcd-versions.ts';
import { EtcdTrouble, errorOf, isStale, type Json, loginTrouble, parsed, printable } from './etcd-words.ts';
import { timerMs } from './timer.ts';

export interface EtcdAccess {
  /** https://host:port of each member. */
  readonly endpoints: readonly string[];
  readonly user: string;
  readonly password: Secret;
  /** The certificates that those of the members are signed by, as PEM. Those of the system do not count. */
  readonly ca: string;
}

/** How long an answer may take, in milliseconds. */
export interface EtcdLimits {
  readonly call: number;
  /** A login costs etcd a slow hash; counted from when the connection stands, so that a silent member costs no more than a call. */
  readonly login: number;
  /** What is left for everything: no limit is longer. */
  readonly left: number;
}

interface Question {
  readonly endpoint: string;
  readonly path: string;
  /** Without one it only asks (GET). */
  readonly body?: Json;
  readonly token?: string;
  readonly slow?: true;
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

/** Far more than any answer to what is asked here. */
const longest = 256 * 1024;

/** PERMISSION_DENIED of gRPC. */
const denied = 7;

/** From 3.5.10 on a token outlives the end of the authentication, which only a login is told of. */
const loginLastsMs = 60_000;

export class Etcd {
  readonly #access: EtcdAccess;
  readonly #limits: () => EtcdLimits;
  readonly #agent: Agent;
  #at = 0;
  #token: { readonly text: string; readonly until: number } | null = null;
  #loggingIn: Promise<string> | null = null;
  /** Members whose version was looked at, as long as they answer. */
  readonly #sound = new Set<string>();

  constructor(access: EtcdAccess, limits: () => EtcdLimits) {
    this.#access = access;
    this.#limits = limits;
    this.#agent = new Agent({
      keepAlive: true,
      // One for the cell, one for what nobody waits for.
      maxSockets: 2,
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
    const { endpoint } = this;
    await this.#checkVersion(endpoint);
    const token = this.#token;
    if (token !== null && performance.now() < token.until) {
      const answer = await this.#send({ endpoint, path, body, token: token.text });
      if (!isStale(answer)) return this.#read(answer);
      if (this.#token === token) this.#token = null;
    }
    const renewed = await this.#logIn(endpoint);
    return this.#read(await this.#send({ endpoint, path, body, token: renewed }));
  }

  async #checkVersion(endpoint: string): Promise<void> {
    if (this.#sound.has(endpoint)) return;
    const { text } = await this.#send({ endpoint, path: '/version' });
    const trouble = versionTrouble(parsed(text));
    if (trouble !== null) throw new EtcdTrouble(trouble, 'refused');
    this.#sound.add(endpoint);
  }

  /** One at a time, also where two calls find that they need it. */
  #logIn(endpoint: string): Promise<string> {
    this.#loggingIn ??= this.#askForToken(endpoint).finally(() => {
      this.#loggingIn = null;
    });
    return this.#loggingIn;
  }

  async #askForToken(endpoint: string): Promise<string> {
    const { user, password } = this.#access;
    const body = { name: user, password: password.reveal() };
    const answer = await this.#send({ endpoint, path: '/v3/auth/authenticate', body, slow: true });
    const said = parsed(answer.text);
    if (answer.status !== 200 || !said) throw loginTrouble(answer.status, said, user);
    const { token } = said;
    if (typeof token !== 'string' || !isToken(token))
      throw new EtcdTrouble('it says nothing that can be understood');
    this.#token = { text: token, until: performance.now() + loginLastsMs };
    return token;
  }

  #read(answer: Answer): Json {
    const said = parsed(answer.text);
    if (answer.status === 200 && said) return said;
    const { user } = this.#access;
    const { code, words } = errorOf(said);
    if (answer.status === 404)
      throw new EtcdTrouble('it has no JSON gateway: enable-grpc-gateway has to be true', 'refused');
    if (code === denied)
      throw new EtcdTrouble(`user '${user}' may not read and write the keys of this cluster`, 'refused');
    const told = this.#withoutSecrets(words);
    throw new EtcdTrouble(told === '' ? `it answers with status ${answer.status}` : `it says: ${told}`);
  }

  /** Whoever answers there may repeat what it was told. */
  #withoutSecrets(words: string): string {
    const secrets = [this.#access.password.reveal(), this.#token?.text ?? ''].filter((it) => it !== '');
    return printable(secrets.reduce((so, secret) => so.replaceAll(secret, '***'), words)).slice(0, 200);
  }

  /** What cannot even be asked is as good as no answer: nothing that stands in a file or comes from there ends the controller. */
  #begin({ endpoint, path, body, token }: Question, text: string): ClientRequest {
    const headers: OutgoingHttpHeaders = {
      ...(body ? { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) } : {}),
      ...(token === undefined ? {} : { authorization: token }),
    };
    try {
      const method = body ? 'POST' : 'GET';
      return request(new URL(path, endpoint), { method, headers, agent: this.#agent });
    } catch (error) {
      throw new EtcdTrouble(error instanceof Error ? wordsOf(error) : String(error), 'silent');
    }
  }

  #send(question: Question): Promise<Answer> {
    const text = question.body ? JSON.stringify(question.body) : '';
    return new Promise((resolve, reject) => {
      const call = this.#begin(question, text);
      const fail = (why: string): void => {
        end();
        call.destroy();
        // Who comes back may be another program.
        this.#sound.delete(question.endpoint);
        reject(new EtcdTrouble(why, 'silent'));
      };
      const end = this.#limit(call, question, () => fail('it does not answer'));
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
          end();
          resolve({ status: response.statusCode ?? 0, text: came });
        });
      });
      call.end(text === '' ? undefined : text);
    });
  }

  /** Returns what ends the waiting. A slow answer has its own time once the connection stands. */
  #limit(call: ClientRequest, { slow }: Question, late: () => void): () => void {
    const wait = (ms: number): NodeJS.Timeout => setTimeout(late, timerMs(Math.min(ms, this.#limits().left)));
    let timer = wait(this.#limits().call);
    const end = (): void => clearTimeout(timer);
    const stands = (): void => {
      end();
      timer = wait(this.#limits().login);
    };
    if (slow)
      call.on('socket', (socket) => (call.reusedSocket ? stands() : socket.once('secureConnect', stands)));
    return end;
  }
}

/** It becomes a header as it is. */
const isToken = (text: string): boolean => /^[\x21-\x7e]{1,8192}$/.test(text);

function wordsOf(error: Error): string {
  const code = 'code' in error ? String(error.code) : '';
  if (code === 'ECONNREFUSED') return 'nobody listens there';
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return 'its certificate is one of another name or address';
  if (/CERT|SIGNATURE|ISSUER/.test(code)) return `its certificate is not trusted (${code})`;
  if (/^ERR_SSL|^EPROTO/.test(code)) return `it does not speak TLS as it should (${code})`;
  return printable(error.message).slice(0, 200);
}
