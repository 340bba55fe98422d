// Numbers and times as model/words.py says them.

/** @param {number} bytes */
export function size(bytes) {
  let unit = 0;
  for (; bytes >= 999.5 && unit < 6; unit += 1) bytes /= 1000;
  return `${bytes.toFixed(unit && bytes < 9.95 ? 1 : 0)} ${["B", "kB", "MB", "GB", "TB", "PB", "EB"][unit]}`;
}

/** @param {number} count */
export const number = (count) => count.toLocaleString("en");

/** @type {[number, string, number, string][]} */
const SPANS = [[86400, "d", 3600, "h"], [3600, "h", 60, "min"], [60, "min", 1, "s"]];

/** @param {number} seconds */
export function duration(seconds) {
  if (seconds < 9.95) return `${Math.max(seconds, 0).toFixed(1)} s`;
  const whole = Math.round(seconds);
  const span = SPANS.find(([unit]) => whole >= unit);
  if (!span) return `${whole} s`;
  const rest = Math.floor((whole % span[0]) / span[2]);
  return `${Math.floor(whole / span[0])} ${span[1]}${rest ? ` ${rest} ${span[3]}` : ""}`;
}

/** @param {Date} then @param {Date} now */
export function age(then, now) {
  const seconds = (+now - +then) / 1000;
  const span = SPANS.find(([unit]) => Math.abs(seconds) >= unit);
  if (!span) return "now";
  const words = `${Math.floor(Math.abs(seconds) / span[0])} ${span[1]}`;
  return seconds < 0 ? `in ${words}` : `${words} ago`;
}
