/**
 * Somebody who passes for a server on the network: a host of his own takes its address, and one other host is made to send there what is meant for
 * it, as a forged answer to ARP does. He speaks TLS with a certificate that is not of the cluster, and notes who goes on behind the handshake.
 */
import type { Host, Lab } from '../harness/lab.ts';
import { until } from '../harness/run.ts';
import type { Pair } from './certificates.ts';
import type { Server } from './instance.ts';

const program = `import socket, ssl, sys
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain('/run/impostor.pem', '/run/impostor.key')
door = socket.create_server((sys.argv[1], int(sys.argv[2])))
while True:
    caller, _ = door.accept()
    caller.settimeout(5)
    try:
        caller.recv(8)
        caller.sendall(b'S')
        with context.wrap_socket(caller, server_side=True) as spoken:
            said = spoken.recv(1000)
        met = said.decode('latin1').replace(chr(0), ' ')
    except OSError as error:
        met = type(error).__name__
    finally:
        caller.close()
    with open('/run/impostor.met', 'a') as notes: notes.write(met + chr(10))
`;

export class Impostor {
  readonly #host: Host;
  readonly #place: { readonly of: Server; readonly before: Server };

  private constructor(host: Host, place: { readonly of: Server; readonly before: Server }) {
    this.#host = host;
    this.#place = place;
  }

  /** He answers in the place of the server `of`, to the server `before` alone. */
  static async begin(
    lab: Lab,
    place: { readonly of: Server; readonly before: Server },
    shown: Pair,
  ): Promise<Impostor> {
    const [host] = await lab.hosts(1, { names: ['impostor'] });
    const { of, before } = place;
    const card = "ip -o link show host0 | sed 's|.* link/ether \\([0-9a-f:]*\\).*|\\1|'";
    const own = (await host.sh(card, { check: true })).stdout.trim();
    // He answers no question of others for that address, and asks none in its name: whoever heard it would turn to him.
    await host.sh(
      `set -e; mount --bind /proc/sys/net /proc/sys/net; mount -o remount,bind,rw /proc/sys/net
echo 1 > /proc/sys/net/ipv4/conf/all/arp_ignore; echo 2 > /proc/sys/net/ipv4/conf/all/arp_announce; ip addr add ${of.address}/32 dev lo
umask 077; cat > /run/impostor.pem`,
      { input: shown.certificate, check: true },
    );
    await host.sh('umask 077; cat > /run/impostor.key', { input: shown.key, check: true });
    await host.sh(
      `touch /run/impostor.met; cat > /run/impostor.py; systemd-run -q --unit=impostor python3 /run/impostor.py ${of.address} ${of.port}`,
      { input: program, check: true },
    );
    await until(
      () => 'the impostor does not listen',
      20_000,
      async () => (await host.sh(`ss -Hltn 'sport = :${of.port}' | grep -q .`)).status === 0 || undefined,
    );
    await before.host.sh(`ip neigh replace ${of.address} dev host0 lladdr ${own} nud permanent`, {
      check: true,
    });
    return new Impostor(host, place);
  }

  /** What was said to him behind a handshake, and how the others ended. */
  async believedBy(): Promise<string> {
    return (await this.#host.sh('cat /run/impostor.met', { check: true })).stdout;
  }

  async end(): Promise<void> {
    const { of, before } = this.#place;
    await before.host.sh(`ip neigh del ${of.address} dev host0`, { check: true });
    await this.#host.sh('systemctl stop impostor');
  }
}
