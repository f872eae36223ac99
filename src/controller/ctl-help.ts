/** The texts of `mc_ctl --help`; docs/mc_ctl.md shows the same ones, which a test checks. Pure. */

export const modes = [
  'start',
  'stop',
  'status',
  'switch',
  'detach',
  'attach',
  'maintenance',
  'enable-failover',
  'disable-failover',
] as const;

export type Mode = (typeof modes)[number];

const general = `mc_ctl controls the Mirroring Controller of this server and, through it, its PostgreSQL instance.

  mc_ctl start            [-M DIR] [-w|-W] [-f|-F] [--mc-only|--force-start] [--without-unit] [--local-server ID]
  mc_ctl stop             [-M DIR] [-a] [-e] [--mc-only] [--local-server ID]
  mc_ctl status           [-M DIR] [--arbiter] [--json] [--local-server ID]
  mc_ctl switch           [-M DIR] [--to ID] [--max-wait S] [--force [--no-fencing]] [--local-server ID]
  mc_ctl switch --abort   [-M DIR] [--local-server ID]
  mc_ctl detach           [-M DIR] [--server ID] [--no-fencing] [--local-server ID]
  mc_ctl attach           --server ID [-M DIR] [--local-server ID]
  mc_ctl maintenance begin --server ID [-M DIR] [--reason TEXT] [--for 2h] [--by NAME] [--replace] [--alone]
  mc_ctl maintenance end   --server ID [-M DIR] [--by NAME] [--of NAME]
  mc_ctl enable-failover  [-M DIR] [--local-server ID]
  mc_ctl disable-failover [-M DIR] [--local-server ID]

  -M DIR               the management directory; default: MCCONTROLDIR of the environment
  --local-server ID    which server is meant, where two of them share a machine

Exit status:
  0    done
  1    it failed, or the controller is not running or does not answer
  3    wrong command line, configuration, user or file mode; nothing was done
  6    refused, because another switch, detach or stop is under way; the message says whose
  130  Ctrl-C; what was asked for goes on in the controller

\`mc_ctl MODE --help\` says more. Only the instance administrator may run it.
`;

const details: Readonly<Record<Mode, string>> = {
  start: `mc_ctl start: starts the controller and the instance.

  -w          wait until the instance takes connections (default)
  -W          do not wait
  -f, -F      automatic switch and disconnection on, or off; without either it stays as it was,
              and at the very first start it is as the configuration says
  --mc-only   leave the instance alone
  --force-start   start the instance of a standby that is in maintenance, or waits for its primary, once; where
              it runs as primary in maintenance already, let it lead: what others alone hold is given up
  --without-unit  start the controller beside the unit of systemd that starts it otherwise

A standby waits for its primary. A server that was primary asks the others first and does not start when one of them
is primary now. Of a server in maintenance only the controller is started.

Where a unit of systemd starts the controller, the unit is started. Systemd lets root do that, and others as polkit says:
where it refuses, so does this command, with the command for root. A controller beside its unit is not watched, and not
started again when it ends; pgduet check tells it (CTL015), and pgduet provision takes it back under its unit.
`,
  stop: `mc_ctl stop: stops the instance (fast shutdown), then the controller.

  -a          on all servers: standbys first, then the primary
  -e          by force: immediate shutdown after 10 s, and the controller ends in any case
  --mc-only   leave the instance running

While a switch or a detach is under way a stop is refused; -e does not wait for it. A standby is taken out before its WAL
stops, so that commits do not wait for it. A unit of systemd that runs the controller takes it for an end in order, and
starts it when the host boots.
`,
  status: `mc_ctl status: shows the servers, their instances and disks, and why no switch is possible.

  --arbiter   shows the arbiters instead: online or offline, as this server hears them
  --json      the same and more, in a stable form for programs

The line under the table says why no switch is possible, since when, and which command comes next. Exit status 0 means that
the controller answered, whatever the status is.
`,
  switch: `mc_ctl switch: the standby becomes primary, and the primary follows it.

  --to ID        this standby; without it the most advanced one
  --max-wait S   so many seconds (30) the primary waits, in service, until the standby has replayed what it
                 would have to replay before it takes writes; then the switch is given up
  --abort        ends a switch or a takeover that is under way; the role is given back only if the new
                 primary is shown not to have become one
  --force        also a standby that is not known to be in sync; on a standby whose primary is not
                 heard: it takes over. Commits may be missing then, and the message says so
  --no-fencing   with --force: the fencing command is not called before such a takeover

A checkpoint comes first, then the wait for replay, then a fast shutdown. The standby is promoted only if the shutdown checkpoint, as pg_controldata
shows it, has arrived there; otherwise the old primary is started again, and the message names both positions. Works from
every server.
`,
  detach: `mc_ctl detach: takes the standby out; commits do not wait for it any more.

  --server ID    this standby; without it the one that is worst off
  --no-fencing   the fencing command is not called

The fencing command comes first, if there is one: another exit status than 0 cancels the detach. Then pre_detach_command, then
the names. The standby comes back by itself when its instance is started again and streams. Works from every server.
`,
  attach: `mc_ctl attach: ends a detach; commits wait for the standby again once it streams.

  --server ID    which standby

Without it a detach ends when the instance of the standby is started again. Works from every server.
`,
  maintenance: `mc_ctl maintenance: from begin to end a standby is out, for as long as somebody works on its host.

  --server ID     which server
  --reason TEXT   why, for whoever looks at the status or the log: no place for a secret
  --for TIME      how long it is expected to take: 30m, 2h, 1d; only told, nothing happens by itself
  --by NAME       who; without it the user who runs the command
  --replace       in the place of somebody else who has it in maintenance
  --alone         no commit need wait for any standby meanwhile: there is no second copy then
  --of NAME       ends the maintenance of somebody else

From begin to end no commit waits for it, it takes no role, and its controller starts no instance by itself, whatever host is
restarted and whichever server is primary. It goes on to vote where the servers are the register. The end starts the instance as
that of any standby. Works from every server, as long as there is a primary.
`,
  'enable-failover': `mc_ctl enable-failover: automatic switch and disconnection on, on all servers.

A server that is not reached now takes it over when it is heard again.
`,
  'disable-failover': `mc_ctl disable-failover: automatic switch and disconnection off, on all servers: messages only.

A server that is not reached now takes it over when it is heard again.
`,
};

export const helpText = (mode: Mode | undefined): string => (mode === undefined ? general : details[mode]);
