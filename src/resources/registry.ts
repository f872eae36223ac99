/** All resource kinds by name: what a playbook may use. A new kind is added here and nowhere else. */
import { adopt } from './adopt.ts';
import { command } from './command.ts';
import { controller } from './controller.ts';
import { copyTarget } from './copy-target.ts';
import { directory } from './directory.ts';
import { file } from './file.ts';
import { group } from './group.ts';
import { hba } from './hba.ts';
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
import { rewindSource } from './rewind-source.ts';
import { role } from './role.ts';
import { room } from './room.ts';
import { service } from './service.ts';
import { settings } from './settings.ts';
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
  anyKind(file),
  anyKind(group),
  anyKind(hba),
  anyKind(instance),
  anyKind(line),
  anyKind(mirroring),
  anyKind(packageKind),
  anyKind(passfile),
  anyKind(port),
  anyKind(program),
  anyKind(rebuild),
  anyKind(replication),
  anyKind(rewindSource),
  anyKind(role),
  anyKind(room),
  anyKind(service),
  anyKind(settings),
  anyKind(slot),
  anyKind(standby),
  anyKind(switchover),
  anyKind(symlink),
  anyKind(takeover),
  anyKind(unit),
  anyKind(user),
];

export const kinds: ReadonlyMap<string, AnyKind> = new Map(all.map((kind) => [kind.kind, kind]));
