/** Rendered files, secrets, directories, lines in files of the system, the password file. */
import { danger, degraded, drift, provision, type Round, unknown } from './mutation.ts';

const lib = '/usr/local/lib/pgduet';
const bundle = `${lib}/mc.cjs`;
const mcCtl = '/usr/local/bin/mc_ctl';
const clusters = '/etc/postgresql-common/createcluster.d';
const passfile = '/var/lib/postgresql/.pgpass';

/** The files of the controller are newer than what it has read or runs. */
const unread = [drift('CTL003', /./), drift('CTL002', /./)];
/** Without mc_ctl or its files nobody can ask the controller. */
const mute = [...unread, unknown('LOK001', /./), degraded('CTL007', '$ID', { found: /no controller runs/ })];

export const fileRounds: readonly Round[] = [
  {
    title: 'the content of files',
    mutations: [
      {
        title: 'has added a line to network.conf',
        on: 'standby',
        break: `echo '# by hand' >> $M/network.conf`,
        expect: [drift('FIL002', '$M/network.conf')],
        also: unread,
        mended: provision('controller'),
      },
      {
        title: 'has made the heartbeat slower in the file of the controller',
        on: 'standby',
        break: `sed -i 's/^heartbeat_interval = .*/heartbeat_interval = 5000/' $M/$ID.conf`,
        expect: [drift('FIL002', '$M/$ID.conf')],
        also: unread,
        mended: provision('controller'),
      },
      {
        title: 'has edited the program of the controller',
        on: 'standby',
        break: `echo '// by hand' >> ${bundle}`,
        expect: [drift('FIL002', bundle)],
        also: unread,
        mended: provision('controller'),
      },
      {
        title: 'has edited mc_ctl',
        on: 'standby',
        break: `echo '# by hand' >> ${mcCtl}`,
        expect: [drift('FIL002', mcCtl)],
        mended: provision('nothing'),
      },
      {
        title: 'lets packages make clusters of their own again',
        on: 'standby',
        break: `sed -i 's/= false/= true/' ${clusters}/pgduet.conf`,
        expect: [drift('FIL002', `${clusters}/pgduet.conf`)],
        mended: provision('nothing'),
      },
      {
        title: 'has given the name of the service another port',
        on: 'standby',
        break: `sed -i 's:^mcoi_inst1 .*:mcoi_inst1 27999/tcp:' /etc/services`,
        expect: [drift('FIL008', /\/etc\/services/, { declared: /27540/, found: /27999/ })],
        mended: provision('nothing'),
      },
    ],
  },
  {
    title: 'files that are missing',
    mutations: [
      {
        title: 'has removed network.conf',
        on: 'primary',
        break: 'rm $M/network.conf',
        expect: [drift('FIL001', '$M/network.conf')],
        also: mute,
        mended: provision('controller'),
      },
      {
        title: 'has removed the file of the controller',
        on: 'primary',
        break: 'rm $M/$ID.conf',
        expect: [drift('FIL001', '$M/$ID.conf')],
        also: mute,
        mended: provision('controller'),
      },
      {
        title: 'has removed the key of the cluster',
        on: 'primary',
        break: 'rm $M/cluster.key',
        expect: [drift('FIL001', '$M/cluster.key')],
        also: mute,
        mended: provision('controller'),
      },
      {
        title: 'has removed mc_ctl',
        on: 'primary',
        break: `rm ${mcCtl}`,
        expect: [drift('FIL001', mcCtl)],
        also: mute,
        mended: provision('nothing'),
      },
      {
        title: 'has removed the directory that keeps packages from making clusters',
        on: 'primary',
        break: `rm -r ${clusters}`,
        expect: [drift('DIR001', clusters), drift('FIL001', `${clusters}/pgduet.conf`)],
        mended: provision('nothing'),
      },
      {
        title: 'has removed the name of the service',
        on: 'primary',
        break: `sed -i '/^mcoi_inst1/d' /etc/services`,
        expect: [drift('FIL007', /\/etc\/services/)],
        mended: provision('nothing'),
      },
      {
        title: 'has removed the program of the controller with its directory',
        on: 'standby',
        break: `rm -r ${lib}`,
        expect: [drift('DIR001', lib), drift('FIL001', bundle)],
        also: mute,
        mended: provision('controller'),
      },
    ],
  },
  {
    title: 'owners and modes',
    mutations: [
      {
        title: 'has given network.conf to root',
        on: 'standby',
        break: 'chown root: $M/network.conf',
        expect: [drift('FIL003', '$M/network.conf')],
        also: mute,
        mended: provision('controller'),
      },
      {
        title: 'has opened the file of the controller to others',
        on: 'standby',
        break: 'chmod 0644 $M/$ID.conf',
        expect: [danger('FIL005', '$M/$ID.conf', { declared: /600/, found: /644/ })],
        also: mute,
        mended: provision('controller'),
      },
      {
        title: 'has opened the key of the cluster to others',
        on: 'standby',
        break: 'chmod 0644 $M/cluster.key',
        expect: [danger('FIL005', '$M/cluster.key', { declared: /600/, found: /644/ })],
        also: unread,
        mended: provision('controller'),
      },
      {
        title: 'has made mc_ctl a file that cannot be run',
        on: 'standby',
        break: `chmod 0644 ${mcCtl}`,
        expect: [drift('FIL004', mcCtl)],
        also: mute,
        mended: provision('nothing'),
      },
      {
        title: 'has closed the program of the controller to the administrator',
        on: 'standby',
        break: `chmod 0600 ${bundle}`,
        expect: [drift('FIL004', bundle)],
        also: mute,
        mended: provision('controller'),
      },
      {
        title: 'has opened the directory of createcluster.d to everybody',
        on: 'standby',
        break: `chmod 0777 ${clusters}`,
        expect: [drift('DIR003', clusters)],
        mended: provision('nothing'),
      },
      {
        title: 'has given the directory of the program away',
        on: 'standby',
        break: `chown postgres: ${lib}`,
        expect: [drift('DIR002', lib)],
        mended: provision('nothing'),
      },
      {
        title: 'has opened the management directory to others',
        on: 'standby',
        break: 'chmod 0755 $M',
        expect: [danger('DIR004', '$M')],
        mended: provision('nothing'),
      },
      {
        title: 'has opened the data directory to others',
        on: 'standby',
        break: 'chmod 0755 $D',
        expect: [danger('DIR004', '$D')],
        mended: provision('nothing'),
      },
      {
        title: 'has removed the line of the other server from the password file',
        on: 'primary',
        break: `sed -i '/:pgduet_repl:/d' ${passfile}`,
        expect: [drift('PWD001', /^\/var\/lib\/postgresql\/\.pgpass/)],
        mended: provision('nothing'),
      },
      {
        title: 'has opened the password file to others',
        on: 'standby',
        break: `chmod 0644 ${passfile}`,
        expect: [danger('PWD003', passfile)],
        mended: provision('nothing'),
      },
    ],
  },
  {
    title: 'secrets',
    mutations: [
      {
        title: 'has put another key into cluster.key',
        on: 'standby',
        break: `head -c 32 /dev/zero | od -An -tx1 | tr -d ' \\n' > $M/cluster.key`,
        expect: [danger('FIL006', '$M/cluster.key')],
        also: unread,
        mended: provision('controller'),
      },
      {
        title: 'has changed the password in the password file',
        on: 'standby',
        break: `sed -i 's/:pgduet_repl:.*/:pgduet_repl:another/' ${passfile}`,
        expect: [drift('PWD002', /^\/var\/lib\/postgresql\/\.pgpass/)],
        mended: provision('nothing'),
      },
    ],
  },
  {
    title: 'more owners',
    mutations: [
      {
        title: 'has given the password file to root',
        on: 'primary',
        break: `chown root: ${passfile}`,
        expect: [drift('FIL003', passfile)],
        // Nobody reads it as root: for the administrator no line is there.
        also: [drift('PWD001', /^\/var\/lib\/postgresql\/\.pgpass/)],
        mended: provision('nothing'),
      },
      {
        title: 'has left a line for an address that a server had before',
        on: 'standby',
        break: `sed -i "s/^log_transfer_addresses = '/&other=192.0.2.9, /" $M/$ID.conf && echo '192.0.2.9:27500:replication:pgduet_repl:x' >>${passfile}`,
        expect: [drift('PWD005', '192.0.2.9:27500')],
        also: [drift('FIL002', '$M/$ID.conf'), ...unread],
        mended: provision('controller'),
      },
      {
        title: 'has put a line for everything on top of the password file',
        on: 'standby',
        break: `sed -i '1i *:*:*:*:other' ${passfile}`,
        expect: [danger('PWD004', /^\/var\/lib\/postgresql\/\.pgpass/)],
        mended: provision('nothing'),
      },
    ],
  },
  {
    // A round of its own: where no server has a file that can be read, nobody knows the password.
    title: 'a password file that is gone',
    mutations: [
      {
        title: 'has removed the password file',
        on: 'standby',
        break: `rm ${passfile}`,
        expect: [drift('PWD001', /^\/var\/lib\/postgresql\/\.pgpass/)],
        mended: provision('nothing'),
      },
    ],
  },
];
