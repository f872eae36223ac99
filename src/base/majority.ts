/** So few servers have a majority when one of them is silent. */
export const fewestForMajority = 3;
