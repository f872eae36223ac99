/** The unit of a server: its text, its state, and what the service was started from. */
import { degraded, drift, note, person, provision, type Round } from './mutation.ts';

const file = '/etc/systemd/system/$UNIT';
const dropIn = `${file}.d`;
const restart = 'systemctl restart $UNIT; switchable';
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
        also: [unread],
        mended: provision('nothing'),
      },
      {
        title: 'has disabled the unit',
        on: 'standby',
        break: 'systemctl disable $UNIT',
        expect: [drift('UNT003', '$UNIT', { declared: 'enabled', found: 'disabled' })],
        mended: provision('nothing'),
      },
      {
        title: 'has let everybody write the file of the unit',
        on: 'standby',
        break: `chmod 0666 ${file}`,
        expect: [drift('UNT007', file, { declared: /644/, found: /666/ })],
        mended: provision('nothing'),
      },
      {
        title: 'has changed the unit with a drop-in',
        on: 'standby',
        break: `mkdir -p ${dropIn}; printf '[Service]\\nNice=5\\n' > ${dropIn}/nice.conf; systemctl daemon-reload`,
        expect: [note('UNT006', '$UNIT', { found: /nice\.conf/ })],
        mended: person('systemctl revert $UNIT'),
      },
      {
        title: 'has let commands gain privileges by a drop-in',
        on: 'primary',
        break: `mkdir -p ${dropIn}; printf '[Service]\\nNoNewPrivileges = no\\n' > ${dropIn}/sudo.conf; systemctl daemon-reload`,
        expect: [degraded('UNT010', '$UNIT', { found: /sudo\.conf/ })],
        also: [note('UNT006', '$UNIT', { found: /sudo\.conf/ })],
        mended: person('systemctl revert $UNIT'),
      },
    ],
  },
  {
    title: 'a unit that is not in force',
    mutations: [
      {
        title: 'has written the unit anew, and systemd does not know',
        on: 'primary',
        break: `touch ${file}`,
        expect: [unread],
        mended: provision('nothing'),
      },
      {
        title: 'has put the unit back after it was started from another text',
        on: 'standby',
        break: `cp -p ${file} /tmp/unit; sed -i 's/^\\(Environment=.*_UNIT=\\).*/\\1older/' ${file}; systemctl daemon-reload; ${restart}; cp -p /tmp/unit ${file}; rm /tmp/unit; systemctl daemon-reload`,
        expect: [note('UNT005', '$UNIT')],
        mended: person(restart),
      },
    ],
  },
  {
    title: 'a unit that is missing or masked',
    mutations: [
      {
        title: 'has removed the unit',
        on: 'standby',
        break: `rm ${file}`,
        expect: [drift('UNT001', '$UNIT')],
        mended: provision('nothing'),
      },
      {
        title: 'has masked the unit',
        on: 'primary',
        break: `rm ${file}; systemctl --quiet mask $UNIT`,
        expect: [drift('UNT003', '$UNIT', { declared: 'enabled', found: 'masked' })],
        also: [unread],
        mended: provision('nothing'),
      },
    ],
  },
];
