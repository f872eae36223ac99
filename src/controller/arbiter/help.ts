/** The texts of `mc_arb --help`; docs/mc_arb.md shows the same ones, which a test checks. Pure. */

export const arbiterModes = ['start', 'stop', 'status', 'reload'] as const;

export type ArbiterMode = (typeof arbiterModes)[number];

const general = `mc_arb controls the arbiter of this host: a third party that answers who may act when servers do not hear each other.

  mc_arb start   [-M DIR] [-w|-W]
  mc_arb stop    [-M DIR] [-e]
  mc_arb status  [-M DIR] [--json]
  mc_arb reload  [-M DIR]

  -M DIR   the management directory; default: ARBCONTROLDIR of the environment

Exit status:
  0    done
  1    it failed, or the arbiter is not running or does not answer
  3    wrong command line, configuration, user or file mode; nothing was done
  130  Ctrl-C

\`mc_arb MODE --help\` says more. Only the user of the arbiter, who owns DIR, may run it.
`;

const details: Readonly<Record<ArbiterMode, string>> = {
  start: `mc_arb start: starts the arbiter.

  -w   wait until it answers (default)
  -W   do not wait

Every mistake in the files of any cluster is named, and nothing is started then. Where a systemd unit runs the arbiter, use
systemctl start.
`,
  stop: `mc_arb stop: stops the arbiter.

  -e   by force: an arbiter that does not answer is killed

As long as the servers hear each other nothing happens without an arbiter. While it is away nobody acts on a silence.
`,
  status: `mc_arb status: shows the clusters, which of their servers are online, the last term and who has it.

  --json   the same and more, in a stable form for programs

Exit status 0 means that the arbiter answered, whatever the status is.
`,
  reload: `mc_arb reload: takes over what the files say now: clusters that were added, removed or changed, keys and times.

A cluster whose files have mistakes stays as it was, or is left out if it is new; all others are taken over. The exit status is
1 then, and the message names the mistakes. Another port or address needs a restart.
`,
};

export const arbiterHelp = (mode: ArbiterMode | undefined): string =>
  mode === undefined ? general : details[mode];
