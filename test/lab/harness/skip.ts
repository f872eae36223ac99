/**
 * The name under which the global setup tells the test files why there is no lab.
 * It stands alone so that the setup need not load the test runner's own functions.
 */
export const SKIP_VARIABLE = 'PGDUET_LAB_SKIP';
