/**
 * Who starts the services of a host with it, as a table: systemd, or one of the programs that switch init scripts on and off. Code
 * elsewhere names none of them. The lab has hosts of systemd and of update-rc.d; rc-update was tried by hand, and chkconfig
 * stands here as its manual describes it. Text and data only. Pure.
 */
import { quote, sh } from './shell.ts';

/** Shell text about one init script of /etc/init.d, by its name. */
export interface InitTool {
  /** Shell condition: init scripts are run on this host, and by this program they are switched on and off. */
  readonly found: string;
  /** The host starts it at boot and stops it at shutdown. */
  on(script: string): string;
  /** The host does not start it any more. */
  off(script: string): string;
  /** Nothing of the script is left, neither its file nor what the program has made of it. */
  remove(script: string): string;
  /** Prints in which of the levels that serve people it is started: "on" in all of them, "some", or "off". */
  levels(script: string): string;
}

export const initScriptFile = (script: string): string => `/etc/init.d/${script}`;

/** Where System V init has the links of its levels: Red Hat's lie one directory further down. */
const levels = ['2', '3', '4', '5'];

const startedIn = (directory: string, script: string): string => `(
on=0
for level in ${levels.join(' ')}; do
  set -- ${directory}/rc$level.d/S[0-9][0-9]${quote(script)}
  if [ -L "$1" ]; then on=$((on + 1)); fi
done
case $on in ${levels.length}) echo on;; 0) echo off;; *) echo some;; esac
)`;

const isInit = `read -r first < /proc/1/comm && [ "$first" = init ] && [ -d /etc/init.d ]`;

export const initTools = {
  'rc-update': {
    found: '[ -d /run/openrc ] && { [ -x /sbin/rc-update ] || [ -x /usr/sbin/rc-update ]; }',
    on: (script) => sh`rc-update --quiet add ${script} default`,
    // To take away what is not there is a failure to it.
    off: (script) =>
      sh`if [ -L ${`/etc/runlevels/default/${script}`} ]; then rc-update --quiet del ${script} default; fi`,
    remove: (script) => sh`rc-update --quiet --all del ${script} 2>/dev/null || :
rm -f ${initScriptFile(script)}`,
    levels: (script) => sh`if [ -L ${`/etc/runlevels/default/${script}`} ]; then echo on; else echo off; fi`,
  },
  chkconfig: {
    // Its init may be upstart, which runs the scripts of System V, too.
    found: `[ -x /sbin/chkconfig ] && ${isInit}`,
    on: (script) => sh`chkconfig --add ${script} && chkconfig --level 2345 ${script} on`,
    off: (script) => sh`chkconfig --add ${script} && chkconfig --level 2345 ${script} off`,
    // It reads the levels from the script.
    remove: (script) => sh`if [ -e ${initScriptFile(script)} ]; then chkconfig --del ${script}; fi
rm -f ${initScriptFile(script)}`,
    levels: (script) => startedIn('/etc/rc.d', script),
  },
  'update-rc.d': {
    // The program is on every Debian; the pipe is there only where System V init itself listens.
    found: `[ -x /usr/sbin/update-rc.d ] && { [ -p /run/initctl ] || [ -p /dev/initctl ]; } && ${isInit}`,
    // It gives a script no link that this alone has lost: all are made anew.
    on: (script) =>
      sh`update-rc.d -f ${script} remove && update-rc.d ${script} defaults && update-rc.d ${script} enable`,
    off: (script) =>
      sh`update-rc.d -f ${script} remove && update-rc.d ${script} defaults && update-rc.d ${script} disable`,
    // It removes the links of scripts alone that are gone.
    remove: (script) => sh`rm -f ${initScriptFile(script)}
update-rc.d ${script} remove`,
    levels: (script) => startedIn('/etc', script),
  },
} as const satisfies Readonly<Record<string, InitTool>>;

export type InitToolName = keyof typeof initTools;
export type ServiceManager = 'systemd' | InitToolName | 'none';

export const initToolNames = Object.keys(initTools) as readonly InitToolName[];

/** Shell that prints the name of the host's service manager. */
export const askServiceManager = `if [ -d /run/systemd/system ]; then echo systemd
${initToolNames.map((name) => `elif ${initTools[name].found}; then echo ${name}`).join('\n')}
else echo none; fi`;

export const serviceManagerOf = (word: string | undefined): ServiceManager =>
  word === 'systemd' ? word : (initToolNames.find((name) => name === word) ?? 'none');

/** The init script of a service that has this unit elsewhere. */
export const initScriptOf = (unit: string): string => `rc_${unit}`;

/** As the kinds take it: the unit, "update-rc.d/rc_mcoi_inst1", or an empty text where nobody starts it with the host. */
export function serviceWord(manager: ServiceManager, unit: string): string {
  if (manager === 'none') return '';
  return manager === 'systemd' ? unit : `${manager}/${initScriptOf(unit)}`;
}
