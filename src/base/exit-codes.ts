/** The exit status of `pgduet`: what each number means never changes. */
export const exitCode = {
  done: 0,
  hostFailed: 1,
  changesPending: 2,
  inputWrong: 3,
  unreachable: 4,
  refused: 5,
  locked: 6,
  bug: 70,
  interrupted: 130,
} as const;
