import { z } from 'zod';

/** `stem`, `stage1.block0`, `head.weight`: the first words of variables' names. */
export const partOfModel = z
  .string()
  .max(200)
  .regex(/^[A-Za-z][A-Za-z0-9]*(\.[A-Za-z0-9]+)*$/, 'the first words of variables’ names, such as stage1');
