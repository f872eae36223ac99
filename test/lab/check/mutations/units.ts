/** The unit of a server. A unit whose text was written anew is in force only once it is started again: a person does that. */
import { drift, note, person, provision, type Round } from './mutation.ts';

const file = '/etc/systemd/system/$UNIT';
const dropIn = `${file}.d`;
const restart = 'systemctl restart $UNIT; switchable';
const older = note('UNT005', '$UNIT');
const unread = drift('UNT004', '$UNIT');

export const unitRounds: readonly Round[] = [
  {
    title: 'the unit of a standby',
    mutations: [
      {
        title: 'has edited the unit',
        on: 'standby',
        break: `sed -i 's/^WatchdogSec=.*/WatchdogSec=7/' ${file}`,
        expect: [drift('UNT002', '$UNIT')],
        also: [unread, older],
        mended: provision('nothing'),
        afterwards: restart,
      },
      {
        title: 'has disabled the unit',
        on: 'standby',
        break: 'systemctl disable $UNIT',
        expect: [drift('UNT003', '$UNIT')],
        also: [older],
        mended: provision('nothing'),
      },
      {
        title: 'has let everybody write the file of the unit',
        on: 'standby',
        break: `chmod 0666 ${file}`,
        expect: [drift('UNT007', '$UNIT', { declared: /644/, found: /666/ })],
        also: [unread, older],
        mended: provision('nothing'),
      },
      {
        title: 'has changed the unit with a drop-in',
        on: 'standby',
        break: `mkdir -p ${dropIn}; printf '[Service]\\nNice=5\\n' > ${dropIn}/nice.conf; systemctl daemon-reload`,
        expect: [note('UNT006', '$UNIT', { found: /nice\.conf/ })],
        also: [older],
        mended: person('systemctl revert $UNIT'),
      },
    ],
  },
  {
    title: 'a unit that systemd has not read',
    mutations: [
      {
        title: 'has written the unit anew, and systemd does not know',
        on: 'standby',
        break: `touch ${file}`,
        expect: [unread],
        also: [older],
        mended: provision('nothing'),
        afterwards: restart,
      },
    ],
  },
  {
    title: 'a unit that is not in force',
    mutations: [
      {
        title: 'has written the unit anew since it was started',
        on: 'standby',
        break: `touch ${file}; systemctl daemon-reload`,
        expect: [older],
        mended: person(restart),
      },
    ],
  },
  {
    title: 'a unit that is missing',
    mutations: [
      {
        title: 'has removed the unit',
        on: 'standby',
        break: `rm ${file}`,
        expect: [drift('UNT001', '$UNIT')],
        also: [unread, older, drift('UNT003', '$UNIT')],
        mended: provision('nothing'),
        afterwards: restart,
      },
    ],
  },
  {
    title: 'a unit that is masked',
    mutations: [
      {
        title: 'has masked the unit',
        on: 'standby',
        break: `rm ${file}; systemctl mask $UNIT`,
        expect: [drift('UNT002', '$UNIT', { found: /mask/ })],
        also: [unread, older, drift('UNT003', '$UNIT')],
        mended: provision('nothing'),
        afterwards: restart,
      },
    ],
  },
];
