/**
 * One round: hosts with traits, verbs one after the other, a judgement behind each. In: a draw. Out: what was wrong, and the story. It
 * runs the built pgduet as a person does, and looks at the hosts without it.
 */
import { type Host, Lab } from '../lab/harness/lab.ts';
import { until } from '../lab/harness/run.ts';
import { appLogin } from '../lab/single/shop.ts';
import { lastWords, type Server, sql } from '../lab/support/instance.ts';
import {
  type CheckDocument,
  findingsOf,
  type Pgduet,
  pgduet,
  type Said,
  type StatusDocument,
} from '../lab/support/pgduet.ts';
import { type Command, nextOf, pgduetWords } from './advice.ts';
import { Writer } from './client.ts';
import type { Draw, Verb } from './draw.ts';
import {
  ended,
  left,
  refusalIn,
  type Sight,
  spoken,
  type Told,
  touched,
  twoPrimaries,
  unclean,
  type Wrong,
  wellEnded,
} from './judge.ts';
import type { Places } from './own.ts';
import { act, isSingle, lookAt, makeSite, placesOf, type Site, serversOf } from './site.ts';
import type { Refusal, Trait } from './trait.ts';

export interface Result {
  readonly draw: Draw;
  readonly wrong: readonly Wrong[];
  /** The verbs that were run, and what they said where it counts. */
  readonly story: readonly string[];
  /** Refusals that were due, and came. */
  readonly refused: number;
  readonly seconds: number;
}

export async function runRound(draw: Draw): Promise<Result> {
  const begin = Date.now();
  const lab = await Lab.open();
  const round = new Round(lab, draw);
  try {
    await round.run();
  } catch (error) {
    round.wrong.push({ rule: 2, what: error instanceof Error ? error.message : String(error) });
  } finally {
    await round.end();
    await lab.close();
  }
  const { wrong, story, refused } = round;
  return { draw, wrong, story, refused, seconds: (Date.now() - begin) / 1000 };
}

/** How long writes may be away: a takeover of a silent primary takes less than ten seconds. */
const writesAgainMs = 300_000;
const wholeMs = 300_000;
/** Nothing ends later but what hangs: a machine that is busy with other tests takes ten times as long as one that is not. */
const hangsMs = 600_000;

/** Waits for words of `mc_ctl status`. No login is made for it: a login of these hosts may say and do anything. */
async function untilSays(server: Server, words: string): Promise<void> {
  const { host, managementDir, id, owner } = server;
  let last = '';
  await until(
    async () => `mc_ctl status on ${id} does not say '${words}', but:\n${last}${await lastWords(server)}`,
    wholeMs,
    async () => {
      const asked = `runuser -u ${owner} -- mc_ctl status -M ${managementDir} --local-server ${id}`;
      const { stdout, stderr } = await host.sh(asked);
      last = `${stdout}${stderr}`;
      return last.split('\n').some((line) => line.startsWith(words)) ? true : undefined;
    },
    500,
  );
}

/** More advice than this leads in a circle. */
const mostAdvice = 6;
/** Its status tells how things are, and not whether it was done. */
const isLook = (run: string): boolean => /^(pgduet (status|check)|systemctl (cat|status))\b/.test(run);

const isRefusal = (right: Trait['right']): right is Refusal => right.kind === 'refused';

const united = (one: Places, other: Places): Places => ({
  ...other,
  ownPaths: [...new Set([...one.ownPaths, ...other.ownPaths])],
  dataDirs: [...new Set([...one.dataDirs, ...other.dataDirs])],
  moreDirs: [...new Set([...one.moreDirs, ...other.moreDirs])],
});

class Round {
  readonly wrong: Wrong[] = [];
  readonly story: string[] = [];
  refused = 0;
  readonly #lab: Lab;
  readonly #draw: Draw;
  readonly #command: Pgduet;
  readonly #due: { readonly trait: Trait; readonly right: Refusal }[];
  #site: Site | undefined;
  #writer: Writer | undefined;
  #before: readonly Sight[] = [];
  #places: readonly [Places, Places] | undefined;
  #plan = '';
  /** The server that a fault has thrown out. */
  #out: Server | undefined;

  constructor(lab: Lab, draw: Draw) {
    this.#lab = lab;
    this.#draw = draw;
    this.#command = pgduet(lab, hangsMs);
    this.#due = draw.traits.flatMap(({ trait }) => {
      const { right } = trait;
      return isRefusal(right) ? [{ trait, right }] : [];
    });
  }

  get #traits(): readonly Trait[] {
    return this.#draw.traits.map(({ trait }) => trait);
  }

  get #there(): Site {
    if (this.#site === undefined) throw new Error('there are no hosts yet');
    return this.#site;
  }

  async run(): Promise<void> {
    this.#site = await makeSite(this.#lab, this.#draw);
    this.#before = await this.#look();
    if (isSingle(this.#site)) this.#writer = await Writer.start(this.#lab, serversOf(this.#site));
    for (const verb of this.#draw.verbs) {
      await this.#do(verb);
      if (this.wrong.length > 0) return;
    }
    await this.#judgeAtLast();
  }

  async end(): Promise<void> {
    await this.#writer?.end();
  }

  #do(verb: Verb): Promise<void> {
    if (verb === 'fault') return this.#fault();
    if (verb === 'halt') return this.#halt();
    if (verb === 'reboot') return this.#reboot();
    if (verb === 'follow') return this.#follow();
    return this.#pgduet(verb);
  }

  async #pgduet(verb: Verb): Promise<void> {
    const begin = Date.now();
    const said = await this.#run(verb);
    const told = wellEnded[verb].includes(said.status) ? [] : await this.#told(verb, said);
    this.story.push(`${verb}: status ${said.status} after ${((Date.now() - begin) / 1000).toFixed(1)} s`);
    this.wrong.push(...spoken(verb, said.all));
    const refusal = refusalIn(
      told,
      this.#due.map(({ right }) => right),
    );
    if (refusal) return this.#wasRefused(verb, refusal, told);
    this.wrong.push(...(verb === 'check' ? this.#checked(said, told) : ended(verb, said.status, told)));
    if (this.wrong.length > 0) return this.#failed(verb, said);
    this.wrong.push(...this.#overdue(verb));
    if (this.wrong.length === 0) await this.#behind(verb, said);
  }

  #run(verb: Verb): Promise<Said> {
    return this.#command([...this.#words(verb), '-i', this.#there.file], this.#there.environment);
  }

  #words(verb: Verb): string[] {
    const make = isSingle(this.#there) ? 'migrate' : 'provision';
    const [first] = serversOf(this.#there);
    const words: Partial<Record<Verb, string[]>> = {
      validate: ['validate', '--json'],
      look: [make, '--check', '--diff', '--verbose'],
      make: [make, '--yes', '--json'],
      again: [make, '--yes', '--json'],
      check: ['check', '--json'],
      switch: ['switch', '--yes', '--json'],
      rebuild: ['rebuild', this.#out?.id ?? first.id, '--yes', '--json'],
      teardown: ['teardown', ...(isSingle(this.#there) ? ['--keep', first.id] : []), '--yes', '--json'],
    };
    return words[verb] ?? [verb];
  }

  /** The messages as data; what a person reads is told again as such. */
  async #told(verb: Verb, said: Said): Promise<readonly Told[]> {
    const from =
      verb === 'look'
        ? await this.#command(
            [...this.#words('look').slice(0, 2), '--json', '-i', this.#there.file],
            this.#there.environment,
          )
        : said;
    try {
      return from.json<{ diagnostics?: readonly Told[] }>().diagnostics ?? [];
    } catch {
      return [{ code: 'none', what: `it says no document, but: ${from.all.slice(-2000)}` }];
    }
  }

  /** Nothing was changed; the person does what the message says, and the same command goes on. */
  async #wasRefused(verb: Verb, refusal: Refusal, told: readonly Told[]): Promise<void> {
    this.refused += 1;
    this.#due.splice(
      this.#due.findIndex(({ right }) => right === refusal),
      1,
    );
    await this.#judgeOthers(left);
    const place = this.#draw.traits.find(({ trait }) => trait.right === refusal)?.place ?? 'both';
    if (refusal.fix === 'commands') await this.#obey(told.filter(({ code }) => code === refusal.code));
    else await act(this.#there, [{ acts: refusal.fix, place }]);
    this.#before = await this.#look();
    if (this.wrong.length === 0) await this.#pgduet(verb);
  }

  /** A refusal that should have come by now. */
  #overdue(verb: Verb): Wrong[] {
    const by = verb === 'validate' ? ['validate'] : ['validate', 'plan'];
    return this.#due
      .filter(({ right }) => by.includes(right.by))
      .map(({ trait, right }) => ({
        rule: 2,
        what: `${verb} does not refuse ${trait.name} with ${right.code}`,
      }));
  }

  #checked(said: Said, told: readonly Told[]): Wrong[] {
    const document = said.stdout.startsWith('{') ? said.json<CheckDocument>() : undefined;
    if (document?.clusters === undefined) return ended('check', said.status, told);
    return unclean(findingsOf(document), this.#traits);
  }

  /** As every message advises: the same command again; and what was not pgduet's is there all the same. */
  async #failed(verb: Verb, said: Said): Promise<void> {
    this.story.push(said.all.slice(-3000));
    this.#plan += said.stdout.replaceAll('\\"', '"');
    if (verb === 'make') {
      const again = await this.#run('make');
      this.story.push(`make, the same again: status ${again.status}`);
      this.wrong.push(...spoken('make', again.all));
    }
    if (verb !== 'validate') await this.#judgeOthers();
  }

  async #behind(verb: Verb, said: Said): Promise<void> {
    if (verb === 'look') this.#plan += said.all;
    if (verb === 'make') await this.#made(said);
    if (verb === 'switch' || verb === 'rebuild') await this.#whole();
    if (verb === 'teardown') await this.#tornDown();
    else if (verb !== 'validate' && verb !== 'check') await this.#judgeOthers();
    if (this.#writer) await this.#writes(verb);
  }

  async #made(said: Said): Promise<void> {
    this.#plan += said.stdout.replaceAll('\\"', '"');
    for (const { name, foretold } of this.#traits)
      if (foretold && !foretold.test(this.#plan))
        this.wrong.push({ rule: 2, what: `the plan does not name ${name}: ${foretold}` });
    await this.#whole();
    if (this.#writer) return;
    const [primary] = serversOf(this.#there);
    await sql(primary, `CREATE ROLE app LOGIN PASSWORD '${appLogin.password}'`);
    await sql(primary, 'CREATE DATABASE app OWNER app');
    await sql(primary, 'CREATE TABLE written (who text, id bigint); GRANT ALL ON written TO app', 'app');
    this.#writer = await Writer.start(this.#lab, serversOf(this.#there));
  }

  #whole(): Promise<unknown> {
    return Promise.all(serversOf(this.#there).map((server) => untilSays(server, 'switchable')));
  }

  async #writes(verb: Verb): Promise<void> {
    if (await this.#writer?.writesAgain(writesAgainMs)) return;
    this.wrong.push({
      rule: 4,
      what: `no commit is acknowledged behind ${verb}: ${this.#writer?.lastErrors}`,
    });
  }

  /** The plug of the primary is pulled; the standby takes over, and the other one comes back to be rebuilt. */
  async #fault(): Promise<void> {
    const { primary } = await this.#roles();
    this.#out = primary;
    await primary.host.powerOff();
    await this.#writes('fault');
    await primary.host.powerOn();
    await untilSays(primary, 'mirroring status');
    this.story.push(`fault: the plug of ${primary.id} was pulled, and it is on again`);
  }

  /** Somebody stops the controller of the standby, and with it the instance. */
  async #halt(): Promise<void> {
    const { standby } = await this.#roles();
    await standby.host.sh(`systemctl stop ${standby.unit}`, { check: true });
    await this.#writes('halt');
    this.story.push(`halt: the controller of ${standby.id} was stopped`);
  }

  /** A refusal says what clears it; what a person has to know is so in this round. */
  async #obey(told: readonly Told[]): Promise<void> {
    const all = told.flatMap(({ commands = [] }) => commands);
    if (all.length === 0) this.wrong.push({ rule: 3, what: 'the refusal names no command' });
    for (const command of all) await this.#carryOut(command);
  }

  /** What check and status advise, one command after the other, until they advise nothing new; then all has to be well. */
  async #follow(): Promise<void> {
    const done: Command[] = [];
    while (done.length < mostAdvice && this.wrong.length === 0) {
      const next = nextOf(await this.#advice(), done);
      if (next === undefined) break;
      done.push(next);
      await this.#carryOut(next);
      await this.#writes('follow');
    }
    const words = done.map(({ run }) => run).join('; ');
    this.story.push(`follow: ${words === '' ? 'nothing is advised' : words}`);
    if (this.wrong.length > 0) return;
    await this.#whole().catch((error: unknown) =>
      this.wrong.push({ rule: 3, what: `what was advised does not help (${words}): ${String(error)}` }),
    );
    if (this.wrong.length === 0) await this.#judgeOthers();
  }

  async #advice(): Promise<readonly { readonly commands?: readonly Command[] }[]> {
    const check = await this.#run('check');
    this.wrong.push(...spoken('check', check.all));
    const status = await this.#command(['status', '--json', '-i', this.#there.file], this.#there.environment);
    this.wrong.push(...spoken('follow', status.all));
    const findings = check.stdout.startsWith('{')
      ? (check.json<Partial<CheckDocument>>().clusters ?? [])
      : [];
    const servers = status.stdout.startsWith('{')
      ? (status.json<Partial<StatusDocument>>().servers ?? [])
      : [];
    return [...findings.flatMap((cluster) => cluster.findings), ...servers];
  }

  async #carryOut(command: Command): Promise<void> {
    const { on, as, run } = command;
    const said =
      on === null
        ? await this.#command([...pgduetWords(command, this.#there.file)], this.#there.environment)
        : await this.#hostCalled(on).sh(as === null ? run : `runuser -u ${as} -- ${run}`);
    const all = `${said.stdout}${said.stderr}`;
    this.#plan += all.replaceAll('\\"', '"');
    this.wrong.push(...spoken('follow', all));
    if (said.status !== 0 && !isLook(run))
      this.wrong.push({
        rule: 3,
        what: `the advice '${run}' ends with status ${said.status}: ${all.slice(-2000)}`,
      });
  }

  #hostCalled(name: string): Host {
    const at = serversOf(this.#there).findIndex(({ id }) => id === name);
    const host = this.#there.hosts[at];
    if (host === undefined) throw new Error(`no host is called '${name}'`);
    return host;
  }

  async #reboot(): Promise<void> {
    const { standby } = await this.#roles();
    await standby.host.reboot();
    await this.#whole();
    await this.#writes('reboot');
    this.story.push(`reboot: ${standby.id}`);
  }

  async #roles(): Promise<{ readonly primary: Server; readonly standby: Server }> {
    const [one, other] = serversOf(this.#there);
    const isFirst = (await sql(one, 'SELECT pg_catalog.pg_is_in_recovery()').catch(() => 't')) === 'f';
    return isFirst ? { primary: one, standby: other } : { primary: other, standby: one };
  }

  async #look(): Promise<Sight[]> {
    const places = await this.#seenPlaces();
    return Promise.all(this.#there.hosts.map((host, at) => lookAt(host, places[at === 0 ? 0 : 1])));
  }

  /** What was there once counts, also when it is gone. */
  async #seenPlaces(): Promise<readonly [Places, Places]> {
    const [one, other] = await placesOf(this.#there);
    const [before, beside] = this.#places ?? [one, other];
    this.#places = [united(before, one), united(beside, other)];
    return this.#places;
  }

  async #judgeOthers(judge: typeof touched = touched): Promise<void> {
    const [places, sights] = [await this.#seenPlaces(), await this.#look()];
    for (const [at, sight] of sights.entries()) {
      const before = this.#before[at];
      if (before) this.#wrongOn(at, judge(before, sight, places[at === 0 ? 0 : 1], this.#plan));
    }
  }

  /** Who was single is so again, and the other host has nothing more; a server that pgduet has made stays where it is. */
  #tornDown(): Promise<void> {
    return this.#judgeOthers(isSingle(this.#there) ? left : touched);
  }

  #wrongOn(at: number, wrong: readonly Wrong[]): void {
    const name = this.#there.hosts[at]?.name;
    this.wrong.push(...wrong.map(({ rule, what }) => ({ rule, what: `on ${name}: ${what}` })));
  }

  /** What holds for all of the round. */
  async #judgeAtLast(): Promise<void> {
    if (this.#writer) {
      const { primary } = await this.#roles();
      const missing = await this.#writer.missing(primary);
      if (missing.length > 0)
        this.wrong.push({
          rule: 4,
          what: `${missing.length} acknowledged rows are not on ${primary.id}, ${missing[0]} is one`,
        });
      this.wrong.push(...twoPrimaries(this.#writer.answers));
    }
    for (const host of this.#there.hosts) this.wrong.push(...spoken('check', await host.journal('mcoi*')));
  }
}
