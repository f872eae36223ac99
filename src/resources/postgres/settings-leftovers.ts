/**
 * Settings of a recovery that is over, where they stand on a server of a pair: they are wanted at a value that does nothing, and what
 * held another one is put out of force. In: what was declared and seen. Out: names and values that count as declared. Pure.
 */
import { effectiveConf, ourHeading as heading, namesInBlock } from '../../postgres/conf-file.ts';
import { isNeutral, neverMeant, recoveryNames, recoverySettings } from '../../postgres/recovery-settings.ts';
import type { SettingsDesired as Desired, SettingsSeen as Seen } from './settings-observation.ts';
import { isTaking, standsOver } from './settings-over.ts';

/** What multiplexing needs to be so although nobody declares it, by name. Only the resource that speaks for the whole file says it. */
export function leftovers(desired: Desired, seen: Seen): Readonly<Record<string, string>> {
  if (desired.except === undefined) return {};
  const declared = new Set(Object.keys(desired.values).map((name) => name.toLowerCase()));
  const sought = isTaking(desired) ? recoveryNames : neverMeant;
  const block = namesInBlock(seen.text, heading);
  const harmful = (name: string): boolean =>
    valuesOf(desired, seen, name).some((value) => value !== null && !isNeutral(name, value));
  // A line of ours that does nothing keeps another one out of force.
  const stays = (name: string): boolean =>
    block.includes(name) && isNeutral(name, effectiveConf(seen.text).get(name)?.value ?? '');
  return Object.fromEntries(
    recoveryNames
      .filter((name) => !declared.has(name) && (stays(name) || (sought.includes(name) && harmful(name))))
      .map((name) => [name, recoverySettings[name]?.neutral ?? '']),
  );
}

/** In the files, and on a standby in force as well: there it works until the restart that takes it away. */
function valuesOf(desired: Desired, seen: Seen, name: string): readonly (string | null)[] {
  const { auto, included } = standsOver(desired, seen);
  const facts = seen.live?.settings[name];
  const works = isStandby(seen) && facts?.pending === true ? (facts.value ?? null) : null;
  return [
    effectiveConf(seen.text).get(name)?.value ?? null,
    auto.get(name)?.value ?? null,
    included.get(name)?.value ?? null,
    works,
  ];
}

export const isStandby = ({ extra }: Seen): boolean => extra.includes('standby');

export const isLeftover = ({ leftovers: names }: Desired, name: string): boolean =>
  names?.includes(name.toLowerCase()) === true;
