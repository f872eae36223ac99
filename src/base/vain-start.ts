/**
 * The advice to start a server that has no data yet, or a copy that nobody has finished, cannot work. In: the advice of a controller, and
 * what is known of the data. Out: an advice that can be followed. Pure.
 */

/** Why there is nothing to start, and what makes it. `making` is what was begun; without it `content` says what the directory is. */
export function howToMake(id: string, making: string | undefined, content: string): string {
  const state = making === undefined ? `has no data (its directory is ${content})` : 'is not finished';
  const command =
    making === 'erase'
      ? 'pgduet teardown'
      : making === undefined || making === 'initdb'
        ? 'pgduet provision, or migrate where that was begun'
        : 'pgduet rebuild, or provision or migrate where one of them was making it';
  return `${id} ${state}, so that it cannot be started: run the same command again (${command})`;
}

/** `wayOf` says it of a server that cannot be started. Clauses are put together by semicolons; the one behind a start says what to do if that fails. */
export function withoutVainStart(advice: string, wayOf: (server: string) => string | undefined): string {
  const clauses = advice.split('; ').map((clause) => {
    const id = /\bon (\S+): mc_ctl start\b/.exec(clause)?.[1];
    return (id === undefined ? undefined : wayOf(id)) ?? clause;
  });
  return [...new Set(clauses)].join('; ');
}
