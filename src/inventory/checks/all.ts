/** Every cross check of an inventory, in one list. Each looks at the draft and returns what is wrong. */
import type { Diagnostic } from '../../base/diagnostic.ts';
import type { Draft } from '../draft.ts';
import { checkAddresses } from './addresses.ts';
import { checkArbiter } from './arbiter.ts';
import { checkCollisions } from './collisions.ts';
import { checkControllerKeys } from './controller-keys.ts';
import { checkDuties } from './duties.ts';
import { checkEtcd } from './etcd.ts';
import { checkFirewall } from './firewall.ts';
import { checkHba } from './hba.ts';
import { checkNames } from './names.ts';
import { checkPaths } from './paths.ts';
import { checkPolicy } from './policy.ts';
import { checkPorts } from './ports.ts';
import { checkRoles } from './roles.ts';
import { checkSettings } from './settings.ts';
import { checkSsh } from './ssh.ts';
import { checkTiming } from './timing.ts';
import { checkTls } from './tls.ts';

/**
 * Runs all checks, whatever the others find: the user gets every error of the file at once.
 * `mistyped` are keys that are missing only because they were mistyped, which has been said already.
 */
export async function crossChecks(draft: Draft, mistyped: ReadonlySet<string>): Promise<Diagnostic[]> {
  const told = [
    checkNames,
    checkRoles,
    checkArbiter,
    checkDuties,
    checkEtcd,
    checkPorts,
    checkPaths,
    checkCollisions,
    checkSettings,
    checkHba,
    checkTls,
    checkFirewall,
    checkTiming,
    checkControllerKeys,
  ].flatMap((check) => check(draft));
  return [
    ...told,
    ...checkPolicy(draft, mistyped),
    ...checkAddresses(draft, mistyped),
    ...(await checkSsh(draft)),
  ];
}
