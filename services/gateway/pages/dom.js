// Elements, calls and words that every view shares. Text only ever becomes text: nothing here writes HTML.

/** Makes an element. Properties that begin with `on` are listeners; null children are left out. */
export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== null && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

/** A refusal of the interface. */
export class Refused extends Error {
  constructor(problem, status) {
    super(problem?.detail ?? `The server answered ${status}.`);
    this.status = status;
    this.code = problem?.code;
  }
}

// The position of the last write, so that every later read has seen it.
let position = null;

/** Calls the interface; answers with the body. */
export const call = (method, path, body) => send(method, path, body && JSON.stringify(body), "application/json");

/** Sends a file; answers with the operation that takes it in. */
export const upload = (path, file) => send("POST", path, file, "text/csv");

async function send(method, path, body, mediaType) {
  const headers = {};
  if (body !== undefined) headers["Content-Type"] = mediaType;
  if (method === "POST") headers["Idempotency-Key"] = crypto.randomUUID();
  if (position !== null) headers["Updraft-After"] = position;
  const answer = await fetch(`/api/v1${path}`, { method, headers, body });
  if (answer.status === 401) {
    location.assign("/sign-in");
  }
  const content = await answer.json().catch(() => null);
  if (!answer.ok) throw new Refused(content, answer.status);
  position = answer.headers.get("updraft-position") ?? position;
  return content;
}

/** Reads one resource. */
export const read = (path) => call("GET", path);

/** Reads all pages of a list. */
export async function list(path, member) {
  const entries = [];
  let token = "";
  do {
    const page = await read(`${path}?pageSize=200&pageToken=${encodeURIComponent(token)}`);
    entries.push(...page[member]);
    token = page.nextPageToken;
  } while (token !== "");
  return entries;
}

/** Reads what the caller may not be allowed to see; null then. */
export async function ifAllowed(reading) {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof Refused && (error.status === 403 || error.status === 404)) return null;
    throw error;
  }
}

const names = new Map();

/** The name of a person, if the caller may know it. */
export function nameOf(personId) {
  if (!personId) return Promise.resolve("–");
  if (!names.has(personId)) {
    const reading = ifAllowed(read(`/people/${personId}`));
    names.set(
      personId,
      reading.then((person) => (person ? `${person.givenName} ${person.familyName}` : `Person ${personId.slice(-6)}`)),
    );
  }
  return names.get(personId);
}

/** `STATE_NEEDS_INFO` as words, without the name of its enum. */
export function words(value, prefix) {
  const text = value.slice(prefix.length + 1).toLowerCase().replaceAll("_", " ");
  return text === "unspecified" ? "–" : text;
}

/** What somebody may have to know before they answer an offer, in words. */
export const NEEDS = {
  INFORMATION_NEED_EFFORT: "how much time it takes",
  INFORMATION_NEED_PARTNER: "who the other is",
  INFORMATION_NEED_TOPICS: "what there is to teach and to learn",
  INFORMATION_NEED_OTHER: "something else",
};

/** A day and time in a zone. */
export function time(instant, timeZone) {
  if (!instant) return "–";
  const options = { dateStyle: "medium", timeStyle: "short" };
  if (timeZone) options.timeZone = timeZone;
  return new Intl.DateTimeFormat("en-GB", options).format(new Date(instant));
}

/** A share of one as per cent. */
export function percent(share) {
  return share === undefined || share === null ? "–" : `${Math.round(share * 1000) / 10} %`;
}

/** A table with a caption; the first cell of a row is its header. Cells are text, nodes, or `{class, text}`. */
export function table(caption, columns, rows) {
  if (rows.length === 0) return make("p", { class: "quiet-text" }, `${caption}: none.`);
  const cell = (content, index) => {
    if (index === 0) return make("th", { scope: "row" }, content);
    if (content?.text !== undefined) return make("td", { class: content.class }, content.text);
    return make("td", { class: typeof content === "number" ? "number" : null }, content instanceof Node ? content : `${content}`);
  };
  return make(
    "div",
    { class: "wide", tabindex: "0", role: "region", "aria-label": caption },
    make(
      "table",
      {},
      make("caption", {}, caption),
      make("thead", {}, make("tr", {}, columns.map((column) => make("th", { scope: "col" }, column)))),
      make("tbody", {}, rows.map((row) => make("tr", {}, row.map(cell)))),
    ),
  );
}

/** Figures side by side: `[name, value, note]`. */
export function figures(entries) {
  return make(
    "dl",
    { class: "figures" },
    entries.map(([name, value, note]) =>
      make("div", {}, make("dt", {}, name), make("dd", {}, `${value}`, note ? make("small", {}, note) : null)),
    ),
  );
}

/** Says something to everyone, readers of the screen included. */
export function say(text) {
  document.getElementById("message").textContent = text;
}

/** A button that runs a command and shows the view anew; what there is to say besides, the command answers as text. */
export function button(label, command, again, properties = {}) {
  const click = async (event) => {
    event.preventDefault();
    event.target.disabled = true;
    try {
      const more = await command();
      say(`${label}: done.${typeof more === "string" ? ` ${more}` : ""}`);
      await again();
    } catch (error) {
      say(`${label}: ${error.message}`);
      event.target.disabled = false;
    }
  };
  return make("button", { type: "button", onclick: click, ...properties }, label);
}

/** What to show where something could not be read. */
export function failure(error) {
  return make("p", { class: "problem", role: "alert" }, error.message);
}
