/** The tile unit's loops, whose instructions few processors have, with those instructions emulated. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { nativeSources } from '../install/kernel-sources.js';
import { compileCheck } from './testing/compile-check.js';

const has = (feature: string) =>
  new RegExp(`^flags.*\\b${feature}\\b`, 'm').test(readFileSync('/proc/cpuinfo', 'utf8'));
// The rest of the loops, the copying and rounding around the tiles, is AVX-512 and runs as it is.
const lacking = process.platform !== 'linux' || !has('avx512_bf16');

it("the tile unit's convolutions are right, border and remainder of every shape included", {
  skip: lacking && 'this processor has no AVX512-BF16',
}, async () => {
  const scratch = mkdtempSync(join(tmpdir(), 'gnbench-tiles-'));
  try {
    const { flags } = nativeSources.find(({ file }) => file === 'loops-amx.cc')!;
    const quick = flags.filter((flag) => !/^-(O3|fPIC|mamx.*)$/.test(flag));
    const program = await compileCheck('tiles-check.cc', [...quick, '-O1'], scratch);
    const { status, stdout } = spawnSync(program, { encoding: 'utf8' });
    assert.equal(status, 0, stdout);
  } finally {
    rmSync(scratch, { recursive: true });
  }
});
