/** All resource kinds by name: what a playbook may use. A new kind is added here and nowhere else. */

import { arbiter } from './arbiter/arbiter.ts';
import { arbiterKeys } from './arbiter/arbiter-keys.ts';
import { dismissed } from './arbiter/dismissed.ts';
import { type AnyKind, anyKind } from './contract/kind.ts';
import { clusterKeys } from './controller/cluster-keys.ts';
import { controller } from './controller/controller.ts';
import { controllerVersionKind } from './controller/controller-version.ts';
import { detachment } from './controller/detachment.ts';
import { duty } from './controller/duty.ts';
import { failover } from './controller/failover.ts';
import { identities } from './controller/identities.ts';
import { identityKey } from './controller/identity-key.ts';
import { maintenance } from './controller/maintenance.ts';
import { mirroring } from './controller/mirroring.ts';
import { names } from './controller/names.ts';
import { register } from './controller/register.ts';
import { reloaded } from './controller/reloaded.ts';
import { renewal } from './controller/renewal.ts';
import { restarted } from './controller/restarted.ts';
import { settlement } from './controller/settlement.ts';
import { stopped } from './controller/stopped.ts';
import { switchover } from './controller/switchover.ts';
import { alone } from './data/alone.ts';
import { copyTarget } from './data/copy-target.ts';
import { instance } from './data/instance.ts';
import { memory } from './data/memory.ts';
import { rebuild } from './data/rebuild.ts';
import { standby } from './data/standby.ts';
import { certificate } from './postgres/certificate.ts';
import { extension } from './postgres/extension.ts';
import { tlsFormer } from './postgres/former-pairs.ts';
import { formerPasswords } from './postgres/former-passwords.ts';
import { hba } from './postgres/hba.ts';
import { logins } from './postgres/logins.ts';
import { tlsKey, tlsPair } from './postgres/own-pair.ts';
import { passfile } from './postgres/passfile.ts';
import { publicSchema } from './postgres/public-schema.ts';
import { replication } from './postgres/replication.ts';
import { rewindSource } from './postgres/rewind-source.ts';
import { role } from './postgres/role.ts';
import { served } from './postgres/served.ts';
import { settings } from './postgres/settings.ts';
import { slot } from './postgres/slot.ts';
import { adopt } from './single/adopt.ts';
import { erased } from './single/erased.ts';
import { forgotten } from './single/forgotten.ts';
import { holds } from './single/holds.ts';
import { retired } from './single/retired.ts';
import { secondRecord } from './single/second-record.ts';
import { single } from './single/single.ts';
import { takeover } from './single/takeover.ts';
import { uncontrolled } from './single/uncontrolled.ts';
import { command } from './system/command.ts';
import { directory } from './system/directory.ts';
import { file } from './system/file.ts';
import { firewall } from './system/firewall.ts';
import { gone } from './system/gone.ts';
import { group } from './system/group.ts';
import { initScript } from './system/init-script.ts';
import { line } from './system/line.ts';
import { packageKind } from './system/package.ts';
import { port } from './system/port.ts';
import { program } from './system/program.ts';
import { reached } from './system/reached.ts';
import { room } from './system/room.ts';
import { runnable } from './system/runnable.ts';
import { service } from './system/service.ts';
import { sharedMemory } from './system/shared-memory.ts';
import { symlink } from './system/symlink.ts';
import { sysctl } from './system/sysctl.ts';
import { unit } from './system/unit.ts';
import { user } from './system/user.ts';
import { writable } from './system/writable.ts';

const all: readonly AnyKind[] = [
  anyKind(adopt),
  anyKind(alone),
  anyKind(arbiter),
  anyKind(arbiterKeys),
  anyKind(certificate),
  anyKind(tlsKey),
  anyKind(tlsPair),
  anyKind(tlsFormer),
  anyKind(clusterKeys),
  anyKind(identityKey),
  anyKind(identities),
  anyKind(command),
  anyKind(controller),
  anyKind(controllerVersionKind),
  anyKind(copyTarget),
  anyKind(directory),
  anyKind(dismissed),
  anyKind(duty),
  anyKind(erased),
  anyKind(extension),
  anyKind(file),
  anyKind(forgotten),
  anyKind(firewall),
  anyKind(formerPasswords),
  anyKind(gone),
  anyKind(group),
  anyKind(hba),
  anyKind(holds),
  anyKind(initScript),
  anyKind(instance),
  anyKind(line),
  anyKind(detachment),
  anyKind(maintenance),
  anyKind(memory),
  anyKind(mirroring),
  anyKind(logins),
  anyKind(names),
  anyKind(packageKind),
  anyKind(passfile),
  anyKind(port),
  anyKind(program),
  anyKind(publicSchema),
  anyKind(reached),
  anyKind(rebuild),
  anyKind(register),
  anyKind(reloaded),
  anyKind(renewal),
  anyKind(replication),
  anyKind(restarted),
  anyKind(retired),
  anyKind(rewindSource),
  anyKind(role),
  anyKind(room),
  anyKind(runnable),
  anyKind(secondRecord),
  anyKind(service),
  anyKind(sharedMemory),
  anyKind(served),
  anyKind(settings),
  anyKind(single),
  anyKind(slot),
  anyKind(standby),
  anyKind(settlement),
  anyKind(stopped),
  anyKind(switchover),
  anyKind(failover),
  anyKind(symlink),
  anyKind(sysctl),
  anyKind(takeover),
  anyKind(uncontrolled),
  anyKind(unit),
  anyKind(user),
  anyKind(writable),
];

export const kinds: ReadonlyMap<string, AnyKind> = new Map(all.map((kind) => [kind.kind, kind]));
