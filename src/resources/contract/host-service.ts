/**
 * A service of a host in its two forms, a systemd unit or an init script, behind one set of words: kinds say what is to happen, and
 * no kind says by whom. In: the word of a playbook (`serviceWord`). Out: shell. Pure.
 */
import { type InitTool, initScriptFile, initTools, serviceManagerOf } from '../../base/service-managers.ts';
import { quote, sh } from '../../base/shell.ts';
import { type Field, optional, text } from './field.ts';

export interface HostService {
  /** "mcoi_inst1.service", "/etc/init.d/rc_mcoi_inst1". */
  readonly title: string;
  readonly start: string;
  readonly stop: string;
  /** Controller and instance, stopped and started. */
  readonly restart: string;
  /** From now on the host starts it when it boots, or does not. What runs is left alone. */
  readonly enable: string;
  readonly disable: string;
  /** Condition: the host starts it when it boots. */
  readonly isEnabled: string;
  /** The unit, where the service is one: systemd knows more of it than the host shows. */
  readonly unit?: string;
  /** Where it is an init script: its file, and what takes all of it away. */
  readonly script?: { readonly file: string; readonly remove: string };
}

/** Of a unit that was disabled when the host has booted, systemd 257 says then that it has to be read again. */
function systemdUnit(unit: string): HostService {
  const name = `${unit}.service`;
  return {
    title: name,
    start: sh`systemctl start ${name}`,
    stop: sh`systemctl stop ${name}`,
    restart: sh`systemctl restart ${name}`,
    enable: sh`systemctl --quiet --no-reload enable ${name} && case $(systemctl show -p NeedDaemonReload ${name}) in *=yes) systemctl daemon-reload;; esac`,
    disable: sh`systemctl --quiet --no-reload disable ${name}`,
    isEnabled: sh`[ "$(systemctl is-enabled ${name} 2>/dev/null)" = enabled ]`,
    unit,
  };
}

/** What update-rc.d and its like tell of other scripts is no concern of ours. A script that is gone can be switched neither on nor off. */
function initScript(script: string, tool: InitTool): HostService {
  const file = initScriptFile(script);
  const where = (act: string): string => `if [ -e ${quote(file)} ]; then { ${act}; } >/dev/null; fi`;
  return {
    title: file,
    start: sh`${file} start >&2`,
    stop: `if [ -e ${quote(file)} ]; then ${sh`${file} stop >&2`}; fi`,
    restart: sh`${file} restart >&2`,
    enable: where(tool.on(script)),
    disable: where(tool.off(script)),
    isEnabled: `[ "$(\n${tool.levels(script)}\n)" != off ]`,
    script: { file, remove: tool.remove(script) },
  };
}

/** Undefined where nothing starts it with the host. */
export function hostService(word: string | undefined): HostService | undefined {
  if (word === undefined || word === '') return undefined;
  const [tool = '', script] = word.split('/');
  if (script === undefined) return systemdUnit(word);
  const manager = serviceManagerOf(tool);
  return manager === 'systemd' || manager === 'none' ? undefined : initScript(script, initTools[manager]);
}

/** A field for a service of the host, by its word. */
export function service(meaning: string): Field<string | undefined> {
  const plain = optional(text(meaning));
  return {
    ...plain,
    read: (given) => {
      const word = plain.read(given);
      if (word !== undefined && word !== '' && hostService(word) === undefined)
        given.problem(
          `'${given.name}' cannot be '${word}'`,
          `Write the name of a unit, or '{{host.service}}', which fits every host.`,
        );
      return word;
    },
  };
}
