/** The Mirroring Controller, and what a host gives it: programs, ports, clocks, the network. */
import { controllerVersion } from '../../../../src/controller/version.ts';
import { danger, degraded, drift, note, person, provision, type Round, unknown } from './mutation.ts';
import { alone } from './replication.ts';

const bundle = '/usr/local/lib/pgduet/mc.cjs';
const node = '/usr/bin/node';
const stopAlone = 'mc stop --mc-only >/dev/null';
/** What pgduet stop leaves besides the stop. */
const recorded =
  "printf '2026-11-30T09:12:00Z anna@desk\\n' > $M/$ID.stopped; chown postgres: $M/$ID.stopped; systemctl -q disable $UNIT";
/** A program before the real one, which answers the question for its version itself. */
const claims = (version: string) => `mv ${node} ${node}.real
printf '#!/bin/sh\\ncase \${1:-} in --version|-v) echo ${version};; *) exec ${node}.real "$@";; esac\\n' > ${node}; chmod 755 ${node}`;
const truth = `mv ${node}.real ${node}`;
/** The way of the packets to the other host. */
const blocked = 'ip route add unreachable $PEER_ADDRESS/32';
const others = [
  degraded('CTL007', /./, { host: 'primary' }),
  degraded('CTL007', /./, { host: 'standby' }),
  drift('RES001', /./, { host: 'primary' }),
  drift('RES001', /./, { host: 'standby' }),
] as const;

export const controllerRounds: readonly Round[] = [
  {
    title: 'a controller that does not run',
    mutations: [
      {
        title: 'has stopped the controller of the standby alone',
        on: 'standby',
        break: stopAlone,
        expect: [degraded('CTL001', /./, { mendedBy: 'provision' })],
        also: [...others, ...alone, degraded('NET002', '$ID', { host: 'primary' })],
        mended: provision('controller'),
      },
    ],
  },
  {
    title: 'the controller of the primary',
    mutations: [
      {
        title: 'has stopped the controller of the primary alone',
        on: 'primary',
        break: stopAlone,
        expect: [degraded('CTL001', /./, { mendedBy: 'provision' })],
        also: [...others, ...alone, degraded('NET002', '$ID', { host: 'standby' })],
        mended: provision('controller'),
      },
    ],
  },
  {
    title: 'a controller beside its unit',
    mutations: [
      {
        title: 'has started the controller of the standby by hand, beside its unit',
        on: 'standby',
        break: `${stopAlone}; wait_until '! systemctl -q is-active $UNIT'; mc start --without-unit --mc-only >/dev/null; switchable`,
        expect: [drift('CTL015', '$ID', { declared: /mcoi_/, found: 'started by hand' })],
        mended: provision('controller'),
      },
    ],
  },
  {
    title: 'a server that a person has stopped',
    mutations: [
      {
        title: 'has stopped the standby with pgduet stop',
        on: 'standby',
        break: `${recorded}; mc stop >/dev/null`,
        expect: [degraded('HST020', /./, { what: /stopped with pgduet stop by anna@desk/ })],
        mended: person('pgduet start server2'),
      },
    ],
  },
  {
    title: 'a server that runs although a person has stopped it',
    mutations: [
      {
        title: 'has started a server by hand that pgduet has stopped',
        on: 'standby',
        break: recorded,
        expect: [drift('CTL013', '$ID', { declared: /anna@desk/, found: /it runs/ })],
        mended: person('pgduet start server2'),
      },
    ],
  },
  {
    title: 'files that the controller has not read',
    mutations: [
      {
        title: 'has put a newer program in place, and the controller runs the older one',
        on: 'standby',
        break: `touch ${bundle}`,
        expect: [drift('CTL002', /./)],
        mended: provision('controller'),
      },
      {
        title: 'has written network.conf anew, and the controller has not read it',
        on: 'primary',
        break: 'touch $M/network.conf',
        expect: [drift('CTL003', /./)],
        mended: provision('controller'),
      },
    ],
  },
  {
    title: 'another duty',
    mutations: [
      {
        title: 'has written what the standby may do by hand, and the controller has read it',
        on: 'standby',
        break: `sed -i 's/^takeover_priority = .*/takeover_priority = 7/' $M/$ID.conf; systemctl reload $UNIT; sleep 2`,
        expect: [drift('CTL009', '$ID', { found: /priority 7/ }), drift('FIL002', /conf$/)],
        mended: provision('controller'),
      },
    ],
  },
  {
    title: 'another version of the controller',
    mutations: [
      {
        title: 'runs a controller of another version',
        on: 'standby',
        break: `sed -i 's/${controllerVersion.replaceAll('.', '[.]')}/0.0.9/g' ${bundle}; sleep 1; systemctl kill -s KILL $UNIT; sleep 1.5; switchable`,
        expect: [drift('FIL002', bundle), drift('CTL006', 'server1, server2', { found: /server2: 0\.0\.9/ })],
        also: [drift('CTL006', 'server1, server2', { host: 'primary' })],
        mended: provision('controller'),
      },
    ],
  },
  {
    title: 'automatic switching',
    mutations: [
      {
        title: 'has switched automatic switching off',
        on: 'primary',
        break: 'mc disable-failover >/dev/null',
        expect: [degraded('CTL004', /./)],
        also: [...others, degraded('CTL004', /./, { host: 'standby' })],
        mended: person('mc enable-failover >/dev/null; switchable'),
      },
    ],
  },
  {
    title: 'a server in maintenance',
    mutations: [
      {
        title: 'has put the standby into maintenance, and stopped it with its controller',
        on: 'standby',
        break: 'mc maintenance begin --server $ID --alone --reason disks >/dev/null; systemctl stop $UNIT',
        expect: [note('MNT001', '$ID', { found: /in maintenance by postgres since .*: disks/ })],
        mended: person(
          'systemctl start $UNIT; mc maintenance end --server $ID >/dev/null; switchable; sleep 1',
        ),
      },
    ],
  },
  {
    title: 'the roles are swapped',
    mutations: [
      {
        title: 'has switched with mc_ctl',
        on: 'primary',
        break: `mc switch >/dev/null; sleep 1; switchable`,
        expect: [note('PRF001', '$ID', { host: 'cluster', declared: /server1/, found: /server2/ })],
        mended: person('pgduet switch --to server1'),
      },
    ],
  },
  {
    title: 'programs of the host',
    mutations: [
      {
        title: 'has installed a Node.js that is too old for the controller',
        on: 'standby',
        break: claims('v16.20.2'),
        expect: [danger('HST008', /node/, { what: /version 16\.20\.2; 18 or newer/ })],
        also: [note('PKG005', /./)],
        mended: person(truth),
      },
    ],
  },
  {
    title: 'another Node.js',
    mutations: [
      {
        title: 'has installed another major version of Node.js on one host',
        on: 'standby',
        break: claims('v22.1.0'),
        expect: [note('PKG005', 'Node.js', { found: /22/ })],
        mended: person(truth),
      },
    ],
  },
  {
    title: 'a port that is taken',
    mutations: [
      {
        title: 'has started another program on the port of a controller that is down',
        on: 'standby',
        break: `${stopAlone}; setsid python3 -m http.server 27540 </dev/null >/dev/null 2>&1 & echo $! > /tmp/port.pid; wait_until "grep -q :$(printf %04X 27540) /proc/net/tcp"`,
        expect: [danger('HST005', /27540/, { what: /port 27540/ })],
        also: [...others, ...alone, degraded('CTL001', /./), degraded('NET002', '$ID', { host: 'primary' })],
        mended: person('kill $(cat /tmp/port.pid); rm /tmp/port.pid; sleep 0.3', 'controller'),
      },
    ],
  },
  {
    title: 'a server that is silent again and again',
    mutations: [
      {
        title: 'has stopped the controller of the primary for three seconds, three times',
        on: 'both',
        break: `if [ $ID = server1 ]; then
  pid=$(systemctl show -p MainPID --value $UNIT)
  for turn in 1 2 3; do kill -s STOP $pid; sleep 3.3; kill -s CONT $pid; sleep 1; done
fi`,
        expect: [
          degraded('CTL011', 'server1', {
            host: 'standby',
            declared: /5\.4 s/,
            found: /^silent for \d\.\d, \d\.\d, \d\.\d s .*normal has no room/,
          }),
        ],
        // What was measured is forgotten when a controller reads its files.
        mended: person('systemctl reload $UNIT; sleep 1; switchable'),
      },
    ],
  },
  {
    title: 'a controller that hangs',
    mutations: [
      {
        title: 'has stopped the process of the controller in its tracks, with automatic switching off',
        on: 'standby',
        break: `mc disable-failover >/dev/null; kill -s STOP $(systemctl show -p MainPID --value $UNIT); sleep 9`,
        expect: [degraded('NET002', '$ID', { host: 'primary', found: /no heartbeat/ })],
        also: [
          ...others,
          ...alone,
          degraded('CTL004', /./),
          degraded('CTL004', /./, { host: 'primary' }),
          degraded('CTL001', /./),
          unknown('LOK001', /./),
        ],
        mended: person(
          `kill -s CONT $(systemctl show -p MainPID --value $UNIT); wait_until 'mc enable-failover >/dev/null'; switchable; sleep 1`,
        ),
      },
    ],
  },
  {
    title: 'the network',
    mutations: [
      {
        title: 'has cut the way from the standby to the primary, with automatic switching off',
        on: 'standby',
        break: `mc disable-failover >/dev/null; ${blocked}; sleep 2`,
        expect: [degraded('NET001', '$PEER')],
        also: [
          ...others,
          ...alone,
          degraded('CTL004', /./),
          degraded('CTL004', /./, { host: 'primary' }),
          degraded('NET001', '$ID', { host: 'primary' }),
          degraded('NET002', '$ID', { host: 'primary' }),
          degraded('REP009', /./),
          unknown('LOK001', /./),
        ],
        mended: person(
          `ip route del unreachable $PEER_ADDRESS/32; wait_until 'mc enable-failover >/dev/null'; switchable; sleep 1`,
        ),
      },
    ],
  },
];
