/**
 * Libraries that a person has loaded by hand: a list of ours never takes them away. In: what was declared and seen. Out: a refusal, or nothing. Pure.
 */
import { foreignValue, ourHeading as heading } from '../../postgres/conf-file.ts';
import { bareLibrary, librariesIn } from '../../postgres/libraries.ts';
import { refuse } from '../contract/kind.ts';
import { confPath, type SettingsDesired, type SettingsSeen } from './settings-observation.ts';
import { standsOver } from './settings-over.ts';

const preload = 'shared_preload_libraries';

/** What a server that was there before loads is judged by the rules for such servers. */
export function librariesTaken(desired: SettingsDesired, seen: SettingsSeen) {
  const wanted = Object.entries(desired.values).find(([name]) => name.toLowerCase() === preload)?.[1];
  if (wanted === undefined || desired.adopted) return undefined;
  const { value, file } = byHand(desired, seen);
  const listed = librariesIn(wanted).map(bareLibrary);
  const missing = librariesIn(value).filter((name) => !listed.includes(bareLibrary(name)));
  if (missing.length === 0) return undefined;
  const whole = [...librariesIn(value), ...librariesIn(wanted)].filter(
    (name, at, all) => all.findIndex((one) => bareLibrary(one) === bareLibrary(name)) === at,
  );
  return refuse({
    code: 'INV013',
    what: `${preload} = '${wanted}' would take away what was loaded by hand: ${missing.join(', ')}`,
    why: `${file} loads it, and pgduet has not written that: whatever uses the library would fail behind the restart`,
    fix: `Write the whole list into settings.${preload} of the inventory: '${whole.join(', ')}'. Or take the line away where it stands, if nothing needs the library.`,
  });
}

/** The line that counts, where none of ours does. ALTER SYSTEM is read last. */
function byHand(
  desired: SettingsDesired,
  seen: SettingsSeen,
): { readonly value: string; readonly file: string } {
  const { auto, included } = standsOver(desired, seen);
  const over = auto.get(preload) ?? included.get(preload);
  if (over) return { value: over.value ?? '', file: over.file };
  return { value: foreignValue(seen.text, preload, heading) ?? '', file: confPath(desired) };
}
