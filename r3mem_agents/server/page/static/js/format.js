// Numbers, sizes and times in the reader's own language and zone.

const number = new Intl.NumberFormat();
const day = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", year: "numeric" });
const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const UNITS = ["bytes", "kB", "MB", "GB"];

export const count = (value) => number.format(value);

/** "1 turn", "2,000 turns". */
export const counted = (value, one, many = `${one}s`) => `${count(value)} ${value === 1 ? one : many}`;

/** "225 kB", in thousands. */
export function bytes(value) {
  const unit = Math.min(Math.floor(Math.log10(Math.max(value, 1)) / 3), UNITS.length - 1);
  const scaled = value / 1000 ** unit;
  return `${unit && scaled < 100 ? scaled.toFixed(1) : count(Math.round(scaled))}\u00a0${UNITS[unit]}`;
}

export const date = (time) => day.format(new Date(time));
export const hour = (time) => clock.format(new Date(time));
export const moment = (time) => `${date(time)}, ${hour(time)}`;

/** The days or hours between two times, without saying anything twice. */
export function period(first, last) {
  if (date(first) !== date(last)) return `${date(first)} – ${date(last)}`;
  return hour(first) === hour(last) ? moment(first) : `${moment(first)} – ${hour(last)}`;
}

/** What a field of a date and time holds, as a time with a zone; undefined if it is empty. */
export const zoned = (value) => (value ? new Date(value).toISOString() : undefined);

/** Log-odds with their sign, a real minus included. */
export function signed(value) {
  const shown = Math.abs(value).toFixed(2);
  return Number(shown) ? `${value < 0 ? "−" : "+"}${shown}` : shown;
}
