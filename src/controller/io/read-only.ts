/** Whether a place is read-only for this process alone, while its file system takes writes ("proc(5)", /proc/PID/mountinfo). Pure. */

/** `path` without symbolic links. */
export function keptReadOnly(mountinfo: string, path: string): boolean {
  const mounts = mountinfo.split('\n').flatMap((line) => {
    const [before = '', after = ''] = line.split(' - ');
    const [, , , , point, options] = before.split(' ');
    const [, , whole] = after.split(' ');
    return point && options && whole ? [{ point: plain(point), options, whole }] : [];
  });
  // Of several mounts on one point the last one counts.
  const [nearest] = mounts
    .filter(({ point }) => `${path}/`.startsWith(point === '/' ? '/' : `${point}/`))
    .reverse()
    .sort((one, other) => other.point.length - one.point.length);
  return nearest !== undefined && isSet(nearest.options, 'ro') && isSet(nearest.whole, 'rw');
}

const isSet = (options: string, word: string): boolean => options.split(',').includes(word);

const plain = (point: string): string =>
  point.replace(/\\([0-7]{3})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 8)));
