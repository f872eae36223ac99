/**
 * The entry of the one file that is shipped to the hosts: `node mc.js ctl …` is mc_ctl, `node mc.js daemon …` is the
 * daemon of the unit, `node mc.js disk-helper …` is its helper. `node mc.js arb …` is mc_arb, `node mc.js arbiter-daemon …` the arbiter. Sets the exit status; decides nothing.
 */
import { parseArgs } from 'node:util';
import { DiagnosticError } from '../base/diagnostic.ts';
import { exitCode } from '../base/exit-codes.ts';
import { renderDiagnostics, runCtl } from './mc-ctl.ts';

async function main(bundle: string, [mode = '', ...args]: string[]): Promise<number> {
  switch (mode) {
    case 'ctl':
      return runCtl(args, bundle);
    case 'daemon':
      return daemon(args, bundle);
    case 'arb': {
      // Loaded here, so that `mc_ctl` does not pay for it.
      const { runArbiterCtl } = await import('./arbiter/ctl.ts');
      return runArbiterCtl(args, bundle);
    }
    case 'arbiter-daemon':
      return arbiterDaemon(args);
    case 'disk-helper': {
      const [dataDir = '', intervalMs, timeoutMs] = args;
      const { runDiskHelper } = await import('./io/disk-helper.ts');
      runDiskHelper(dataDir, Number(intervalMs), Number(timeoutMs));
      return new Promise(() => undefined);
    }
    default:
      process.stderr.write(
        'usage: node mc.js ctl|daemon|arb|arbiter-daemon …; `node mc.js ctl --help` says more\n',
      );
      return exitCode.inputWrong;
  }
}

async function daemon(args: string[], bundle: string): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      mcdir: { type: 'string', short: 'M' },
      'local-server': { type: 'string' },
      'mc-only': { type: 'boolean' },
      failover: { type: 'boolean', short: 'f' },
      'no-failover': { type: 'boolean', short: 'F' },
    },
  });
  const { mcdir: dir, 'local-server': id } = values;
  if (dir === undefined || id === undefined) {
    process.stderr.write('usage: node mc.js daemon -M DIR --local-server ID [--mc-only] [-f|-F]\n');
    return exitCode.inputWrong;
  }
  // Loaded here, so that `mc_ctl status` does not pay for TLS and the rest of the daemon.
  const { runDaemon } = await import('./mcd.ts');
  const failover = values.failover ? true : values['no-failover'] ? false : null;
  return runDaemon({ dir, id, mcOnly: values['mc-only'] ?? false, failover, bundle });
}

async function arbiterDaemon(args: string[]): Promise<number> {
  const { values } = parseArgs({ args, options: { mcdir: { type: 'string', short: 'M' } } });
  if (values.mcdir === undefined) {
    process.stderr.write('usage: node mc.js arbiter-daemon -M DIR\n');
    return exitCode.inputWrong;
  }
  const { runArbiter } = await import('./arbiter/daemon.ts');
  return runArbiter(values.mcdir);
}

main(process.argv[1] ?? '', process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code;
    // What is left are connections of unknown peers or a hung disk helper; nothing of it may hold the process.
    process.exit();
  },
  (error: unknown) => {
    const known = error instanceof DiagnosticError;
    const text = known
      ? renderDiagnostics(error.diagnostics)
      : `${error instanceof Error ? error.stack : String(error)}\n`;
    process.stderr.write(text);
    process.exit(known ? error.exitCode : 1);
  },
);
