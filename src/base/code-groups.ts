/**
 * What a group of codes is about, and what to do about any of them, by the three letters in front. `docs/errors.md` is
 * made from it. In: nothing. Out: data.
 */

export interface CodeGroup {
  readonly title: string;
  readonly advice: string;
}

export const codeGroups: Readonly<Record<string, CodeGroup>> = {
  INV: {
    title: 'The inventory',
    advice:
      'No host was contacted. Correct the place that the message names; `pgduet validate` checks again.',
  },
  PLY: {
    title: 'The playbook',
    advice:
      'No host was changed. Correct the place that the message names; kinds, fields and variables stand in docs/playbooks.md.',
  },
  CLI: {
    title: 'The command line',
    advice: 'Nothing was done. `pgduet --help` and `pgduet VERB --help` show what is possible.',
  },
  CON: {
    title: 'The connection to a host',
    advice:
      'Try the same login with `ssh`. Nothing was changed unless the message says so; the same command continues.',
  },
  HST: {
    title: 'The state of a host',
    advice:
      'Repair what the message names on the host, then run the same command again: it continues where it stopped.',
  },
  SAF: {
    title: 'Refused, to protect data',
    advice: 'Nothing was changed. Read the evidence and decide which data counts; pgduet never decides that.',
  },
  TLS: {
    title: 'TLS between the servers',
    advice:
      'Correct the certificate, its key or the list of those who sign on the host that the message names, or postgres.tls of the inventory; docs/tls.md says what they need.',
  },
  RUN: {
    title: 'The run itself',
    advice: 'Nothing is broken. Run the same command again: it looks first and does only what is left.',
  },
  BUG: {
    title: 'Defects',
    advice:
      'This is a defect of pgduet. Report it with the lines of the message; running the same command again is safe.',
  },
  MCF: {
    title: 'Files of the controller',
    advice:
      'Correct the line that the message names, or let `pgduet provision` write the file again, then start the controller.',
  },
};
