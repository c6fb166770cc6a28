// The way to the gateway: one WebSocket that comes back by itself, and requests beside it. The key
// goes into the first frame and into a header, never into an address.

const HERE = new URL("native/v1/", document.baseURI);
const KEPT_AS = "dragoman key";
const TICK_MS = 1000;
const ASK_AFTER_MS = 4000;
const LOST_AFTER_MS = 10_000;
const OPEN_WITHIN_MS = 10_000;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 15_000;
const ANSWER_WITHIN_MS = 30_000;
const BAD_KEY = 4401;

/** What the gateway answered that is no success; `outcome` says what became of a command. */
export class Refusal extends Error {
  constructor(status, told) {
    super(told?.message ?? `the gateway answered ${status}`);
    this.status = status;
    this.type = told?.type ?? null;
    this.outcome = told?.outcome ?? null;
  }
}

/** No answer came at all: what was asked for may have been done. */
export class Silence extends Error {}

/** The path of an account below the protocol's address. */
export function pathOf(provider, accountId) {
  return `${encodeURIComponent(provider)}/${encodeURIComponent(accountId)}`;
}

/**
 * States: "connecting", "live", "lost" (waiting to try again), "locked" (a key is needed).
 * The listener has onState(), onWelcome(frame), onFrame(frame).
 */
export class Wire {
  constructor(listener) {
    this.listener = listener;
    this.state = "connecting";
    this.why = "";
    this.heardAt = null;
    this.nextTryAt = null;
    this.socket = null;
    this.begunAt = 0;
    this.wasAsked = false;
    this.pause = FIRST_PAUSE_MS;
    this.key = recalled();
    setInterval(() => this.tick(), TICK_MS);
    window.addEventListener("online", () => this.hurry());
    document.addEventListener("visibilitychange", () => document.hidden || this.tick());
  }

  /** Begin, or begin anew with what is known now. */
  open() {
    this.drop();
    this.nextTryAt = null;
    this.begunAt = Date.now();
    this.turn("connecting", "");
    const address = new URL("stream", HERE);
    address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(address);
    this.socket = socket;
    socket.addEventListener("message", (message) => socket === this.socket && this.hear(message.data));
    socket.addEventListener("close", (end) => socket === this.socket && this.lose(end));
  }

  /** Use this key from now on; an empty one is none. It is kept for as long as the tab. */
  useKey(key) {
    this.key = key;
    if (!key) this.heardAt = null;
    keep(key);
    this.pause = FIRST_PAUSE_MS;
    this.open();
  }

  /** Send a frame; false if there is nobody to send it to. */
  send(frame) {
    if (this.socket?.readyState !== WebSocket.OPEN) return false;
    this.socket.send(JSON.stringify(frame));
    return true;
  }

  /** Ask beside the socket. Throws `Refusal` or `Silence`. */
  async request(method, path, body) {
    const headers = { Accept: "application/json" };
    if (this.key) headers.Authorization = `Bearer ${this.key}`;
    if (body !== undefined) headers["Content-Type"] = "application/json";
    let answer;
    let data = null;
    try {
      answer = await fetch(new URL(path, HERE), {
        method,
        headers,
        body: body === undefined ? undefined : JSON.stringify(body),
        cache: "no-store",
        redirect: "error",
        signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
      });
      data = await answer.json();
    } catch {
      if (answer === undefined || answer.ok) throw new Silence("no answer came");
    }
    if (!answer.ok) throw new Refusal(answer.status, data?.error);
    return data;
  }

  hear(text) {
    if (this.state === "live") this.heardAt = Date.now();
    this.wasAsked = false;
    const frame = JSON.parse(text);
    if (frame.type === "hello") this.greet(frame);
    else if (frame.type === "authenticated") this.welcome(frame);
    else if (this.state !== "live") this.why = frame.error?.message ?? this.why;
    else this.listener.onFrame(frame);
  }

  greet(hello) {
    const isLocked = hello.authenticate_within_s !== null && hello.authenticate_within_s !== undefined;
    if (isLocked && this.key) this.send({ type: "authenticate", token: this.key });
    else if (isLocked) this.lock("");
  }

  welcome(frame) {
    this.pause = FIRST_PAUSE_MS;
    this.heardAt = Date.now();
    this.turn("live", "");
    this.listener.onWelcome(frame);
  }

  lock(why) {
    this.drop();
    this.turn("locked", why);
  }

  lose(end) {
    this.drop();
    if (end.code === BAD_KEY && this.state === "connecting") {
      this.lock(this.key ? this.why || "this key is not known here" : "");
      return;
    }
    this.nextTryAt = Date.now() + this.pause * (0.75 + Math.random() / 2);
    this.pause = Math.min(this.pause * 2, LONGEST_PAUSE_MS);
    this.turn("lost", end.reason ?? "");
  }

  tick() {
    const now = Date.now();
    if (this.state === "lost" && now >= this.nextTryAt) this.open();
    else if (this.state === "connecting" && now - this.begunAt > OPEN_WITHIN_MS) this.lose({ reason: "no answer" });
    else if (this.state === "live") this.watch(now - this.heardAt);
    this.listener.onState();
  }

  watch(silentMs) {
    if (silentMs > LOST_AFTER_MS && this.wasAsked) this.lose({ reason: "nothing was heard any more" });
    else if (silentMs > ASK_AFTER_MS && !this.wasAsked) this.wasAsked = this.send({ type: "ping" });
  }

  hurry() {
    if (this.state === "lost") this.open();
  }

  drop() {
    const socket = this.socket;
    this.socket = null;
    socket?.close();
  }

  turn(state, why) {
    this.state = state;
    this.why = why;
    this.listener.onState();
  }
}

function recalled() {
  try {
    return sessionStorage.getItem(KEPT_AS) ?? "";
  } catch {
    return "";
  }
}

function keep(key) {
  try {
    if (key) sessionStorage.setItem(KEPT_AS, key);
    else sessionStorage.removeItem(KEPT_AS);
  } catch {
    // Where nothing may be kept, the key lives as long as the document.
  }
}
