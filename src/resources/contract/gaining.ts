/** Shell by which a probe tells whether a program gains privileges when it is started. Pure text. */

const becomers = '(sudo|su|doas|pkexec|runuser|newgrp|sg)';

/**
 * Defines `gaining PATH`, which needs `peek`: prints "itself" for a program with the bit of another user or group, the name of the program for
 * a script that calls such a one, nothing for any other.
 */
export const gainingFunction = `gaining() {
  if [ -u "$1" ] || [ -g "$1" ]; then echo itself; return; fi
  if [ "$(peek head -c 2 "$1" 2>/dev/null | tr -d '\\0')" != '#!' ]; then return; fi
  # As a word of its own, or as a text of a list: ['sudo', '-n', 'true'].
  peek grep -vE '^[[:space:]]*#' "$1" 2>/dev/null | grep -oE "(^|[^[:alnum:]_./-])([a-z/]*/)?${becomers}[[:space:]]|[\\"']([a-z/]*/)?${becomers}[\\"'][[:space:]]*([],]|\\$)" | grep -oE '${becomers}' | head -n 1
}`;
