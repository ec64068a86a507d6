import type { Net } from './net.js';

/** The same net for a part of a model: its layers' names begin with the part's. */
export function netOfPart<T>(net: Net<T>, part: string): Net<T> {
  const named = (name: string) => `${part}.${name}`;
  return {
    conv: (name, x, options) => net.conv(named(name), x, options),
    norm: (name, x, options) => net.norm(named(name), x, options),
    isNormalized: (name) => net.isNormalized(named(name)),
    startsBranchAtZero: (name) => net.startsBranchAtZero(named(name)),
    dense: (name, x, units, start) => net.dense(named(name), x, units, start),
    deconv: (name, x, filters) => net.deconv(named(name), x, filters),
    relu: (x) => net.relu(x),
    add: (x, y) => net.add(x, y),
    maxPool: (x, options) => net.maxPool(x, options),
    flatten: (x) => net.flatten(x),
    dropout: (x, rate) => net.dropout(x, rate),
    subsample: (x, stride, channels) => net.subsample(x, stride, channels),
    channels: (x) => net.channels(x),
    globalAveragePool: (x) => net.globalAveragePool(x),
    upsample: (x) => net.upsample(x),
  };
}
