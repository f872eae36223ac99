/** Where the units that pgduet writes lie, and how one is removed. Pure. */
import { quote } from '../../base/shell.ts';

/** `unit` is without its suffix. */
export const unitFile = (unit: string): string => `/etc/systemd/system/${unit}.service`;

/** Shell: removes the unit first and its drop-ins afterwards: the unit must never be there without the condition that a drop-in holds. */
export const removeUnit = (unit: string): string => {
  const [name, path] = [`${unit}.service`, unitFile(unit)].map((text) => quote(text));
  return `if [ -e ${path} ]; then systemctl --quiet --no-reload disable ${name} 2>/dev/null || :; fi
rm -f ${quote(`/etc/systemd/system/multi-user.target.wants/${unit}.service`)} ${path}
rm -rf ${quote(`${unitFile(unit)}.d`)} "$(unfinished ${path})"
systemctl daemon-reload
systemctl reset-failed ${name} 2>/dev/null || :`;
};
