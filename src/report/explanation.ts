/** What a code means, as text and as JSON: of a message of pgduet, of a finding of check, of a message of the controller. Pure. */

export type Explanation =
  | {
      readonly kind: 'message';
      readonly code: string;
      readonly title: string;
      readonly exit: number;
      readonly exitMeaning: string;
      readonly toDo: string;
    }
  | {
      readonly kind: 'finding';
      readonly code: string;
      readonly title: string;
      readonly severity: string;
      readonly ifLeftAlone: string;
      readonly toDo: string;
    }
  | {
      readonly kind: 'controller';
      readonly code: string;
      /** The text of the log line, with `{parameters}`. */
      readonly title: string;
      readonly type: string;
      readonly cause: string;
      readonly did: string;
      readonly toDo: string;
    };

/** Each line but the first has a label; the texts begin in one column. */
export function explanationText(explanation: Explanation): string {
  const rows = labelled(explanation);
  const width = Math.max(...rows.map(([label]) => label.length));
  return [
    `${explanation.code}  ${explanation.title}`,
    ...rows.map(([label, text]) => `  ${label.padEnd(width)}  ${text}`),
  ].join('\n');
}

function labelled(explanation: Explanation): readonly (readonly [label: string, text: string])[] {
  switch (explanation.kind) {
    case 'message':
      return [
        ['from', 'pgduet'],
        ['exit status', `${explanation.exit}: ${explanation.exitMeaning}`],
        ['to do', explanation.toDo],
      ];
    case 'finding':
      return [
        ['from', 'pgduet check'],
        ['severity', explanation.severity],
        ['if left alone', explanation.ifLeftAlone],
        ['to do', explanation.toDo],
      ];
    case 'controller':
      return [
        ['from', `the Mirroring Controller, as ${explanation.type}`],
        ['cause', explanation.cause],
        ['what it did', explanation.did],
        ['to do', explanation.toDo],
      ];
  }
}

/** One document; `schema` is raised when a field changes its meaning. */
export function explanationJson(explanation: Explanation): object {
  const { kind, code, title, toDo } = explanation;
  const head = { schema: 1, verb: 'explain', exit: 0, kind, code, title };
  switch (explanation.kind) {
    case 'message':
      return { ...head, exit_status: explanation.exit, exit_meaning: explanation.exitMeaning, to_do: toDo };
    case 'finding':
      return {
        ...head,
        severity: explanation.severity,
        if_left_alone: explanation.ifLeftAlone,
        to_do: toDo,
      };
    case 'controller':
      return {
        ...head,
        type: explanation.type,
        cause: explanation.cause,
        did: explanation.did,
        to_do: toDo,
      };
  }
}
