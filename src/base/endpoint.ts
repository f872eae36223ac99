/** How an etcd is called, and how a member of it is written, in the inventory and in the file of the controller. Pure. */

/** As what promises and reports name it; no server can be called so beside it. */
export const etcdName = 'etcd';

const form = /^https:\/\/(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]):(\d{1,5})$/;

/** `https://host:port`, an IPv6 address in brackets. A password is sent there, so that http is none. */
export function isHttpsEndpoint(text: string): boolean {
  const port = Number(form.exec(text)?.[1] ?? 0);
  return port > 0 && port <= 65_535 && isUrl(text);
}

/** An address such as 10.0.0.300 has the form of a name and is none. The earliest versions 18 of Node.js know no `URL.canParse`. */
function isUrl(text: string): boolean {
  try {
    return new URL(text).host !== '';
  } catch (error) {
    if (error instanceof TypeError) return false;
    throw error;
  }
}
