// Ages and durations that keep counting, and exact times in the reader's own time zone on hover.
const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "long" });

export function age(seconds) {
  const whole = Math.max(Math.floor(seconds), 0);
  for (const [unit, length] of [["d", 86400], ["h", 3600], ["m", 60]]) {
    if (whole >= 2 * length || (unit === "d" && whole >= length)) return `${Math.floor(whole / length)}${unit}`;
  }
  return `${whole}s`;
}

export function lasted(seconds) {
  const whole = Math.max(Math.floor(seconds), 0);
  const two = (number) => String(number).padStart(2, "0");
  const [days, hours, minutes, rest] =
    [Math.floor(whole / 86400), Math.floor(whole / 3600) % 24, Math.floor(whole / 60) % 60, whole % 60];
  if (days) return `${days}d${two(hours)}h`;
  if (hours) return `${hours}h${two(minutes)}m`;
  return minutes ? `${minutes}m${two(rest)}s` : `${rest}s`;
}

function set(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function showTimes() {
  const now = Date.now() / 1000;
  for (const element of document.querySelectorAll("time[datetime]")) {
    const at = Date.parse(element.dateTime) / 1000;
    if (Number.isNaN(at)) continue;
    if ("age" in element.dataset) set(element, age(now - at));
    if ("until" in element.dataset) set(element, at > now ? `in ${age(at - now)}` : "now");
    if ("since" in element.dataset) set(element, lasted(now - at));
    if (element.dataset.shown !== element.dateTime) {
      element.title = element.title.replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, (text) => exact.format(new Date(text)));
      element.dataset.shown = element.dateTime;
    }
    if ("exact" in element.dataset) set(element, exact.format(new Date(element.dateTime)));
  }
}
