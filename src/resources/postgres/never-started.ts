/** What a server holds that initdb has made and nobody has started: that it does not answer says nothing then. Pure text. */
import { quote } from '../../base/shell.ts';

/** Shell: "new" there: it holds the role of its owner and no other. */
export const neverStarted = (dataDir: string): string => `d=${quote(dataDir)}
if [ -e "$d/global/pg_control" ] && [ ! -e "$d/postmaster.opts" ] && [ ! -e "$d/backup_label" ] && [ ! -e "$d/standby.signal" ]; then echo new; fi`;
