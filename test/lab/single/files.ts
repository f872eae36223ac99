/**
 * The configuration files of the single servers, as text: comments, includes, rules and a unit that somebody wrote by hand.
 * In: directories. Out: text by path; one that begins with '+' goes behind what initdb wrote. Some end without a newline,
 * because files that people edit do.
 */

type Files = Readonly<Record<string, string>>;

export const byHandFiles = (dataDir: string): Files => ({
  [`${dataDir}/postgresql.conf`]: `+
# Added by Anna, 2021-03-01
max_connections = 60
shared_buffers = 32MB                   # small machine
log_min_duration_statement = 250ms
#wal_log_hints = on                     # not needed: the pages have checksums
`,
  [`${dataDir}/pg_hba.conf`]: `+
# The application runs on this host.
local   app             app                                     scram-sha-256
`,
});

export const ownUnitFiles = (dataDir: string, archiveDir: string): Files => ({
  [`${dataDir}/postgresql.conf`]: `+
# --- the shop's own settings ------------------------------------------------
listen_addresses = '*'                  # every network; who may come says pg_hba.conf
port = 27500
	shared_buffers	32MB
max_wal_senders = 4                     # see ALTER SYSTEM
wal_level = logical
archive_mode = on
archive_command = 'test ! -f ${archiveDir}/%f && cp %p ${archiveDir}/%f'
shared_preload_libraries = 'pg_stat_statements'
#wal_log_hints = on                     # thought about in 2021
work_mem = 5MB                          # conf.d says more

include 'extra.conf'
include_dir 'conf.d'
include_if_exists '/etc/postgresql-site.conf'
temp_buffers = 4MB                      # the last line, and it ends without a newline`,
  [`${dataDir}/extra.conf`]: `# read by postgresql.conf
maintenance_work_mem = 32MB
pg_stat_statements.max = 500
wal_sender_timeout = '90s'
`,
  [`${dataDir}/conf.d/10-log.conf`]: `log_line_prefix = '%m [%p] %a '         # as our log reader wants it
logging_collector = on
log_directory = 'log'
`,
  [`${dataDir}/conf.d/20-memory.conf`]: `work_mem = 6MB\neffective_cache_size = 256MB`,
  [`${dataDir}/conf.d/ignored.txt`]: 'work_mem = 64MB\n',
  [`${dataDir}/pg_hba.conf`]: `# The shop's rules. Ask Anna before you change them.
# TYPE  DATABASE        USER            ADDRESS                 METHOD
local   all             postgres                                peer map=admins
local   app             app                                     scram-sha-256
local   all             all                                     peer

host    app             app             10.0.0.0/8              scram-sha-256   # the application servers
host    app,postgres    reporting,+auditors 10.0.0.0/8          scram-sha-256
host    replication     backup          127.0.0.1/32            scram-sha-256
host    all             "Otto"          192.0.2.0  255.255.255.0  scram-sha-256`,
  [`${dataDir}/pg_ident.conf`]: `# MAPNAME       SYSTEM-USERNAME         PG-USERNAME
admins          postgres                postgres
admins          root                    postgres
`,
  '/var/lib/postgresql/.pgpass': `# the other shop
db.example.com:5432:*:backup:backup-Secret-1
`,
});

export const packagedFiles = (configDir: string): Files => ({
  [`${configDir}/conf.d/10-shop.conf`]: `# The shop's own settings; the packages' file stays as it is.
listen_addresses = '*'
shared_buffers = 32MB
work_mem = 6MB
`,
  [`${configDir}/pg_hba.conf`]: `+
# The application servers
host    app             app             10.0.0.0/8              scram-sha-256
`,
});

export const needsNothingFiles = (dataDir: string): Files => ({
  [`${dataDir}/postgresql.conf`]: `+
listen_addresses = '*'
port = 27500
shared_buffers = 32MB
wal_level = replica
wal_log_hints = on
max_wal_senders = 10
max_replication_slots = 10
hot_standby = on
logging_collector = on
log_filename = 'shop-%a.log'
`,
  [`${dataDir}/pg_hba.conf`]: `+
host    app             app             10.0.0.0/8              scram-sha-256
`,
});

/** As the manual of PostgreSQL proposes it ("Starting the Database Server"). */
export const unitText = (program: string, dataDir: string): string => `[Unit]
Description=PostgreSQL of the shop
After=network-online.target
Wants=network-online.target

[Service]
Type=notify
User=postgres
ExecStart=${program} -D ${dataDir}
ExecReload=/bin/kill -HUP $MAINPID
KillMode=mixed
KillSignal=SIGINT
TimeoutSec=infinity
Restart=on-failure

[Install]
WantedBy=multi-user.target
`;
