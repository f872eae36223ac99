/**
 * Runs with each file of the lab's tests. A worker goes on with the next file, so what one has left open, such as a lab whose test has
 * failed before it was closed, is closed at the end of that file.
 */
import { afterAll } from 'vitest';
import { Lab } from './lab.ts';

afterAll(() => Lab.closeAll());
