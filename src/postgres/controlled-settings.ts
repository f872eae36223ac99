/**
 * The settings that the Mirroring Controller edits in postgresql.conf while it runs, at any time and without being asked.
 * Everybody else leaves their lines alone: the provisioner writes a value once and accepts it commented out, `check`
 * does not call it drift, an inventory cannot give it. Data only.
 */

/** Commented out as long as no standby is in; commits then wait for nobody ("Synchronous Replication"). */
export const namesSetting = 'synchronous_standby_names';

/** The slot of a standby goes out and in together with its name: a logical walsender would wait for one that is out (17 and newer). */
export const slotsSetting = 'synchronized_standby_slots';

/** Written for the server that is followed; commented out when the receiver is cut. */
export const upstreamSetting = 'primary_conninfo';

export const controlledSettings: readonly string[] = [namesSetting, slotsSetting, upstreamSetting];

export const isControlled = (name: string): boolean => controlledSettings.includes(name.toLowerCase());
