/** Numbers as the tables print them. */

/** Fixed decimals, without a minus before zero. */
export function fixed(value: number, decimals: number): string {
  const text = value.toFixed(decimals);
  return Number(text) === 0 ? text.replace('-', '') : text;
}

/** With its sign, also a plus; the minus is the typographic one. */
export function signed(value: number, decimals: number): string {
  const text = fixed(value, decimals);
  if (Number(text) === 0) return text;
  return value > 0 ? `+${text}` : text.replace('-', '−');
}
