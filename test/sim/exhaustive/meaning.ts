/** What the numbers of a moment stand for, and what follows from them without anybody's decision. In: a moment. Out: plain answers. */
import { type ArbiterState, arbiterHears, arbiterView } from '../../../src/controller/core/arbiter.ts';
import { freshCell } from '../../../src/controller/core/register.ts';
import type { Cell } from '../../../src/controller/core/view.ts';
import { arbiterId, Controllers, type Work } from './controllers.ts';
import { type Instance, mayStream, newInstance, outcomeOf } from './instances.ts';
import { Interned } from './interned.ts';
import { Scene } from './scene.ts';

export class Meaning {
  readonly ids: readonly string[];
  readonly withArbiter: boolean;
  readonly controllers: Controllers;
  readonly instances = new Interned<Instance>((it) => JSON.stringify(it));
  readonly works = new Interned<readonly Work[]>((it) => JSON.stringify(it));
  readonly cells = new Interned<Cell>((it) => JSON.stringify(it));
  readonly used = new Interned<Readonly<Record<string, string>>>((it) => JSON.stringify(it));
  readonly tick: number;
  readonly #heard = new Map<string, number>();
  readonly #answers: number[] = [];
  readonly #looks = new Map<string, number>();

  constructor(servers: number, withArbiter: boolean) {
    this.ids = Array.from({ length: servers }, (_, index) => `server${index + 1}`);
    this.withArbiter = withArbiter;
    this.controllers = new Controllers(this.ids, withArbiter);
    this.tick = this.controllers.happenings.numberOf({ kind: 'tick' });
  }

  /** Nothing runs yet. */
  begin(): Scene {
    const scene = new Scene(this.ids.length);
    const [first = ''] = this.ids;
    this.ids.forEach((id, at) => {
      const others = this.ids.filter((it) => it !== id);
      scene.put(at, 'instance', this.instances.numberOf(newInstance(id, others, at === 0 ? null : first)));
    });
    if (this.withArbiter) scene.putAll('cell', this.cells.numberOf(freshCell('cell')));
    return scene;
  }

  /** The real judgement of the arbiter. It prefers nobody: that would only be one more answer that does not come. */
  hears(cell: number, view: number): number {
    const key = `${cell} ${view}`;
    const known = this.#heard.get(key);
    if (known !== undefined) return known;
    const after = arbiterHears(this.#arbiter(cell), this.controllers.views.get(view), 0).cell;
    const number = this.cells.numberOf(after);
    this.#heard.set(key, number);
    return number;
  }

  #arbiter(number: number): ArbiterState {
    const cell = this.cells.get(number);
    const nothing = { version: '0', seq: 0, heard: {}, startedAt: 0, patienceMs: 0 };
    return { ...nothing, id: arbiterId, incarnation: cell.id, cell };
  }

  /** What it answers, among the happenings. */
  answer(cell: number): number {
    const known = this.#answers[cell];
    if (known !== undefined) return known;
    const view = arbiterView(this.#arbiter(cell));
    const number = this.controllers.happenings.numberOf({ kind: 'arbiter-heard', arbiter: arbiterId, view });
    this.#answers[cell] = number;
    return number;
  }

  instance(scene: Scene, host: number): Instance {
    return this.instances.get(scene.of(host, 'instance'));
  }

  worksOf(scene: Scene, host: number): readonly Work[] {
    const works = scene.of(host, 'works');
    return works === 0 ? [] : this.works.get(works);
  }

  streams(scene: Scene, standby: number, primary: number): boolean {
    return (
      standby !== primary &&
      !scene.isApart(standby, primary) &&
      mayStream(this.instance(scene, standby), this.instance(scene, primary))
    );
  }

  /** What a look at the instance says, among the happenings. */
  look(scene: Scene, host: number): number {
    let key = `${host} ${scene.all('apart')}`;
    for (let at = 0; at < scene.hosts; at += 1) key += ` ${scene.of(at, 'instance')}`;
    const known = this.#looks.get(key);
    if (known !== undefined) return known;
    const places = [...this.ids.keys()];
    const streaming = places
      .filter((it) => this.streams(scene, it, host))
      .map((it) => this.instance(scene, it));
    const receives = places.some((it) => this.streams(scene, host, it));
    const outcome = outcomeOf(this.instance(scene, host), streaming, receives);
    const number = this.controllers.happenings.numberOf({ kind: 'instance-check', outcome });
    this.#looks.set(key, number);
    return number;
  }
}
