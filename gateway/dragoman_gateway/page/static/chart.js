// Bid and ask over time, drawn as steps, because a quote holds until the next. Numbers are made of
// the wire's texts here, to place them; what is written beside the lines are the texts themselves.

import { millisecondsOf, timeOfDay, timeText } from "./times.js";

const SPACE = "http://www.w3.org/2000/svg";
const MOST_POINTS = 6000;
const RIGHT = 74;
const BOTTOM = 20;
const TOP = 6;
const LABEL_HEIGHT = 17;

/** Spans of time to choose from, in minutes. */
export const SPANS = [1, 5, 15];

export class Chart {
  constructor(box) {
    this.box = box;
    this.points = [];
    this.minutes = 5;
    this.cursor = null;
    this.isDue = false;
    this.note = "";
    this.svg = drawn("svg", { role: "img", tabindex: "0" });
    box.append(this.svg);
    new ResizeObserver(() => this.redraw()).observe(box);
    this.svg.addEventListener("pointermove", (event) => this.point(event.offsetX));
    this.svg.addEventListener("pointerleave", () => this.point(null));
    this.svg.addEventListener("keydown", (event) => this.step(event));
    this.svg.addEventListener("blur", () => this.point(null));
    setInterval(() => this.redraw(), 1000);
  }

  /** Forget what is drawn; the note says why there is nothing. */
  clear(note) {
    this.points = [];
    this.note = note;
    this.cursor = null;
    this.redraw();
  }

  /** Draw one more quote. */
  add(quote) {
    const at = millisecondsOf(quote.received_at);
    this.points.push({ at, here: Date.now(), bid: numberOf(quote.bid_price), ask: numberOf(quote.ask_price), quote });
    if (this.points.length > MOST_POINTS) this.points.splice(0, this.points.length - MOST_POINTS);
    this.redraw();
  }

  /** Leave a gap from here to the next quote: what happened between them is not known. */
  interrupt() {
    const last = this.points.at(-1);
    if (!last || last.quote === null) return;
    const at = last.at + Math.max(0, Date.now() - last.here);
    this.points.push({ at, here: Date.now(), bid: null, ask: null, quote: null });
    this.redraw();
  }

  /** Show this many minutes. */
  show(minutes) {
    this.minutes = minutes;
    this.redraw();
  }

  /** Draw soon: once for all that changes until then. */
  redraw() {
    if (this.isDue) return;
    this.isDue = true;
    requestAnimationFrame(() => {
      this.isDue = false;
      this.draw();
    });
  }

  draw() {
    const width = this.svg.clientWidth;
    const height = this.svg.clientHeight;
    if (!width || !height) return;
    this.svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    const plot = { left: 0, right: width - RIGHT, top: TOP, bottom: height - BOTTOM };
    const seen = this.visible();
    const scale = scaleOf(seen, plot, this.end(), this.minutes * 60_000);
    this.svg.setAttribute("aria-label", this.spoken());
    if (scale === null) {
      const note = drawn("text", { class: "note", x: width / 2, y: height / 2 }, this.note);
      this.svg.replaceChildren(note);
      return;
    }
    this.scale = scale;
    this.svg.replaceChildren(...grid(scale), ...lines(seen, scale), ...tags(seen, scale), ...this.cross(scale));
  }

  visible() {
    const begin = this.end() - this.minutes * 60_000;
    const first = this.points.findIndex((one) => one.at >= begin);
    if (first < 0) return this.points.slice(-1);
    return this.points.slice(Math.max(0, first - 1));
  }

  end() {
    const last = this.points.at(-1);
    return last ? last.at + Math.max(0, Date.now() - last.here) : Date.now();
  }

  spoken() {
    const last = this.points.findLast((one) => one.quote !== null)?.quote;
    if (!last) return `Quotes: ${this.note}`;
    return `Quotes of ${last.symbol}: bid ${last.bid_price ?? "none"}, ask ${last.ask_price ?? "none"} at ${timeText(last.received_at)}`;
  }

  point(x) {
    this.cursor = x === null || !this.scale ? null : this.scale.timeAt(x);
    this.redraw();
  }

  step(event) {
    const direction = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const quotes = this.visible().filter((one) => one.quote !== null);
    if (!direction || quotes.length === 0) return;
    event.preventDefault();
    const now = this.cursor === null ? quotes.length : quotes.findLastIndex((one) => one.at <= this.cursor);
    this.cursor = quotes[Math.min(Math.max(now + direction, 0), quotes.length - 1)].at;
    this.redraw();
  }

  cross(scale) {
    if (this.cursor === null) return [];
    const held = this.points.findLast((one) => one.at <= this.cursor);
    const x = Math.min(Math.max(scale.x(this.cursor), scale.plot.left), scale.plot.right);
    const line = drawn("line", { class: "cross", x1: x, x2: x, y1: scale.plot.top, y2: scale.plot.bottom });
    const text = held?.quote
      ? `${timeOfDay(this.cursor)}  ${held.quote.bid_price ?? "–"} / ${held.quote.ask_price ?? "–"}`
      : `${timeOfDay(this.cursor)}  not known`;
    const isLeft = x < (scale.plot.left + scale.plot.right) / 2;
    const place = { x: x + (isLeft ? 6 : -6), y: scale.plot.top + 11, "text-anchor": isLeft ? "start" : "end" };
    return [line, drawn("text", place, text)];
  }
}

function scaleOf(points, plot, end, span) {
  const values = points.flatMap((one) => [one.bid, one.ask]).filter((value) => value !== null);
  if (values.length === 0) return null;
  const low = Math.min(...values);
  const high = Math.max(...values);
  const room = (high - low || Math.abs(high) * 0.0002 || 1) * 0.12;
  const [floor, ceiling] = [low - room, high + room];
  const begin = end - span;
  return {
    plot, begin, end, floor, ceiling,
    x: (at) => plot.left + ((at - begin) / span) * (plot.right - plot.left),
    y: (value) => plot.bottom - ((value - floor) / (ceiling - floor)) * (plot.bottom - plot.top),
    timeAt: (x) => begin + ((x - plot.left) / (plot.right - plot.left)) * span,
  };
}

function grid(scale) {
  const { plot } = scale;
  const made = [];
  const step = niceStep((scale.ceiling - scale.floor) / Math.max(2, (plot.bottom - plot.top) / 46));
  const places = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  for (let value = Math.ceil(scale.floor / step) * step; value <= scale.ceiling; value += step) {
    const y = Math.round(scale.y(value));
    made.push(drawn("line", { class: "grid", x1: plot.left, x2: plot.right, y1: y, y2: y }));
    made.push(drawn("text", { x: plot.right + 8, y: y + 4 }, value.toFixed(Math.min(places, 12))));
  }
  const every = timeStep((scale.end - scale.begin) / Math.max(2, (plot.right - plot.left) / 110));
  for (let at = Math.ceil(scale.begin / every) * every; at <= scale.end; at += every) {
    const x = Math.round(scale.x(at));
    made.push(drawn("line", { class: "grid", x1: x, x2: x, y1: plot.top, y2: plot.bottom }));
    if (x > 26 && x < plot.right + 20) made.push(drawn("text", { x, y: plot.bottom + 15, "text-anchor": "middle" }, timeOfDay(at)));
  }
  return made;
}

function lines(points, scale) {
  const made = [];
  for (const [begin, end] of gaps(points, scale)) {
    const x = Math.max(scale.plot.left, scale.x(begin));
    const { top, bottom } = scale.plot;
    made.push(drawn("rect", { class: "lack", x, y: top, width: Math.max(0, scale.x(end) - x), height: bottom - top }));
  }
  made.push(drawn("path", { class: "spread", d: areas(points, scale) }));
  made.push(drawn("path", { class: "line ask", d: steps(points, scale, "ask") }));
  made.push(drawn("path", { class: "line bid", d: steps(points, scale, "bid") }));
  return made;
}

function gaps(points, scale) {
  return points
    .map((one, index) => (one.quote === null ? [one.at, points[index + 1]?.at ?? scale.end] : null))
    .filter((one) => one !== null);
}

/** The stretch of time in which a quote holds, as places on the chart. */
function stretch(points, index, scale) {
  const begin = Math.max(scale.plot.left, scale.x(points[index].at));
  return [round(begin), round(Math.max(begin, scale.x(points[index + 1]?.at ?? scale.end)))];
}

function steps(points, scale, side) {
  let path = "";
  let isDown = false;
  points.forEach((one, index) => {
    if (one[side] === null) {
      isDown = false;
      return;
    }
    const [from, to] = stretch(points, index, scale);
    const y = round(scale.y(one[side]));
    path += `${isDown ? "L" : "M"}${from} ${y}H${to}`;
    isDown = true;
  });
  return path;
}

function areas(points, scale) {
  return points
    .map((one, index) => {
      if (one.bid === null || one.ask === null) return "";
      const [from, to] = stretch(points, index, scale);
      return `M${from} ${round(scale.y(one.ask))}H${to}V${round(scale.y(one.bid))}H${from}Z`;
    })
    .join("");
}

function tags(points, scale) {
  const last = points.at(-1);
  if (!last || last.quote === null) return [];
  const heights = { bid: last.bid === null ? null : scale.y(last.bid), ask: last.ask === null ? null : scale.y(last.ask) };
  if (heights.bid !== null && heights.ask !== null && Math.abs(heights.bid - heights.ask) < LABEL_HEIGHT) {
    const middle = (heights.bid + heights.ask) / 2;
    const isCrossed = heights.bid < heights.ask;
    heights.bid = middle + (isCrossed ? -LABEL_HEIGHT : LABEL_HEIGHT) / 2;
    heights.ask = middle + (isCrossed ? LABEL_HEIGHT : -LABEL_HEIGHT) / 2;
  }
  return ["ask", "bid"].filter((side) => heights[side] !== null).flatMap((side) => {
    const [x, y] = [scale.plot.right + 2, Math.round(heights[side])];
    const box = drawn("rect", { class: `tag ${side}`, x, y: y - LABEL_HEIGHT / 2, width: RIGHT - 2, height: LABEL_HEIGHT - 1, rx: 3 });
    return [box, drawn("text", { class: "tag-text", x: x + 6, y: y + 3.5 }, last.quote[`${side}_price`])];
  });
}

function niceStep(rough) {
  const unit = 10 ** Math.floor(Math.log10(rough));
  return unit * ([1, 2, 5].find((factor) => factor * unit >= rough) ?? 10);
}

function timeStep(rough) {
  const seconds = [5, 10, 15, 30, 60, 120, 300, 600].find((one) => one * 1000 >= rough) ?? 1800;
  return seconds * 1000;
}

function numberOf(text) {
  const number = text === null || text === undefined ? NaN : Number(text);
  return Number.isFinite(number) ? number : null;
}

function round(value) {
  return Math.round(value * 10) / 10;
}

function drawn(name, attributes, text) {
  const made = document.createElementNS(SPACE, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}
