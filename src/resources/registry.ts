/** All resource kinds by name: what a playbook may use. A new kind is added here and nowhere else. */
import { adopt } from './adopt.ts';
import { command } from './command.ts';
import { controller } from './controller.ts';
import { copyTarget } from './copy-target.ts';
import { directory } from './directory.ts';
import { erased } from './erased.ts';
import { file } from './file.ts';
import { forgotten } from './forgotten.ts';
import { gone } from './gone.ts';
import { group } from './group.ts';
import { hba } from './hba.ts';
import { holds } from './holds.ts';
import { instance } from './instance.ts';
import { type AnyKind, anyKind } from './kind.ts';
import { line } from './line.ts';
import { mirroring } from './mirroring.ts';
import { packageKind } from './package.ts';
import { passfile } from './passfile.ts';
import { port } from './port.ts';
import { program } from './program.ts';
import { rebuild } from './rebuild.ts';
import { replication } from './replication.ts';
import { retired } from './retired.ts';
import { rewindSource } from './rewind-source.ts';
import { role } from './role.ts';
import { room } from './room.ts';
import { service } from './service.ts';
import { settings } from './settings.ts';
import { single } from './single.ts';
import { slot } from './slot.ts';
import { standby } from './standby.ts';
import { switchover } from './switchover.ts';
import { symlink } from './symlink.ts';
import { takeover } from './takeover.ts';
import { unit } from './unit.ts';
import { user } from './user.ts';

const all: readonly AnyKind[] = [
  anyKind(adopt),
  anyKind(command),
  anyKind(controller),
  anyKind(copyTarget),
  anyKind(directory),
  anyKind(erased),
  anyKind(file),
  anyKind(forgotten),
  anyKind(gone),
  anyKind(group),
  anyKind(hba),
  anyKind(holds),
  anyKind(instance),
  anyKind(line),
  anyKind(mirroring),
  anyKind(packageKind),
  anyKind(passfile),
  anyKind(port),
  anyKind(program),
  anyKind(rebuild),
  anyKind(replication),
  anyKind(retired),
  anyKind(rewindSource),
  anyKind(role),
  anyKind(room),
  anyKind(service),
  anyKind(settings),
  anyKind(single),
  anyKind(slot),
  anyKind(standby),
  anyKind(switchover),
  anyKind(symlink),
  anyKind(takeover),
  anyKind(unit),
  anyKind(user),
];

export const kinds: ReadonlyMap<string, AnyKind> = new Map(all.map((kind) => [kind.kind, kind]));
