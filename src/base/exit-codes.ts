/** The exit status of `pgduet`: what each number means never changes. Help and the manual page show the meanings. */
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

const exitMeaning: Readonly<Record<keyof typeof exitCode, string>> = {
  done: 'done, or nothing to do',
  hostFailed: 'a host failed',
  changesPending: 'changes are pending',
  inputWrong: 'the input is wrong',
  unreachable: 'a host cannot be reached',
  refused: 'refused, to protect data',
  locked: 'another run holds the lock',
  bug: 'a defect of pgduet',
  interrupted: 'interrupted',
};

export const meaningOfExit = (status: number): string =>
  Object.entries(exitCode)
    .filter(([, one]) => one === status)
    .map(([name]) => exitMeaning[name as keyof typeof exitCode])
    .join('');
