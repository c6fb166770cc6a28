// Text of others, put into the document as text and nothing else. All markup is made here, by name.

const UNSEEN = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;
const LONGEST = 300;

/** What cannot be seen, or turns the direction of what follows, is spelled out; long text is cut. */
export function plain(value) {
  const text = String(value).slice(0, LONGEST + 1);
  const shown = text.replace(UNSEEN, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`);
  return text.length > LONGEST ? `${shown.slice(0, LONGEST)}…` : shown;
}

/** A new element; `attributes` are set as text, children are nodes or text. */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children);
  return made;
}

/** The element of the document with this id. */
export function part(id) {
  return document.getElementById(id);
}

/** Change a text only if it is another: an unchanged one is not announced, selected text stays. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** Show a word as a chip: its tone is good, warn, bad, stop or quiet. */
export function setChip(node, text, tone) {
  setText(node, text);
  if (node.dataset.tone !== tone) node.dataset.tone = tone;
}
