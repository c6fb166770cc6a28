// Instants for reading, in UTC or in local time. What came is kept whole, to the nanosecond, in the
// tooltip.

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

let isLocal = false;

/** Whether times are shown in local time. */
export function showsLocal() {
  return isLocal;
}

/** Turn from UTC to local time, or back. */
export function turnZone() {
  isLocal = !isLocal;
}

/** Milliseconds of an RFC 3339 instant: to draw with and to compare days, not to show. */
export function millisecondsOf(instant) {
  return Date.parse(`${instant.slice(0, 23).replace(/Z$/, "")}Z`);
}

/** An RFC 3339 instant with its seconds, and with its day if that is not today. */
export function timeText(instant) {
  return instant ? clockText(millisecondsOf(instant)) : "–";
}

/** Milliseconds since 1970 with their seconds, and with their day if that is not today. */
export function clockText(milliseconds) {
  if (!Number.isFinite(milliseconds)) return "–";
  const [day, time] = pieces(milliseconds);
  const [today] = pieces(Date.now());
  return day === today ? time : `${day} ${time}`;
}

/** Milliseconds since 1970 as time of day. */
export function timeOfDay(milliseconds) {
  return pieces(milliseconds)[1];
}

function pieces(milliseconds) {
  const date = new Date(isLocal ? milliseconds - new Date(milliseconds).getTimezoneOffset() * 60_000 : milliseconds);
  const text = date.toISOString();
  return [`${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]} ${date.getUTCFullYear()}`, text.slice(11, 19)];
}
