/** Schema `public`: everybody may use it from the beginning, and up to PostgreSQL 14 make objects there, too. Pure. */

/** SQL, for a session in the database that is meant. */
export const closePublic = 'REVOKE ALL ON SCHEMA public FROM PUBLIC;';
